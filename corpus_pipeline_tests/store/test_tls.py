"""The way to a server of the database: verified where it leaves this machine, and never weaker without a word."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.engine import make_url

from corpus_pipeline import addresses
from corpus_pipeline.errors import StoreUnavailable, UsageError
from corpus_pipeline.settings import Settings
from corpus_pipeline.stages.export.targets import open_target
from corpus_pipeline.store import Store
from corpus_pipeline.store.backends import mysql_tls
from corpus_pipeline_tests.conftest import require_mariadb
from corpus_pipeline_tests.servers.mariadb import MariaDB

SECRET = "a-secret-of-this-test"


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


@pytest.mark.parametrize(
    "url",
    [
        "http://s3.example.org",
        "http://10.0.0.5:9000",
        "ftp://127.0.0.1",
        "s3.example.org",
        "http://127.0.0.1.example.org",  # a name that begins like an address of this machine
        "http://127.example.org:9000",
        "http://[::1:2:3]",
        "http://s3.localhost",
    ],
)
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

    def of(
        self,
        name: str,
        names: list[x509.GeneralName],
        *,
        common_name: str | None = None,
        ends_in_days: int = 2,
        by_itself: bool = False,
    ) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name or name)])
        issuer = (subject, key) if by_itself else (self._name, self._key)
        certificate = self._write(name, self._signed(subject, key, names, ends_in_days=ends_in_days, issuer=issuer))
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
        ends_in_days: int = 2,
        issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey] | None = None,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        by, signing = issuer or (self._name, self._key)
        builder = (
            x509.CertificateBuilder(by, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=9))
            .not_valid_after(now + datetime.timedelta(days=ends_in_days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(signing, hashes.SHA256())

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


# --- who shows which certificate; where names lead ---

BAD = {
    "another name": {"names": [x509.DNSName("elsewhere.example.org")]},
    "another common name": {"names": [], "common_name": "elsewhere.example.org"},
    "expired": {"names": [x509.DNSName("localhost")], "ends_in_days": -1},
    "signed by itself": {"names": [x509.DNSName("localhost")], "by_itself": True},
}
GOOD = {"names": [x509.DNSName("localhost")]}
_GREETING = (
    b"\x0a8.0.36\0" + b"\1\0\0\0" + b"s" * 8 + b"\0\xff\xff\xff\2\0\xff\xdf\x15" + bytes(10) + b"s" * 12 + b"\0"
    b"mysql_native_password\0"
)


class Listener:
    """A server with a certificate: it greets like a MySQL server or waits like a store, and keeps what it hears in TLS."""

    def __init__(self, certificate: tuple[str, str], greeting: bytes | None) -> None:
        self.heard: list[bytes] = []
        self.in_the_clear: list[bytes] = []
        self._greeting = greeting
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with suppress(OSError), client:
                client.settimeout(10)
                if self._greeting is not None:
                    client.sendall(len(self._greeting).to_bytes(3, "little") + b"\0" + self._greeting)
                    self.in_the_clear.append(client.recv(36))  # that TLS is wanted
                with self._context.wrap_socket(client, server_side=True) as safe:
                    if words := safe.recv(1 << 16):
                        self.heard.append(words)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener(certificates: Certificates) -> Iterator[Callable[..., Listener]]:
    made: list[Listener] = []

    def listen(kind: dict[str, Any], greeting: bytes | None = None) -> Listener:
        made.append(Listener(certificates.of("localhost", **kind), greeting))
        return made[-1]

    yield listen
    for one in made:
        one.close()


@pytest.fixture
def store_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": SECRET, "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between tries


@pytest.mark.parametrize("kind", BAD)
def test_a_database_server_with_a_bad_certificate_hears_nothing(kind, listener, certificates) -> None:
    server = listener(BAD[kind], _GREETING)
    url = f"mysql+pymysql://ann:{SECRET}@localhost:{server.port}/corpus?ssl_ca={quote(certificates.authority)}"
    store = Store(url, patience=5)
    with pytest.raises(StoreUnavailable, match=r"cannot be trusted \([-\w\s,'.]+\); nothing was sent to it"):
        store.fetch(store.backend.problems)
    assert server.heard == [] and not any(b"ann" in words for words in server.in_the_clear)


def test_a_database_server_with_a_good_certificate_hears_the_login(listener, certificates) -> None:
    server = listener(GOOD, _GREETING)
    url = f"mysql+pymysql://ann:{SECRET}@localhost:{server.port}/corpus?ssl_ca={quote(certificates.authority)}"
    with pytest.raises(Exception, match=r"."):
        Store(url, patience=0).fetch(lambda c: None)
    assert b"ann" in server.heard[0]


@pytest.mark.parametrize("kind", [*BAD, "good"])
def test_a_store_with_a_bad_certificate_hears_nothing(kind, listener, certificates, monkeypatch, store_key) -> None:
    server = listener(BAD.get(kind, GOOD))
    monkeypatch.setenv("AWS_CA_BUNDLE", certificates.authority)
    target = open_target("s3://bucket/corpus", endpoint_url=f"https://localhost:{server.port}")
    assert not target.check().ok
    assert (server.heard != []) is (kind == "good")


class Names:
    """A resolver that says what it is told, one answer after the other; the last one again and again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
        self._answers, self._real = list(answers), socket.getaddrinfo
        self.asked: list[str] = []
        monkeypatch.setattr(socket, "getaddrinfo", self._answer)

    def _answer(self, host: Any, port: Any, *further: Any, **named: Any) -> Any:
        if addresses.literal(str(host)) is not None:
            return self._real(host, port, *further, **named)
        self.asked.append(host)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, port))]


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("localhost", "203.0.113.5"),
        ("localhost", "10.0.0.5"),
        ("db.example.org", "127.0.0.1"),
        ("db.example.org", "169.254.169.254"),
        ("db.example.org", "0.0.0.0"),
    ],
)
def test_a_name_that_leads_where_nothing_is_sent_is_not_followed(host, answer, monkeypatch, store_key) -> None:
    Names(monkeypatch, answer)
    made: list[object] = []
    monkeypatch.setattr(socket, "create_connection", lambda *asked, **_: made.append(asked))
    for driver in ("mysql+pymysql", "postgresql+psycopg"):
        store = Store(f"{driver}://u:p@{host}/corpus?tls=off", patience=0)
        with pytest.raises(StoreUnavailable, match="where nothing is sent"):
            store.fetch(lambda c: None)
    target = open_target("s3://bucket/corpus", endpoint_url=f"https://{host}:1")
    assert "where nothing is sent" in target.check().sentence
    assert made == []


@pytest.mark.parametrize("kind", ["database", "store"])
def test_a_name_that_points_elsewhere_the_second_time_is_asked_once(kind, monkeypatch, store_key) -> None:
    """DNS rebinding: what was checked is what is connected to."""
    names, went = Names(monkeypatch, "127.0.0.1", "203.0.113.5"), list[tuple[str, int]]()

    def goes(_: socket.socket, where: Any) -> None:
        went.append((where[0], len(names.asked)))
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", goes)
    if kind == "database":
        with pytest.raises(StoreUnavailable):
            Store("mysql+pymysql://u:p@localhost:1/corpus?tls=verified", patience=0).fetch(lambda c: None)
    else:
        open_target("s3://bucket/corpus", endpoint_url="https://localhost:1").check()
    assert went[0] == ("127.0.0.1", 1) and {address for address, _ in went} == {"127.0.0.1"}


def test_a_host_of_ones_own_network_that_leads_outside_gets_nothing_in_the_clear(monkeypatch) -> None:
    Names(monkeypatch, "8.8.8.8")
    with pytest.raises(addresses.Forbidden):
        addresses.of_server("minio", 9000, in_the_clear=True)
    assert addresses.of_server("minio", 9000, in_the_clear=False) == ["8.8.8.8"]
    Names(monkeypatch, "10.0.0.7")
    assert addresses.of_server("minio", 9000, in_the_clear=True) == ["10.0.0.7"]
