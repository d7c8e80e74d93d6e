"""Numbers about the rows of one task, each one statement over a range of a primary key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, func, select

from corpus_pipeline.model import FileId, TaskId, id_range
from corpus_pipeline.states import RowState
from corpus_pipeline.store.schema import (
    cleaned_rows,
    conversations,
    dataset_files,
    duplicates,
    failed_samples,
    llm_attempts,
    tasks,
)

# upper ends of the classes; the last class has none
LENGTHS = (50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600)
TURNS = (1, 2, 3, 4, 6, 8, 12, 16, 32)
_A = llm_attempts.c


def _classes(column: ColumnElement[Any], ends: Sequence[int]) -> ColumnElement[int]:
    return case(*((column <= end, number) for number, end in enumerate(ends)), else_=len(ends))


def lengths(connection: Connection, task_id: TaskId) -> dict[int, tuple[int, int]]:
    """(kept, dropped) rows by class of `LENGTHS`, in characters."""
    group = _classes(cleaned_rows.c.characters, LENGTHS)
    kept = func.sum(case((cleaned_rows.c.state == RowState.KEPT.value, 1), else_=0))
    query = select(group, kept, func.count()).where(cleaned_rows.c.task_id == task_id).group_by(group)
    return {int(n): (int(k), int(total) - int(k)) for n, k, total in connection.execute(query)}


def languages(connection: Connection, task_id: TaskId) -> list[tuple[str | None, int]]:
    """(language, rows), the most frequent first; None where none could be told."""
    rows = func.count()
    query = (
        select(cleaned_rows.c.language, rows)
        .where(cleaned_rows.c.task_id == task_id)
        .group_by(cleaned_rows.c.language)
        .order_by(rows.desc(), cleaned_rows.c.language)
    )
    return [(language, int(count)) for language, count in connection.execute(query)]


def turns(connection: Connection, file_id: FileId) -> dict[int, int]:
    """Conversations of a dataset file by class of `TURNS`."""
    low, high = id_range(file_id)
    group = _classes(conversations.c.turns, TURNS)
    query = select(group, func.count()).where(conversations.c.id > low, conversations.c.id <= high).group_by(group)
    return {int(n): int(count) for n, count in connection.execute(query)}


def characters(connection: Connection, task_id: TaskId) -> tuple[int, int]:
    """(rows, characters) of all rows with a verdict."""
    query = select(func.count(), func.coalesce(func.sum(cleaned_rows.c.characters), 0)).where(
        cleaned_rows.c.task_id == task_id
    )
    rows, total = connection.execute(query).one()
    return int(rows), int(total)


def cluster_sizes(connection: Connection, task_id: TaskId) -> list[tuple[int, int]]:
    """(rows in the cluster with its kept row, number of clusters), the smallest first."""
    sizes = (
        select((func.count() + 1).label("size"))
        .where(duplicates.c.task_id == task_id)
        .group_by(duplicates.c.duplicate_of)
        .subquery()
    )
    query = select(sizes.c.size, func.count()).group_by(sizes.c.size).order_by(sizes.c.size)
    return [(int(size), int(count)) for size, count in connection.execute(query)]


def largest_clusters(connection: Connection, task_id: TaskId, limit: int) -> list[tuple[int, int]]:
    """(id of the kept row, rows of this task that repeat it), the largest first."""
    size = func.count()
    query = (
        select(duplicates.c.duplicate_of, size)
        .where(duplicates.c.task_id == task_id)
        .group_by(duplicates.c.duplicate_of)
        .order_by(size.desc(), duplicates.c.duplicate_of)
        .limit(limit)
    )
    return [(int(keeper), int(count)) for keeper, count in connection.execute(query)]


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
    query = select(_A.strategy).where(_A.task_id == task_id).distinct().order_by(_A.strategy)
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


def cost_of(connection: Connection, task_ids: Sequence[TaskId]) -> dict[TaskId, int]:
    """Micro-dollars by task, unknown outcomes at their upper bound."""
    query = select(_A.task_id, func.sum(_A.cost)).where(_A.task_id.in_(task_ids)).group_by(_A.task_id)
    return {TaskId(task_id): int(cost) for task_id, cost in connection.execute(query)}
