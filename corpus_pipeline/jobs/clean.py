"""The clean stage: the rule pass in batches, then the dedup pass over what it kept."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from corpus_pipeline.jobs.cleaning import Page, Verdicts
from corpus_pipeline.jobs.cleaning_processes import verdicts_of
from corpus_pipeline.jobs.collecting import rare_collection
from corpus_pipeline.jobs.context import Held, Work
from corpus_pipeline.model import FileId, TaskId, id_range, split_id
from corpus_pipeline.recipe import parse
from corpus_pipeline.stages.clean import duplicates
from corpus_pipeline.stages.clean.features_schemes import scheme_named
from corpus_pipeline.stages.clean.fingerprint import SIGNATURE_COLUMNS
from corpus_pipeline.states import DuplicateKind, Stage, Status
from corpus_pipeline.store import cleaned, cursors, files, rows
from corpus_pipeline.store.cleaned import KnownDuplicate

RULES = "rules"
DEDUP = "dedup"


def task_types(work: Work) -> tuple[str, ...]:
    return (RULES, DEDUP)


def begin(connection: Connection, held: Held) -> None:
    """Fix where both passes end: rows that come later are not read."""
    file, task = held.work.file, held.work.task
    for cursor in cursors.stage_cursors(connection, task.id, held.work.stage):
        if cursor.end_id is None:
            end = rows.last_id(connection, file.id) or id_range(file.id)[0]
            cursors.fix_end(
                connection, task.id, held.work.stage, cursor.task_type, end_id=end, total_rows=file.conversations or 0
            )


def forget(connection: Connection, work: Work) -> None:
    cleaned.remove_duplicates(connection, work.task.id)
    cleaned.remove_rule_pass(connection, work.task.id)


@rare_collection()
def work(held: Held) -> None:
    if held.cursor(RULES).status is not Status.DONE:
        _rule_pass(held)
    _dedup_pass(held)


def _rule_pass(held: Held) -> None:
    section, cursor = held.work.recipe.clean, held.cursor(RULES)
    with verdicts_of(section, held.work.task.id, cursor.total_rows or 0) as cleaner:
        # the next pages are read and computed while one is being committed
        for page, verdicts in cleaner.map(_pages(held, cursor, section.batch_size)):
            held.commit(_write_verdicts, held, page, verdicts)
            held.boundary()
    held.commit(held.finish, RULES)


def _pages(held: Held, cursor: cursors.Cursor, batch_size: int) -> Iterator[Page]:
    after, end = cursor.last_id or id_range(held.work.file.id)[0], cursor.end_id or 0
    while (page := Page(*held.fetch(rows.page_values, after, end, batch_size))).heads:
        yield page
        after = page.last_id


def _write_verdicts(connection: Connection, held: Held, page: Page, verdicts: Verdicts) -> None:
    cleaned.insert_values(connection, held.store.backend, verdicts.rows, verdicts.turns)
    held.advance(
        connection,
        RULES,
        last_id=page.last_id,
        rows=len(page.heads),
        dropped=verdicts.dropped,
        active_ms=held.lap_ms(),
    )


def _dedup_pass(held: Held) -> None:
    scope = _scope(held)
    found = _find_duplicates(held, scope)
    for page in _duplicate_pages(held, found, scope):
        held.commit(_write_duplicates, held, page)
        held.boundary()
    held.commit(_finish_dedup, held)


class _Scope(NamedTuple):
    """The tasks whose rows are compared: `owner` tells whose a file's rows are. Alone when the scope is the file."""

    tasks: tuple[TaskId, ...]
    owner: dict[FileId, TaskId]


def _scope(held: Held) -> _Scope:
    """This task and, in corpus scope, every current one that compares in the same way and has its rule pass behind it."""
    work, dedup = held.work, held.work.recipe.clean.dedup
    own = {work.file.id: work.task.id}
    if dedup.scope == "corpus":
        own |= held.fetch(_comparable, work)
    return _Scope(tuple(own.values()), own)


def _comparable(connection: Connection, work: Work) -> dict[FileId, TaskId]:
    found = {}
    pairs = [(file, task) for file, task in files.current_tasks(connection) if task is not None]
    by_task = cursors.task_cursors(connection, [task.id for _, task in pairs])
    for file, task in pairs:
        through = {c.task_type for c in by_task.get((task.id, Stage.CLEAN), ()) if c.status is Status.DONE}
        recipe = parse(files.recipe_row(connection, task.recipe_id).body)
        if RULES in through and recipe.clean.dedup == work.recipe.clean.dedup:
            found[file.id] = task.id
    return found


def _find_duplicates(held: Held, scope: _Scope) -> list[KnownDuplicate]:
    """Every duplicate that is new or differs from what is recorded, in id order."""
    dedup = held.work.recipe.clean.dedup
    if not (dedup.exact or dedup.near):
        return []
    scheme = scheme_named(dedup.features, dedup.params)
    columns = SIGNATURE_COLUMNS if scheme.verified_threshold is not None else 0
    prints = held.fetch(cleaned.prints, scope.tasks, columns)
    alone = len(scope.tasks) == 1
    low, high = id_range(held.work.file.id)
    found = duplicates.find(
        *prints,
        scheme,
        dedup.threshold,
        exact=dedup.exact,
        near=dedup.near,
        own=None if alone else (prints.ids > low) & (prints.ids <= high),
    )
    if alone:
        return _entries(found)
    known = held.fetch(cleaned.known_duplicates, scope.tasks)
    recorded = set(known)
    return [entry for entry in _entries(duplicates.merged(_arrays(known), found)) if entry not in recorded]


def _entries(found: duplicates.DuplicateArrays) -> list[KnownDuplicate]:
    return [
        KnownDuplicate(i, n, k, DuplicateKind.EXACT if exact else DuplicateKind.NEAR, d)
        for i, n, k, exact, d in zip(
            found.ids.tolist(),
            found.nearest.tolist(),
            found.duplicate_of.tolist(),
            found.exact.tolist(),
            found.distance.tolist(),
            strict=True,
        )
    ]


def _arrays(known: Sequence[KnownDuplicate]) -> duplicates.DuplicateArrays:
    def column(values: Iterable[int]) -> np.ndarray:
        return np.fromiter(values, dtype=np.int64)

    return duplicates.DuplicateArrays(
        column(d.conversation_id for d in known),
        column(d.nearest for d in known),
        column(d.duplicate_of for d in known),
        np.array([d.kind is DuplicateKind.EXACT for d in known], dtype=bool),
        column(d.distance for d in known),
    )


class _DuplicatePage(NamedTuple):
    """What one commit of the dedup pass writes: `rows` of our own file are through up to `last_id`."""

    last_id: int
    rows: int
    dropped: int
    entries: list[tuple[TaskId, KnownDuplicate]]


def _duplicate_pages(held: Held, found: list[KnownDuplicate], scope: _Scope) -> Iterator[_DuplicatePage]:
    """The entries in batches of our own rows; those of other files go with the first batch."""
    cursor = held.cursor(DEDUP)
    low, high = id_range(held.work.file.id)
    own = [entry for entry in found if low < entry.conversation_id <= high]
    foreign = [entry for entry in found if not low < entry.conversation_id <= high]
    size, end = held.work.recipe.clean.batch_size, cursor.end_id or low
    after = cursor.last_id or low
    at = bisect_right(own, after, key=lambda entry: entry.conversation_id)
    while after < end:
        ids = held.fetch(cleaned.page_end, held.work.task.id, after, end, size)
        if ids is None:
            break
        last, rows = ids
        until = at
        while until < len(own) and own[until].conversation_id <= last:
            until += 1
        entries = [(held.work.task.id, entry) for entry in own[at:until]]
        entries += [(scope.owner[split_id(entry.conversation_id)[0]], entry) for entry in foreign]
        yield _DuplicatePage(last, rows, until - at, entries)
        after, at, foreign = last, until, []


def _write_duplicates(connection: Connection, held: Held, page: _DuplicatePage) -> None:
    cleaned.write_duplicates(connection, held.store.backend, page.entries)
    for task_id in {task_id for task_id, _ in page.entries} - {held.work.task.id}:
        files.touch_content(connection, task_id)  # rows of another file turned out to repeat ours: its export is stale
    held.advance(connection, DEDUP, last_id=page.last_id, rows=page.rows, dropped=page.dropped, active_ms=held.lap_ms())


def _finish_dedup(connection: Connection, held: Held) -> None:
    files.touch_content(connection, held.work.task.id)
    held.finish(connection, DEDUP)
