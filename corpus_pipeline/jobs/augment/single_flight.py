"""One question is paid once: anyone who comes to it while it is asked, here or for another task, waits for the answer.

Here a table of what is under way says so; of other tasks the database does, in the transaction of the intent. Anyone who waits
holds no slot and has no intent, so no one waits for somebody who waits; a worker that died is not waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection

from corpus_pipeline.cancellation import StopSignal
from corpus_pipeline.jobs.augment.group_commit import GROUP_SECONDS, Writer
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.store import ledger
from corpus_pipeline.store.ledger import StoredAnswer

_ANSWERED = 8192  # more than are answered between the look-up of a page of rows and its last question
_LOOK_SECONDS = 0.25


class _Waiter(NamedTuple):
    attempt_id: str
    key: str
    answer: asyncio.Future[StoredAnswer | None]


class Once:
    """What is asked and was answered lately, of one run."""

    def __init__(self, held: Held, writer: Writer, stop: StopSignal) -> None:
        self._held, self._writer, self._stop = held, writer, stop
        self._asking: dict[str, asyncio.Future[StoredAnswer | None]] = {}
        self._answered: dict[str, str] = {}  # request key: attempt, oldest first
        self._elsewhere: set[_Waiter] = set()
        self._looking: asyncio.Task[None] | None = None

    def is_known(self, key: str, seen: Collection[str]) -> bool:
        """Whether somebody here asks this now, or was answered a moment ago by an attempt that is not in `seen`."""
        return key in self._asking or ((attempt := self._answered.get(key)) is not None and attempt not in seen)

    async def known(self, key: str) -> StoredAnswer | None:
        """The answer for which somebody waits here, or that came a moment ago; None when it came to nothing."""
        asking = self._asking.get(key)
        if asking is None:
            await self._writer.committed(within=GROUP_SECONDS)
            return (await asyncio.to_thread(self._held.fetch, ledger.usable_answers, [key])).get(key)
        with self._stop.interruptible():
            await asyncio.wait([asking])  # not the future itself: to be interrupted would cancel it for all who wait
        return asking.result()

    @contextmanager
    def asking(self, key: str) -> Iterator[asyncio.Future[StoredAnswer | None]]:
        """While a question is asked; set the answer as its result."""
        answer: asyncio.Future[StoredAnswer | None] = asyncio.get_running_loop().create_future()
        first = self._asking.setdefault(key, answer) is answer
        try:
            yield answer
        finally:
            if not answer.done():
                answer.set_result(None)
            if first:
                del self._asking[key]
                if (stored := answer.result()) is not None:
                    self._remember(key, stored.attempt_id)

    def _remember(self, key: str, attempt_id: str) -> None:
        self._answered.pop(key, None)
        self._answered[key] = attempt_id
        if len(self._answered) > _ANSWERED:
            del self._answered[next(iter(self._answered))]

    async def elsewhere(self, attempt_id: str, key: str) -> StoredAnswer | None:
        """The answer to an attempt of another task; None when it came to nothing, or its worker is dead."""
        waiter = _Waiter(attempt_id, key, asyncio.get_running_loop().create_future())
        self._elsewhere.add(waiter)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            with self._stop.interruptible():
                await waiter.answer
        finally:
            self._elsewhere.discard(waiter)
        return waiter.answer.result()

    async def _look(self) -> None:
        """One look at the database for all who wait, again until no one does."""
        while waiting := list(self._elsewhere):
            try:
                asked, found = await asyncio.to_thread(self._held.fetch, _state_of, waiting)
            except Exception as error:
                for waiter in waiting:
                    if not waiter.answer.done():
                        waiter.answer.set_exception(error)
                return
            for waiter in waiting:
                if waiter.attempt_id not in asked and not waiter.answer.done():
                    waiter.answer.set_result(found.get(waiter.key))
            await asyncio.sleep(_LOOK_SECONDS)


def _state_of(connection: Connection, waiting: Collection[_Waiter]) -> tuple[frozenset[str], dict[str, StoredAnswer]]:
    """The attempts that are still under way; the answers of the others."""
    asked = ledger.still_asked(connection, [waiter.attempt_id for waiter in waiting])
    over = [waiter.key for waiter in waiting if waiter.attempt_id not in asked]
    return asked, ledger.usable_answers(connection, over)
