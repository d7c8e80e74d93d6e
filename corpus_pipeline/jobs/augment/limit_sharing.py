"""One provider, several processes: each says every other second what it learnt, and takes its part of the limits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from corpus_pipeline import process_identity
from corpus_pipeline.errors import CorpusError
from corpus_pipeline.llm.limits import SharedState
from corpus_pipeline.llm.trouble import Trouble
from corpus_pipeline.store import Store, provider_workers
from corpus_pipeline.store.provider_workers import Learnt, Other

if TYPE_CHECKING:
    from corpus_pipeline.llm.limits import Limiter

EVERY_SECONDS = 2.0


class Sharing:
    """Keeps a limiter in step with those of other processes that call the same `origin`.

    task_id, trouble: whose work it is, and what is wrong there now, for those who look at it.
    """

    def __init__(
        self,
        store: Store,
        origin: str,
        limiter: Limiter,
        task_id: int | None = None,
        trouble: Callable[[], Trouble | None] = lambda: None,
    ) -> None:
        self._store, self._origin, self._limiter = store, origin, limiter
        self._task_id, self._trouble = task_id, trouble
        self._owner = process_identity.own()
        self._lock, self._gone = threading.Lock(), False  # a thread cannot be called back once its task was cancelled

    async def join(self) -> None:
        """Before the first call: how many we are, and what the others learnt. Where a rate is shared, the others hear of us
        first: our part of it is still in theirs."""
        if await self._once() and self._limiter.has_rate:
            await asyncio.sleep(EVERY_SECONDS * 1.5)

    async def run(self) -> None:
        """Until cancelled. A database that is away for a moment changes nothing: the limits that we know still hold."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self._once()
            except CorpusError:  # the writer meets the same trouble and ends the work when it lasts
                continue

    async def _once(self) -> int:
        """Tell the others and heed them; how many there are."""
        said = _learnt(self._limiter.export_state())
        wrong = self._trouble()
        others = await asyncio.to_thread(self._exchange, said, None if wrong is None else wrong.to_json())
        self._limiter.set_workers(1 + len(others))
        for other in others:
            self._limiter.import_state(_state(other), age_seconds=other.age_ms / 1000)
        return len(others)

    def _exchange(self, said: Learnt, trouble: str | None) -> list[Other]:
        def exchange(connection: Connection) -> list[Other]:
            return provider_workers.exchange(
                connection,
                self._store.backend,
                self._origin,
                self._owner,
                said,
                self._task_id,
                trouble,
            )

        with self._lock:
            return [] if self._gone else self._store.write(exchange, repeatable=True, name="provider workers")

    async def leave(self) -> None:
        """After the last call."""
        await asyncio.to_thread(self._leave)

    def _leave(self) -> None:

        def leave(connection: Connection) -> None:
            provider_workers.leave(connection, self._origin, self._owner)

        with self._lock, suppress(CorpusError):  # the row ends by itself
            self._gone = True
            self._store.write(leave, repeatable=True, name="provider workers", patience=5.0)


def _learnt(state: SharedState) -> Learnt:
    hold_ms = int(state["hold_seconds"] * 1000)
    return Learnt(state["concurrency"], hold_ms, state["requests_per_minute"], state["tokens_per_minute"])


def _state(other: Other) -> SharedState:
    said = other.learnt
    return SharedState(
        concurrency=said.concurrency,
        hold_seconds=said.hold_ms / 1000,
        requests_per_minute=said.requests_per_minute,
        tokens_per_minute=said.tokens_per_minute,
    )
