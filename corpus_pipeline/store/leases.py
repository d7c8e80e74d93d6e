"""Leases: who may write for a stage of a task. Times are the database's; each new holder has a higher epoch."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, Row, insert, select, update

from corpus_pipeline.errors import LeaseHeld
from corpus_pipeline.model import TaskId
from corpus_pipeline.states import Stage
from corpus_pipeline.store.schema import leases
from corpus_pipeline.store.types import now_ms

_L = leases.c


class Lease(NamedTuple):
    """A lease row; `left_ms` is how long it still holds by the database's clock (<= 0: expired or released)."""

    task_id: TaskId
    stage: Stage
    owner: str
    epoch: int
    seq: int
    left_ms: int


def current(connection: Connection, task_id: TaskId, stage: Stage, *, lock: bool = False) -> Lease | None:
    """The lease of a stage of a task, None when nobody ever held it."""
    query = select(_L.task_id, _L.stage, _L.owner, _L.epoch, _L.seq, _L.expires_at - now_ms()).where(
        _L.task_id == task_id, _L.stage == stage.value
    )
    return _lease(connection.execute(query.with_for_update() if lock else query).one_or_none())


def live(connection: Connection) -> list[Lease]:
    """Leases that hold now."""
    query = select(_L.task_id, _L.stage, _L.owner, _L.epoch, _L.seq, _L.expires_at - now_ms())
    return [lease for row in connection.execute(query) if (lease := _lease(row)) and lease.left_ms > 0]


def _lease(row: Row | None) -> Lease | None:
    return None if row is None else Lease(row[0], Stage(row[1]), row[2], row[3], row[4], int(row[5]))


def acquire(connection: Connection, task_id: TaskId, stage: Stage, owner: str, ttl_ms: int) -> Lease:
    """Take the lease with the next epoch. Raises LeaseHeld while another owner's holds."""
    held = current(connection, task_id, stage, lock=True)
    if held is None:
        connection.execute(
            insert(leases).values(
                task_id=task_id, stage=stage.value, owner=owner, epoch=1, seq=0, expires_at=now_ms() + ttl_ms
            )
        )
    else:
        if held.left_ms > 0 and held.owner != owner:
            raise LeaseHeld(
                f"{stage} of task {task_id} is being worked on by {held.owner} (lease for another"
                f" {held.left_ms / 1000:.0f} s). Wait for it, or pause it with `corpus pause`;"
                " if that process is dead, the lease ends by itself."
            )
        connection.execute(
            update(leases)
            .where(_L.task_id == task_id, _L.stage == stage.value, _L.epoch == held.epoch)
            .values(owner=owner, epoch=held.epoch + 1, seq=0, expires_at=now_ms() + ttl_ms)
        )
    taken = current(connection, task_id, stage)
    assert taken is not None and taken.owner == owner
    return taken


def extend(connection: Connection, task_id: TaskId, stage: Stage, owner: str, epoch: int, ttl_ms: int) -> bool:
    """The heartbeat. False when the lease is another's by now."""
    touched = connection.execute(
        update(leases)
        .where(_L.task_id == task_id, _L.stage == stage.value, _L.owner == owner, _L.epoch == epoch, _L.expires_at > 0)
        .values(expires_at=now_ms() + ttl_ms)
    )
    return touched.rowcount == 1


def revoke(connection: Connection, task_id: TaskId, stage: Stage) -> None:
    """Refuse all further writes of whoever held this lease before it ended; does nothing while it holds."""
    connection.execute(
        update(leases)
        .where(_L.task_id == task_id, _L.stage == stage.value, _L.expires_at <= now_ms())
        .values(epoch=_L.epoch + 1, expires_at=0)
    )


def bar(connection: Connection, task_id: TaskId, stage: Stage, name: str) -> None:
    """Nobody writes for this stage until the transaction ends, and nothing more of whoever held its lease before.

    Raises LeaseHeld, naming `name`, while somebody works.
    """
    held = current(connection, task_id, stage, lock=True)
    if held is not None and held.left_ms > 0:
        raise LeaseHeld(f"{stage} of {name} is being worked on by {held.owner}; pause it first: corpus pause {name}")
    revoke(connection, task_id, stage)


def release(connection: Connection, task_id: TaskId, stage: Stage, owner: str, epoch: int) -> None:
    """Give the lease back; does nothing when it is another's by now."""
    connection.execute(
        update(leases)
        .where(_L.task_id == task_id, _L.stage == stage.value, _L.owner == owner, _L.epoch == epoch)
        .values(expires_at=0)
    )
