"""Dagster's storage on SQLite, with connections that are kept.

Dagster's own opens an engine and a connection for each statement, waits for the disk after each event and makes a database
for each run: many tiny partitions then cost more in events than in work. Here one file holds all events, a storage keeps its
connections, and a commit waits for the operating system only. What a power cut may take is the last lines of the history;
what is true of the rows is in the corpus (`CORPUS_DATABASE_URL`), never here.

The tables and statements are Dagster's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from dagster import StringSource
from sqlalchemy import Connection, Engine, create_engine, event

from corpus_pipeline.defs.dagster_internals import (
    ConfigurableClassData,
    DagsterSqliteStorage,
    SqliteRunStorage,
    SqliteScheduleStorage,
)
from corpus_pipeline.defs.watching import WatchedEvents

_BUSY_SECONDS = 30


def _kept(url: str) -> Engine:
    """An engine whose connections are opened once."""
    engine = create_engine(
        url, connect_args={"timeout": _BUSY_SECONDS}, pool_size=4, max_overflow=-1, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=NORMAL").close()

    return engine


class _Kept:
    """What the three storages share: `_conn_string` is the URL of the file."""

    _conn_string: str

    @cached_property
    def _engine(self) -> Engine:
        return _kept(self._conn_string)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        super().dispose()  # type: ignore[misc]
        self._engine.dispose()


class Runs(_Kept, SqliteRunStorage):
    """The runs and dynamic partitions."""


class Schedules(_Kept, SqliteScheduleStorage):
    """The ticks of the sensors."""


class Events(_Kept, WatchedEvents):
    """The events of all runs. That the table of the partitions is there is looked up once, not some twenty times a run."""

    _has_partitions = False

    def _check_partitions_table(self) -> None:
        if not self._has_partitions:
            super()._check_partitions_table()
            self._has_partitions = True

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self.connect() as connection:
            yield connection


class SqliteStorage(DagsterSqliteStorage):
    """The storage that dagster.yaml names. base_dir: the folder of the three files."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        folder = Path(base_dir).absolute()
        self.base_dir = str(folder)
        self._run_storage = Runs.from_local(str(folder / "runs"))
        self._event_log_storage = Events(str(folder / "events"))
        self._schedule_storage = Schedules.from_local(str(folder / "schedules"))
        self._inst_data = inst_data
        super(DagsterSqliteStorage, self).__init__()

    @classmethod
    def config_type(cls) -> Any:
        return {"base_dir": StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> SqliteStorage:
        return cls(inst_data=inst_data, **config_value)

    # an instance that knows only its storage's parts asks these; with `storage: custom` no one does
    event_storage_data = None
    run_storage_data = None
    schedule_storage_data = None
