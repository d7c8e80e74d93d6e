"""The schema: the migrations make what the program expects, and no other version is worked with."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text

from corpus_pipeline.errors import SchemaMismatch
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline.store import Store, leases, migrate, schema
from corpus_pipeline_tests.prepared_schema import PreparedSchema
from corpus_pipeline_tests.store import making


def test_the_migrations_make_exactly_the_schema(store: Store) -> None:
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    assert store.fetch(migrate.differences) == []


def test_the_program_works_with_the_newest_script() -> None:
    script = ScriptDirectory.from_config(migrate.config())
    assert script.get_current_head() == migrate.HEAD


def test_every_table_compares_text_byte_by_byte(mariadb_store: Store) -> None:
    """The test server's default is latin1 and case-insensitive."""
    query = "SELECT table_name, engine, table_collation FROM information_schema.tables WHERE table_schema = DATABASE()"
    with mariadb_store.read() as connection:
        found = {row[0]: (row[1], row[2]) for row in connection.execute(text(query))}
    own = {name: found[name] for name in schema.metadata.tables}
    assert set(own.values()) == {("InnoDB", "utf8mb4_bin")}


def test_every_text_is_compared_byte_by_byte_on_postgres(postgres_store: Store) -> None:
    """The test server's default is that of a language."""
    query = (
        "SELECT table_name, column_name, collation_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type IN ('text', 'character varying')"
    )
    with postgres_store.read() as connection:
        found = {(row[0], row[1]): row[2] for row in connection.execute(text(query))}
        assert connection.execute(text("SELECT 'a' < 'B'")).scalar() is True  # elsewhere in this database
    assert len(found) > 100 and set(found.values()) == {"C"}


def test_another_schema_version_is_not_worked_with(every_database_url: str) -> None:
    store = Store(every_database_url)
    migrate.ensure(store)
    made = making.task(store)

    def set_version(version: str) -> None:
        store.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version}))

    set_version("9999")
    with pytest.raises(SchemaMismatch, match="newer version"):
        migrate.ensure(store)
    older = migrate._VERSIONS / "0000_older.py"
    try:
        older.touch()
        set_version("0000")
        with pytest.raises(SchemaMismatch, match="corpus upgrade"):
            migrate.ensure(store)
        store.write(lambda c: leases.acquire(c, made.task_id, Stage.CLEAN, "someone", 30_000))
        with pytest.raises(SchemaMismatch, match="1 stages are being worked on"):
            migrate.upgrade(store)
    finally:
        older.unlink()
        store.close()


def test_two_processes_may_open_a_fresh_database_at_once(every_database_url: str, tmp_path: Path) -> None:
    settings = Settings.from_env({"CORPUS_HOME": str(tmp_path / "home"), "CORPUS_DATABASE_URL": every_database_url})
    problems = []

    def open_it() -> None:
        try:
            Corpus.open(settings).close()
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_tables_that_are_copied_for_other_tests_are_those_of_the_migrations(every_database_url: str) -> None:
    made = PreparedSchema()
    made.is_on = True
    for number in range(2):  # the first one is learnt from
        url = f"{every_database_url}.{number}" if every_database_url.startswith("sqlite") else every_database_url
        with closing(Store(url)) as store:
            if number and not url.startswith("sqlite"):
                store.write(_drop_everything)
            assert made.upgrade(store) == (None, migrate.HEAD)
            with store.read() as connection:
                assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
            migrate.ensure(store)
            assert store.fetch(migrate.differences) == []
            making.task(store)


def _drop_everything(connection: Connection) -> None:
    every = MetaData()
    every.reflect(connection)
    every.drop_all(connection)
