"""Numbers about the rows of one task, each one statement over a range of a primary key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, bindparam, case, func, select

from corpus_pipeline.model import FileId, TaskId, id_range
from corpus_pipeline.states import RowState
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

# upper ends of the classes; the last class has none
LENGTHS = (50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600)
TURNS = (1, 2, 3, 4, 6, 8, 12, 16, 32)
_A = llm_attempts.c


def _classes(column: ColumnElement[Any], ends: Sequence[int]) -> ColumnElement[int]:
    return case(*((column <= end, number) for number, end in enumerate(ends)), else_=len(ends))


class Verdicts(NamedTuple):
    """What the verdicts of a task add up to. lengths: (kept, dropped) rows by class of `LENGTHS`; languages: rows, the most
    frequent first, None where none was told."""

    rows: int
    characters: int
    lengths: dict[int, tuple[int, int]]
    languages: list[tuple[str | None, int]]


def verdicts(connection: Connection, task_id: TaskId) -> Verdicts:
    """One look at every verdict of a task."""
    group = _classes(cleaned_rows.c.characters, LENGTHS)
    key = (group, cleaned_rows.c.state, cleaned_rows.c.language)
    query = select(*key, func.count(), func.sum(cleaned_rows.c.characters))
    rows = characters = 0
    lengths: dict[int, tuple[int, int]] = {}
    languages = Counter[str | None]()
    for number, state, language, count, length in connection.execute(
        query.where(cleaned_rows.c.task_id == task_id).group_by(*key)
    ):
        rows, characters = rows + int(count), characters + int(length)
        kept, dropped = lengths.get(int(number), (0, 0))
        is_kept = state == RowState.KEPT.value
        lengths[int(number)] = (kept + is_kept * int(count), dropped + (not is_kept) * int(count))
        languages[language] += int(count)
    return Verdicts(rows, characters, lengths, sorted(languages.items(), key=lambda one: (-one[1], one[0] or "")))


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


def turns(connection: Connection, file_id: FileId) -> dict[int, int]:
    """Conversations of a dataset file by class of `TURNS`."""
    low, high = id_range(file_id)
    group = _classes(conversations.c.turns, TURNS)
    query = select(group, func.count()).where(conversations.c.id > low, conversations.c.id <= high).group_by(group)
    return {int(n): int(count) for n, count in connection.execute(query)}


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
