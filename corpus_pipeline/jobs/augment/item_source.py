"""The items of an augment stage in row order: first what is to be replayed, then every batch that is not finished."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection

from corpus_pipeline.jobs.augment.low_water_mark import Batch, Prefix
from corpus_pipeline.jobs.augment.plan import ModelAccess, Prepared, samples_by_label, save_prompts, with_overrides
from corpus_pipeline.jobs.augment.work_item import Item
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.model import id_range
from corpus_pipeline.stages.augment.validators.words import BadReason
from corpus_pipeline.stages.skip_reasons import SkipReason
from corpus_pipeline.states import ItemState, Stage
from corpus_pipeline.store import augmented, cleaned, failed_samples, ledger, row_values
from corpus_pipeline.store.augmented import ItemKey
from corpus_pipeline.store.cleaned import CleanRow
from corpus_pipeline.store.ledger import StoredAnswer
from corpus_pipeline.store.row_values import Made

_Wanted = tuple[CleanRow, Prepared, int, Batch | None]  # row, strategy, sample, the batch that waits for it

# rows that one read fetches: several batches, so that the read costs little beside the calls
_PAGE_BATCHES = 20
_FIRST_BATCHES = 3  # so that the first calls leave soon


@dataclass
class Begun:
    """Items to ask for, and those that a strategy does not apply to: they have their outcome without a call."""

    items: list[Item] = field(default_factory=list)
    skipped: list[tuple[ItemKey, ItemState, str | None, bool]] = field(default_factory=list)


class Feed:
    """Hands out batches. Reads in short transactions; nothing that augment writes is ever read as input."""

    def __init__(self, held: Held, plan: dict[str, Prepared], prefixes: dict[str, Prefix], access: ModelAccess) -> None:
        self._held = held
        self._plan = plan
        self._prefixes = prefixes
        self._access = access
        self._samples = samples_by_label(held.work.recipe.augment)
        self._replays: set[ItemKey] = set()  # what was handed out as such: its batch may not be finished either
        self._overridden: dict[tuple[str, str], Prepared] = {}
        self.rows_begun = 0
        self.limit_reached = False

    def replays(self) -> Iterator[list[Begun]]:
        """What people sent back from the failed-sample queue."""
        held, task_id = self._held, self._held.work.task.id
        waiting = held.fetch(failed_samples.to_replay, task_id, Stage.AUGMENT)
        for start in range(0, len(waiting), 100):
            part = waiting[start : start + 100]
            rows = {row.id: row for row in held.fetch(_rows_of, task_id, [entry[0] for entry in part])}
            wanted: list[_Wanted] = [
                (rows[entry[0]], self._replayed(entry[1], entry[3]), entry[2], None)
                for entry in part
                if entry[0] in rows and entry[1] in self._plan
            ]
            self._replays |= {(row.id, prepared.strategy.label, sample) for row, prepared, sample, _ in wanted}
            yield self._begun([wanted])

    def leave_replays(self) -> None:
        """Batches are handed out without what waits for its replay: another feed hands it out."""
        waiting = self._held.fetch(failed_samples.to_replay, self._held.work.task.id, Stage.AUGMENT)
        self._replays |= {(entry[0], entry[1], entry[2]) for entry in waiting}

    def _replayed(self, label: str, overrides: str | None) -> Prepared:
        if not overrides:
            return self._plan[label]
        prepared = self._overridden.get((label, overrides))
        if prepared is None:
            section = self._held.work.recipe.augment
            prepared = with_overrides(
                section,
                label,
                self._access.default_model,
                orjson.loads(overrides),
                self._access.prices,
                self._access.endpoints,
                self._held.work.media_folder,
            )
            self._held.commit(save_prompts, {label: prepared})  # another limit is another prompt version
            self._overridden[label, overrides] = prepared
        return prepared

    def batches(self) -> Iterator[list[Begun]]:
        """Every batch behind the cursors, in row order, up to the end that was fixed at the start; those of a page together."""
        held, work = self._held, self._held.work
        if work.limit is not None and work.spread:
            yield from self._spread(work.limit)
            return
        cursors = [held.cursor(label) for label in self._plan]
        size, limit = work.recipe.augment.batch_size, work.limit
        after = min((cursor.last_id for cursor in cursors), default=0) or id_range(work.file.id)[0]
        end = max((cursor.end_id or 0 for cursor in cursors), default=0)
        passed = {cursor.task_type: cursor.last_id for cursor in cursors}
        finished = min((cursor.processed_rows for cursor in cursors), default=0)
        batches = _FIRST_BATCHES
        while page := held.fetch(cleaned.kept_page, work.task.id, after, end, size * batches):
            batches = min(_PAGE_BATCHES, batches * 2)
            states = held.fetch(augmented.item_states, work.task.id, page[0].id - 1, page[-1].id)
            rows = page if limit is None else page[: max(0, limit - finished - self.rows_begun)]
            self.rows_begun += len(rows)
            starts = range(0, len(rows), size)
            yield self._begun([self._undone(rows[start : start + size], states, passed) for start in starts])
            if len(rows) < len(page):
                self.limit_reached = True
                return
            after = page[-1].id

    def _spread(self, most: int) -> Iterator[list[Begun]]:
        """A number of rows spread evenly over the file. No cursor moves with them, and the run leaves them alone later."""
        held, work = self._held, self._held.work
        cursors = [held.cursor(label) for label in self._plan]
        passed = {cursor.task_type: cursor.last_id for cursor in cursors}
        after, end = id_range(work.file.id)[0], max((cursor.end_id or 0 for cursor in cursors), default=0)
        total = max((cursor.total_rows or 0 for cursor in cursors), default=0)
        size, number = work.recipe.augment.batch_size, 0
        while page := held.fetch(cleaned.kept_page, work.task.id, after, end, size * _PAGE_BATCHES):
            # of N rows those in whose place k * most // N goes up by one: `most` of them, as even as can be
            rows = [row for at, row in enumerate(page, number) if (at + 1) * most // total > at * most // total]
            states = held.fetch(augmented.item_states, work.task.id, page[0].id - 1, page[-1].id)
            wanted: list[_Wanted] = []
            for label, prepared in self._plan.items():
                undone = [
                    (row, n)
                    for row in rows
                    for n in range(prepared.strategy.samples)
                    if row.id > passed[label]
                    and (row.id, label, n) not in states
                    and (row.id, label, n) not in self._replays
                ]
                batch = Batch(label, page[-1].id, 0, len(undone))
                wanted += [(row, prepared, n, batch) for row, n in undone]
            self.rows_begun += len(rows)
            yield self._begun([wanted])
            number, after = number + len(page), page[-1].id
        self.limit_reached = total > most

    def _undone(
        self, rows: Sequence[CleanRow], states: dict[ItemKey, ItemState], passed: dict[str, int]
    ) -> list[_Wanted]:
        """The items of a batch that have no outcome."""
        wanted: list[_Wanted] = []
        for label, prepared in self._plan.items():
            ahead = [row for row in rows if row.id > passed[label]]
            if not ahead:
                continue
            samples = range(prepared.strategy.samples)
            undone = [
                (row, n)
                for row in ahead
                for n in samples
                if (row.id, label, n) not in states and (row.id, label, n) not in self._replays
            ]
            batch = self._prefixes[label].add(ahead[-1].id, len(ahead), len(undone))
            # those that failed before this run began count for the batch too: the cursor has not passed it yet
            batch.failed = sum(states.get((row.id, label, n)) is ItemState.FAILED for row in ahead for n in samples)
            wanted += [(row, prepared, n, batch) for row, n in undone]
        return wanted

    def _begun(self, batches: Sequence[Sequence[_Wanted]]) -> list[Begun]:
        """Several batches, whose paid answers are looked up together."""
        found: list[Begun] = []
        asked: list[tuple[Item, str | None]] = []
        made = self._made_before(batches)
        for wanted in batches:
            begun = Begun()
            found.append(begun)
            for row, prepared, sample, batch in wanted:
                replayed = batch is None
                prepared.strategy.neighbours.add(row.conversation)
                item = Item(prepared, row.id, row.conversation, row.content_hash, sample, batch, replayed=replayed)
                reason = self._take_inputs(item, made) or prepared.strategy.applies(item.conversation)
                if item.lacks is not None:
                    begun.items.append(item)
                    continue
                if reason is None:
                    begun.items.append(item)
                    asked.append((item, item.look_ahead()))
                    if prepared.gate is not None:
                        item.gate = Item(
                            prepared.gate, row.id, row.conversation, row.content_hash, 0, None, replayed=replayed
                        )
                        asked.append((item.gate, item.gate.look_ahead()))
                    continue
                begun.skipped.append((item.key, ItemState.SKIPPED, str(reason), False))
                if batch is not None:
                    batch.open_items -= 1
        self._look_up(asked)
        return found

    def _made_before(self, batches: Sequence[Sequence[_Wanted]]) -> Made:
        """What the tasks that are read by others have made of these rows."""
        rows: set[int] = set()
        tasks: set[str] = set()
        for row, prepared, _, _ in (one for wanted in batches for one in wanted):
            if prepared.strategy.task_inputs:
                rows.add(row.id)
                tasks |= {one.task for one in prepared.strategy.task_inputs.values()}
        if not tasks:
            return Made()
        return self._held.fetch(row_values.read, self._held.work.task.id, sorted(tasks), sorted(rows))

    def _take_inputs(self, item: Item, made: Made) -> str | None:
        """Give an item what it reads of other tasks; why it is skipped where one of them left the row alone."""
        strategy = item.prepared.strategy
        tasks = sorted({one.task for one in strategy.task_inputs.values()})
        if not tasks:
            return None
        values: dict[str, dict[str, Any]] = {}
        for task in tasks:
            sample = item.sample_index if item.sample_index < self._samples.get(task, 1) else 0
            key = (item.conversation_id, task, sample)
            if key in made.values:
                values[task] = made.values[key]
            elif made.states.get(key) is ItemState.SKIPPED:
                return str(SkipReason.NO_INPUT)
            else:
                item.lacks = task
        item.conversation = item.conversation._replace(values=values)
        return None

    def _look_up(self, asked: list[tuple[Item, str | None]]) -> None:
        """Find answers that are paid already, and count the attempts that were begun."""
        if not asked:
            return
        task_id = self._held.work.task.id
        keys = [key for _, key in asked if key is not None]
        paid = self._held.fetch(ledger.paid_answers, keys, BadReason.CUT)
        begun = self._held.fetch(
            lambda c: ledger.attempts_made(c, task_id, sorted({item.conversation_id for item, _ in asked}))
        )
        for item, key in asked:
            item.begun = begun.get(item.key, 0)
            if key is not None and (key in paid.usable or key in paid.rejected):
                item.known = self._paid_answers(item, key, paid)

    def _paid_answers(self, item: Item, first: str, paid: ledger.PaidAnswers) -> dict[str, StoredAnswer]:
        """Follow the questions of an item as far as their answers are paid, those with a larger output limit included.

        first: the key of its first question; paid: what is known of that.
        """
        known: dict[str, StoredAnswer] = {}
        while True:
            try:
                request = item.next_request([stored.answer for stored in known.values()])
            except Exception:  # an answer that is no good: the asker meets it again and parks the sample
                return known
            if request is None:
                return known
            key = item.key_of(request)
            if key != first:
                paid = self._held.fetch(ledger.paid_answers, [key], BadReason.CUT)
            if key in paid.usable and key not in known:
                known[key] = paid.usable[key]
            elif key in paid.rejected and len(known) not in item.cut:
                item.cut.add(len(known))
            else:
                return known


def _rows_of(connection: Connection, task_id: Any, ids: Sequence[int]) -> list[CleanRow]:
    found: list[CleanRow] = []
    for identifier in sorted(set(ids)):
        found += cleaned.kept_page(connection, task_id, identifier - 1, identifier, 1)
    return found
