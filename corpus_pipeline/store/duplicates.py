"""Recording duplicates that files find of each other, in any order and at the same time.

Each row keeps the best that anybody found of it (exact before near, then the lowest `nearest`), so that the order of the
finds does not matter; and after every transaction `duplicate_of` is where `nearest` leads to. One transaction at a time
merges, whatever task it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, case, func, select

from corpus_pipeline.model import ROW_BITS, FileId, TaskId
from corpus_pipeline.states import DuplicateKind
from corpus_pipeline.store.backends import Backend
from corpus_pipeline.store.cleaned import KnownDuplicate, write_duplicates
from corpus_pipeline.store.schema import duplicates, recipes
from corpus_pipeline.store.statement_parts import parts

Owner = Mapping[FileId, TaskId]
DIFFERENCE, ROW = "difference", "row"
ORDERS = (ROW, DIFFERENCE)
_COLUMNS = tuple(duplicates.c[name] for name in KnownDuplicate._fields)


def merge_duplicates(
    connection: Connection, backend: Backend, found: Sequence[KnownDuplicate], owner: Owner
) -> set[TaskId]:
    """Record what was found beside what is known; `duplicate_of` of the finds is not looked at.

    owner: the task that each compared file is worked under. Returns the tasks of which a record changed.
    Costs the finds and the clusters whose keeper changes.
    """
    _one_at_a_time(connection)
    known = dict(_known(connection, {d.conversation_id for d in found}, owner))
    changed = {d.conversation_id: d for d in found if _is_better(d, known.get(d.conversation_id))}
    if not changed:
        return set()
    # a row that was a keeper leads its followers on; one that leads elsewhere now takes an unknown part of its cluster
    keepers = {known[i].duplicate_of if i in known else i for i in changed}
    involved = dict(_followers(connection, keepers, owner)) | known
    nearest = {i: d.nearest for i, d in (involved | changed).items()}
    outside = dict(_known(connection, set(nearest.values()) - set(nearest), owner))
    roots: dict[int, int] = {}
    for identifier in sorted(nearest):  # `nearest` is lower: its root is known before it is asked for
        lower = nearest[identifier]
        roots[identifier] = roots.get(lower, outside[lower].duplicate_of if lower in outside else lower)
    entries = []
    for identifier, before in (involved | changed).items():
        after = changed.get(identifier, before)._replace(duplicate_of=roots[identifier])
        if after != involved.get(identifier):
            entries.append((owner[FileId(identifier >> ROW_BITS)], after))
    write_duplicates(connection, backend, sorted(entries))
    return {task_id for task_id, _ in entries}


def page(connection: Connection, task_id: TaskId, order: str, after: int, limit: int) -> list[KnownDuplicate]:
    """Duplicates of a task: by row, those behind the row id `after`; by difference, the most different first, the first
    `after` of them left out. Exact duplicates differ in nothing and come last."""
    query = select(*_COLUMNS).where(duplicates.c.task_id == task_id)
    if order == ROW:
        query = query.where(duplicates.c.conversation_id > after).order_by(duplicates.c.conversation_id)
    else:
        likeness = [
            case((duplicates.c.kind == DuplicateKind.EXACT.value, 1.0), else_=func.coalesce(column, 0.0))
            for column in (duplicates.c.answer_similarity, duplicates.c.question_similarity)
        ]
        query = query.order_by(*likeness, duplicates.c.distance.desc(), duplicates.c.conversation_id).offset(after)
    return [_recorded(*row) for row in connection.execute(query.limit(limit))]


def _is_better(found: KnownDuplicate, known: KnownDuplicate | None) -> bool:
    return known is None or (found.kind is not DuplicateKind.EXACT, found.nearest) < (
        known.kind is not DuplicateKind.EXACT,
        known.nearest,
    )


def _one_at_a_time(connection: Connection) -> None:
    """Wait for anyone else who merges. SQLite has one writer anyway; elsewhere a row that all have is locked."""
    connection.execute(select(recipes.c.id).order_by(recipes.c.id).limit(1).with_for_update())


def _known(connection: Connection, ids: Iterable[int], owner: Owner) -> Iterator[tuple[int, KnownDuplicate]]:
    """What is recorded of some rows."""
    for file, group in groupby(sorted(ids), lambda identifier: FileId(identifier >> ROW_BITS)):
        task_id = owner.get(file)
        if task_id is None:  # replaced since: its rows are no duplicates of the current ones
            continue
        for part in parts(list(group)):
            query = select(*_COLUMNS).where(duplicates.c.task_id == task_id, duplicates.c.conversation_id.in_(part))
            for row in connection.execute(query):
                yield row[0], _recorded(*row)


def _followers(connection: Connection, keepers: Iterable[int], owner: Owner) -> Iterator[tuple[int, KnownDuplicate]]:
    """What is recorded of the rows that repeat some rows."""
    tasks = set(owner.values())
    for part in parts(sorted(keepers)):
        query = select(duplicates.c.task_id, *_COLUMNS).where(duplicates.c.duplicate_of.in_(part))
        for task_id, *row in connection.execute(query):
            if task_id in tasks:
                yield row[0], _recorded(*row)


def _recorded(identifier: int, nearest: int, keeper: int, kind: str, *measures: Any) -> KnownDuplicate:
    return KnownDuplicate(identifier, nearest, keeper, DuplicateKind(kind), *measures)
