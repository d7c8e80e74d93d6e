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
from corpus_pipeline.jobs.augment.answer_spool import Segment, Spool
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.model import Answer, AugmentedRow
from corpus_pipeline.states import BudgetScope, ItemState, Stage
from corpus_pipeline.store import augmented, cursors, failed_samples, ledger, pauses, provider_facts, tasks
from corpus_pipeline.store.augmented import ItemKey, Provenance
from corpus_pipeline.store.budgets import Ceilings
from corpus_pipeline.store.pauses import PauseFlag
from corpus_pipeline.store.provider_facts import Fact

# answers and outcomes that arrive within this time share a transaction; no call waits for it: the next ones are ready
GROUP_SECONDS = 0.02


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


@dataclass
class Unit:
    """All that one transaction writes; `written` is what it found, once it is committed."""

    intents: list[ledger.Intent] = field(default_factory=list)
    insisted: set[str] = field(default_factory=set)  # of which these whoever else asks the same
    settlements: list[ledger.Settlement] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)  # intents of calls that were never made
    answers: list[tuple[str, str, Answer]] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    items: list[tuple[ItemKey, ItemState, str | None, bool]] = field(default_factory=list)
    rows: list[tuple[AugmentedRow, Provenance]] = field(default_factory=list)
    failures: list[failed_samples.Failure] = field(default_factory=list)
    resolved: list[ItemKey] = field(default_factory=list)
    advances: list[Advance] = field(default_factory=list)
    spooled: list[Segment] = field(default_factory=list)  # where answers of it stand until it is committed
    facts: list[Fact] = field(default_factory=list)  # what the answers of an endpoint taught
    # who pauses this task, and why, until a person clears the flag
    pauses: list[tuple[str, str]] = field(default_factory=list)
    written: Written | None = None

    def is_empty(self) -> bool:
        return not any(vars(self).values())

    def write(self, connection: Connection, held: Held, lap_ms: int, ceilings: Ceilings, company: bool) -> Written:
        """Write everything; the cursor moves in the same transaction as the rows that it covers.

        The flag is looked at and the money is reserved in the transaction of the intents: no call can begin behind them.
        """
        work, backend = held.work, held.store.backend
        task_id = work.task.id
        ledger.settle(connection, self.settlements)
        ledger.withdraw(connection, self.withdrawn)
        ledger.insert_answers(connection, backend, self.answers)
        ledger.reject_answers(connection, self.rejected)
        augmented.insert_items(connection, backend, task_id, self.items)
        augmented.insert_rows(connection, backend, task_id, self.rows)
        failed_samples.record(connection, backend, task_id, Stage.AUGMENT, self.failures)
        failed_samples.resolve(connection, task_id, Stage.AUGMENT, self.resolved)
        if self.rows or self.failures:
            tasks.touch_content(connection, task_id)
        for number, step in enumerate(self.advances):
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
        provider_facts.save(connection, backend, self.facts)
        for by, reason in self.pauses:
            pauses.set_flag(connection, stage=Stage.AUGMENT, file_name=work.file.name, reason=reason, requested_by=by)
        if not self.intents:
            return Written(None, {}, {}, company)
        flag = pauses.covering(connection, work.file.name, Stage.AUGMENT)
        if flag is not None:
            return Written(flag, {}, {}, company)
        not_made = ledger.insert_intents(connection, backend, self.intents, ceilings, self.insisted, company=company)
        return Written(None, *not_made)


class Writer:
    """Collects what is to be written and commits it in groups. Use from one event loop.

    complete: called when a unit is closed, to add how far the cursors move with it. flagged: told when a commit met a
    pause flag. ceilings: of the budgets, in micro-dollars.
    """

    def __init__(
        self,
        held: Held,
        complete: Callable[[Unit], None],
        flagged: Callable[[Paused], None],
        ceilings: Ceilings,
    ) -> None:
        self._held = held
        self._complete = complete
        self._flagged = flagged
        self._ceilings = ceilings
        self._spool = Spool(held.work.spool_folder, held.work.task.id)
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
        if intent in self._unit.intents:
            self._unit.intents.remove(intent)
        else:
            self._unit.withdrawn.append(intent.id)
            self.soon()

    def answered(self, settlement: ledger.Settlement, key: str, answer: Answer) -> None:
        """Store an answer: on disk before anything is waited for, in the database with the next commit."""
        segment = self._spool.append(settlement, key, answer)
        if segment is not None:
            self._unit.spooled.append(segment)
        self._unit.settlements.append(settlement)
        self._unit.answers.append((settlement.id, key, answer))
        self.soon()

    def soon(self) -> None:
        """Commit what was added without waiting for it, with what arrives in the same moment."""
        self._begin_within(GROUP_SECONDS)

    def _begin_within(self, seconds: float) -> None:
        if self.outstanding <= len(self._unit.settlements):
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
        lap = self._held.lap_ms() if unit.advances else 0  # a lap ends where a cursor moves: none is lost
        begun = time.monotonic()
        written = self._held.commit(unit.write, self._held, lap, self._ceilings, self._company)
        if unit.intents:
            self.looked_at = begun
        return written

    def _take_in(self, unit: Unit, written: Written) -> None:
        unit.written = written
        self._spool.committed(unit.spooled)
        self._company = written.company
        if unit.settlements or unit.withdrawn:
            self.outstanding -= len(unit.settlements) + len(unit.withdrawn)
            self.settled.set()
        if written.flag is not None:
            self._flagged(Paused.by(written.flag))
        else:
            self.outstanding += len(unit.intents) - len(written.refused) - len(written.asked)
