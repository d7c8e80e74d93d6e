"""Asking through the provider's Batch API: half the price, up to a day, and nothing of ours is blocked while it lasts.

A round asks every item of the batched strategies for its next answer. Each input file is planned (row and intents in one
transaction), uploaded (its id is stored), and made a batch, which is found again by that id or by its key when the process died
in between. What comes back is stored like any answer; the window makes rows of it and asks nothing itself, unless the recipe
says `fallback: live`: what a batch could not answer goes into the next one, as often as the recipe lets a call be tried.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import Connection, Row

from corpus_pipeline import failpoints
from corpus_pipeline.errors import ControlFlow, Paused
from corpus_pipeline.jobs.augment.batch_endpoints import BatchEndpoint, BatchEndpoints
from corpus_pipeline.jobs.augment.charging import Charger
from corpus_pipeline.jobs.augment.intents import BUDGET, intent_of, new_attempt_id, out_of_money
from corpus_pipeline.jobs.augment.plan import ModelAccess, Prepared
from corpus_pipeline.jobs.augment.provider_batch_requests import questions
from corpus_pipeline.jobs.augment.provider_batch_results import Taker
from corpus_pipeline.jobs.augment.work_item import Item, Later
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.llm import batch_api
from corpus_pipeline.llm.adaptation import Learnt
from corpus_pipeline.llm.backoff import wait_seconds
from corpus_pipeline.llm.batch_api import Batch, BatchClient, Chunk, FileGone, Outcome, Sought
from corpus_pipeline.llm.failures import CallFailed, CallRefused, CallRejected, Consequence, Failure, Reason
from corpus_pipeline.model import NanoDollars, Request
from corpus_pipeline.stages.augment.requests import request_key
from corpus_pipeline.states import BatchState, Stage
from corpus_pipeline.store import pauses, provider_batches, provider_facts
from corpus_pipeline.store.ledger import Intent
from corpus_pipeline.store.provider_batches import TooDear

log = logging.getLogger(__name__)

T = TypeVar("T")
P = ParamSpec("P")

PROVIDER_BATCH = "provider batch"  # who sets the pause flag when a batch needs a person
OUTPUT_GONE = "output_gone"
_LOOK_SECONDS = 0.25  # how often a wait looks at the flags
_LAG_SECONDS = 120.0  # how long a list of batches may lag behind a create whose answer is lost
_FIND_SECONDS = 2.0
_IDLE_ROUNDS = 3  # rounds that bring nothing before a person is asked
_FILE_SECONDS = 8.0  # how long a file that was just made may be unknown
_MAX_REQUESTS = 50_000
_CHUNK_CHARACTERS = batch_api.CHUNK_BYTES // 6  # a character is 4 bytes at most, and 6 when it is escaped
# how providers say that the account's queue is full; codes of theirs, or words where they have none
_QUEUE_FULL = re.compile(
    r"token_limit_exceeded|enqueued|queue (?:is )?full|queue.{0,20}limit|too many .{0,20}batch", re.I
)


class _Ask(NamedTuple):
    request: Request
    intent: Intent


class QueueFull(ControlFlow):
    """The account has no room for another batch now; nothing of this one was worked."""


class Batching:
    """The strategies of one augment run over one lease that go by batch, or whose judge does."""

    def __init__(self, held: Held, plan: dict[str, Prepared], access: ModelAccess) -> None:
        self._held, self._plan, self._access = held, plan, access
        judges = [p.gate for p in plan.values() if p.gate is not None]
        self._asked = plan | {judge.strategy.label: judge for judge in judges}
        self._section = held.work.recipe.augment
        self._charger = Charger()
        self._taker = Taker(held, self._asked, self._commit, self._charger)
        self._failures: dict[str, Failure] = {}  # by request key: what a batch said last
        self._learnt: dict[str, Learnt] = {}  # by model: how requests are put
        self._told: set[str] = set()
        self._max_requests = _MAX_REQUESTS  # smaller while the account's queue is full
        self._full = 0  # how often in a row it was

    async def send(self) -> int:
        """Find what an earlier run left, plan and send what is missing; returns how many batches are under way."""
        async with self._endpoints() as endpoints:
            await self._reattach(endpoints)
            try:
                for asks in await self._files(endpoints):
                    await self._send(await endpoints.of(asks[0].request.model), asks)
            except QueueFull:
                self._note_full()
            return len(self._open())

    def _endpoints(self) -> BatchEndpoints:
        return BatchEndpoints(self._held.store, self._access, self._learnt)

    async def finish(self) -> None:
        """Wait for the batches, store what they bring, and send what is still to be asked, until nothing is.

        Raises Paused or Interrupted while batches are under way: the next run finds them again.
        """
        idle = 0
        while True:
            brought = await self._round()
            under_way = await self.send()
            if not under_way and not self._full:
                return
            idle = 0 if brought or self._full else idle + 1
            if idle > _IDLE_ROUNDS:
                raise await self._pause_for(
                    f"{_IDLE_ROUNDS} rounds of provider batches brought not one answer; the last batches are in"
                    f" `corpus batches list {self._held.work.file.name}`"
                )
            if self._full and not under_way:
                await self._rest(
                    min(self._section.backoff_cap_seconds, self._section.batch_poll_seconds * 2**self._full)
                )

    async def collect(self) -> None:
        """Collect what the provider has finished, without waiting for the rest or asking anything new."""
        async with self._endpoints() as endpoints:
            await self._reattach(endpoints)
            for row in self._open():
                endpoint = await self._of(endpoints, row)
                batch = await self._patiently(partial(endpoint.api.status, row.provider_id))
                if batch is not None and batch.is_final:
                    await self._take_in(endpoint.api, row, batch)
                elif batch is not None:
                    await self._commit(provider_batches.note_status, row.id, batch.status)

    async def _of(self, endpoints: BatchEndpoints, row: Row) -> BatchEndpoint:
        """Where a batch was sent."""
        return await endpoints.of_batch(row, self._held.fetch(provider_batches.requests_of, row.id))

    async def _round(self) -> int:
        """Collect all batches that are under way; returns how many answers they brought."""
        brought, gone = 0, []
        async with self._endpoints() as endpoints:
            for row in self._open():
                endpoint = await self._of(endpoints, row)
                batch = await self._until_final(endpoint.api, row)
                try:
                    brought += await self._take_in(endpoint.api, row, batch)
                except FileGone as error:
                    gone.append((row, str(error)))
        if gone:
            raise await self._tell_of_gone(gone)
        return brought

    # --- what the window may do ----------------------------------------------------------------------------------------

    def refuse_live(self, item: Item, key: str, attempts: int) -> None:
        """Called where the window would ask a question at the full price.

        Raises Later when a further batch asks it, else the failure that a batch met; returns when it may be asked live.
        """
        if item.replayed or not item.prepared.by_batch or item.prepared.strategy.params.fallback == "live":
            return
        if self._may_ask(item, key):
            raise Later
        said = f"no provider batch answered it in {attempts} attempts"
        failure = self._failures.get(key) or Failure(Reason.SERVER_ERROR, said)
        raise failure.error() if failure.consequence is not Consequence.STOP else CallFailed(failure)

    def _may_ask(self, item: Item, key: str) -> bool:
        failure = self._failures.get(key)
        if failure is not None and failure.consequence is Consequence.PARK:
            return False
        if failure is not None and item.prepared.strategy.params.fallback == "live":
            return False
        return item.begun < item.prepared.strategy.questions + self._section.answer_retries + self._section.max_retries

    # --- planning and sending ------------------------------------------------------------------------------------------

    async def _files(self, endpoints: BatchEndpoints) -> Iterator[list[_Ask]]:
        """The requests that are neither answered nor under way, an input file at a time, one model each."""
        models = {p.strategy.model for p in self._asked.values() if p.by_batch}
        return self._cut({model: await endpoints.of(model) for model in models})

    def _cut(self, endpoints: dict[str, BatchEndpoint]) -> Iterator[list[_Ask]]:
        known = {
            row.request_key for batch in self._open() for row in self._held.fetch(provider_batches.unsettled, batch.id)
        }
        files: dict[str, tuple[list[_Ask], int]] = {}
        for item, request in questions(self._held, self._plan, self._access):
            key = request_key(request, item.sample_index)
            if key in known:
                continue
            endpoint = endpoints[request.model]
            self._learn(endpoint, key, request)
            if not self._may_ask(item, key):
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
                sent=endpoint.sent(request),
            )
            asks, size = files.get(request.model, ([], 0))
            asks.append(_Ask(request, intent))
            size += 500 + sum(len(message["content"]) for message in request.messages)
            size += sum(len(medium.data or "") for medium in request.media)
            if len(asks) >= self._max_requests or size > _CHUNK_CHARACTERS:
                yield asks
                asks, size = [], 0
            files[request.model] = (asks, size)
        yield from (asks for asks, _ in files.values() if asks)

    def _learn(self, endpoint: BatchEndpoint, key: str, request: Request) -> None:
        """What a batch's refusal of the requests' shape teaches: they are put in another way, and asked once more."""
        failure = self._failures.get(key)
        lesson = None if failure is None else endpoint.lesson_of(failure, request)
        if lesson is None:
            return
        del self._failures[key]
        fact = endpoint.learn(lesson)
        if fact is not None:
            log.warning("%s at %s: %s", endpoint.label, endpoint.place.endpoint.host, lesson.sentence())
            self._held.commit(provider_facts.save, self._held.store.backend, [fact])

    async def _send(self, endpoint: BatchEndpoint, asks: list[_Ask]) -> None:
        self._held.boundary()
        api, where = endpoint.api, endpoint.place.endpoint
        while True:
            (chunk,) = batch_api.chunks(
                (batch_api.Item(ask.intent.id, endpoint.put(ask.request)) for ask in asks),
                most_bytes=batch_api.style_of(where).max_bytes,
                where=where,
                learnt={endpoint.model: endpoint.learnt},
            )
            try:
                batch_id = await self._commit(self._planned, chunk.key, asks)
                break
            except TooDear as refusal:
                if refusal.fitting == 0:
                    raise await self._pause(refusal, asks[0].intent.reserved) from None
                asks = asks[: refusal.fitting]
        self._held.lease.check()
        file_id = await self._patiently(lambda: api.upload(chunk))
        failpoints.point("batch uploaded")
        await self._commit(provider_batches.uploaded, batch_id, file_id)
        failpoints.point("batch noted")
        batch = await self._created(api, batch_id, chunk, file_id)
        failpoints.point("batch created")
        await self._commit(provider_batches.sent, batch_id, batch.id)
        endpoint.note_sent()

    def _planned(self, connection: Connection, key: str, asks: Sequence[_Ask]) -> int:
        work = self._held.work
        ceilings = self._section.budget.ceilings()
        intents = [ask.intent for ask in asks]
        return provider_batches.plan(connection, work.store.backend, work.task.id, key, intents, ceilings)

    async def _created(self, api: BatchClient, batch_id: int, chunk: Chunk, file_id: str) -> Batch:
        """The batch of an uploaded file. Where the answer is lost it is looked for before it is made again.

        Raises QueueFull, or Paused with the provider's words when it does not want it.
        """
        begun = time.monotonic()

        async def once() -> Batch:
            try:
                return await api.create(chunk, file_id, {"corpus_task": str(self._held.work.task.id)})
            except CallFailed as error:
                if _QUEUE_FULL.search(f"{error.failure.code} {error.failure.message}"):
                    raise QueueFull from None
                if error.failure.reason not in (Reason.UNREACHABLE, Reason.RATE_LIMITED):
                    after = int(time.time()) - 3600
                    found = await self._found(api, self._sought(chunk.key, file_id, chunk.custom_ids, after))
                    if found is not None:
                        return found
                raise
            except (CallRejected, CallRefused) as error:
                late = re.search(r"file", error.failure.message, re.I) and time.monotonic() - begun < 60
                if not late:
                    raise
                soon = Failure(Reason.SERVER_ERROR, error.failure.message, retry_after=self._section.batch_poll_seconds)
                raise CallFailed(soon) from None

        try:
            return await self._patiently(once)
        except QueueFull:
            await self._commit(provider_batches.forget, batch_id)
            raise
        except (CallRejected, CallRefused) as error:
            await self._commit(provider_batches.forget, batch_id)
            if isinstance(error, CallRefused):
                raise
            raise await self._pause_for(f"the provider does not take the batch: {error.failure.message}") from None

    def _sought(self, key: str, file_id: str | None, custom_ids: Iterable[str], created_after: int) -> Sought:
        known = self._held.fetch(provider_batches.provider_ids)
        return Sought(key, file_id, frozenset(custom_ids), frozenset(known), created_after)

    async def _found(self, api: BatchClient, sought: Sought) -> Batch | None:
        """A batch whose create may have arrived; looked for as long as lists lag behind.

        One that may be it is waited for: its results say whose it is.
        """
        until = time.monotonic() + _LAG_SECONDS
        while True:
            look = await self._patiently(partial(api.find, sought))
            certain = [batch for batch in look if batch.is_certain]
            if certain:
                return certain[-1]
            if not look and time.monotonic() > until:
                return None
            if look and "may be ours" not in self._told:
                self._told.add("may be ours")
                ids = ", ".join(batch.id for batch in look)
                log.warning("a creation was cut, and %s may be what came of it: its results will tell", ids)
            await self._rest(self._section.batch_poll_seconds if look else _FIND_SECONDS)

    async def _reattach(self, endpoints: BatchEndpoints) -> None:
        """A batch that was planned may have been created: it is found by its file or its key, or it never was."""
        for row in self._open():
            if row.state != BatchState.PLANNED.value:
                continue
            requests = self._held.fetch(provider_batches.requests_of, row.id)
            api = (await endpoints.of_batch(row, requests)).api
            ids = [request.id for request in requests]
            sought = self._sought(row.chunk_key, row.input_file_id, ids, row.created_at // 1000 - 3600)
            if row.input_file_id is None:  # never uploaded, so never made; by an older program: made at once, or not
                found = [batch for batch in await self._patiently(partial(api.find, sought)) if batch.is_certain]
                batch = found[-1] if found else None
            else:
                batch = await self._found(api, sought)
            if batch is not None:
                await self._commit(provider_batches.sent, row.id, batch.id)
            elif row.input_file_id is None:
                await self._commit(provider_batches.forget, row.id)
            else:
                words = "it may have been made, and is not in the provider's list"
                log.warning("batch %d: %s; its requests are booked at the most that they can have cost", row.id, words)
                await self._commit(provider_batches.lost, row.id, "unfound", words)

    def _note_full(self) -> None:
        self._full += 1
        self._max_requests = max(1, min(self._max_requests, _MAX_REQUESTS >> self._full))
        log.warning(
            "the provider's queue of batches is full: waiting, then sending %d requests at a time", self._max_requests
        )

    # --- waiting and collecting -----------------------------------------------------------------------------------------

    async def _until_final(self, api: BatchClient, row: Row) -> Batch | None:
        """The batch once the provider is through with it; None when it knows no such batch."""
        lagging = time.monotonic() + _FILE_SECONDS
        while True:
            batch = await self._patiently(lambda: api.status(row.provider_id))
            if batch is None and time.monotonic() < lagging:
                await self._rest(_FIND_SECONDS)
                continue
            if batch is None or batch.is_final:
                return batch
            if batch.outcome is Outcome.UNKNOWN and batch.status not in self._told:
                self._told.add(batch.status)
                log.warning(
                    "batch %s is %r, a word that we do not know: taken for not finished", batch.id, batch.status
                )
            await self._commit(provider_batches.note_status, row.id, batch.status)
            await self._rest(self._section.batch_poll_seconds)

    async def _take_in(self, api: BatchClient, row: Row, batch: Batch | None) -> int:
        """Store what a batch brought; returns the number of its answers. Raises FileGone, or Paused when it was refused."""
        if batch is None:  # the provider forgot it: what it cost is not known
            log.warning(
                "the provider knows no batch %s any more; it is booked at the most it can have cost", row.provider_id
            )
            await self._commit(provider_batches.lost, row.id, "lost", "the provider knows no such batch")
            return 0
        intake = await self._taker.take_in(api, row, batch, self._downloaded)
        self._failures |= intake.failures
        if batch.outcome is Outcome.FAILED and not intake.answered:
            if _QUEUE_FULL.search(batch.errors):
                self._note_full()
            else:
                raise await self._pause_for(
                    f"the provider refused batch {batch.id}: {batch.errors or 'without a reason'}"
                )
        elif intake.answered:
            self._full = 0
        return intake.answered

    async def _downloaded(self, download: Callable[[], Awaitable[T]]) -> T:
        """A download; a file that is not there is looked for a little longer. Raises FileGone."""
        until = time.monotonic() + _FILE_SECONDS
        while True:
            try:
                return await self._patiently(download)
            except FileGone:
                if time.monotonic() > until:
                    raise
            await self._rest(_FIND_SECONDS)

    async def _tell_of_gone(self, gone: Sequence[tuple[Row, str]]) -> Paused:
        for row, words in gone:
            await self._commit(provider_batches.note_status, row.id, OUTPUT_GONE, words)
        names = ", ".join(row.provider_id for row, _ in gone)
        name = self._held.work.file.name
        return Paused(
            f"the output of {names} is not at the provider any more ({gone[0][1]}). `corpus run {name}` looks again;"
            f" `corpus batches forget {name} --reason TEXT` books it as spent and asks again in another batch"
        )

    # --- time limits -----------------------------------------------------------------------------------------------------

    async def _pause(self, refusal: TooDear, reserved: NanoDollars) -> Paused:
        reason = await asyncio.to_thread(out_of_money, self._held, refusal.scope, reserved)
        return await self._flag(BUDGET, reason)

    async def _pause_for(self, reason: str) -> Paused:
        name = self._held.work.file.name
        return await self._flag(
            PROVIDER_BATCH, f"{reason}. Next: corpus resume {name} --stage augment, then corpus run {name}"
        )

    async def _flag(self, who: str, reason: str) -> Paused:
        name = self._held.work.file.name
        await self._commit(pauses.set_flag, stage=Stage.AUGMENT, file_name=name, reason=reason, requested_by=who)
        return Paused.by(f"paused by {who}: {reason}")

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
                        f"the provider's Batch API has not answered for {patience:.0f} s"
                        f" (last: {error.failure.reason}: {error.failure.message})."
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
