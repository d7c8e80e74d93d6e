"""One question to the provider: paid for, retried, booked, and its answer stored."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import NamedTuple, TypeVar

from corpus_pipeline import failpoints
from corpus_pipeline.cancellation import StopSignal
from corpus_pipeline.errors import ControlFlow, Paused, Stopped
from corpus_pipeline.jobs import tracing
from corpus_pipeline.jobs.augment import settlements
from corpus_pipeline.jobs.augment.charging import Charger, is_beyond_limit
from corpus_pipeline.jobs.augment.group_commit import GROUP_SECONDS, Writer
from corpus_pipeline.jobs.augment.intents import BUDGET, intent_of, new_attempt_id, out_of_money
from corpus_pipeline.jobs.augment.judging_turns import Turns
from corpus_pipeline.jobs.augment.notices import Notices
from corpus_pipeline.jobs.augment.routes import Route, Routes
from corpus_pipeline.jobs.augment.single_flight import Once
from corpus_pipeline.jobs.augment.work_item import Item
from corpus_pipeline.jobs.narration import Calls
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.llm import tokens
from corpus_pipeline.llm.adaptation import Learnt, Lesson, hint_of, lesson_of, overrun_lesson
from corpus_pipeline.llm.backoff import full_jitter, wait_seconds
from corpus_pipeline.llm.evidence import Blame
from corpus_pipeline.llm.failures import CallFailed, CallRefused, CallRejected, Failure, Reason, next_step_of
from corpus_pipeline.llm.limits import Limiter, ProviderDown, Slot
from corpus_pipeline.llm.trouble import Trouble
from corpus_pipeline.model import Answer, NanoDollars, Request, Usage
from corpus_pipeline.stages.augment.validators import finish_reasons
from corpus_pipeline.states import BudgetScope
from corpus_pipeline.store import ledger, provider_facts
from corpus_pipeline.store.ledger import StoredAnswer

T = TypeVar("T")

_NOTHING = Usage(0, 0)
PROVIDER = "provider"  # who sets the pause flag when every call is refused
_LOOK_SECONDS = 0.25  # how often a budget that others hold is tried again
_WAITS_OF_A_DAY = 2  # that one sample waits out, where a quota of a day names a short wait
_INTENT_SECONDS = 0.25  # an intent whose call must wait is committed by then, if nothing takes it along


class BudgetFull(ControlFlow):
    """A call was not made, because its worst case would have broken a budget."""

    def __init__(self, scope: BudgetScope, reserved: NanoDollars) -> None:
        super().__init__(scope)
        self.scope, self.reserved = scope, reserved


class AskedElsewhere(ControlFlow):
    """A call was not made, because another task asks the same at this moment, or has the answer."""

    def __init__(self, attempt_id: str) -> None:
        super().__init__(attempt_id)
        self.attempt_id = attempt_id


class Got(NamedTuple):
    """An answer. attempts: of its item, those of earlier runs included. paid: whether by a call of our own."""

    stored: StoredAnswer
    attempts: int
    paid: bool


class Caller:
    """Calls by routes and one writer; `stop` ends every wait.

    rested: called when an item begins to wait without holding a slot. refuse: called before a question is asked; it raises
    when a provider batch is to ask it.
    """

    def __init__(
        self,
        held: Held,
        routes: Routes,
        writer: Writer,
        stop: StopSignal,
        *,
        rested: Callable[[], None],
        refuse: Callable[[Item, str, int], None] | None = None,
    ) -> None:
        self._held = held
        self._section = held.work.recipe.augment
        self._routes = routes
        self._notices = Notices(held, writer)
        self._writer = writer
        self._stop = stop
        self._rested = rested
        self._refuse = refuse
        self.turns = Turns(idle=writer.hurry)
        writer.is_more_coming = lambda: self.turns.are_waited_for
        self._once = Once(held, writer, stop)
        self._rng = random.Random()
        self._charger = Charger()
        self._tight = asyncio.Lock()  # where money is short, one item at a time tries
        self.resting = 0  # items that wait for their next attempt, or for what judges answers
        self._out: dict[str, float] = {}  # calls on the wire by attempt, and since when
        self.given_up: list[ledger.Intent] = []  # calls that were on the wire when the work was cancelled

    async def ask(self, item: Item, request: Request, key: str, step: int, attempts: int, seen: Collection[str]) -> Got:
        """An answer to one request, after retries; where the same is asked already, the answer to that.

        seen: attempts whose answers the item had already: another one is wanted. Raises CallFailed when the retries are used
        up, CallRejected, CallRefused.
        """
        if self._once.is_known(key, seen):
            stored = await self.aside(self._once.known(key))
            if stored is not None and stored.attempt_id not in seen:
                return Got(stored, attempts, paid=False)
        if self._refuse is not None:
            self._refuse(item, key, attempts)
        with self._once.asking(key) as asking:
            got = await self._asked(item, request, key, step, attempts, seen)
            asking.set_result(got.stored)
        return got

    async def _asked(
        self, item: Item, request: Request, key: str, step: int, attempts: int, seen: Collection[str]
    ) -> Got:
        retries_left = self._section.max_retries
        waits, days, insist = 0, 0, False
        while True:
            attempts += 1
            route, target = self._routes.choose(item.prepared)
            learnt = route.learnt
            try:
                async with route.first_call.turn(self._stop):
                    prepared = item.prepared.at(target)
                    asked = item if prepared is item.prepared else replace(item, prepared=prepared)
                    stored = await self._paid_attempt(route, asked, request, key, step, attempts, insist)
                return Got(stored, attempts, paid=True)
            except AskedElsewhere as other:
                attempts -= 1
                found = await self.aside(self._once.elsewhere(other.attempt_id, key))
                if found is not None and found.attempt_id not in seen:
                    return Got(found, attempts, paid=False)
                insist = found is not None
                continue
            except ProviderDown:
                attempts -= 1
                if route.line.limiter.has_given_up and not self._routes.has_another(item.prepared, route):
                    raise
                continue
            except (CallRejected, CallRefused) as error:
                if self._learns(route, request, error.failure, learnt):
                    continue
                await self._blame(route, item, error)
                waits += 1
                seconds = full_jitter(waits, self._rng, cap_seconds=self._section.backoff_cap_seconds)
            except CallFailed as error:
                failure = error.failure
                route.first_call.accepted()  # it says nothing of the request's shape
                if failure.reason is Reason.BROKEN_BODY and route.evidence.unreadable(item.key, failure):
                    raise await self._no_api(route, failure) from None
                days += failure.per_day
                if failure.per_day and not self._is_short(failure.retry_after):
                    await self._give_route_up(route, item, failure)
                elif (
                    days > _WAITS_OF_A_DAY
                ):  # waited out as often as that, and still used up: a wait that was not meant
                    await self._give_route_up(route, item, failure._replace(retry_after=None))
                if failure.spends_retry and not route.line.limiter.provider_down:
                    retries_left -= 1
                if retries_left < 0:
                    raise
                waits += 1
                seconds = wait_seconds(failure, waits, self._rng, cap_seconds=self._section.backoff_cap_seconds)
                if self._routes.has_another(item.prepared, route) and not route.is_usable:
                    continue
            await self.aside(self._stop.sleep(seconds))

    def _is_short(self, wait: float | None) -> bool:
        """Whether a wait is one that a run waits out."""
        return wait is not None and wait <= self._section.provider_patience_seconds

    def _learns(self, route: Route, request: Request, failure: Failure, learnt: Learnt) -> bool:
        """Whether a refusal of the request's shape taught to put it in another way, now or while this call was out."""
        if route.learnt is not learnt:
            return True
        lesson = lesson_of(failure, route.body(route.request(request), learnt), learnt)
        if lesson is None:
            return False
        self._learn(route, lesson)
        return True

    def _learn(self, route: Route, lesson: Lesson) -> None:
        self._notices.fact(
            route.learn(lesson), f"{route.label} at {route.line.place.endpoint.host}: {lesson.sentence()}"
        )

    async def _blame(self, route: Route, item: Item, error: CallRejected | CallRefused) -> None:
        """Decide whose a refusal is. Returns when the sample is to be asked once more; else raises the error, or Paused."""
        failure = error.failure
        if isinstance(error, CallRefused):
            if failure.reason is Reason.WRONG_ADDRESS and route.evidence.answers:
                raise CallFailed(failure) from None  # a gateway on the way: the address was right a moment ago
            if self._routes.has_another(item.prepared, route) or route.evidence.answers:
                await self._give_route_up(route, item, failure)
                return
            raise error
        blame = route.evidence.refused(item.key, failure)
        if blame is Blame.OPEN:
            return
        if blame is Blame.SAMPLE:
            raise error
        if failure.reason is Reason.FORBIDDEN:
            await self._give_route_up(route, item, failure._replace(reason=Reason.BAD_KEY))
            raise CallRefused(failure._replace(reason=Reason.BAD_KEY)) from None
        raise await self.pause(
            PROVIDER,
            f"{route.label} refuses every request, and no sample is to blame: {failure.message.rstrip('.')}."
            f" {hint_of(failure)}",
        )

    async def _no_api(self, route: Route, failure: Failure) -> Paused:
        """The pause of a job whose every request is answered by something that is no model."""
        return await self.pause(
            PROVIDER,
            f"{route.label} at {route.line.place.endpoint.host} answers every request with what is no answer of a model:"
            f" {failure.message.rstrip('.')}. {next_step_of(Reason.WRONG_ADDRESS)}",
        )

    async def _give_route_up(self, route: Route, item: Item, failure: Failure) -> None:
        """Ask this endpoint no more in this run. Raises Paused when a strategy has no other one."""
        now = time.time()
        until = None if failure.retry_after is None else now + failure.retry_after
        name = route.line.place.endpoint.name or route.line.place.endpoint.host
        has_another = self._routes.has_another(item.prepared, route)
        if route.line.gone is None and (has_another or route.evidence.answers or failure.per_day):
            what = "has no quota left for the day" if failure.per_day else f"refuses every call ({failure.reason})"
            route.line.gone = Trouble(what, name, now, until, failure.message)
            self._notices.say(f"{route.label}: {route.line.gone}")
        if has_another:
            route.line.limiter.turn_away(str(route.line.gone))
            return
        if not route.evidence.answers and not failure.per_day:
            return
        after = f"after {route.evidence.answers:,} answers " if route.evidence.answers else ""
        what = "the quota for the day is used up" if failure.per_day else f"every call is refused ({failure.reason})"
        next_step = "" if failure.per_day else f" {next_step_of(failure.reason)}"
        raise await self.pause(PROVIDER, f"{name}: {after}{what}: {failure.message.rstrip('.')}.{next_step}", until)

    async def pause(self, by: str, reason: str, until: float | None = None) -> Paused:
        """Pause the task, for everybody to see, until a person clears the flag."""
        self.turns.close()
        when = "" if until is None else f", not before {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(until))}"
        name = self._held.work.file.name
        reason = f"{reason.rstrip()} Then: corpus resume {name} --stage augment, corpus run {name}{when}"
        self._writer.unit.pause(by, reason)
        try:
            await self._writer.committed()
        finally:
            self.turns.open()
        return Paused.by(f"paused by {by}: {reason}")

    def calls(self) -> Calls:
        """What is on the wire now, and what waits."""
        begun = list(self._out.values())
        oldest = time.monotonic() - min(begun) if begun else 0.0
        return Calls(len(begun), oldest, self.resting)

    async def aside(self, waiting: Awaitable[T]) -> T:
        self.resting += 1
        self._rested()
        try:
            return await waiting
        finally:
            self.resting -= 1

    async def _paid_attempt(
        self, route: Route, item: Item, request: Request, key: str, step: int, attempt: int, insist: bool
    ) -> StoredAnswer:
        """One attempt as soon as there is money for it. Raises Paused when there is none, and none is coming back."""
        try:
            return await self._attempt(route, item, request, key, step, attempt, insist)
        except BudgetFull:
            pass
        async with self._tight:
            nobody_asks = False
            while True:
                self._writer.settled.clear()
                alone = self._writer.outstanding == 0
                try:
                    return await self._attempt(route, item, request, key, step, attempt, insist)
                except BudgetFull as refusal:
                    scope = refusal.scope
                    if alone and (nobody_asks or scope is BudgetScope.TASK):
                        raise await self._out_of_money(refusal) from None
                if not alone:
                    nobody_asks = False
                    with self._stop.interruptible():
                        await self._writer.settled.wait()
                    continue
                # once more behind this look: what others had reserved may have come back since the refusal
                nobody_asks = not await asyncio.to_thread(self._others_are_asking, scope)
                if not nobody_asks:
                    await self._stop.sleep(_LOOK_SECONDS)

    def _others_are_asking(self, scope: BudgetScope) -> bool:
        """Whether what other tasks reserved of a shared budget may come back."""
        work = self._held.work
        consumer = work.file.consumer if scope is BudgetScope.CONSUMER else None
        return self._held.fetch(ledger.others_are_asking, work.task.id, consumer)

    async def _out_of_money(self, refusal: BudgetFull) -> Paused:
        """Pause the task, for everybody to see, until a person clears the flag."""
        reason = await asyncio.to_thread(
            out_of_money, self._held, refusal.scope, refusal.reserved, self._charger.output_limit_note
        )
        self._writer.unit.pause(BUDGET, reason)
        await self._writer.committed()
        return Paused.by(f"paused by {BUDGET}: {reason}")

    async def _attempt(
        self, route: Route, item: Item, request: Request, key: str, step: int, attempt: int, insist: bool
    ) -> StoredAnswer:
        """One HTTP attempt: the intent is durable before it leaves, the answer before it is used.

        insist: also where another task asks the same.
        """
        attempt_id = new_attempt_id()
        put = route.request(request)
        learnt = route.learnt
        named = put._replace(model=route.label)  # as recipes, prices and reports name it
        intent = intent_of(
            self._held,
            self._charger,
            item,
            named,
            key,
            step=step,
            attempt=attempt,
            attempt_id=attempt_id,
            sent=route.sent(put),
        )
        limiter = route.line.limiter
        expected = tokens.expected_input(request) + request.max_output_tokens
        begun = time.monotonic()
        await self.turns.caught_up()
        try:
            async with limiter.slot(expected, self._stop, first=attempt > 1, sample=item.key) as slot:
                self._held.lease.check()
                await self._intend(intent, insist, limiter)
                await self._leave(intent, slot)
                failpoints.point("before call")
                begun = self._out[attempt_id] = time.monotonic()
                answer = await route.line.client.complete(
                    put,
                    attempt_id=attempt_id,
                    attempt=attempt,
                    deadline_seconds=self._section.call_deadline_seconds,
                    learnt=learnt,
                )
                failpoints.point("after call")
                slot.used(answer.usage.input_tokens + answer.usage.output_tokens)
        except (CallFailed, CallRejected, CallRefused) as error:
            self._settle_failure(intent, error.failure, begun)
            await self._writer.committed()
            raise
        except asyncio.CancelledError:
            self._give_up(intent, begun)
            raise
        finally:
            self._out.pop(attempt_id, None)
        charge = self._charger.charge(
            item.prepared, named, answer, trusts_limit=self._learns_limit(route, put, learnt, answer)
        )
        settlement = settlements.answered(attempt_id, answer, charge, settlements.since(begun))
        tracing.call(
            attempt_id,
            begun,
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": put.model,
                "gen_ai.usage.input_tokens": answer.usage.input_tokens,
                "gen_ai.usage.output_tokens": answer.usage.output_tokens,
                "corpus.file": self._held.work.file.name,
                "corpus.attempt": attempt,
            },
        )
        self._writer.answered(settlement, key, answer)
        failpoints.point("answer spooled")
        self._take_note(route, put, learnt, answer)
        return StoredAnswer(attempt_id, answer)

    def _take_note(self, route: Route, put: Request, learnt: Learnt, answer: Answer) -> None:
        """What an answer teaches about its endpoint: that it answers, words that are not known, a limit that is not kept."""
        route.evidence.answered()
        route.first_call.accepted()
        if route.evidence.answers == 1:
            self._writer.unit.learn(route.fact(provider_facts.ANSWERS, "completions", "yes"))
        if not finish_reasons.is_known(answer.finish_reason):
            word = answer.finish_reason or "(none)"
            self._notices.fact(
                route.fact(provider_facts.WORD, "finish_reason", word),
                f"{route.label}: the finish reason '{word}' is not known; the answers are judged by their text",
            )

    def _learns_limit(self, route: Route, put: Request, learnt: Learnt, answer: Answer) -> bool:
        """Whether an answer beyond its limit says nothing of the next ones: the limit goes out by another name from now on, or
        did since this call left."""
        if not is_beyond_limit(put, answer):
            return False
        if route.learnt is not learnt:
            return True
        limit, body = put.max_output_tokens, route.body(put, learnt)
        lesson = overrun_lesson(answer.usage.output_tokens, limit, body, learnt)
        if lesson is None:
            said = f"{answer.usage.output_tokens} tokens for {limit}"
            self._notices.keep(route.fact(provider_facts.PARAMETER, "max_output_tokens", "not kept", said))
            return False
        self._learn(route, lesson)
        return True

    async def _intend(self, intent: ledger.Intent, insist: bool, limiter: Limiter) -> None:
        """Make an intent durable. Raises Stopped, AskedElsewhere or BudgetFull when it may not be."""
        unit = self._writer.unit
        unit.intend(intent, forced=insist)
        if not limiter.has_room:  # whatever ends a call is committed and takes the intents along
            await self._writer.committed(within=_INTENT_SECONDS)
        elif self.turns.are_waited_for:  # the processor has work, and whatever is judged goes along
            await self._writer.committed(within=GROUP_SECONDS)
        else:
            await self._writer.committed()
        assert unit.written is not None
        if unit.written.flag is not None:
            raise Stopped("a pause flag was set before the call")
        if (other := unit.written.asked.get(intent.id)) is not None:
            raise AskedElsewhere(other)
        if (scope := unit.written.refused.get(intent.id)) is not None:
            raise BudgetFull(scope, intent.reserved)

    async def _leave(self, intent: ledger.Intent, slot: Slot) -> None:
        """Wait until the call may go out; an intent that a stop overtakes is taken back: nothing was sent."""
        try:
            await slot.on_wire()
        except BaseException:
            self._writer.unit.withdraw(intent)
            self._writer.soon()
            raise

    def _give_up(self, intent: ledger.Intent, begun: float) -> None:
        """Book a call that is cancelled: what was on the wire may have been billed, what was not is taken back."""
        if intent.id in self._out:
            self.given_up.append(intent)
            self._book(settlements.given_up(intent.id, intent.reserved, settlements.since(begun)))
        else:
            self._writer.take_back(intent)

    def _settle_failure(self, intent: ledger.Intent, failure: Failure, begun: float) -> None:
        self._book(settlements.failed(intent.id, intent.reserved, failure, settlements.since(begun)))

    def _book(self, settlement: ledger.Settlement) -> None:
        """Book an attempt that brought nothing."""
        self._writer.unit.settle(settlement)
