"""Asking through the provider's Batch API: half the price, up to a day, and nothing of ours is blocked while it lasts.

A round asks every item of the batched strategies for its next answer. Each input file is planned (row and intents in one
transaction), sent, and found again by its key when the process died in between. What comes back is stored like any answer;
the window then makes rows of it, and asks one by one for what the batches could not give.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import Connection, Row

from corpus_pipeline import failpoints
from corpus_pipeline.errors import Paused
from corpus_pipeline.jobs.augment.charging import Charger
from corpus_pipeline.jobs.augment.intents import BUDGET, intent_of, new_attempt_id, out_of_money
from corpus_pipeline.jobs.augment.plan import ModelAccess, Prepared
from corpus_pipeline.jobs.augment.provider_batch_requests import questions
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.llm import batch_api
from corpus_pipeline.llm.backoff import wait_seconds
from corpus_pipeline.llm.batch_api import Batch, BatchClient, Chunk, Result
from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.failures import CallFailed
from corpus_pipeline.llm.usage import MAX_TOKENS
from corpus_pipeline.model import Answer, NanoDollars, Request, Usage
from corpus_pipeline.stages.augment.requests import request_key
from corpus_pipeline.states import AttemptState, BatchState, Stage
from corpus_pipeline.store import pauses, provider_batches
from corpus_pipeline.store.ledger import Intent, Settlement
from corpus_pipeline.store.provider_batches import TooDear

T = TypeVar("T")
P = ParamSpec("P")

_MOST_ROUNDS = 12  # questions of a strategy, and what expired batches left over
_LOOK_SECONDS = 0.25  # how often a wait looks at the flags
_TAKE_IN = 500  # results a transaction
_CHUNK_CHARACTERS = batch_api.CHUNK_BYTES // 6  # a character is 4 bytes at most, and 6 when it is escaped
_NOTHING_ASKED = ({"role": "user", "content": ""},)


class _Ask(NamedTuple):
    request: Request
    intent: Intent


class Batching:
    """The strategies of one augment run over one lease that go by batch, or whose judge does."""

    def __init__(self, held: Held, plan: dict[str, Prepared], access: ModelAccess) -> None:
        self._held, self._plan, self._access = held, plan, access
        judges = [p.gate for p in plan.values() if p.gate is not None]
        self._asked = plan | {judge.strategy.label: judge for judge in judges}
        self._section = held.work.recipe.augment
        self._charger = Charger()
        self._failed: set[str] = set()  # request keys that a batch could not answer: the window asks for them

    async def send(self) -> int:
        """Find what an earlier run left, plan and send what is missing; returns how many batches are under way."""
        async with ModelClient(self._access.endpoint) as client:
            api = BatchClient(client)
            await self._reattach(api)
            for asks in self._files():
                await self._send(api, asks)
            return len(self._open())

    async def finish(self) -> None:
        """Wait for the batches, store what they bring, and send what is still to be asked, until nothing is.

        Raises Paused or Interrupted while batches are under way: the next run finds them again.
        """
        for _ in range(_MOST_ROUNDS):
            async with ModelClient(self._access.endpoint) as client:
                api = BatchClient(client)
                for row in self._open():
                    await self._take_in(api, row, await self._until_final(api, row))
            if await self.send() == 0:
                return

    # --- planning and sending ------------------------------------------------------------------------------------------

    def _files(self) -> Iterator[list[_Ask]]:
        """The requests that are neither answered nor under way, an input file at a time, one model each."""
        known = {
            row.request_key for batch in self._open() for row in self._held.fetch(provider_batches.unsettled, batch.id)
        }
        known |= self._failed
        files: dict[str, tuple[list[_Ask], int]] = {}
        for item, request in questions(self._held, self._plan, self._access):
            key = request_key(request, item.sample_index)
            if key in known:
                continue
            known.add(key)
            intent = intent_of(
                self._held,
                self._charger,
                item,
                request,
                key,
                step=len(item.known) + 1,
                attempt=item.begun + 1,
                attempt_id=new_attempt_id(),
                batch=True,
            )
            asks, size = files.get(request.model, ([], 0))
            asks.append(_Ask(request, intent))
            size += 500 + sum(len(message["content"]) for message in request.messages)
            if len(asks) >= batch_api.MOST_REQUESTS or size > _CHUNK_CHARACTERS:
                yield asks
                asks, size = [], 0
            files[request.model] = (asks, size)
        yield from (asks for asks, _ in files.values() if asks)

    async def _send(self, api: BatchClient, asks: list[_Ask]) -> None:
        self._held.boundary()
        while True:
            (chunk,) = batch_api.chunks(
                (batch_api.Item(ask.intent.id, ask.request) for ask in asks), most_bytes=batch_api.MOST_BYTES
            )
            try:
                batch_id = await self._commit(self._planned, chunk.key, asks)
                break
            except TooDear as refusal:
                if refusal.fitting == 0:
                    raise await self._pause(refusal, asks[0].intent.reserved) from None
                asks = asks[: refusal.fitting]
        batch = await self._patiently(lambda: self._submit(api, chunk))
        failpoints.point("batch created")
        await self._commit(provider_batches.sent, batch_id, batch.id)

    def _planned(self, connection: Connection, key: str, asks: Sequence[_Ask]) -> int:
        work = self._held.work
        ceilings = self._section.budget.ceilings()
        intents = [ask.intent for ask in asks]
        return provider_batches.plan(connection, work.store.backend, work.task.id, key, intents, ceilings)

    async def _submit(self, api: BatchClient, chunk: Chunk) -> Batch:
        """Send a chunk; when the answer was lost, see whether it arrived before it is sent again."""
        self._held.lease.check()
        try:
            return await api.submit(chunk, {"corpus_task": str(self._held.work.task.id)})
        except CallFailed:
            found = await api.find(chunk.key, created_after=int(time.time()) - 3600)
            if found:
                return found[-1]
            raise

    async def _reattach(self, api: BatchClient) -> None:
        """A batch that was planned may have been created: it is found by its key, or it never was."""
        for row in self._open():
            if row.state != BatchState.PLANNED.value:
                continue
            look = partial(api.find, row.chunk_key, created_after=row.created_at // 1000 - 3600)
            found = await self._patiently(look)
            if found:
                await self._commit(provider_batches.sent, row.id, found[-1].id)
            else:
                await self._commit(provider_batches.forget, row.id)

    async def _pause(self, refusal: TooDear, reserved: NanoDollars) -> Paused:
        reason = await asyncio.to_thread(out_of_money, self._held, refusal.scope, reserved)
        name = self._held.work.file.name
        await self._commit(pauses.set_flag, stage=Stage.AUGMENT, file_name=name, reason=reason, requested_by=BUDGET)
        return Paused.by(f"paused by {BUDGET}: {reason}")

    # --- waiting and taking in -----------------------------------------------------------------------------------------

    async def _until_final(self, api: BatchClient, row: Row) -> Batch | None:
        """The batch once the provider is through with it; None when it knows no such batch."""
        while True:
            batch = await self._patiently(lambda: api.status(row.provider_id))
            if batch is None or batch.is_final:
                return batch
            await self._rest(self._section.batch_poll_seconds)

    async def _take_in(self, api: BatchClient, row: Row, batch: Batch | None) -> None:
        asked = {entry.id: entry for entry in self._held.fetch(provider_batches.unsettled, row.id)}
        if batch is None:  # the provider forgot it: what it cost is not known
            await self._commit(provider_batches.lost, row.id)
            self._failed |= {entry.request_key for entry in asked.values()}
            return
        # the requests are needed only where an answer comes without its usage
        requests = {identifier: Request(entry.model, _NOTHING_ASKED, 1) for identifier, entry in asked.items()}
        with tempfile.TemporaryDirectory(prefix="corpus-batch-") as folder:
            paths = await self._patiently(lambda: api.download(batch, Path(folder)))
            some: list[Result] = []
            for result in batch_api.results(paths, requests):
                some.append(result)
                if len(some) >= _TAKE_IN:
                    await self._store(some, asked)
                    some = []
            await self._store(some, asked)
        failpoints.point("batch taken in")
        if batch.status is batch_api.BatchStatus.FAILED:
            self._failed |= {entry.request_key for entry in asked.values()}
        await self._commit(provider_batches.taken, row.id, batch.status.value, batch.errors)

    async def _store(self, some: Sequence[Result], asked: dict[str, Row]) -> None:
        settlements: list[Settlement] = []
        answers: list[tuple[str, str, Answer]] = []
        for result in some:
            entry = asked[result.custom_id]
            if result.unworked:
                continue
            settlements.append(self._settlement(result, entry, self._asked[entry.strategy]))
            if result.answer is not None:
                answers.append((entry.id, entry.request_key, result.answer))
            else:
                self._failed.add(entry.request_key)
        if settlements:
            await self._commit(provider_batches.take_in, self._held.store.backend, settlements, answers)

    # --- patience ------------------------------------------------------------------------------------------------------

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """A call to the Batch API, again while the provider is away. Raises Paused when it stays away."""
        begun, tries, rng = time.monotonic(), 0, random.Random()
        while True:
            try:
                return await call()
            except CallFailed as error:
                patience = self._section.provider_patience_seconds
                if time.monotonic() - begun > patience:
                    raise Paused(
                        f"the provider's Batch API has not answered for {patience:.0f} s (last: {error.failure.reason})."
                        " Nothing is lost; `corpus run` goes on when it is back."
                    ) from None
                tries += 1
                cap = self._section.backoff_cap_seconds
                seconds = wait_seconds(error.failure, tries, rng, cap_seconds=cap)
            await self._rest(seconds)

    async def _rest(self, seconds: float) -> None:
        """Raises Paused, Interrupted or Fenced as soon as somebody wants it."""
        until = time.monotonic() + seconds
        while True:
            await asyncio.to_thread(self._held.boundary)
            left = until - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(min(_LOOK_SECONDS, left))

    def _open(self) -> Sequence[Row]:
        return self._held.fetch(provider_batches.open_batches, self._held.work.task.id)

    async def _commit(self, unit: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(lambda: self._held.commit(unit, *args, **kwargs))

    def _settlement(self, result: Result, entry: Row, prepared: Prepared) -> Settlement:
        """What a result means for its ledger row. How long a request took inside of a batch nobody says."""
        if result.answer is not None:
            answer = result.answer
            charge = self._charger.charge(prepared, Request(entry.model, (), MAX_TOKENS), answer, batch=True)
            return Settlement(
                id=entry.id,
                state=AttemptState.ANSWERED,
                outcome=answer.finish_reason,
                usage=answer.usage,
                cost=charge.cost,
                latency_ms=0,
                model_answered=answer.model[:128],
                http_status=200,
                provider_request_id=answer.provider_request_id,
                prices=charge.price,
                service_tier=answer.service_tier,
                response_id=answer.response_id,
                remark=answer.usage.remark,
            )
        failure = result.failure
        assert failure is not None
        return Settlement(
            id=entry.id,
            state=AttemptState.UNKNOWN if failure.maybe_billed else AttemptState.ERROR,
            outcome=str(failure.reason),
            usage=Usage(0, 0),
            cost=NanoDollars(entry.reserved if failure.maybe_billed else 0),
            latency_ms=0,
            http_status=failure.status,
            provider_request_id=failure.request_id,
        )
