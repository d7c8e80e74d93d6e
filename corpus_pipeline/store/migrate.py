"""The schema's version: made on a fresh database, checked on every other, changed by `corpus upgrade` only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, inspect, select, table

from corpus_pipeline import process_identity
from corpus_pipeline.errors import SchemaMismatch
from corpus_pipeline.settings import masked_url
from corpus_pipeline.store import leases
from corpus_pipeline.store.engine import Store

if TYPE_CHECKING:
    from alembic.config import Config

# the schema version that this program works with: the newest script in migrations/versions (a test compares them)
HEAD = "0016"
_VERSIONS = Path(__file__).with_name("migrations") / "versions"
_ALEMBIC = table("alembic_version", column("version_num"))


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration for a connection that the caller owns. Imported late: it takes a while."""
    from alembic.config import Config

    found = Config()
    found.set_main_option("script_location", str(_VERSIONS.parent))
    found.attributes["connection"] = connection
    return found


def version_of(connection: Connection) -> str | None:
    """The schema version of a database; None when it holds no corpus yet."""
    if not inspect(connection).has_table(_ALEMBIC.name):
        return None
    return connection.execute(select(_ALEMBIC.c.version_num)).scalar_one_or_none()


def ensure(store: Store) -> None:
    """Make the schema in a fresh database. Raises SchemaMismatch when it has another version than this program."""
    version = store.fetch(version_of)
    if version is None:
        upgrade(store)
        return
    if version == HEAD:
        return
    if any(path.name.startswith(version) for path in _VERSIONS.glob("*.py")):
        raise SchemaMismatch(
            f"the database {masked_url(store.url)} has schema {version}, this program works with {HEAD}."
            " Pause running work, make a backup, then run: corpus upgrade"
        )
    raise SchemaMismatch(
        f"the database {masked_url(store.url)} has schema {version}, which this program (schema {HEAD}) does not know."
        " It was made by a newer version: install that one."
    )


def upgrade(store: Store) -> tuple[str | None, str]:
    """Bring the schema to this program's version; returns (before, after). Refused while somebody works."""

    from alembic import command

    def work(connection: Connection) -> tuple[str | None, str]:
        before = version_of(connection)
        if before is not None and before != HEAD:
            busy = leases.owners(connection)
            if busy:
                raise SchemaMismatch(
                    f"{len(busy)} stages are being worked on (first: {process_identity.in_words(busy[0])});"
                    " pause them with `corpus pause --all --reason upgrade` and run `corpus upgrade` again"
                )
            # a worker that slept through the end of its lease must not write by the old schema
            leases.revoke_all(connection)
        if before != HEAD:
            command.upgrade(config(connection), HEAD)
        return before, HEAD

    with store.backend.exclusive(store.engine):
        return store.write(work)


def still_fits(connection: Connection) -> None:
    """For a process that has had the database open for long. Raises SchemaMismatch when its schema was changed since."""
    version = connection.execute(select(_ALEMBIC.c.version_num)).scalar_one_or_none()
    if version != HEAD:
        raise SchemaMismatch(
            f"the schema of the database was changed to {version} while this process was running, which works with {HEAD}."
            " End it and start it again with the program of that schema; nothing was written."
        )


def differences(connection: Connection) -> list[str]:
    """Tables that the program expects and the database lacks; empty when all are there."""
    from corpus_pipeline.store.schema import metadata

    return sorted(set(metadata.tables) - set(inspect(connection).get_table_names()))
