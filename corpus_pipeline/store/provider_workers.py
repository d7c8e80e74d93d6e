"""Who calls a provider at this moment, and what each of them learnt of its limits: one row a process, no row shared."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, ScalarSelect, delete, func, select

from corpus_pipeline.store.backends import Backend
from corpus_pipeline.store.schema import provider_workers
from corpus_pipeline.store.types import now_ms

_W = provider_workers.c
# a worker is stale after this long without a heartbeat
_GONE_MS = 10_000


def _is_there(now: Any) -> ColumnElement[bool]:
    """Whether a worker gave a sign of life lately. One that lies ahead was written before a clock was set back."""
    return _W.updated_at.between(now - _GONE_MS + 1, now + _GONE_MS)


class Learnt(NamedTuple):
    """What one worker says. concurrency and rates are for all workers together, None where nothing was learnt.

    hold_ms: for how long, from when it was written, no one should call.
    """

    concurrency: float | None
    hold_ms: int
    requests_per_minute: float | None
    tokens_per_minute: float | None


class Other(NamedTuple):
    """What another worker said, this many milliseconds ago."""

    owner: str
    learnt: Learnt
    age_ms: int


def exchange(
    connection: Connection,
    backend: Backend,
    origin: str,
    owner: str,
    learnt: Learnt,
    task_id: int | None = None,
    trouble: str | None = None,
) -> list[Other]:
    """Say what we learnt of the provider at `origin`; what the others said who are there now.

    trouble: what is wrong there now for a task (see `troubles`), None when nothing is.
    """
    now = int(connection.execute(select(now_ms())).scalar_one())
    columns = ("origin", "owner", *Learnt._fields, "task_id", "trouble", "updated_at")
    backend.insert(
        connection,
        provider_workers,
        columns,
        [(origin, owner, *learnt, task_id, trouble, now)],
        updates={name: "{new}" for name in columns[2:]},
    )
    rows = connection.execute(select(provider_workers).where(_W.origin == origin, _W.owner != owner, _is_there(now)))
    return [Other(r.owner, Learnt(*(getattr(r, f) for f in Learnt._fields)), max(0, now - r.updated_at)) for r in rows]


def troubles(connection: Connection, task_ids: Collection[int] | None = None) -> dict[int, list[str]]:
    """What is wrong now at the providers of running tasks, as their workers wrote it (JSON), by task."""
    query = select(_W.task_id, _W.trouble).where(_W.task_id.is_not(None), _W.trouble.is_not(None), _is_there(now_ms()))
    if task_ids is not None:
        query = query.where(_W.task_id.in_(task_ids))
    found: dict[int, list[str]] = {}
    for row in connection.execute(query.order_by(_W.origin, _W.owner)):
        found.setdefault(row.task_id, []).append(row.trouble)
    return found


def at_work() -> ScalarSelect[int]:
    """How many workers call a provider now, us included: a part of other statements."""
    return select(func.count()).select_from(provider_workers).where(_is_there(now_ms())).scalar_subquery()


def leave(connection: Connection, origin: str, owner: str) -> None:
    """We call no more; and so do those who are long gone."""
    now = int(connection.execute(select(now_ms())).scalar_one())
    connection.execute(delete(provider_workers).where(_W.origin == origin, _W.owner == owner))
    connection.execute(delete(provider_workers).where(_W.origin == origin, _W.updated_at < now - 60 * _GONE_MS))
