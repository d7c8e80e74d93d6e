"""PostgreSQL's own ways: addresses, refusals, TLS, texts that it does not take, connections, damage."""

from __future__ import annotations

import ipaddress
import os
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url, text

from corpus_pipeline.errors import StoreUnavailable, UsageError
from corpus_pipeline.store import Store, migrate, rows
from corpus_pipeline.store.backends import postgres_access, postgres_values
from corpus_pipeline_tests.conftest import require_postgres
from corpus_pipeline_tests.servers.postgres import Postgres
from corpus_pipeline_tests.store import making
from corpus_pipeline_tests.store.test_tls import Certificates

pytestmark = pytest.mark.postgres


def _changed(url: str, **parts: str) -> str:
    return make_url(url).set(**parts).render_as_string(hide_password=False)


def _refused(url: str) -> str:
    store = Store(url, patience=3600)  # to wait would be wrong
    try:
        with pytest.raises(StoreUnavailable) as refusal:
            store.fetch(migrate.version_of)
    finally:
        store.close()
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


# --- texts ---


@given(st.text(st.sampled_from("\0\ufdd001a汉") | st.characters(exclude_categories=("Cs",)), max_size=12))
def test_a_text_is_found_again_in_what_is_stored(words: str) -> None:
    kept = postgres_values.stored(words)
    assert "\0" not in kept and postgres_values.original(kept) == words


@given(st.text(st.sampled_from("\0\ufdd01a"), max_size=8), st.text(st.sampled_from("\0\ufdd01a"), max_size=8))
def test_two_texts_are_never_stored_alike(one: str, other: str) -> None:
    assert (postgres_values.stored(one) == postgres_values.stored(other)) == (one == other)


def test_half_a_surrogate_pair_is_refused_by_itself(postgres_store: Store) -> None:
    made = making.task(postgres_store)
    batch = [one._replace(shape="\ud800") for one in making.conversations(1, 9)]
    with pytest.raises(UnicodeEncodeError):
        postgres_store.write(lambda c: rows.insert_batch(c, postgres_store.backend, made.file_id, batch, []))
    postgres_store.write(
        lambda c: rows.insert_batch(c, postgres_store.backend, made.file_id, making.conversations(1, 9), [])
    )


# --- addresses ---


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("postgresql+psycopg://u:p@host:port/corpus", "cannot be read"),
        ("postgresql://u:p@host", "names no database"),
        ("postgresql+psycopg://u:p@host/corpus?pool_size=3", "unknown option 'pool_size'"),
        ("postgresql+psycopg://u:p@host/corpus?tls=maybe", "tls must be verified, encrypted or off"),
        ("postgresql+psycopg://u:p@host/corpus?sslmode=prefer", "sslmode=prefer does not say whom to trust"),
        ("postgresql+psycopg://u:p@host/corpus?sslmode=verify-ca", "sslmode=verify-ca does not say whom to trust"),
        ("postgresql+psycopg://u:p@host/corpus?ssl_ca=/no/such/file", "no such file"),
        ("postgresql+psycopg://u:p@host/corpus?host=elsewhere", "the folder of a socket"),
        ("postgresql+psycopg://u:p@host/corpus?read_timeout=soon", "read_timeout is a number of seconds"),
        ("postgresql+psycopg://u:p@host/corpus?connect_timeout=0", "connect_timeout is a number of seconds"),
    ],
)
def test_an_address_that_cannot_be_used_is_wrong_use(address: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refusal:
        Store(address)
    assert ":p@" not in str(refusal.value)


@pytest.mark.parametrize("host", ["db", "db.example.org", "10.0.0.5", "[2001:db8::1]"])
def test_a_server_elsewhere_must_be_verified_unless_the_url_says_otherwise(host: str) -> None:
    def arguments(query: str = "") -> dict:
        return postgres_access.arguments(postgres_access.parsed(f"postgresql://u:p@{host}/corpus{query}"))

    for query in ("", "?tls=verified", "?sslmode=verify-full", "?application_name=x"):
        assert arguments(query)["sslmode"] == "verify-full"
        assert Path(arguments(query)["sslrootcert"]).is_file()
    assert arguments("?tls=encrypted")["sslmode"] == arguments("?sslmode=require")["sslmode"] == "require"
    assert arguments("?tls=off")["sslmode"] == arguments("?sslmode=disable")["sslmode"] == "disable"


# --- refusals ---


def test_a_login_that_is_refused_is_not_waited_for(postgres_url: str) -> None:
    assert "refuses the login of 'corpus'" in _refused(_changed(postgres_url, password="other-s3cret"))
    assert "other-s3cret" not in _refused(_changed(postgres_url, password="other-s3cret"))
    assert "refuses the login of 'stranger'" in _refused(_changed(postgres_url, username="stranger"))


def test_a_database_that_is_not_there_or_not_ours_is_named(postgres_url: str, postgres_server: Postgres) -> None:
    assert "CREATE DATABASE test_of_nobody" in _refused(_changed(postgres_url, database="test_of_nobody"))
    with postgres_server.administrator() as connection:
        connection.execute("REVOKE CONNECT ON DATABASE template1 FROM PUBLIC")
    assert "corpus doctor --grants ROLE" in _refused(_changed(postgres_url, database="template1"))


def test_a_host_without_an_address_is_not_waited_for(postgres_url: str) -> None:
    assert "host 'no-such-host.invalid'" in _refused(f"{_changed(postgres_url, host='no-such-host.invalid')}?tls=off")


def test_a_right_that_is_missing_is_named_with_the_next_step(postgres_url: str, postgres_server: Postgres) -> None:
    with postgres_server.administrator() as connection:
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'only-reads'")
    store = Store(_changed(postgres_url, username="reader", password="only-reads"), patience=3600)
    try:
        with pytest.raises(StoreUnavailable, match=r"permission denied for schema public.*corpus doctor --grants ROLE"):
            migrate.ensure(store)
    finally:
        store.close()
        with postgres_server.administrator() as connection:
            connection.execute("DROP ROLE reader")


def test_a_server_that_is_away_is_waited_for_and_then_named(postgres_url: str) -> None:
    store = Store(_changed(postgres_url).replace(f":{make_url(postgres_url).port}/", ":1/"), patience=0.3)
    with pytest.raises(StoreUnavailable, match=r"did not answer for 0 s: .*Connection refused") as refusal:
        store.fetch(migrate.version_of)
    assert "\n" not in str(refusal.value) and "p%40ss" not in str(refusal.value)
    store.close()


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    require_postgres()
    with Postgres(tmp_path / "frozen") as server:
        store = Store(f"{server.fresh_database()}?read_timeout=1&connect_timeout=2", patience=0.5)
        store.fetch(migrate.version_of)
        server.freeze()
        began = time.monotonic()
        try:
            with pytest.raises(StoreUnavailable, match="did not answer"):
                store.fetch(migrate.version_of)
        finally:
            server.thaw()
        assert time.monotonic() - began < 15
        store.close()


# --- TLS ---


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("own"))


def test_only_the_server_that_is_meant_gets_a_connection(certificates: Certificates, tmp_path: Path) -> None:
    require_postgres()
    own = certificates.of("own", [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    other = certificates.of("other", [x509.DNSName("db.example.org")])
    foreign = Certificates(tmp_path).authority
    with Postgres(tmp_path / "server") as server:
        url = server.fresh_database()
        trusting = f"{url}?tls=verified&ssl_ca={quote(certificates.authority)}"

        def show(pair: tuple[str, str] | None) -> None:
            if pair is not None:
                for name, source in zip(("server.crt", "server.key"), pair, strict=True):
                    target = server.data / name
                    target.write_bytes(Path(source).read_bytes())
                    target.chmod(0o600)
                    os.chown(target, server.data.stat().st_uid, server.data.stat().st_gid)
            with server.administrator() as connection:
                connection.execute(f"ALTER SYSTEM SET ssl = {'off' if pair is None else 'on'}")
                connection.execute("SELECT pg_reload_conf()")
            time.sleep(0.5)

        for pair, refused in ((own, [foreign]), (other, [foreign, certificates.authority]), (None, [foreign])):
            show(pair)
            for authority in refused:
                said = _refused(f"{url}?tls=verified&ssl_ca={quote(authority)}")
                assert "nothing was sent to it" in said and "ssl_ca" in said
            if pair == own:
                said = _protection(trusting)
                assert said.startswith("TLSv1") and "certificate verified, issued by CN=authority of" in said
            if pair is not None:
                assert "certificate not verified" in _protection(f"{url}?tls=encrypted")
            assert _protection(f"{url}?tls=off") == "not encrypted"


def _protection(url: str) -> str:
    store = Store(url)
    try:
        return store.fetch(store.backend.protection)
    finally:
        store.close()


# --- connections ---


def test_what_lies_idle_is_given_back_and_a_long_change_keeps_its_lock(postgres_url: str) -> None:
    store, other = Store(postgres_url, idle_seconds=1), Store(postgres_url)
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    store.fetch(migrate.version_of)
    with store.backend.exclusive(store.engine):
        time.sleep(3)  # the server closes what lies idle for a second
        with other.engine.connect() as connection:
            assert connection.execute(text(held)).scalar() == 1
    with other.engine.connect() as connection:
        assert connection.execute(text(held)).scalar() == 0
        mine = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        deadline = time.monotonic() + 30  # the process of a connection that was closed ends in its own time
        while connection.execute(text(mine)).scalar() != 1:
            assert time.monotonic() < deadline
            connection.rollback()  # a transaction sees the same processes all along
            time.sleep(0.1)
    assert store.fetch(migrate.version_of) is None  # a new connection is opened
    store.close()
    other.close()


def test_too_many_connections_are_waited_for_and_then_one_sentence(tmp_path: Path) -> None:
    require_postgres()
    with Postgres(tmp_path / "few", options={"max_connections": 8, "superuser_reserved_connections": 2}) as server:
        url = server.fresh_database()
        stores = [Store(url, patience=0.5) for _ in range(9)]
        held = [store.engine.connect() for store in stores[:6]]
        with pytest.raises(
            StoreUnavailable, match=r"no connection left for 0 s: .*(too many clients|reserved)"
        ) as refusal:
            stores[7].fetch(migrate.version_of)
        assert "\n" not in str(refusal.value)
        held.pop().close()
        stores[5].close()
        assert stores[7].fetch(migrate.version_of) is None
        for connection in held:
            connection.close()
        for store in stores:
            store.close()


# --- the server ---


def test_a_server_that_may_lose_commits_is_a_problem(postgres_store: Store) -> None:
    """The test server has fsync off."""
    found = postgres_store.fetch(postgres_store.backend.problems)
    assert [one.split()[0] for one in found] == ["fsync", "full_page_writes"]


def test_a_damaged_page_is_found(tmp_path: Path) -> None:
    require_postgres()
    with Postgres(tmp_path / "broken") as server:
        url = server.fresh_database()
        store = Store(url)
        migrate.ensure(store)
        made = making.task(store)
        store.write(lambda c: rows.insert_batch(c, store.backend, made.file_id, making.conversations(1, 500), []))
        assert store.fetch(store.backend.damage) == []
        place = store.fetch(lambda c: c.execute(text("SELECT pg_relation_filepath('turns')")).scalar())
        with server.administrator(str(make_url(url).database)) as connection:
            connection.execute("CHECKPOINT")
        store.close()
        server.stop()
        with (server.data / str(place)).open("r+b") as file:
            file.seek(8192)
            file.write(b"\xa5" * 4096)
        server.restart()
        store = Store(url)
        assert any("turns" in one for one in store.fetch(store.backend.damage))
        with pytest.raises(StoreUnavailable, match="mend the disk"):
            store.fetch(lambda c: c.execute(text("SELECT count(*) FROM turns")).scalar())
        store.close()
