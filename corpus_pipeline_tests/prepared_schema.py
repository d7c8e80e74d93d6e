"""The tables of a new database, copied from those that the migrations made in the first one of this process.

A third of a second on SQLite and two on MariaDB are saved for each of the hundreds of databases of the tests. Those of the
store itself, of upgrades, and all that runs in a process of its own make their tables by the migrations.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from sqlalchemy import Connection, text

from corpus_pipeline.store import Store, migrate

_migrated = migrate.upgrade


class PreparedSchema:
    """Stands for `migrate.upgrade` while it `is_on`."""

    def __init__(self) -> None:
        self.is_on = False
        self._pages: sqlite3.Connection | None = None
        self._statements: list[str] = []

    def upgrade(self, store: Store) -> tuple[str | None, str]:
        """See `migrate.upgrade`."""
        kind = store.engine.dialect.name
        if not self.is_on or kind not in ("sqlite", "mysql") or store.fetch(migrate.version_of) is not None:
            return _migrated(store)
        is_known = bool(self._statements) if kind == "mysql" else self._pages is not None
        if not is_known:
            done = _migrated(store)
            self._learn(store, kind)
            return done
        with store.backend.exclusive(store.engine):
            if kind == "mysql":
                store.write(self._run)
            else:
                self._copy(store)
        return None, migrate.HEAD

    def _learn(self, store: Store, kind: str) -> None:
        if kind == "mysql":
            self._statements = store.fetch(_statements)
            return
        self._pages = sqlite3.connect(":memory:", check_same_thread=False)
        with closing(sqlite3.connect(str(store.engine.url.database))) as made:
            made.backup(self._pages)

    def _copy(self, store: Store) -> None:
        assert self._pages is not None
        with closing(sqlite3.connect(str(store.engine.url.database))) as empty:
            self._pages.backup(empty)

    def _run(self, connection: Connection) -> None:
        for statement in self._statements:
            connection.exec_driver_sql(statement)


def _statements(connection: Connection) -> list[str]:
    names = connection.execute(text("SHOW TABLES")).scalars().all()
    made = [connection.execute(text(f"SHOW CREATE TABLE `{name}`")).one()[1].replace("%", "%%") for name in names]
    version = f"INSERT INTO alembic_version VALUES ('{migrate.HEAD}')"
    return ["SET foreign_key_checks = 0", *made, version, "SET foreign_key_checks = 1"]
