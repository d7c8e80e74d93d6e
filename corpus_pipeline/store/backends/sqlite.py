"""SQLite, embedded: the default, for one machine."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from corpus_pipeline.store.backends.base import Backend, Fault

BUSY_SECONDS = 30
_CACHE_KIB, _SMALL_CACHE_KIB = 65536, 8192  # of each connection
_SPEAKS_FREELY = frozenset({"SQLITE_ERROR", "SQLITE_CONSTRAINT_TRIGGER", "SQLITE_MISMATCH"})
_ABOUT_NAMES = re.compile(r"no such (?:table|column|index|function): [\w.]{1,128}|table \w{1,64} already exists")
_VALUES_AT_ONCE = 16_000  # SQLite takes up to 32,766 in a statement
_MAX_DAMAGE = 100  # faults that are listed


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite is free of the WAL-reset race between processes (fixed in 3.51.3, 3.50.7 and 3.44.6)."""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)


def lock_holders(path: Path) -> list[int]:
    """The processes that keep others from writing to a database file: who writes, else who reads.

    Empty where the system does not tell (only Linux does).
    """
    files = (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm")))
    own = {file.stat().st_ino for file in files if file.exists()}
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return []
    # "1: POSIX  ADVISORY  WRITE 4711 08:01:131077 1073741824 1073741825"; one that waits has "->" behind its number
    locks = [words for words in map(str.split, lines) if len(words) == 8 and words[1] == "POSIX"]
    held = [(words[3], int(words[4])) for words in locks if int(words[5].rpartition(":")[2]) in own]
    writing = {pid for kind, pid in held if kind == "WRITE"}
    return sorted(writing or {pid for _, pid in held})


def described(pid: int) -> str:
    """A process by its number, and whether it is stopped: then it releases no lock by itself."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return f"process {pid}"
    return f"process {pid}, which is stopped (`kill -CONT {pid}` or end it)" if state in "Tt" else f"process {pid}"


class SQLiteBackend(Backend):
    """A file. Writers queue (BEGIN IMMEDIATE and a busy timeout); committed means on disk (synchronous=FULL)."""

    name = "sqlite"

    def __init__(self) -> None:
        self._cache_kib = _CACHE_KIB

    def create_engine(self, url: str, connections: int, idle_seconds: int) -> Engine:
        path = make_url(url).database
        if path and path != ":memory:":
            folder = Path(path).parent
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not Path(path).exists():
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
        self.hide_values(engine)
        journal = "WAL" if wal_is_safe(sqlite3.sqlite_version_info) else "TRUNCATE"

        @event.listens_for(engine, "connect")
        def _configure(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # the driver must not begin or commit on its own
            cursor = connection.cursor()
            if cursor.execute("PRAGMA journal_mode").fetchone()[0].upper() != journal:
                cursor.execute(f"PRAGMA journal_mode={journal}")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute(f"PRAGMA cache_size=-{self._cache_kib}")
            cursor.execute("PRAGMA temp_store=MEMORY")
            cursor.close()

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            # a deferred transaction that turns to writing is refused at once when another one wrote in the meantime
            write = connection.get_execution_options().get("write", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

        return engine

    def insert(
        self,
        connection: Connection,
        table: Table,
        columns: Sequence[str],
        rows: Iterable[tuple[Any, ...]],
        updates: dict[str, str] | None = None,
    ) -> int:
        """See the base class. Many rows a statement: the interpreter is free for other threads in the meantime, which a
        statement for each row takes it back from."""
        batch = list(rows)
        head, tail = self.around_values(connection, table, columns, updates)
        marks = f"({', '.join('?' * len(columns))})"
        most = _VALUES_AT_ONCE // len(columns)
        for start in range(0, len(batch), most):
            part = batch[start : start + most]
            statement = f"{head}{', '.join([marks] * len(part))}{tail}"
            connection.exec_driver_sql(statement, tuple(chain.from_iterable(part)))
        return len(batch)

    def without_values(self, error: BaseException) -> str:
        """See the base class. SQLite speaks of names; only a trigger, or what it could not read, brings other words in."""
        name = getattr(error, "sqlite_errorname", None)
        if name is None or (name in _SPEAKS_FREELY and not _ABOUT_NAMES.fullmatch(str(error))):
            return name or type(error).__name__
        return str(error)

    def fault(self, error: DBAPIError) -> Fault:
        text = str(error.orig).lower()
        if "locked" in text or "busy" in text:
            return Fault.CONFLICT
        if (
            "disk is full" in text
            or "disk i/o error" in text
            or "readonly database" in text
            or "unable to open" in text
        ):
            return Fault.FULL
        return Fault.WRONG

    def save_memory(self, engine: Engine) -> None:
        self._cache_kib = _SMALL_CACHE_KIB
        engine.dispose()

    def in_the_way(self, engine: Engine) -> str:
        path = engine.url.database
        holders = [pid for pid in lock_holders(Path(path)) if pid != os.getpid()] if path else []
        return f" It is locked by {' and '.join(map(described, holders))}." if holders else ""

    def problems(self, connection: Connection) -> list[str]:
        answer = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        return [] if answer == "ok" else [f"the database file is damaged ({answer}); restore it from a backup"]

    def damage(self, connection: Connection) -> list[str]:
        answers = list(connection.exec_driver_sql(f"PRAGMA integrity_check({_MAX_DAMAGE})").scalars())
        found = [] if answers == ["ok"] else [str(answer) for answer in answers]
        for table, rowid, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(_MAX_DAMAGE):
            found.append(f"row {rowid} of {table} refers to a row of {parent} that is not there")
        return found

    def forget_deleted(self, connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA secure_delete=ON")

    def after_forgetting(self, engine: Engine) -> list[str]:
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.rollback()  # a checkpoint is refused inside a transaction
            (busy, _, _) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        path = engine.url.database
        return [f"{path}-wal: somebody reads the database; it goes with the next checkpoint"] if busy else []

    def upsert_clause(self, table: Table, updates: dict[str, str]) -> str:
        keys = ", ".join(column.name for column in table.primary_key)
        assignments = ", ".join(
            f"{column} = {value.format(new=f'excluded.{column}', old=f'{table.name}.{column}')}"
            for column, value in updates.items()
        )
        return f"ON CONFLICT ({keys}) DO UPDATE SET {assignments}"
