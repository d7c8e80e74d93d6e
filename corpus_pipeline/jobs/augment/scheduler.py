"""The window: many items under way at once, across batch borders and strategies, until all is done or something stops it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar

from corpus_pipeline.cancellation import StopSignal
from corpus_pipeline.errors import CorpusError, Interrupted, Paused, Stopped
from corpus_pipeline.jobs.augment import reading
from corpus_pipeline.jobs.augment.attempts import Caller
from corpus_pipeline.jobs.augment.group_commit import Unit, Writer
from corpus_pipeline.jobs.augment.item_runner import Asker
from corpus_pipeline.jobs.augment.item_source import Begun, Feed
from corpus_pipeline.jobs.augment.low_water_mark import Prefix
from corpus_pipeline.jobs.augment.plan import ModelAccess, Prepared
from corpus_pipeline.jobs.augment.provider_batches import Batching
from corpus_pipeline.jobs.augment.routes import Routes
from corpus_pipeline.jobs.augment.work_item import Item, Later
from corpus_pipeline.jobs.ingest import format_of
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.stages.augment.cleaning import NewRowCleaning
from corpus_pipeline.stages.augment.strategies import is_warm, warm_up
from corpus_pipeline.stages.clean.rules import build
from corpus_pipeline.units import money

T = TypeVar("T")

_LOOK_SECONDS = 0.08  # how often flags and the lease are looked at: no call begins much later than this after a pause
_FIRST_CALLS_SECONDS = 0.25
_NOTICE_SECONDS = 10.0  # between two words about what is waited for


class Window:
    """One augment run over one lease. `run()` returns when every item has its outcome.

    Items that wait (backoff, Retry-After) hold no call slot, so more items are under way than calls.
    verdicts_only: only the judges before the strategies are asked; what they let through is left for later.
    """

    def __init__(
        self,
        held: Held,
        plan: dict[str, Prepared],
        access: ModelAccess,
        *,
        verdicts_only: bool = False,
        batching: Batching | None = None,
    ) -> None:
        self._held = held
        self._section = held.work.recipe.augment
        self._prefixes = {label: Prefix(label) for label in plan}
        self._feed = Feed(held, plan, self._prefixes, access)
        self._access = access
        self._busy_items = self._section.concurrency * 3 + self._section.batch_size
        self._most_items = self._section.concurrency * 20 + self._section.batch_size
        self._plan = plan
        self._verdicts_only = verdicts_only
        self._batching = batching
        self.left = 0  # items whose next question is for a provider batch
        self._under_way: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._stop_reason: CorpusError | None = None

    @property
    def limit_reached(self) -> bool:
        """Whether there are rows behind those that this run was asked for."""
        return self._feed.limit_reached

    async def run(self) -> None:
        """Raises Paused or Interrupted once the calls in flight have ended, or the error that stops the job."""
        self._stop = StopSignal()
        self._changed = asyncio.Event()
        batching = self._batching is not None  # of which little is left to be asked one by one
        reader = None if batching else await reading.start(self._held, self._plan, self._access)
        self._writer = Writer(self._held, self._complete, self._stop_for, self._section.budget.ceilings(), reader)
        watch = asyncio.create_task(self._watch())
        self._ready = asyncio.ensure_future(self._warm_up())
        self._ready.add_done_callback(lambda _: self._changed.set())
        try:
            async with Routes(self._held, self._plan, self._access, reader) as routes:
                self._caller = Caller(
                    self._held,
                    routes,
                    self._writer,
                    self._stop,
                    rested=self._changed.set,
                    refuse=None if self._batching is None else self._batching.refuse_live,
                )
                self._held.calls, self._held.troubles = self._caller.calls, routes.troubles
                self._asker = Asker(
                    self._caller,
                    self._writer,
                    self._section,
                    self._ready,
                    _cleaning_of(self._held),
                    self._held.work.recipe.export.gate.max_failed,
                )
                await self._pour()
                await self._come_home()
        finally:
            self._held.calls = self._held.troubles = None
            watch.cancel()
            try:
                await self._writer.close()
            finally:
                if reader is not None:
                    await reader.close()
        self._raise()

    async def _warm_up(self) -> None:
        """Load what judges answers, once the first calls are out: the loading holds up all else that is done here."""
        strategies = [prepared.strategy for prepared in self._plan.values()]
        if not is_warm(strategies):
            await asyncio.sleep(_FIRST_CALLS_SECONDS)
            await _in_daemon_thread(warm_up, strategies)  # a stop does not wait for it

    async def _pour(self) -> None:
        for source in (self._feed.replays(), self._feed.batches()):
            while not self._stop.is_set():
                page = await asyncio.to_thread(_next, source)
                if page is None:
                    break
                for begun in page:
                    await self._start(begun)

    async def _start(self, begun: Begun) -> None:
        self._writer.unit.finish(*begun.skipped)
        self._writer.soon()
        for item in begun.items:
            while self._is_full() and not self._stop.is_set():
                self._changed.clear()
                await self._changed.wait()
            if self._stop.is_set():
                return
            task = asyncio.create_task(self._make(item))
            self._under_way.add(task)
            task.add_done_callback(self._done)

    def _is_full(self) -> bool:
        """Items that wait for their next attempt make room for others, up to what memory should hold.

        Until answers can be judged, no more are asked than may be asked at once: they may all be bad for one reason.
        """
        under_way = len(self._under_way)
        if not self._ready.done():
            return under_way >= self._section.concurrency
        return under_way >= self._most_items or under_way - self._caller.resting >= self._busy_items

    async def _make(self, item: Item) -> None:
        try:
            await (self._asker.look(item) if self._verdicts_only else self._asker.make(item))
        except asyncio.CancelledError:
            raise
        except Later:
            self.left += 1
        except Stopped as stop:
            self._stop_for(stop if isinstance(stop, Paused | Interrupted) else None)
        except BaseException as error:
            self._failure = self._failure or error
            self._stop_for(None)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._changed.set()

    def _stop_for(self, reason: CorpusError | None) -> None:
        self._stop_reason = self._stop_reason or reason
        self._stop.set()
        self._changed.set()

    async def _come_home(self) -> None:
        """Wait for the items under way for as long as their calls may take; after a signal until its grace is over, or until
        somebody insists."""
        stop, told = self._held.work.stop, 0.0
        ends: float | None = None
        while self._under_way:
            now = time.monotonic()
            if self._stop.is_set() and now - told >= _NOTICE_SECONDS:
                told = now
                self._tell_what_is_out()
            if ends is None and stop.is_set() and stop.grace_seconds is not None:
                ends = now + stop.grace_seconds
            if stop.is_urgent or (ends is not None and now >= ends):
                await self._give_up()
                return
            await asyncio.wait(set(self._under_way), timeout=_LOOK_SECONDS)

    def _tell_what_is_out(self) -> None:
        calls = self._caller.calls()
        if calls.out == 0:
            return
        said = f"{self._held.work.stage} of {self._held.work.file.name}: {calls}"
        if isinstance(self._stop_reason, Interrupted):
            grace = self._held.work.stop.grace_seconds
            said += "; they are waited for" + (f" for at most {grace:.0f} s" if grace is not None else "")
            said += ", again to stop now" if grace is None else ""
        else:
            said += "; they are waited for and kept"
        self._held.work.narrator.notice(said)

    async def _give_up(self) -> None:
        """Cancel what is under way; calls that are on the wire are booked as unknown."""
        for task in (late := set(self._under_way)):
            task.cancel()
        await self._asker.give_up()
        if late:
            await asyncio.wait(late)
        if lost := self._caller.given_up:
            reserved = sum(intent.reserved for intent in lost) / 1_000_000_000
            calls = "1 call that was out was" if len(lost) == 1 else f"{len(lost)} calls that were out were"
            said = (
                f"stopped by {self._held.work.stop.reason or 'a signal'}: {calls} given up, booked as unknown at no more"
                f" than {money(reserved)}"
            )
            self._stop_reason = Interrupted(said)
            self._held.work.narrator.notice(f"{self._held.work.stage} of {self._held.work.file.name} {said}")

    async def _watch(self) -> None:
        """Look at flags, signals and the lease; works when no daemon runs and while every item waits."""
        while True:
            reason: CorpusError | None = None
            try:
                self._held.lease.check()
                # while calls flow, their commits look at the flags
                just_looked = time.monotonic() - self._writer.looked_at < _LOOK_SECONDS
                if self._held.is_interrupted or not just_looked:
                    reason = await asyncio.to_thread(self._held.why_stop)
            except CorpusError as error:
                self._failure = self._failure or error
                self._stop_for(None)
                return
            if reason is not None:
                self._stop_for(reason)
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _complete(self, unit: Unit) -> None:
        for prefix in self._prefixes.values():
            step = prefix.take()
            if step is not None:
                unit.advance(step)

    def _raise(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._stop_reason is not None:
            raise self._stop_reason


async def _in_daemon_thread(work: Callable[[T], None], argument: T) -> None:
    """Run blocking work in a thread that neither the loop's end nor that of the process waits for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def end(error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        failure: BaseException | None = None
        try:
            work(argument)
        except BaseException as error:
            failure = error
        with suppress(RuntimeError):  # the loop is closed: no one waits any more
            loop.call_soon_threadsafe(end, failure)

    threading.Thread(target=run, name="warm-up", daemon=True).start()
    await done


def _cleaning_of(held: Held) -> NewRowCleaning:
    """What new rows pass: the rules of the recipe, as the rows of the file did."""
    return NewRowCleaning(build(held.work.recipe.clean.rules), joins=format_of(held.work.file).joins)


def _next(source: Iterator[list[Begun]]) -> list[Begun] | None:
    return next(source, None)
