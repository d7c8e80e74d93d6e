"""One item: a conversation under a strategy, from its first question to a new row or a failed sample."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import orjson

from corpus_pipeline import crashpoints
from corpus_pipeline.errors import BadAnswer, Paused, Stopped
from corpus_pipeline.jobs.augment.intents import BUDGET, intent_of, new_attempt_id, out_of_money
from corpus_pipeline.jobs.augment.plan import Prepared
from corpus_pipeline.jobs.augment.prefix import Batch
from corpus_pipeline.jobs.augment.writer import Writer
from corpus_pipeline.jobs.context import Held
from corpus_pipeline.llm import prices, tokens
from corpus_pipeline.llm.backoff import wait_seconds
from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.failures import CallFailed, CallRefused, CallRejected, Failure
from corpus_pipeline.llm.halt import Halt, rest, until
from corpus_pipeline.llm.limits import Limiter, Slot
from corpus_pipeline.model import Answer, AugmentedRow, Conversation, ConversationId, MicroDollars, Request, Usage
from corpus_pipeline.stages.augment.requests import request_key
from corpus_pipeline.stages.augment.strategies import accept
from corpus_pipeline.states import AttemptState, BudgetScope, ItemState
from corpus_pipeline.store import failed, ledger
from corpus_pipeline.store.augmented import ItemKey, Provenance
from corpus_pipeline.store.ledger import StoredAnswer

_NOTHING = Usage(0, 0)
_INTENT_SECONDS = 0.25  # an intent whose call must wait is committed by then, if nothing takes it along


@dataclass
class Item:
    """What is to be made. batch: what its outcome counts for; None for a replay, whose batch the cursor passed long ago.

    begun: HTTP attempts that earlier runs made for it. known: answers that are paid already, by request key.
    """

    prepared: Prepared
    conversation_id: ConversationId
    conversation: Conversation
    content_hash: bytes
    sample_index: int
    batch: Batch | None
    begun: int = 0
    known: Mapping[str, StoredAnswer] = field(default_factory=dict)

    @property
    def key(self) -> ItemKey:
        return (self.conversation_id, self.prepared.strategy.label, self.sample_index)


@dataclass
class _Last:
    """The last request and answer of an item: what a failed sample shows."""

    request: Request | None = None
    request_key: str | None = None
    answer: Answer | None = None


class _TooDear(Exception):
    """A call was not made, because its worst case would have broken a budget."""

    def __init__(self, scope: BudgetScope, reserved: MicroDollars) -> None:
        super().__init__(scope)
        self.scope, self.reserved = scope, reserved


class Asker:
    """Asks for items through one client, limiter and writer; `stop` ends every wait.

    ready: done when answers can be judged. rested: called when an item begins to wait without holding a slot.
    """

    def __init__(
        self,
        held: Held,
        client: ModelClient,
        limiter: Limiter,
        writer: Writer,
        stop: Halt,
        *,
        ready: asyncio.Future[None],
        rested: Callable[[], None],
    ) -> None:
        self._held = held
        self._section = held.work.recipe.augment
        self._client = client
        self._limiter = limiter
        self._writer = writer
        self._stop = stop
        self._ready = ready
        self._rested = rested
        self._rng = random.Random()
        self._tight = asyncio.Lock()  # where money is short, one item at a time tries
        self.resting = 0  # items that wait for their next attempt, or for what judges answers

    async def make(self, item: Item) -> None:
        """Bring one item to its outcome and commit it. Raises Stopped, ProviderRefused, or what a commit raises."""
        strategy = item.prepared.strategy
        last = _Last()
        answers: list[StoredAnswer] = []
        attempts, tries_left, paid_now = item.begun, self._section.answer_retries, False
        while True:
            try:
                request = strategy.next_request(item.conversation, _bare(answers), item.sample_index)
                if request is None:
                    turns = accept(strategy, item.conversation, _bare(answers))
                    break
                key = request_key(request, item.sample_index)
                last.request, last.request_key = request, key
                stored = item.known.get(key)
                if stored is None or stored.attempt_id in {a.attempt_id for a in answers}:
                    stored, attempts = await self._ask(item, request, key, len(answers) + 1, attempts)
                    paid_now = True
                await self._until_ready()
                answers.append(stored)
                last.answer = stored.answer
            except BadAnswer as fault:
                if answers and not isinstance(fault, CallRejected):
                    bad = answers.pop()
                    self._writer.unit.rejected.append((bad.attempt_id, str(fault.reason)))
                    item.known = {k: v for k, v in item.known.items() if v.attempt_id != bad.attempt_id}
                    if tries_left > 0:
                        tries_left -= 1
                        continue
                await self._park(item, last, str(fault.reason), fault.detail, attempts - item.begun)
                return
            except CallFailed as failure:
                await self._park(
                    item, last, str(failure.failure.reason), failure.failure.message, attempts - item.begun
                )
                return
        assert last.request is not None and last.request_key is not None
        row = AugmentedRow(item.conversation_id, strategy.label, item.sample_index, tuple(turns))
        provenance = Provenance(
            item.prepared.prompt_version, last.request_key, answers[-1].answer.model, item.content_hash
        )
        unit = self._writer.unit
        unit.rows.append((row, provenance))
        unit.items.append((item.key, ItemState.DONE, None, not paid_now))
        if item.batch is None:
            unit.resolved.append(item.key)
        self._finished(item, failed=0)
        await self._writer.committed()

    async def _park(self, item: Item, last: _Last, reason: str, error: str, attempts: int) -> None:
        prompt = None if last.request is None else orjson.dumps(list(last.request.messages)).decode()
        answer = last.answer
        unit = self._writer.unit
        unit.failures.append(
            failed.Failure(
                key=item.key,
                request_key=last.request_key,
                reason=reason,
                error=error,
                prompt=prompt,
                answer=None if answer is None else (answer.refusal or answer.text),
                model=item.prepared.strategy.model,
                attempts=max(1, attempts),
            )
        )
        unit.items.append((item.key, ItemState.FAILED, reason, False))
        self._finished(item, failed=1)
        await self._writer.committed()

    @staticmethod
    def _finished(item: Item, *, failed: int) -> None:
        if item.batch is not None:
            item.batch.open_items -= 1
            item.batch.failed += failed

    async def _ask(self, item: Item, request: Request, key: str, step: int, attempts: int) -> tuple[StoredAnswer, int]:
        """An answer to one request, after retries. Raises CallFailed when they are used up, CallRejected, CallRefused."""
        retries_left = self._section.max_retries
        waits = 0
        while True:
            attempts += 1
            try:
                return await self._paid_attempt(item, request, key, step, attempts), attempts
            except CallFailed as error:
                if error.failure.spends_retry and not self._limiter.provider_down:
                    retries_left -= 1
                if retries_left < 0:
                    raise
                waits += 1
                seconds = wait_seconds(error.failure, waits, self._rng, cap_seconds=self._section.backoff_cap_seconds)
            await self._aside(rest(seconds, self._stop))

    async def _until_ready(self) -> None:
        """Until answers can be judged; those who wait for it do not keep others from being asked."""
        if self._ready.done():
            self._ready.result()
        else:
            await self._aside(asyncio.shield(self._ready))

    async def _aside(self, waiting: Awaitable[None]) -> None:
        self.resting += 1
        self._rested()
        try:
            await waiting
        finally:
            self.resting -= 1

    async def _paid_attempt(self, item: Item, request: Request, key: str, step: int, attempt: int) -> StoredAnswer:
        """One attempt as soon as there is money for it. Raises Paused when there is none, and none is coming back."""
        try:
            return await self._attempt(item, request, key, step, attempt)
        except _TooDear:
            pass
        async with self._tight:
            while True:
                self._writer.settled.clear()
                alone = self._writer.outstanding == 0
                try:
                    return await self._attempt(item, request, key, step, attempt)
                except _TooDear as refusal:
                    if alone:
                        raise await self._out_of_money(refusal) from None
                await until(self._writer.settled.wait(), self._stop)

    async def _out_of_money(self, refusal: _TooDear) -> Paused:
        """Pause the task, for everybody to see, until a person clears the flag."""
        reason = await asyncio.to_thread(out_of_money, self._held, refusal.scope, refusal.reserved)
        self._writer.unit.pauses.append(reason)
        await self._writer.committed()
        return Paused(f"paused by {BUDGET}: {reason}")

    async def _attempt(self, item: Item, request: Request, key: str, step: int, attempt: int) -> StoredAnswer:
        """One HTTP attempt: the intent is durable before it leaves, the answer before it is used."""
        attempt_id = new_attempt_id()
        intent = intent_of(self._held, item, request, key, step=step, attempt=attempt, attempt_id=attempt_id)
        expected = tokens.expected_input(request) + request.max_output_tokens
        begun = time.monotonic()
        try:
            async with self._limiter.slot(expected, self._stop, first=attempt > 1) as slot:
                self._held.lease.check()
                await self._intend(intent)
                await self._leave(intent, slot)
                crashpoints.point("before call")
                begun = time.monotonic()
                answer = await self._client.complete(
                    request,
                    attempt_id=attempt_id,
                    attempt=attempt,
                    deadline_seconds=self._section.call_deadline_seconds,
                )
                crashpoints.point("after call")
                slot.used(answer.usage.input_tokens + answer.usage.output_tokens)
        except (CallFailed, CallRejected, CallRefused) as error:
            self._settle_failure(intent, error.failure, begun)
            await self._writer.committed()
            raise
        cost = prices.cost(answer.usage, item.prepared.price)
        unit = self._writer.unit
        unit.settlements.append(
            ledger.Settlement(
                id=attempt_id,
                state=AttemptState.ANSWERED,
                outcome=answer.finish_reason,
                usage=answer.usage,
                cost=cost,
                latency_ms=_since(begun),
                model_answered=answer.model[:128],
                http_status=200,
                provider_request_id=answer.provider_request_id,
            )
        )
        unit.answers.append((attempt_id, key, answer))
        self._writer.soon()
        return StoredAnswer(attempt_id, answer)

    async def _intend(self, intent: ledger.Intent) -> None:
        """Make an intent durable. Raises Stopped or _TooDear when it may not be."""
        unit = self._writer.unit
        unit.intents.append(intent)
        # while every call is out, whatever ends one is committed and takes the intents along
        await self._writer.committed(within=0.0 if self._limiter.has_room else _INTENT_SECONDS)
        assert unit.written is not None
        if unit.written.flag is not None:
            raise Stopped("a pause flag was set before the call")
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

    def _settle_failure(self, intent: ledger.Intent, failure: Failure, begun: float) -> None:
        unknown = failure.maybe_billed
        self._writer.unit.settlements.append(
            ledger.Settlement(
                id=intent.id,
                state=AttemptState.UNKNOWN if unknown else AttemptState.ERROR,
                outcome=str(failure.reason),
                usage=_NOTHING,
                cost=intent.reserved if unknown else MicroDollars(0),
                latency_ms=_since(begun),
                http_status=failure.status,
                provider_request_id=failure.request_id,
            )
        )


def _bare(answers: list[StoredAnswer]) -> tuple[Answer, ...]:
    return tuple(stored.answer for stored in answers)


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)
