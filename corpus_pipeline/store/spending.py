"""What calls came to, kept as sums beside the ledger: money is asked about often, and a ledger has many millions of rows.

A row is one task, day, consumer, strategy and model. It changes in the transaction that settles the ledger rows it counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from corpus_pipeline.model import TaskId, Usage
from corpus_pipeline.states import AttemptState
from corpus_pipeline.store.schema import dataset_files, spending, tasks

_S = spending.c
_KEY = ("task_id", "day", "consumer", "strategy", "model")
SUMS = (
    "answered",
    "errors",
    "unknown",
    "retried",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cache_write_tokens",
    "cost",
    "unknown_cost",
)
_WORDS = {AttemptState.ANSWERED: "answered", AttemptState.ERROR: "errors", AttemptState.UNKNOWN: "unknown"}


class Settled(NamedTuple):
    """One call that is over; day: ISO date (UTC) on which it was begun."""

    task_id: TaskId
    day: str
    consumer: str
    strategy: str
    model: str
    state: AttemptState
    attempt: int
    usage: Usage
    cost: int


_ADD = (
    update(spending)
    .where(*(_S[name] == bindparam(f"of_{name}") for name in _KEY))
    .values({name: _S[name] + bindparam(f"more_{name}") for name in SUMS})
)
_NEW = insert(spending)


def take_back(connection: Connection, calls: Iterable[Settled]) -> None:
    """Count calls no longer, in the transaction that settles them otherwise."""
    add(connection, calls, sign=-1)


def add(connection: Connection, calls: Iterable[Settled], *, sign: int = 1) -> None:
    """Count calls, in the transaction that settles them."""
    sums: dict[tuple[Any, ...], Counter[str]] = {}
    for call in calls:
        own = sums.setdefault(call[:5], Counter())
        own[_WORDS[call.state]] += 1
        own["retried"] += call.attempt > 1
        own["input_tokens"] += call.usage.input_tokens
        own["cached_tokens"] += call.usage.cached_tokens
        own["output_tokens"] += call.usage.output_tokens
        own["reasoning_tokens"] += call.usage.reasoning_tokens
        own["cache_write_tokens"] += call.usage.cache_write_tokens
        own["cost"] += call.cost
        own["unknown_cost"] += call.cost if call.state is AttemptState.UNKNOWN else 0
    for key, own in sorted(sums.items(), key=lambda entry: entry[0]):
        values = {f"of_{name}": value for name, value in zip(_KEY, key, strict=True)}
        values |= {f"more_{name}": sign * own[name] for name in SUMS}
        if connection.execute(_ADD, values).rowcount == 0:
            connection.execute(_NEW, dict(zip(_KEY, key, strict=True)) | {name: own[name] for name in SUMS})


def _sums() -> list[Any]:
    return [func.coalesce(func.sum(_S[name]), 0).label(name) for name in SUMS]


def of_task(connection: Connection, task_id: TaskId) -> Row:
    """`SUMS` of one task; cost in nano-dollars; unknown_cost: the part of it that is booked for unknown outcomes."""
    return connection.execute(select(*_sums()).where(_S.task_id == task_id)).one()


def of_task_by_model(connection: Connection, task_id: TaskId) -> Sequence[Row]:
    """(strategy, model, `SUMS`) of one task."""
    query = select(_S.strategy, _S.model, *_sums()).where(_S.task_id == task_id).group_by(_S.strategy, _S.model)
    return connection.execute(query).all()


def cost_of_files(connection: Connection, names: Sequence[str] = ()) -> dict[str, int]:
    """Nano-dollars by dataset file (all of them, when none is named), over all its versions and recipes; a file that nothing
    was asked for is left out."""
    query = select(dataset_files.c.name, func.sum(_S.cost)).select_from(_OF_FILES).group_by(dataset_files.c.name)
    if names:
        query = query.where(dataset_files.c.name.in_(names))
    return {name: int(cost) for name, cost in connection.execute(query)}


def unknown_expected(rows: Iterable[Row]) -> int:
    """What the calls of unknown outcome in rows of `by_model` probably cost: what calls of their kind cost that were
    answered, and never more than they can have cost."""
    known: dict[tuple[str, str], list[int]] = {}
    rows = list(rows)
    for row in rows:
        sums = known.setdefault((row.strategy, row.model), [0, 0])
        sums[0] += int(row.cost - row.unknown_cost)
        sums[1] += int(row.answered)
    total = 0
    for row in rows:
        cost, answered = known[row.strategy, row.model]
        most = int(row.unknown_cost)
        total += min(most, int(row.unknown) * cost // answered) if answered else most
    return total


_OF_FILES = spending.join(tasks, tasks.c.id == _S.task_id).join(dataset_files, dataset_files.c.id == tasks.c.file_id)
# what costs may be grouped by; the day is UTC
KEYS: dict[str, Any] = {
    "consumer": _S.consumer,
    "file": dataset_files.c.name,
    "strategy": _S.strategy,
    "model": _S.model,
    "day": _S.day,
}


def by(connection: Connection, key: str) -> Sequence[Row]:
    """(key, calls, `SUMS`) per group. The groups of any key add up to the same sum: that of the ledger."""
    column = KEYS[key]
    calls = func.sum(_S.answered + _S.errors + _S.unknown).label("calls")
    query = select(column.label("key"), calls, *_sums()).select_from(_OF_FILES).group_by(column).order_by(column)
    return connection.execute(query).all()


def by_model(connection: Connection, key: str) -> Sequence[Row]:
    """As `by`, each group apart by strategy and model: (key, strategy, model, `SUMS`)."""
    own = KEYS[key].label("key")
    query = select(own, _S.strategy, _S.model, *_sums()).select_from(_OF_FILES).group_by(own, _S.strategy, _S.model)
    return connection.execute(query).all()


def series(connection: Connection) -> Sequence[Row]:
    """(consumer, strategy, model, `SUMS`) of each combination: sums that only grow."""
    key = (_S.consumer, _S.strategy, _S.model)
    return connection.execute(select(*key, *_sums()).group_by(*key).order_by(*key)).all()
