"""The way to a server of the database: verified where it leaves this machine, and never weaker without a word."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.engine import make_url

from corpus_pipeline.errors import StoreUnavailable, UsageError
from corpus_pipeline.settings import Settings
from corpus_pipeline.store import Store
from corpus_pipeline.store.backends import mysql_tls
from corpus_pipeline_tests.conftest import require_mariadb
from corpus_pipeline_tests.servers.mariadb import MariaDB


@pytest.mark.parametrize("host", ["db", "db.example.org", "10.0.0.5", "192.168.1.4", "[2001:db8::1]"])
def test_a_server_elsewhere_must_be_verified_unless_the_url_says_otherwise(host: str) -> None:
    def arguments(query: str = "") -> dict:
        return mysql_tls.arguments(make_url(f"mysql+pymysql://u:p@{host}/corpus{query}"))

    for query in ("", "?tls=verified", "?charset=utf8mb4"):
        context = arguments(query)["ssl"]
        assert context.check_hostname and context.verify_mode.name == "CERT_REQUIRED"
    loose = arguments("?tls=encrypted")["ssl"]
    assert not loose.check_hostname and loose.verify_mode.name == "CERT_NONE"
    assert arguments("?tls=off") == {"ssl_disabled": True}
    with pytest.raises(UsageError, match="tls must be verified, encrypted or off"):
        arguments("?tls=maybe")
    with pytest.raises(UsageError, match="cannot be used"):
        arguments("?ssl_ca=/no/such/file")


def test_no_word_of_the_driver_loosens_it() -> None:
    url = make_url(
        "mysql+pymysql://u:p@db/corpus?ssl_verify_cert=false&ssl_verify_identity=false&ssl_check_hostname=false"
    )
    assert mysql_tls.without_options(url).query == {}
    assert mysql_tls.arguments(url)["ssl"].check_hostname


@pytest.mark.parametrize("url", ["http://s3.example.org", "http://10.0.0.5:9000", "ftp://127.0.0.1", "s3.example.org"])
def test_a_store_elsewhere_is_not_spoken_to_in_the_clear(url: str) -> None:
    with pytest.raises(UsageError, match="CORPUS_S3_ENDPOINT_URL"):
        Settings.from_env({"CORPUS_S3_ENDPOINT_URL": url})


@pytest.mark.parametrize(
    "url", ["https://s3.example.org", "http://127.0.0.1:9000", "http://localhost:1", "http://minio:9000"]
)
def test_a_store_here_or_of_ones_own_is(url: str) -> None:
    assert Settings.from_env({"CORPUS_S3_ENDPOINT_URL": url, "CORPUS_PRIVATE_HOSTS": "minio"}).s3_endpoint_url == url


class Certificates:
    """An authority of our own, and what it signed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"authority of {folder.name}")])
        self.authority = self._write("ca", self._signed(self._name, self._key, [], authority=True))

    def of(self, name: str, names: list[x509.GeneralName]) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = self._write(name, self._signed(subject, key, names))
        path = self.folder / f"{name}.key"
        plain = (
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        path.write_bytes(key.private_bytes(*plain))
        return certificate, str(path)

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: list[x509.GeneralName],
        *,
        authority: bool = False,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _write(self, name: str, certificate: x509.Certificate) -> str:
        path = self.folder / f"{name}.pem"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return str(path)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module", params=["ours", "another name", "none"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[tuple[str, str]]:
    """(its kind, the URL of a database) of a server with a good certificate, with one of another name, without any."""
    require_mariadb()
    names = {
        "ours": [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))],
        "another name": [x509.DNSName("db.example.org")],
    }
    options: dict[str, str | int] = {"skip_ssl": "ON"}
    if request.param in names:
        certificate, key = certificates.of(request.param.replace(" ", "-"), names[request.param])
        options = {"ssl_cert": certificate, "ssl_key": key}
    with MariaDB(tmp_path_factory.mktemp("tls"), options=options) as running:
        yield request.param, running.fresh_database()


@pytest.mark.mariadb
def test_only_the_server_that_is_meant_gets_a_connection(
    server: tuple[str, str], certificates: Certificates, tmp_path: Path
) -> None:
    kind, url = server
    demanded = f"{url}?tls=verified&ssl_ca={quote(certificates.authority)}"
    foreign = f"{url}?tls=verified&ssl_ca={quote(Certificates(tmp_path).authority)}"
    for address in (foreign, f"{url}?tls=verified", *([] if kind == "ours" else [demanded])):
        store = Store(address, patience=60)  # it is refused at once, not tried again for a minute
        with pytest.raises(StoreUnavailable, match=r"nothing was sent to it.*ssl_ca"):
            store.fetch(store.backend.problems)
        store.close()
    if kind == "ours":
        store = Store(demanded)
        assert "certificate verified, issued by CN=authority of own" in store.fetch(store.backend.protection)
        store.close()
    if kind != "none":
        store = Store(f"{url}?tls=encrypted")
        assert "certificate not verified, issued by CN=authority of own" in store.fetch(store.backend.protection)
        store.close()
    store = Store(f"{url}?tls=off")
    assert store.fetch(store.backend.protection) == "not encrypted"
    store.close()
