"""One question to the provider: paid for, retried, booked, and its answer stored."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection
from typing import NamedTuple, TypeVar

from corpus_pipeline import failpoints
from corpus_pipeline.cancellation import StopSignal
from corpus_pipeline.errors import Paused, Stopped
from corpus_pipeline.jobs.augment.charging import Charger
from corpus_pipeline.jobs.augment.group_commit import Writer
from corpus_pipeline.jobs.augment.intents import BUDGET, intent_of, new_attempt_id, out_of_money
from corpus_pipeline.jobs.augment.single_flight import Once
from corpus_pipeline.jobs.augment.work_item import Item
from corpus_pipeline.jobs.narration import Calls
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.llm import tokens
from corpus_pipeline.llm.backoff import wait_seconds
from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.failures import CallFailed, CallRefused, CallRejected, Failure
from corpus_pipeline.llm.limits import Limiter, Slot
from corpus_pipeline.model import NanoDollars, Request, Usage
from corpus_pipeline.states import AttemptState, BudgetScope
from corpus_pipeline.store import ledger
from corpus_pipeline.store.ledger import StoredAnswer

T = TypeVar("T")

_NOTHING = Usage(0, 0)
GIVEN_UP = "given_up"  # the outcome of a call that was on the wire when a person did not want to wait for it
_LOOK_SECONDS = 0.25  # how often a budget that others hold is tried again
_INTENT_SECONDS = 0.25  # an intent whose call must wait is committed by then, if nothing takes it along


class _TooDear(Exception):
    """A call was not made, because its worst case would have broken a budget."""

    def __init__(self, scope: BudgetScope, reserved: NanoDollars) -> None:
        super().__init__(scope)
        self.scope, self.reserved = scope, reserved


class _AskedElsewhere(Exception):
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
    """Calls through one client, limiter and writer; `stop` ends every wait.

    rested: called when an item begins to wait without holding a slot. refuse: called before a question is asked; it raises
    when a provider batch is to ask it.
    """

    def __init__(
        self,
        held: Held,
        client: ModelClient,
        limiter: Limiter,
        writer: Writer,
        stop: StopSignal,
        *,
        rested: Callable[[], None],
        refuse: Callable[[Item, str, int], None] | None = None,
    ) -> None:
        self._held = held
        self._section = held.work.recipe.augment
        self._client = client
        self._limiter = limiter
        self._writer = writer
        self._stop = stop
        self._rested = rested
        self._refuse = refuse
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
        waits, insist = 0, False
        while True:
            attempts += 1
            try:
                stored = await self._paid_attempt(item, request, key, step, attempts, insist)
                return Got(stored, attempts, paid=True)
            except _AskedElsewhere as other:
                attempts -= 1
                found = await self.aside(self._once.elsewhere(other.attempt_id, key))
                if found is not None and found.attempt_id not in seen:
                    return Got(found, attempts, paid=False)
                insist = found is not None
                continue
            except CallFailed as error:
                if error.failure.spends_retry and not self._limiter.provider_down:
                    retries_left -= 1
                if retries_left < 0:
                    raise
                waits += 1
                seconds = wait_seconds(error.failure, waits, self._rng, cap_seconds=self._section.backoff_cap_seconds)
            await self.aside(self._stop.sleep(seconds))

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
        self, item: Item, request: Request, key: str, step: int, attempt: int, insist: bool
    ) -> StoredAnswer:
        """One attempt as soon as there is money for it. Raises Paused when there is none, and none is coming back."""
        try:
            return await self._attempt(item, request, key, step, attempt, insist)
        except _TooDear:
            pass
        async with self._tight:
            nobody_asks = False
            while True:
                self._writer.settled.clear()
                alone = self._writer.outstanding == 0
                try:
                    return await self._attempt(item, request, key, step, attempt, insist)
                except _TooDear as refusal:
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

    async def _out_of_money(self, refusal: _TooDear) -> Paused:
        """Pause the task, for everybody to see, until a person clears the flag."""
        reason = await asyncio.to_thread(
            out_of_money, self._held, refusal.scope, refusal.reserved, self._charger.output_limit_note
        )
        self._writer.unit.pauses.append(reason)
        await self._writer.committed()
        return Paused.by(f"paused by {BUDGET}: {reason}")

    async def _attempt(
        self, item: Item, request: Request, key: str, step: int, attempt: int, insist: bool
    ) -> StoredAnswer:
        """One HTTP attempt: the intent is durable before it leaves, the answer before it is used.

        insist: also where another task asks the same.
        """
        attempt_id = new_attempt_id()
        intent = intent_of(
            self._held, self._charger, item, request, key, step=step, attempt=attempt, attempt_id=attempt_id
        )
        expected = tokens.expected_input(request) + request.max_output_tokens
        begun = time.monotonic()
        try:
            async with self._limiter.slot(expected, self._stop, first=attempt > 1) as slot:
                self._held.lease.check()
                await self._intend(intent, insist)
                await self._leave(intent, slot)
                failpoints.point("before call")
                begun = self._out[attempt_id] = time.monotonic()
                answer = await self._client.complete(
                    request,
                    attempt_id=attempt_id,
                    attempt=attempt,
                    deadline_seconds=self._section.call_deadline_seconds,
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
        charge = self._charger.charge(item.prepared, request, answer)
        settlement = ledger.Settlement(
            id=attempt_id,
            state=AttemptState.ANSWERED,
            outcome=answer.finish_reason,
            usage=answer.usage,
            cost=charge.cost,
            latency_ms=_since(begun),
            model_answered=answer.model[:128],
            http_status=200,
            provider_request_id=answer.provider_request_id,
            prices=charge.price,
            service_tier=answer.service_tier,
            response_id=answer.response_id,
            remark=answer.usage.remark,
        )
        self._writer.answered(settlement, key, answer)
        failpoints.point("answer spooled")
        return StoredAnswer(attempt_id, answer)

    async def _intend(self, intent: ledger.Intent, insist: bool) -> None:
        """Make an intent durable. Raises Stopped, _AskedElsewhere or _TooDear when it may not be."""
        unit = self._writer.unit
        unit.intents.append(intent)
        if insist:
            unit.insisted.add(intent.id)
        # while every call is out, whatever ends one is committed and takes the intents along
        await self._writer.committed(within=0.0 if self._limiter.has_room else _INTENT_SECONDS)
        assert unit.written is not None
        if unit.written.flag is not None:
            raise Stopped("a pause flag was set before the call")
        if (other := unit.written.asked.get(intent.id)) is not None:
            raise _AskedElsewhere(other)
        if (scope := unit.written.refused.get(intent.id)) is not None:
            raise _TooDear(scope, intent.reserved)

    async def _leave(self, intent: ledger.Intent, slot: Slot) -> None:
        """Wait until the call may go out; an intent that a stop overtakes is taken back: nothing was sent."""
        try:
            await slot.on_wire()
        except BaseException:
            self._writer.unit.withdrawn.append(intent.id)
            self._writer.soon()
            raise

    def _give_up(self, intent: ledger.Intent, begun: float) -> None:
        """Book a call that is cancelled: what was on the wire may have been billed, what was not is taken back."""
        if intent.id in self._out:
            self.given_up.append(intent)
            self._settle(intent, AttemptState.UNKNOWN, GIVEN_UP, begun, cost=intent.reserved)
        else:
            self._writer.take_back(intent)

    def _settle_failure(self, intent: ledger.Intent, failure: Failure, begun: float) -> None:
        unknown = failure.maybe_billed
        self._settle(
            intent,
            AttemptState.UNKNOWN if unknown else AttemptState.ERROR,
            str(failure.reason),
            begun,
            cost=intent.reserved if unknown else NanoDollars(0),
            http_status=failure.status,
            provider_request_id=failure.request_id,
        )

    def _settle(
        self,
        intent: ledger.Intent,
        state: AttemptState,
        outcome: str,
        begun: float,
        *,
        cost: NanoDollars,
        http_status: int | None = None,
        provider_request_id: str | None = None,
    ) -> None:
        """Book an attempt that brought nothing."""
        self._writer.unit.settlements.append(
            ledger.Settlement(
                id=intent.id,
                state=state,
                outcome=outcome,
                usage=_NOTHING,
                cost=cost,
                latency_ms=_since(begun),
                http_status=http_status,
                provider_request_id=provider_request_id,
            )
        )


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)
