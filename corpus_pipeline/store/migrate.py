"""The schema's version: made on a fresh database, checked on every other, changed by `corpus upgrade` only."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from corpus_pipeline.errors import SchemaMismatch
from corpus_pipeline.settings import masked_url
from corpus_pipeline.store import leases
from corpus_pipeline.store.engine import Store


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The schema version that this program works with."""
    version = ScriptDirectory.from_config(_config()).get_current_head()
    assert version is not None
    return version


def version_of(connection: Connection) -> str | None:
    """The schema version of a database; None when it holds no corpus yet."""
    return MigrationContext.configure(connection).get_current_revision()


def ensure(store: Store) -> None:
    """Make the schema in a fresh database. Raises SchemaMismatch when it has another version than this program."""
    version = store.fetch(version_of)
    if version is None:
        upgrade(store)
        return
    if version == head():
        return
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if version in known:
        raise SchemaMismatch(
            f"the database {masked_url(store.url)} has schema {version}, this program works with {head()}."
            " Pause running work, make a backup, then run: corpus upgrade"
        )
    raise SchemaMismatch(
        f"the database {masked_url(store.url)} has schema {version}, which this program (schema {head()}) does not know."
        " It was made by a newer version: install that one."
    )


def upgrade(store: Store) -> tuple[str | None, str]:
    """Bring the schema to this program's version; returns (before, after). Refused while somebody works."""

    def work(connection: Connection) -> tuple[str | None, str]:
        before = version_of(connection)
        if before is not None and before != head():
            busy = leases.live(connection)
            if busy:
                raise SchemaMismatch(
                    f"{len(busy)} stages are being worked on (first: {busy[0].owner});"
                    " pause them with `corpus pause --all --reason upgrade` and run `corpus upgrade` again"
                )
        if before != head():
            command.upgrade(_config(connection), "head")
        return before, head()

    with store.backend.exclusive(store.engine):
        return store.write(work)


def differences(connection: Connection) -> list[str]:
    """Tables that the program expects and the database lacks; empty when all are there."""
    from corpus_pipeline.store.schema import metadata

    return sorted(set(metadata.tables) - set(inspect(connection).get_table_names()))
