"""The users that `corpus doctor --grants` prints, on a real server: enough for their work, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from corpus_pipeline.errors import UsageError
from corpus_pipeline.service import Corpus
from corpus_pipeline.states import Stage
from corpus_pipeline.store import Store, migrate
from corpus_pipeline.store.grants import DatabaseRole, statements
from corpus_pipeline_tests import small_corpus
from corpus_pipeline_tests.conftest import SERVERS

PASSWORD = "a password of the tests"


@pytest.fixture(params=SERVERS)
def users(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[DatabaseRole, str]]:
    """The URL of each role's user of a new, empty database; what was printed is what made them."""
    server = request.getfixturevalue(f"{request.param}_server")
    bare = server.fresh_database()
    url, made = make_url(bare), dict[DatabaseRole, str]()
    for role in DatabaseRole:
        plain = [
            one.replace("CHOOSE A PASSWORD", PASSWORD).replace(" REQUIRE SSL", "") for one in statements(bare, role)
        ]
        for statement in plain:
            server.run_as_administrator(bare, statement.rstrip(";"))
        made[role] = url.set(username=f"corpus_{role}", password=PASSWORD).render_as_string(hide_password=False)
        if role is DatabaseRole.MIGRATE:  # rights on single tables need the tables
            store = Store(made[role])
            migrate.upgrade(store)
            store.close()
    yield made
    roles = [f"corpus_{role}" for role in DatabaseRole]
    for role in roles if request.param == "mariadb" else ():
        server.run_as_administrator(bare, f"DROP USER '{role}'@'%'")
    server.drop_database(bare)


def test_each_user_is_enough_for_its_work(users, tmp_path):
    home = tmp_path / "home"
    rows = [small_corpus.pair(number) for number in range(1, 8)]
    with small_corpus.opened(home, CORPUS_DATABASE_URL=users[DatabaseRole.OPERATE]) as corpus:
        corpus.add(small_corpus.write_jsonl(tmp_path / "a.jsonl", rows))
        small_corpus.run_path(corpus, "a", Stage.CLEAN)
    with small_corpus.opened(home, CORPUS_DATABASE_URL=users[DatabaseRole.AUGMENT]) as corpus:
        corpus.run_stage("a", Stage.AUGMENT)
    with small_corpus.opened(home, CORPUS_DATABASE_URL=users[DatabaseRole.OPERATE]) as corpus:
        corpus.run_stage("a", Stage.EXPORT)
        corpus.purge("a", [2], reason="request 7")
    with Corpus.open(small_corpus.settings(home, CORPUS_DATABASE_URL=users[DatabaseRole.VIEW])) as corpus:
        assert corpus.status(["a"])[0]["stages"]["augment"]["status"] == "done"
        assert corpus.show("a:3")["augmented"]
        corpus.note("login", "web")


FORBIDDEN = {
    DatabaseRole.MIGRATE: ["CREATE USER x", "SELECT 1 INTO OUTFILE '/tmp/x'", "GRANT SELECT ON *.* TO corpus_view"],
    DatabaseRole.OPERATE: ["DROP TABLE turns", "ALTER TABLE turns ADD x INT", "CREATE TABLE x (y INT)"],
    DatabaseRole.AUGMENT: [
        "INSERT INTO conversations VALUES (1, 1, '', NULL, 1, 1, 1, 0)",
        "UPDATE turns SET data_prompt = 'x'",
        "DELETE FROM cleaned_rows",
        "INSERT INTO dataset_files (id) VALUES (1)",
        "UPDATE recipes SET body = ''",
        "DELETE FROM exports",
        "UPDATE audit_log SET who = 'x'",
        "DELETE FROM audit_log",
        "DROP TABLE answers",
        "SELECT * FROM mysql.user",
        "SELECT LOAD_FILE('/etc/passwd') IS NOT NULL AND (SELECT 1 FROM mysql.user)",
    ],
    DatabaseRole.VIEW: [
        "UPDATE turns SET data_prompt = 'x'",
        "DELETE FROM failed_samples",
        "INSERT INTO pause_flags (reason, requested_by) VALUES ('x', 'x')",
        "DELETE FROM audit_log",
        "DROP TABLE turns",
        "SET GLOBAL max_connections = 1",
    ],
}


FORBIDDEN_ON_POSTGRES = {
    DatabaseRole.MIGRATE: [
        "CREATE ROLE x",
        "COPY (SELECT 1) TO '/tmp/x'",
        "CREATE SCHEMA x",
        "GRANT pg_monitor TO CURRENT_USER",
    ],
    DatabaseRole.OPERATE: [
        "DROP TABLE turns",
        "ALTER TABLE turns ADD x INT",
        "CREATE TABLE x (y INT)",
        "TRUNCATE turns",
    ],
    DatabaseRole.AUGMENT: [
        "INSERT INTO conversations VALUES (1, 1, '', NULL, 1, 1, 1, false)",
        "SELECT * FROM pg_authid",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY turns FROM PROGRAM 'id'",
        *(one for one in FORBIDDEN[DatabaseRole.AUGMENT][1:-2]),
    ],
    DatabaseRole.VIEW: [*FORBIDDEN[DatabaseRole.VIEW][:-1], "SET ROLE postgres"],
}


def test_no_user_may_do_what_its_work_does_not_need(users):
    is_postgres = users[DatabaseRole.VIEW].startswith("postgresql")
    for role, wanted in (FORBIDDEN_ON_POSTGRES if is_postgres else FORBIDDEN).items():
        engine = create_engine(users[role])
        for statement in wanted:
            with (
                engine.connect() as connection,
                pytest.raises(DBAPIError, match=r"denied|must (be (owner|superuser)|have admin option)"),
            ):
                connection.execute(text(statement))
        engine.dispose()


def test_a_database_without_users_says_so():
    with pytest.raises(UsageError, match="SQLite has no users"):
        statements("sqlite:////tmp/x.db", DatabaseRole.VIEW)
