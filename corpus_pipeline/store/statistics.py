"""Numbers about rows, each one statement over a range of a primary key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, bindparam, case, func, select

from corpus_pipeline.model import FileId, TaskId, id_range
from corpus_pipeline.store.schema import (
    cleaned_rows,
    conversations,
    dataset_files,
    duplicates,
    failed_samples,
    llm_attempts,
    spending,
    tasks,
)
from corpus_pipeline.store.types import tuples

# upper ends of the classes; the last class has none
LENGTHS = (50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600)
TURNS = (1, 2, 3, 4, 6, 8, 12, 16, 32)
_A = llm_attempts.c


def _classes(column: ColumnElement[Any], ends: Sequence[int]) -> ColumnElement[int]:
    return case(*((column <= end, number) for number, end in enumerate(ends)), else_=len(ends))


class VerdictGroup(NamedTuple):
    """Verdicts of one kind: how many, and their characters together. length: class of `LENGTHS`."""

    length: int
    state: str
    reason: str | None
    language: str | None
    rows: int
    characters: int


def verdicts(connection: Connection, task_id: TaskId, after: int, last: int) -> list[VerdictGroup]:
    """The verdicts of the rows with after < id <= last."""
    own = cleaned_rows.c
    key = (_classes(own.characters, LENGTHS), own.state, own.reason, own.language)
    query = select(*key, func.count(), func.sum(own.characters)).where(
        own.task_id == task_id, own.conversation_id > after, own.conversation_id <= last
    )
    return [
        VerdictGroup(int(row[0]), row[1], row[2], row[3], int(row[4]), int(row[5]))
        for row in connection.execute(query.group_by(*key))
    ]


def spread(connection: Connection, file_id: FileId, number: int) -> list[int]:
    """About `number` rows of a dataset file, evenly from its first to its last one, deleted ones left out."""
    low, high = id_range(file_id)
    own = conversations.c
    last = connection.execute(select(func.max(own.id)).where(own.id > low, own.id <= high)).scalar() or low
    step = max(1, (last - low) // number)
    query = select(own.id).where(own.id > bindparam("after"), own.id <= last, own.is_deleted.is_(False))
    query = query.order_by(own.id).limit(1)
    found = (connection.execute(query, {"after": after}).scalar() for after in range(low, last, step))
    return sorted({identifier for identifier in found if identifier is not None})


def turns(connection: Connection, after: int, last: int) -> dict[int, int]:
    """Conversations with after < id <= last by class of `TURNS`."""
    group = _classes(conversations.c.turns, TURNS)
    query = select(group, func.count()).where(conversations.c.id > after, conversations.c.id <= last).group_by(group)
    return {int(n): int(count) for n, count in connection.execute(query)}


def repeats(connection: Connection, task_id: TaskId, after: int, last: int) -> Sequence[tuple[str, int]]:
    """(kind, id of the kept row) of each duplicate with after < id <= last."""
    own = duplicates.c
    query = select(own.kind, own.duplicate_of).where(
        own.task_id == task_id, own.conversation_id > after, own.conversation_id <= last
    )
    return tuples(connection, query)


def dearest_rows(connection: Connection, limit: int, task_id: TaskId | None = None) -> Sequence[Row]:
    """(conversation_id, file_name, calls, input_tokens, output_tokens, cost) of the rows that cost most."""
    cost = func.sum(_A.cost)
    query = (
        select(
            _A.conversation_id,
            dataset_files.c.name.label("file_name"),
            func.count().label("calls"),
            func.sum(_A.input_tokens).label("input_tokens"),
            func.sum(_A.output_tokens).label("output_tokens"),
            cost.label("cost"),
        )
        .select_from(llm_attempts)
        .join(tasks, tasks.c.id == _A.task_id)
        .join(dataset_files, dataset_files.c.id == tasks.c.file_id)
        .group_by(_A.task_id, _A.conversation_id, dataset_files.c.name)
        .order_by(cost.desc(), _A.conversation_id)
        .limit(limit)
    )
    return connection.execute(query if task_id is None else query.where(_A.task_id == task_id)).all()


def strategies(connection: Connection, task_id: TaskId) -> list[str]:
    """The strategies that were asked for a task, by name."""
    own = spending.c.strategy
    query = select(own).where(spending.c.task_id == task_id).distinct().order_by(own)
    return list(connection.execute(query).scalars())


def failed_words(connection: Connection) -> dict[str, list[str]]:
    """{files, strategies, reasons} that occur in the failed-sample queue."""
    own = failed_samples.c
    names = (
        select(dataset_files.c.name)
        .join(tasks, tasks.c.file_id == dataset_files.c.id)
        .where(tasks.c.id.in_(select(own.task_id).distinct()))
        .distinct()
        .order_by(dataset_files.c.name)
    )
    return {
        "files": list(connection.execute(names).scalars()),
        "strategies": list(connection.execute(select(own.strategy).distinct().order_by(own.strategy)).scalars()),
        "reasons": list(connection.execute(select(own.reason).distinct().order_by(own.reason)).scalars()),
    }
