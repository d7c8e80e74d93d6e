"""Committing while calls are in flight: whatever arrived since the last commit goes into one transaction.

One commit is under way at a time. Everyone who waits for it goes on when it is durable, so that an intent is in the ledger
before its call leaves, and an answer is stored before anything is built on it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection

from corpus_pipeline.errors import Paused
from corpus_pipeline.jobs.augment.answer_spool import Spool
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.llm.reader.channel import Channel
from corpus_pipeline.model import Answer, AugmentedRow
from corpus_pipeline.record_files import Segment
from corpus_pipeline.states import BudgetScope, ItemState, Stage
from corpus_pipeline.store import augmented, cursors, failed_samples, ledger, pauses, provider_facts, tasks
from corpus_pipeline.store.augmented import ItemKey, Provenance
from corpus_pipeline.store.budgets import Ceilings
from corpus_pipeline.store.pauses import PauseFlag
from corpus_pipeline.store.provider_facts import Fact

# answers and outcomes that arrive within this time share a transaction; no call waits for it: the next ones are ready, and the
# answers are on disk; a transaction takes as much processor time as ten calls
GROUP_SECONDS = 0.1


@dataclass
class Advance:
    """How far the finished prefix of one strategy moves with a commit."""

    label: str
    last_id: int
    rows: int
    processed: int
    failed: int


class Written(NamedTuple):
    """What a transaction found. flag: a pause flag that covers the work: none of its intents was written.

    refused: intents that were not written because they would have broken a budget. asked: because another task asks the
    same, by its attempt. company: whether there are other workers.
    """

    flag: PauseFlag | None
    refused: dict[str, BudgetScope]
    asked: dict[str, str]
    company: bool


# (item, state, why, whether an answer that was paid before was used)
Outcome = tuple[ItemKey, ItemState, str | None, bool]


@dataclass
class Unit:
    """All that one transaction writes; `written` is what it found, once it is committed."""

    _intents: list[ledger.Intent] = field(default_factory=list)
    _forced: set[str] = field(default_factory=set)  # of which these are written although another task asks the same
    _settlements: list[ledger.Settlement] = field(default_factory=list)
    _withdrawn: list[str] = field(default_factory=list)  # intents of calls that were never made
    _answers: list[tuple[str, str, Answer]] = field(default_factory=list)
    _rejected: list[tuple[str, str]] = field(default_factory=list)
    _items: list[Outcome] = field(default_factory=list)
    _rows: list[tuple[AugmentedRow, Provenance]] = field(default_factory=list)
    _failures: list[failed_samples.Failure] = field(default_factory=list)
    _resolved: list[ItemKey] = field(default_factory=list)
    _advances: list[Advance] = field(default_factory=list)
    _spooled: list[Segment] = field(default_factory=list)  # where answers of it stand until it is committed
    _facts: list[Fact] = field(default_factory=list)  # what the answers of an endpoint taught
    # who pauses this task, and why, until a person clears the flag
    _pauses: list[tuple[str, str]] = field(default_factory=list)
    written: Written | None = None

    def intend(self, intent: ledger.Intent, *, forced: bool) -> None:
        """Write an intent; forced: although another task asks the same."""
        self._intents.append(intent)
        if forced:
            self._forced.add(intent.id)

    def take_back(self, intent: ledger.Intent) -> bool:
        """Write no intent of a call that is not made. False: it is written already, and is taken out of the ledger."""
        if intent in self._intents:
            self._intents.remove(intent)
            return True
        self.withdraw(intent)
        return False

    def withdraw(self, intent: ledger.Intent) -> None:
        """Take the intent of a call that was not made out of the ledger."""
        self._withdrawn.append(intent.id)

    def settle(self, settlement: ledger.Settlement) -> None:
        """Book an attempt."""
        self._settlements.append(settlement)

    def answer(self, settlement: ledger.Settlement, key: str, answer: Answer, segment: Segment | None) -> None:
        """Book an attempt and store its answer. segment: of the spool, where the answer stands until then."""
        self.settle(settlement)
        self._answers.append((settlement.id, key, answer))
        if segment is not None:
            self._spooled.append(segment)

    def reject(self, attempt_id: str, reason: str) -> None:
        """Mark a stored answer as one that must not be used again."""
        self._rejected.append((attempt_id, reason))

    def finish(self, *outcomes: Outcome) -> None:
        """Write what became of items."""
        self._items.extend(outcomes)

    def make(self, row: AugmentedRow, provenance: Provenance) -> None:
        """Write a new row."""
        self._rows.append((row, provenance))

    def fail(self, failure: failed_samples.Failure) -> None:
        """Put a sample into the failed-sample queue."""
        self._failures.append(failure)

    def resolve(self, key: ItemKey) -> None:
        """Take a sample that was replayed out of the failed-sample queue."""
        self._resolved.append(key)

    def advance(self, step: Advance) -> None:
        """Move the cursor of a strategy."""
        self._advances.append(step)

    def learn(self, fact: Fact) -> None:
        """Keep what an endpoint taught."""
        self._facts.append(fact)

    def pause(self, by: str, reason: str) -> None:
        """Pause the task until a person clears the flag."""
        self._pauses.append((by, reason))

    @property
    def ended(self) -> int:
        """Attempts that it settles or withdraws."""
        return len(self._settlements) + len(self._withdrawn)

    @property
    def settled(self) -> int:
        """Attempts that it settles."""
        return len(self._settlements)

    @property
    def settled_ids(self) -> list[str]:
        """The attempts that it settles."""
        return [settlement.id for settlement in self._settlements]

    @property
    def intended(self) -> int:
        """Intents that it writes."""
        return len(self._intents)

    @property
    def moves(self) -> bool:
        """Whether it moves a cursor."""
        return bool(self._advances)

    @property
    def spooled(self) -> list[Segment]:
        """Where answers of it stand until it is committed."""
        return self._spooled

    def is_empty(self) -> bool:
        return not any(vars(self).values())

    def write(self, connection: Connection, held: Held, lap_ms: int, ceilings: Ceilings, company: bool) -> Written:
        """Write everything; the cursor moves in the same transaction as the rows that it covers.

        The flag is looked at and the money is reserved in the transaction of the intents: no call can begin behind them.
        """
        work, backend = held.work, held.store.backend
        task_id = work.task.id
        ledger.settle(connection, self._settlements)
        ledger.withdraw(connection, self._withdrawn)
        ledger.insert_answers(connection, backend, self._answers)
        ledger.reject_answers(connection, self._rejected)
        augmented.insert_items(connection, backend, task_id, self._items)
        augmented.insert_rows(connection, backend, task_id, self._rows)
        failed_samples.record(connection, backend, task_id, Stage.AUGMENT, self._failures)
        failed_samples.resolve(connection, task_id, Stage.AUGMENT, self._resolved)
        if self._rows or self._failures:
            tasks.touch_content(connection, task_id)
        for number, step in enumerate(self._advances):
            cursors.advance(
                connection,
                task_id,
                Stage.AUGMENT,
                step.label,
                last_id=step.last_id,
                rows=step.rows,
                processed=step.processed,
                failed=step.failed,
                active_ms=lap_ms if number == 0 else 0,
            )
        provider_facts.save(connection, backend, self._facts)
        for by, reason in self._pauses:
            pauses.set_flag(connection, stage=Stage.AUGMENT, file_name=work.file.name, reason=reason, requested_by=by)
        if not self._intents:
            return Written(None, {}, {}, company)
        flag = pauses.covering(connection, work.file.name, Stage.AUGMENT)
        if flag is not None:
            return Written(flag, {}, {}, company)
        not_made = ledger.insert_intents(connection, backend, self._intents, ceilings, self._forced, company=company)
        return Written(None, *not_made)


class Writer:
    """Collects what is to be written and commits it in groups. Use from one event loop.

    complete: called when a unit is closed, to add how far the cursors move with it. flagged: told when a commit met a
    pause flag. ceilings: of the budgets, in micro-dollars. reader: which keeps answers until they are committed.
    """

    def __init__(
        self,
        held: Held,
        complete: Callable[[Unit], None],
        flagged: Callable[[Paused], None],
        ceilings: Ceilings,
        reader: Channel | None = None,
    ) -> None:
        self._held = held
        self._reader = reader
        self._complete = complete
        self._flagged = flagged
        self._ceilings = ceilings
        self._spool = Spool(held.work.spool_folder, held.work.task.id)
        self.is_more_coming: Callable[[], bool] = lambda: False  # whether answers are being judged that will go along
        self.looked_at = 0.0  # when a commit last saw that no pause flag is set; monotonic seconds
        self.outstanding = 0  # intents that are not settled: money of ours that is reserved
        self._company = False  # whether other workers were seen during this run
        self.settled = asyncio.Event()  # set with every commit that settles one
        self._unit = Unit()
        self._waiting: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None  # of the unit: when it is taken at the latest
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="corpus-writer")
        self._failure: BaseException | None = None
        self._closing = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    @property
    def unit(self) -> Unit:
        """The unit that the next commit will write: add to it, then `await committed()` or go on."""
        return self._unit

    async def committed(self, *, within: float = 0.0) -> None:
        """Wait until everything that was added so far is durable. Raises what the commit raised.

        within: seconds by which a commit begins, unless somebody else begins one before.
        """
        if self._failure is not None:
            raise self._failure
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        if within:
            self._begin_within(within)
        else:
            self._wake.set()
        await future

    def take_back(self, intent: ledger.Intent) -> None:
        """Write no intent of a call that is not made, or take it out of the ledger where it is written already."""
        if not self._unit.take_back(intent):
            self.soon()

    def answered(self, settlement: ledger.Settlement, key: str, answer: Answer) -> None:
        """Store an answer: on disk before anything is waited for, in the database with the next commit."""
        is_kept = self._reader is not None and self._reader.keeps(settlement.id)
        segment = None if is_kept else self._spool.append(settlement, key, answer)
        self._unit.answer(settlement, key, answer, segment)
        self.soon()

    def hurry(self) -> None:
        """Begin the commit that somebody waits for now: nothing is about to go along any more."""
        if self._waiting:
            self._wake.set()

    def soon(self) -> None:
        """Commit what was added without waiting for it, with what arrives in the same moment."""
        self._begin_within(GROUP_SECONDS)

    def _begin_within(self, seconds: float) -> None:
        if self.outstanding <= self._unit.settled and not self.is_more_coming():
            self._wake.set()  # no call is out: nothing will come to go along
            return
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._timer.when() <= loop.time() + seconds:
                return
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._wake.set)

    def _take(self) -> tuple[Unit, list[asyncio.Future[None]]]:
        """The unit and those who wait for it. What comes from here on is the next one's, with a time of its own."""
        self._wake.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        unit, self._unit = self._unit, Unit()
        waiting, self._waiting = self._waiting, []
        return unit, waiting

    async def close(self) -> None:
        """Commit the rest and end. Raises what a commit raised."""
        self._closing = True
        self._wake.set()
        await self._task
        self._pool.shutdown(wait=False)
        self._spool.close()
        if self._failure is not None:
            raise self._failure

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            await asyncio.sleep(0)  # answers that came in the same instant go together
            unit, waiting = self._take()
            try:
                self._complete(unit)
                if not unit.is_empty():
                    self._take_in(unit, await loop.run_in_executor(self._pool, self._commit, unit))
            except BaseException as error:
                self._failure = error
                waiting += self._waiting
                for future in waiting:
                    if not future.done():
                        future.set_exception(error)
                        future.exception()  # the one who waits may be gone already
                return
            for future in waiting:
                if not future.done():
                    future.set_result(None)
            if self._closing and not self._wake.is_set() and self._unit.is_empty():
                return

    def _commit(self, unit: Unit) -> Written:
        lap = self._held.lap_ms() if unit.moves else 0  # a lap ends where a cursor moves: none is lost
        begun = time.monotonic()
        written = self._held.commit(unit.write, self._held, lap, self._ceilings, self._company)
        if unit.intended:
            self.looked_at = begun
        return written

    def _take_in(self, unit: Unit, written: Written) -> None:
        unit.written = written
        self._spool.committed(unit.spooled)
        if self._reader is not None:
            self._reader.settled(unit.settled_ids)
        self._company = written.company
        if unit.ended:
            self.outstanding -= unit.ended
            self.settled.set()
        if written.flag is not None:
            self._flagged(Paused.by(written.flag))
        else:
            self.outstanding += unit.intended - len(written.refused) - len(written.asked)
