"""Which process works which run, and its last sign of life. Times are the database's, so that no host's clock decides.

A worker is lost when its process is seen to be gone, or when its sign of life has been missing for its length and a little
longer: the first look notes that it is missing, and a beat takes the note away. After a time in which the database itself
was away everybody is missing, and everybody who lives has said so before the second look. Moments that lie ahead were written
before the clock was set back: they count as now (see `cap`), so that a dead worker is not believed for as long as the step.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, Row, delete, insert, select, update

from corpus_pipeline import process_identity
from corpus_pipeline.states import Stage
from corpus_pipeline.store.schema import run_workers
from corpus_pipeline.store.types import now_ms

_W = run_workers.c
_SECOND_LOOK_MS = 4000  # a worker tries once a second while the database is away
_KEPT_MS = 3_600_000  # rows of runs that another Dagster instance knows


class RunWorker(NamedTuple):
    """The process of a run. owner: its name (see `process_identity`), '' when it has not said it yet.

    since_ms: since it began; age_ms: since its last sign of life; missed_ms: since somebody noted that it is missing, None when
    no look did. file_name, stage: what it works now.
    """

    run_id: str
    owner: str
    host: str
    pid: int
    version: str
    file_name: str | None
    stage: Stage | None
    since_ms: int
    age_ms: int
    ttl_ms: int
    missed_ms: int | None

    @property
    def is_ahead(self) -> bool:
        """Whether one of its moments has not come yet: the clock was set back."""
        return self.age_ms < 0 or (self.missed_ms or 0) < 0

    @property
    def is_missing(self) -> bool:
        """Whether it has given no sign of life for its length."""
        return self.age_ms > self.ttl_ms

    @property
    def is_lost(self) -> bool:
        """Whether its process is seen to be gone, or it was missing at an earlier look and still is."""
        if self.owner and process_identity.is_gone(self.owner):
            return True
        return self.is_missing and self.missed_ms is not None and self.missed_ms >= _SECOND_LOOK_MS


def listed(connection: Connection) -> list[RunWorker]:
    """All that are there, lost ones too, the oldest first."""
    query = select(
        _W.run_id,
        _W.owner,
        _W.host,
        _W.pid,
        _W.version,
        _W.file_name,
        _W.stage,
        (now_ms() - _W.started_at).label("since_ms"),
        (now_ms() - _W.beat_at).label("age_ms"),
        _W.ttl_ms,
        (now_ms() - _W.missed_at).label("missed_ms"),
    ).order_by(_W.started_at, _W.run_id)
    return [_worker(row) for row in connection.execute(query)]


def _worker(row: Row) -> RunWorker:
    return RunWorker(
        row.run_id,
        row.owner,
        row.host,
        row.pid,
        row.version,
        row.file_name,
        None if row.stage is None else Stage(row.stage),
        int(row.since_ms),
        int(row.age_ms),
        row.ttl_ms,
        None if row.missed_ms is None else int(row.missed_ms),
    )


def enter(
    connection: Connection,
    run_id: str,
    owner: str,
    version: str,
    ttl_ms: int,
    before: str | None = None,
    file_name: str | None = None,
) -> None:
    """This process works a run (of a dataset file) from now on, and no longer the one `before` it."""
    connection.execute(delete(run_workers).where(_W.run_id.in_([run_id] if before is None else [run_id, before])))
    _insert(connection, run_id, owner, version, ttl_ms, file_name)


def _insert(
    connection: Connection, run_id: str, owner: str, version: str, ttl_ms: int, file_name: str | None = None
) -> None:
    identity = process_identity.parsed(owner)
    assert identity is not None
    connection.execute(
        insert(run_workers).values(
            run_id=run_id,
            owner=owner,
            host=identity.host,
            pid=identity.pid,
            version=version,
            ttl_ms=ttl_ms,
            file_name=file_name,
        )
    )


def beat(connection: Connection, run_id: str, owner: str, file_name: str | None, stage: Stage | None) -> bool:
    """A sign of life. False when there is no such row: the run is over, or was ended for want of a sign."""
    told = connection.execute(
        update(run_workers)
        .where(_W.run_id == run_id, _W.owner == owner)
        .values(beat_at=now_ms(), missed_at=None, file_name=file_name, stage=None if stage is None else stage.value)
    )
    return told.rowcount == 1


def leave(connection: Connection, run_id: str, owner: str) -> None:
    """This process works the run no more."""
    connection.execute(delete(run_workers).where(_W.run_id == run_id, _W.owner == owner))


def sit(connection: Connection, seat: str, owner: str, version: str, ttl_ms: int) -> RunWorker | None:
    """Take a seat that one process has at a time, or give a sign of life from it; returns who has it, None when it is we."""
    if beat(connection, seat, owner, None, None):
        return None
    other = next((worker for worker in listed(connection) if worker.run_id == seat), None)
    if other is not None:
        if other.is_ahead:
            cap(connection)
        if not other.is_missing and not process_identity.is_gone(other.owner):
            return other
        connection.execute(delete(run_workers).where(_W.run_id == seat, _W.owner == other.owner))
    _insert(
        connection, seat, owner, version, ttl_ms
    )  # two at the same moment: the second is redone, and finds the first
    return None


def expect(connection: Connection, run_id: str, ttl_ms: int) -> None:
    """A run was seen that has no worker yet: it has this long to say its name."""
    if connection.execute(select(_W.run_id).where(_W.run_id == run_id)).one_or_none() is None:
        connection.execute(
            insert(run_workers).values(run_id=run_id, owner="", host="", pid=0, version="", ttl_ms=ttl_ms)
        )


def cap(connection: Connection) -> None:
    """Take what was written before the clock was set back for written now; who lives gives its next sign of life soon."""
    connection.execute(update(run_workers).where(_W.beat_at > now_ms()).values(beat_at=now_ms()))
    connection.execute(update(run_workers).where(_W.missed_at > now_ms()).values(missed_at=now_ms()))


def note_missing(connection: Connection) -> None:
    """Note who is missing now; forget who has been for an hour, whose runs are not of this Dagster instance."""
    now = connection.execute(select(now_ms())).scalar_one()
    connection.execute(
        update(run_workers).where(_W.missed_at.is_(None), _W.beat_at + _W.ttl_ms < now).values(missed_at=now)
    )
    connection.execute(delete(run_workers).where(_W.missed_at < now - _KEPT_MS))


def strike(connection: Connection, worker: RunWorker) -> bool:
    """Take out a lost worker, whose beats are refused from then on; False when it has given a sign since."""
    query = delete(run_workers).where(_W.run_id == worker.run_id, _W.owner == worker.owner)
    if not (worker.owner and process_identity.is_gone(worker.owner)):
        query = query.where(_W.missed_at.is_not(None), _W.beat_at + _W.ttl_ms < now_ms())
    return connection.execute(query).rowcount == 1
