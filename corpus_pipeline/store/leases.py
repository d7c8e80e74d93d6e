"""Leases: who may write for a stage of a task. Times are the database's; each new holder has a higher epoch.

A lease holds as long as its heartbeat extends it, and no longer than its holder lives where that can be seen: a process of
this machine that has ended holds nothing. A clock that is set back makes no lease longer than its length (see `cap`).
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, Row, func, insert, select, update

from corpus_pipeline import process_identity
from corpus_pipeline.errors import LeaseHeld
from corpus_pipeline.model import TaskId
from corpus_pipeline.states import Stage
from corpus_pipeline.store.schema import leases
from corpus_pipeline.store.types import now_ms
from corpus_pipeline.units import span

_L = leases.c
_QUERY = select(
    _L.task_id,
    _L.stage,
    _L.owner,
    _L.epoch,
    _L.seq,
    (_L.expires_at - now_ms()).label("left_ms"),
    _L.ttl_ms,
    (now_ms() - _L.acquired_at).label("held_ms"),
)


class Lease(NamedTuple):
    """A lease row; `left_ms` is how long it still holds (<= 0: expired, released, or its holder is seen to be gone).

    held_ms: for how long its holder has had it.
    """

    task_id: TaskId
    stage: Stage
    owner: str
    epoch: int
    seq: int
    left_ms: int
    ttl_ms: int
    held_ms: int


def current(connection: Connection, task_id: TaskId, stage: Stage, *, lock: bool = False) -> Lease | None:
    """The lease of a stage of a task, None when no one ever held it."""
    query = _QUERY.where(_L.task_id == task_id, _L.stage == stage.value)
    return _lease(connection.execute(query.with_for_update() if lock else query).one_or_none())


def live(connection: Connection) -> list[Lease]:
    """Leases that hold now."""
    return [lease for row in connection.execute(_QUERY) if (lease := _lease(row)) and lease.left_ms > 0]


def of_task(connection: Connection, task_id: TaskId) -> list[Lease]:
    """The leases of a task that were not given back, whether or not they still hold."""
    query = _QUERY.where(_L.task_id == task_id, _L.expires_at > 0)
    return [lease for row in connection.execute(query) if (lease := _lease(row))]


def last_acquired(connection: Connection) -> dict[TaskId, int]:
    """When a stage of each task was last begun, in milliseconds since 1970."""
    return {
        row.task_id: int(row.at)
        for row in connection.execute(select(_L.task_id, func.max(_L.acquired_at).label("at")).group_by(_L.task_id))
    }


def owners(connection: Connection) -> list[str]:
    """Who works now; asks for no column that an older schema lacks."""
    found = connection.execute(select(_L.owner).where(_L.expires_at > now_ms())).scalars()
    return [owner for owner in found if not process_identity.is_gone(owner)]


def revoke_all(connection: Connection) -> None:
    """Refuse all further writes of anyone who ever held a lease; asks for no column that an older schema lacks."""
    connection.execute(update(leases).where(_L.expires_at > 0).values(epoch=_L.epoch + 1, expires_at=0))


def _lease(row: Row | None) -> Lease | None:
    if row is None:
        return None
    left = 0 if process_identity.is_gone(row.owner) else min(int(row.left_ms), row.ttl_ms)
    return Lease(
        row.task_id, Stage(row.stage), row.owner, row.epoch, row.seq, left, row.ttl_ms, max(0, int(row.held_ms))
    )


def in_words(lease: Lease, what: str) -> str:
    """Who holds a lease, since when, whether alive, and how long it can last."""
    here = process_identity.is_here(lease.owner)
    sign = "is alive" if here else f"was alive {span(max(0, lease.ttl_ms - lease.left_ms) // 1000)} ago"
    return (
        f"{what} is being worked on by {process_identity.in_words(lease.owner)} for {span(lease.held_ms // 1000)}; it {sign}"
        f" (lease for another {span(lease.left_ms // 1000)})"
    )


def cap(connection: Connection) -> int:
    """Shorten leases that end later than any heartbeat can have said: the clock was set back. Returns how many."""
    late = update(leases).where(_L.expires_at > now_ms() + _L.ttl_ms).values(expires_at=now_ms() + _L.ttl_ms)
    return connection.execute(late).rowcount


def unlock(connection: Connection, lease: Lease) -> bool:
    """Take a lease from its holder, whose writes are refused from then on; False when it is another's by now."""
    taken = connection.execute(
        update(leases)
        .where(_L.task_id == lease.task_id, _L.stage == lease.stage.value, _L.epoch == lease.epoch)
        .values(epoch=_L.epoch + 1, expires_at=0)
    )
    return taken.rowcount == 1


def acquire(connection: Connection, task_id: TaskId, stage: Stage, owner: str, ttl_ms: int) -> Lease:
    """Take the lease with the next epoch. Raises LeaseHeld while another owner's holds."""
    held = current(connection, task_id, stage, lock=True)
    if held is None:
        connection.execute(
            insert(leases).values(
                task_id=task_id,
                stage=stage.value,
                owner=owner,
                epoch=1,
                seq=0,
                expires_at=now_ms() + ttl_ms,
                acquired_at=now_ms(),
                ttl_ms=ttl_ms,
            )
        )
    else:
        if held.left_ms > 0 and held.owner != owner:
            raise LeaseHeld(
                f"{in_words(held, f'{stage} of task {task_id}')}. Wait for it, or pause it with `corpus pause`; a worker"
                " that gives no sign of life loses its lease by itself, `corpus unlock` takes it from any other."
            )
        connection.execute(
            update(leases)
            .where(_L.task_id == task_id, _L.stage == stage.value, _L.epoch == held.epoch)
            .values(
                owner=owner,
                epoch=held.epoch + 1,
                seq=0,
                expires_at=now_ms() + ttl_ms,
                acquired_at=now_ms(),
                ttl_ms=ttl_ms,
            )
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
    """Refuse all further writes of anyone who held this lease before it ended; does nothing while it holds."""
    held = current(connection, task_id, stage, lock=True)
    if held is not None and held.left_ms <= 0:
        unlock(connection, held)


def bar(connection: Connection, task_id: TaskId, stage: Stage, name: str) -> None:
    """No one writes for this stage until the transaction ends, and nothing more of anyone who held its lease before.

    Raises LeaseHeld, naming `name`, while somebody works.
    """
    held = current(connection, task_id, stage, lock=True)
    if held is not None and held.left_ms > 0:
        raise LeaseHeld(f"{in_words(held, f'{stage} of {name}')}; pause it first: corpus pause {name}")
    revoke(connection, task_id, stage)


def release(connection: Connection, task_id: TaskId, stage: Stage, owner: str, epoch: int) -> None:
    """Give the lease back; does nothing when it is another's by now."""
    connection.execute(
        update(leases)
        .where(_L.task_id == task_id, _L.stage == stage.value, _L.owner == owner, _L.epoch == epoch)
        .values(expires_at=0)
    )
