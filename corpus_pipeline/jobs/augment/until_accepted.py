"""Rows until a wanted number is accepted: source rows are taken up in parts, and what would be exported is counted in between.

What is accepted is what the export would write, by the same code. Each part is as large as the share of rows that became
accepted ones so far asks for, so that little is made in excess; what is beyond the number stays behind at the export.
A run that was stopped counts again and goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from corpus_pipeline.errors import Interrupted
from corpus_pipeline.jobs import export
from corpus_pipeline.jobs.augment import repeats
from corpus_pipeline.jobs.augment.plan import Prepared
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.model import id_range
from corpus_pipeline.stages.skip_reasons import SkipReason
from corpus_pipeline.states import ItemState, Stage
from corpus_pipeline.store import augmented, cleaned, cursors

_Plan = dict[str, Prepared]

_PAGE = 1000  # rows whose samples are skipped in one transaction


def run(held: Held, plan: _Plan, wanted: int, work_rows: Callable[[], bool]) -> None:
    """Bring items to their outcomes until `wanted` rows are accepted or no row is left. work_rows: works all strategies up to
    the limit of `held.work`; whether that ended it. Raises Interrupted at the limit that the run was started with."""
    asked, work = held.work.limit, held.work
    per_row = max(1, sum(one.strategy.samples for one in plan.values() if one.strategy.makes_rows))
    counter = _Accepted(held)
    try:
        while True:
            accepted, begun = counter.count(), _rows_done(held)
            if accepted >= wanted:
                _leave_rest(held, plan)
                break
            limit = begun + _next_rows(wanted, accepted, begun, per_row)
            held.work = replace(work, limit=limit if asked is None else min(limit, asked))
            if not work_rows():
                accepted = counter.count()
                break
            if held.work.limit == asked:
                raise Interrupted(
                    f"the limit of {asked} rows is reached, with {counter.count():,} of {wanted:,} rows accepted"
                )
    finally:
        held.work = work
    held.commit(_note, held, next(iter(plan)), accepted)


def _next_rows(wanted: int, accepted: int, begun: int, per_row: int) -> int:
    """How many rows are taken up next."""
    if not begun:
        return math.ceil(wanted / per_row)
    if not accepted:
        return begun  # nothing is known yet but that it takes many
    return max(1, math.ceil((wanted - accepted) * begun / accepted))


class _Accepted:
    """Counts what the export would write of the rows that all strategies are through with."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._snapshot = export.Snapshot.of(held)
        room = export.room_of(held.work.recipe)
        assert room is not None
        self._room = room
        self._drops_repeats = held.work.recipe.export.repeats == "drop"
        self._after: int = id_range(held.work.file.id)[0]
        self._found = 0

    def count(self) -> int:
        """The rows that are accepted so far; those that were counted before are not read again."""
        if self._drops_repeats:  # which of all rows repeat others is known when all are compared
            repeats.find(self._held)
            self._after, self._found = id_range(self._held.work.file.id)[0], 0
        done = min((cursor.last_id for cursor in _cursors(self._held)), default=0)
        while (page := export.next_page(self._held, self._snapshot, self._after, done)).rows:
            _, encoded = export.encoded_page(self._held.work.recipe, self._snapshot, page, None)
            self._found += export.counted(encoded.rows, self._room)
            self._after = page.last_id
        return self._found


def _cursors(held: Held) -> list[cursors.Cursor]:
    return held.fetch(cursors.stage_cursors, held.work.task.id, Stage.AUGMENT)


def _rows_done(held: Held) -> int:
    return min((cursor.processed_rows for cursor in _cursors(held)), default=0)


def _leave_rest(held: Held, plan: _Plan) -> None:
    """The rows behind the cursors need nothing more: each of their samples is skipped, and says why."""
    for label, prepared in plan.items():
        cursor = held.cursor(label)
        after = cursor.last_id or id_range(held.work.file.id)[0]
        while rows := held.fetch(cleaned.kept_page, held.work.task.id, after, cursor.end_id or 0, _PAGE):
            ids = [int(row.id) for row in rows]
            held.commit(_skip, held, label, range(prepared.strategy.samples), ids)
            held.boundary()
            after = ids[-1]


def _skip(connection: Connection, held: Held, label: str, samples: range, ids: list[int]) -> None:
    task_id = held.work.task.id
    states = augmented.item_states(connection, task_id, ids[0] - 1, ids[-1])
    left = [
        ((identifier, label, sample), ItemState.SKIPPED, str(SkipReason.ENOUGH), False)
        for identifier in ids
        for sample in samples
        if (identifier, label, sample) not in states
    ]
    augmented.insert_items(connection, held.store.backend, task_id, left)
    failed = sum(states.get((one, label, sample)) is ItemState.FAILED for one in ids for sample in samples)
    held.advance(connection, label, last_id=ids[-1], rows=len(ids), failed=failed)


def _note(connection: Connection, held: Held, label: str, accepted: int) -> None:
    (cursor,) = [
        one for one in cursors.stage_cursors(connection, held.work.task.id, Stage.AUGMENT) if one.task_type == label
    ]
    held.advance(connection, label, last_id=cursor.last_id, rows=0, position={"accepted": accepted})
