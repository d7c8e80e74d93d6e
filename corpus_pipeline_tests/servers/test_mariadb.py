from __future__ import annotations

import pymysql
import pytest
import sqlalchemy as sa

from corpus_pipeline_tests.conftest import require_mariadb
from corpus_pipeline_tests.servers.mariadb import MariaDB
from corpus_pipeline_tests.servers.tcp_proxy import CommitFault, CommitProxy

pytestmark = pytest.mark.mariadb


def test_the_server_has_the_defaults_that_hurt(mariadb_url):
    with sa.create_engine(mariadb_url).connect() as connection:
        [found] = connection.execute(sa.text("SELECT @@character_set_database, @@tx_isolation, @@max_allowed_packet"))
    assert found == ("latin1", "REPEATABLE-READ", 64 * 1024 * 1024)


def test_the_user_sees_only_databases_of_tests(mariadb_url):
    with sa.create_engine(mariadb_url).connect() as connection:
        with pytest.raises(sa.exc.OperationalError, match="denied"):
            connection.execute(sa.text("SELECT * FROM mysql.user"))
        with pytest.raises(sa.exc.OperationalError, match="denied"):
            connection.execute(sa.text("SET GLOBAL max_connections = 5"))


def test_a_database_is_dropped_while_a_session_holds_locks_on_it(mariadb_server):
    url = mariadb_server.fresh_database()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (a INT PRIMARY KEY)"))
    holder = engine.connect()
    holder.execute(sa.text("INSERT INTO t VALUES (1)"))
    mariadb_server.drop_database(url)
    holder.invalidate()
    with pytest.raises(sa.exc.OperationalError, match="Unknown database"):
        engine.connect()


def test_what_was_committed_survives_a_crash_and_what_was_not_does_not(tmp_path):
    require_mariadb()
    with MariaDB(tmp_path, options={"innodb_snapshot_isolation": "ON"}) as server:
        engine = sa.create_engine(server.fresh_database())
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE t (a INT PRIMARY KEY)"))
            connection.execute(sa.text("INSERT INTO t VALUES (1)"))
        open_transaction = engine.connect()
        open_transaction.execute(sa.text("INSERT INTO t VALUES (2)"))
        server.kill9()
        assert not server.server.running
        server.restart()
        open_transaction.invalidate()
        engine.dispose()
        with engine.connect() as connection:
            assert list(connection.execute(sa.text("SELECT a, @@innodb_snapshot_isolation FROM t"))) == [(1, 1)]


@pytest.mark.parametrize(
    ("fault", "rows"),
    [(CommitFault.CUT_BEFORE, []), (CommitFault.LOSE_REPLY, [(2,)]), (CommitFault.SILENCE, [(2,)])],
    ids=lambda value: value.name if isinstance(value, CommitFault) else "",
)
def test_a_commit_of_unknown_outcome(mariadb_server, mariadb_url, fault, rows):
    database = mariadb_url.rsplit("/", 1)[1]
    with CommitProxy(mariadb_server.host, mariadb_server.port) as proxy:
        engine = sa.create_engine(mariadb_server.url(database, port=proxy.port), connect_args={"read_timeout": 1})
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE t (a INT PRIMARY KEY)"))
        proxy.break_commit(fault, after=1)
        with engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM t"))
        assert not proxy.happened.is_set()
        with pytest.raises(sa.exc.OperationalError) as lost, engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO t VALUES (2)"))
        assert isinstance(lost.value.orig, pymysql.err.OperationalError)
        assert lost.value.orig.args[0] == 2013  # lost connection during query
        assert proxy.happened.wait(5)
        with engine.begin() as connection:
            assert list(connection.execute(sa.text("SELECT a FROM t"))) == rows
    assert proxy.commits == 4
