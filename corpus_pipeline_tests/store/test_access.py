"""What a MySQL server refuses is one sentence with the next step, at once; and each user has what it needs and no more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, String, Table, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from corpus_pipeline.errors import StoreUnavailable, UsageError
from corpus_pipeline.jobs.lease import holding
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline.store import Store, engine, migrate
from corpus_pipeline.store.backends.base import KEPT
from corpus_pipeline.store.grants import DatabaseRole, statements
from corpus_pipeline_tests.servers.mariadb import MariaDB
from corpus_pipeline_tests.store import making


@pytest.fixture
def url(mariadb_server: MariaDB) -> Iterator[str]:
    found = mariadb_server.fresh_database()
    yield found
    mariadb_server.drop_database(found)


def _changed(url: str, **parts: str) -> str:
    return make_url(url).set(**parts).render_as_string(hide_password=False)


def _until(done: Callable[[], bool]) -> None:
    for _ in range(1000):
        if done():
            return
        time.sleep(0.03)
    raise AssertionError("it did not come")


def _refused(url: str) -> str:
    store = Store(url, patience=3600)  # to wait would be wrong
    try:
        with pytest.raises(StoreUnavailable) as refusal:
            store.fetch(migrate.version_of)
    finally:
        store.close()
    return str(refusal.value)


def test_a_login_that_is_refused_is_not_waited_for(url: str) -> None:
    assert "refuses the login of 'corpus'" in _refused(_changed(url, password="other-s3cret"))
    assert "other-s3cret" not in _refused(_changed(url, password="other-s3cret"))
    assert "refuses the login of 'stranger'" in _refused(_changed(url, username="stranger"))


def test_a_database_that_is_not_there_or_not_ours_is_named(url: str) -> None:
    assert "CREATE DATABASE `test_of_nobody`" in _refused(_changed(url, database="test_of_nobody"))
    assert "corpus doctor --grants ROLE" in _refused(_changed(url, database="mysql"))


def test_a_host_without_an_address_is_not_waited_for(url: str) -> None:
    assert "host 'no-such-host.invalid'" in _refused(f"{_changed(url, host='no-such-host.invalid')}?tls=off")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("mysql+pymysql://u:p@host:port/corpus", "cannot be read"),
        ("mysql+pymysql://u:p@host", "names no database"),
        ("mysql+pymysql://u:p@host/corpus?pool_size=3", "unknown option 'pool_size'"),
        ("mysql+pymysql://u:p@host/corpus?sql_mode=ANSI", "unknown option 'sql_mode'"),
        ("mysql+pymysql://u:p@host/corpus?read_timeout=soon", "read_timeout is a number of seconds"),
        ("mysql+pymysql://u:p@host/corpus?connect_timeout=0", "connect_timeout is a number of seconds"),
    ],
)
def test_an_address_that_cannot_be_used_is_wrong_use(address: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refusal:
        Store(address)
    assert ":p@" not in str(refusal.value)


@pytest.mark.parametrize("mode", ["ANSI_QUOTES", "ANSI", "NO_BACKSLASH_ESCAPES", "ORACLE"])
def test_the_mode_of_the_server_does_not_matter(url: str, mode: str, mariadb_server: MariaDB, tmp_path: Path) -> None:
    with mariadb_server.administrator() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.sql_mode")
        (before,) = cursor.fetchone() or ("",)
        cursor.execute("SET GLOBAL sql_mode = %s", (mode,))
        try:
            with Corpus.open(Settings.from_env({"CORPUS_HOME": str(tmp_path), "CORPUS_DATABASE_URL": url})) as corpus:
                assert corpus.store.fetch(migrate.differences) == []
                assert (
                    corpus.store.fetch(lambda c: c.execute(text("SELECT `a` FROM (SELECT 1 AS `a`) `b`")).scalar()) == 1
                )
        finally:
            cursor.execute("SET GLOBAL sql_mode = %s", (before,))


def test_a_right_that_is_missing_is_named_with_the_next_step(url: str, mariadb_server: MariaDB) -> None:
    database = make_url(url).database
    with mariadb_server.administrator() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'only-reads'")
        cursor.execute(f"GRANT SELECT ON `{database}`.* TO reader@'127.0.0.1'")
    store = Store(_changed(url, username="reader", password="only-reads"), patience=3600)
    try:
        with pytest.raises(StoreUnavailable, match=r"CREATE command denied.*corpus doctor --grants ROLE"):
            migrate.ensure(store)
    finally:
        store.close()
        with mariadb_server.administrator() as connection, connection.cursor() as cursor:
            cursor.execute("DROP USER reader@'127.0.0.1'")


def test_a_database_name_is_no_pattern_in_a_grant(url: str) -> None:
    """`corpus_a` would be `corpusXa`, too."""
    granted = [one for one in statements(_changed(url, database="corpus_a"), DatabaseRole.AUGMENT) if "GRANT" in one]
    whole = [one for one in granted if "`.* TO" in one]
    assert whole and all(r"ON `corpus\_a`.*" in one for one in whole)
    assert len(granted) > len(whole) and all("ON `corpus_a`.`" in one for one in granted if one not in whole)


def test_a_row_that_the_server_does_not_take_is_named_before_it_is_sent(url: str, mariadb_server: MariaDB) -> None:
    with mariadb_server.administrator() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.max_allowed_packet")
        (before,) = cursor.fetchone() or (0,)
        cursor.execute("SET GLOBAL max_allowed_packet = 65536")
        try:
            store = Store(url, patience=3600)
            store.write(lambda c: c.execute(text("CREATE TABLE notes (words LONGTEXT)")))
            table = Table("notes", MetaData(), Column("words", String))
            with pytest.raises(StoreUnavailable, match="max_allowed_packet"):
                store.write(lambda c: store.backend.insert(c, table, ["words"], [("é" * 40_000,)]))
            store.write(lambda c: store.backend.insert(c, table, ["words"], [("é" * 20_000,)]))
            assert store.fetch(lambda c: c.execute(text("SELECT CHAR_LENGTH(words) FROM notes")).scalar()) == 20_000
            store.close()
        finally:
            cursor.execute("SET GLOBAL max_allowed_packet = %s", (before,))


def test_no_more_connections_than_are_allowed_and_a_sentence_when_all_are_in_use(url: str) -> None:
    store = Store(url, connections=4)
    store.engine.pool._timeout = 0.2  # type: ignore[attr-defined] # half a minute otherwise
    held = [store.engine.connect() for _ in range(4)]
    with pytest.raises(StoreUnavailable, match="CORPUS_DATABASE_CONNECTIONS"):
        store.fetch(migrate.version_of)
    held.pop().close()
    assert store.fetch(migrate.version_of) is None
    for connection in held:
        connection.close()
    store.close()


def test_a_lease_is_kept_while_the_server_has_no_connection_left(
    url: str, mariadb_server: MariaDB, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "_SILENT_SECONDS", 0)
    store, others = Store(url, patience=0.5), Store(url, connections=1000)
    migrate.ensure(store)
    made = making.task(store)
    with mariadb_server.administrator() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.max_connections")
        (before,) = cursor.fetchone() or (0,)
        taken = []
        try:
            with holding(store, made.task_id, Stage.CLEAN, 3.0) as lease:
                taken = [store.engine.connect() for _ in range(KEPT)]  # the work has what it had
                cursor.execute("SET GLOBAL max_connections = 10")
                with pytest.raises(OperationalError, match="1040"):
                    taken += (others.engine.connect() for _ in range(1000))
                renewed = lease.guard.renewed
                with pytest.raises(
                    StoreUnavailable, match=r"no connection left for 0 s: .*1040.*max_connections"
                ) as refusal:
                    store.write(lambda c: None, lease.guard)
                assert "\n" not in str(refusal.value) and "CORPUS_DATABASE_CONNECTIONS" in caplog.text
                _until(lambda: lease.guard.renewed > renewed)
                lease.check()
                taken.pop(0).close()
                store.write(lambda c: None, lease.guard)
        finally:
            cursor.execute("SET GLOBAL max_connections = %s", (before,))
            for one in taken:
                one.close()
            others.close()
    assert store.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    store.close()


def test_signs_of_life_share_a_connection_that_is_replaced_when_it_is_lost(url: str, mariadb_server: MariaDB) -> None:
    store = Store(url)
    number = text("SELECT CONNECTION_ID()")

    def sign() -> int:
        return store.signs.write(lambda c: int(c.execute(number).scalar_one()), name="sign")

    store.signs.hold()
    store.signs.hold()
    first = sign()
    with store.engine.connect() as work:
        assert work.execute(number).scalar() != first == sign()
    with mariadb_server.administrator() as connection, connection.cursor() as cursor:
        cursor.execute(f"KILL {first}")
    assert first != sign() == sign()
    store.signs.let_go()
    assert store.engine.pool.checkedout() == 1  # type: ignore[attr-defined]
    store.signs.let_go()
    assert store.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert sign() > first  # of the pool, when no one holds it
    store.close()


def test_a_process_keeps_few_connections(url: str) -> None:
    store = Store(url)
    for one in [store.engine.connect() for _ in range(8)]:
        one.close()
    assert store.engine.pool.checkedin() == KEPT == 2  # type: ignore[attr-defined]
    store.close()


def test_a_connection_that_lies_idle_is_given_back_to_the_server(url: str, mariadb_server: MariaDB) -> None:
    store = Store(url, idle_seconds=77)
    seconds = store.fetch(lambda c: c.execute(text("SELECT @@SESSION.wait_timeout")).scalar())
    store.close()
    with mariadb_server.administrator() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.wait_timeout")
        assert cursor.fetchone() != (seconds,)
    assert seconds == 77


def test_the_lock_of_a_long_change_is_not_taken_for_an_idle_connection(url: str) -> None:
    store, other = Store(url, idle_seconds=1), Store(url)
    with store.backend.exclusive(store.engine):
        time.sleep(3)  # the server closes what lies idle for a second
        with other.engine.connect() as connection:
            assert connection.execute(text("SELECT IS_FREE_LOCK('corpus-schema')")).scalar() == 0
    with other.engine.connect() as connection:
        assert connection.execute(text("SELECT IS_FREE_LOCK('corpus-schema')")).scalar() == 1
    store.close()
    other.close()


def test_an_idle_time_that_cannot_work_is_refused(tmp_path: Path) -> None:
    env = {"CORPUS_HOME": str(tmp_path)}
    assert Settings.from_env(env | {"CORPUS_DATABASE_IDLE_SECONDS": "10"}).database_idle_seconds == 10
    with pytest.raises(UsageError, match="CORPUS_DATABASE_IDLE_SECONDS"):
        Settings.from_env(env | {"CORPUS_DATABASE_IDLE_SECONDS": "9"})


@pytest.mark.parametrize("said", ["0", "3", "x", "1001", "-5"])
def test_a_number_of_connections_that_cannot_work_is_refused(said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="CORPUS_DATABASE_CONNECTIONS"):
        Settings.from_env({"CORPUS_HOME": str(tmp_path), "CORPUS_DATABASE_CONNECTIONS": said})
