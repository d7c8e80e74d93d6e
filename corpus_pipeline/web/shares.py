"""What one person may have under way at the same time, so that pages of others come at once.

A statistic, a search or a download takes a thread, a connection to the database and processor time; all of these are few.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from enum import Enum
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from corpus_pipeline.errors import ControlFlow
from corpus_pipeline.service.records.pages import Problem


class _Share(NamedTuple):
    """running: at the same time by one person. waiting: further ones that wait their turn. in_all: running by everybody."""

    running: int
    waiting: int
    in_all: int


class Kind(Enum):
    """What is asked for. A download lasts as long as its reader likes and a trial as long as its model; the sums of `in_all`
    are no more than the threads of a server (40).
    """

    PAGE = _Share(running=8, waiting=60, in_all=20)
    QUESTION = _Share(running=3, waiting=12, in_all=8)  # statistics, searches, rows
    DOWNLOAD = _Share(running=3, waiting=3, in_all=6)
    SELECTION = _Share(
        running=1, waiting=3, in_all=2
    )  # rows that are put together while they are sent: all processor time
    TRIAL = _Share(running=2, waiting=2, in_all=4)
    GRAPHQL = _Share(running=12, waiting=100, in_all=24)
    SOCKET = _Share(running=40, waiting=0, in_all=400)


_PATIENCE = 30.0  # seconds for which one waits for a turn
_FEW = 4  # requests under way of somebody who reads a page or two
_COURTESY = 0.5  # seconds for which a read of somebody with more waits for those who have few
_REFUSAL_SECONDS = 0.5  # after which too many requests are refused: who asks again at once is not served faster
_BRIEF = (Kind.PAGE, Kind.QUESTION, Kind.GRAPHQL)  # those that others wait for: the others take as long as they like


class Gone(ControlFlow):
    """The person who waited for a turn has closed the page."""


class Refused(HTTPException, ControlFlow):
    """Somebody has too much under way, or everybody has."""


class Shares:
    """The shares of one server, by person and kind. For its event loop only."""

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._under_way: Counter[tuple[str, Kind]] = Counter()
        self._own: dict[tuple[str, Kind], asyncio.Semaphore] = {}
        self._all: dict[Kind, asyncio.Semaphore] = {}
        self._brief: Counter[str] = Counter()  # of each person; read by threads, too

    @asynccontextmanager
    async def of(self, name: str, kind: Kind, gone: asyncio.Future[None] | None = None) -> AsyncIterator[None]:
        """A turn of a person. gone: ends when no one waits for it any more.

        Raises Refused: 429 when too many of theirs wait, 503 when no turn comes in time; Gone.
        """
        key, share = (name, kind), kind.value
        if self._under_way[key] >= share.running + share.waiting:
            await asyncio.sleep(_REFUSAL_SECONDS * (1 + random.random()))
            raise Refused(
                429,
                f"{self._under_way[key]} of your requests are still under way. Wait until some of them have ended.",
                {"Retry-After": "5"},
            )
        self._under_way[key] += 1
        self._brief[name] += kind in _BRIEF
        own = self._own.setdefault(key, asyncio.Semaphore(share.running))
        everybody = self._all.setdefault(kind, asyncio.Semaphore(share.in_all))
        try:
            async with self._turn(own, gone), self._turn(everybody, gone):
                token = _asking.set((self, name))
                try:
                    yield
                finally:
                    _asking.reset(token)
        finally:
            self._brief[name] -= kind in _BRIEF
            if not self._brief[name]:
                del self._brief[name]
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key], self._own[key]

    def gives_way(self, name: str) -> bool:
        """Whether a person has many requests under way, and somebody else has a few."""
        others = list(self._brief.items())
        return any(one == name and count > _FEW for one, count in others) and any(
            one != name and 0 < count <= _FEW for one, count in others
        )

    @asynccontextmanager
    async def _turn(self, places: asyncio.Semaphore, gone: asyncio.Future[None] | None) -> AsyncIterator[None]:
        turn = asyncio.ensure_future(places.acquire())
        try:
            awaited: set[asyncio.Future[Any]] = {turn, gone} if gone else {turn}
            await asyncio.wait(awaited, timeout=self._patience, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not turn.done():
                turn.cancel()
        if turn.cancelling():
            if gone is not None and gone.done():
                raise Gone
            raise Refused(503, "The server is busy. Try again in a moment.", {"Retry-After": "10"})
        try:
            yield
        finally:
            places.release()


_asking: ContextVar[tuple[Shares, str] | None] = ContextVar("asking", default=None)


def give_way() -> None:
    """Called before each read of the database and each part of a download, in the thread that makes it: one of somebody who
    asks for much waits a moment while one of somebody who asks for little is made. All threads take turns with one processor.
    """
    asking = _asking.get()
    if asking is None:
        return
    shares, name = asking
    until = time.monotonic() + _COURTESY
    while shares.gives_way(name) and time.monotonic() < until:
        time.sleep(0.005)


class Shared:
    """Wraps a page: it waits for a turn of anyone who asks, and its answer is sent within it."""

    def __init__(self, app: ASGIApp, kind: Kind) -> None:
        self._app = app
        self._kind = kind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shares: Shares = scope["app"].state.site.shares
        person = scope["person"]
        gone = asyncio.ensure_future(_until_gone(receive)) if scope["method"] == "GET" else None
        with suppress(Gone):
            try:
                async with shares.of(person.name if person is not None else "", self._kind, gone):
                    if gone is not None:
                        gone.cancel()
                    await self._app(scope, receive, send)
            except Refused as refused:
                # in few words: a page for each would be what keeps others waiting
                headers = dict(refused.headers or {})
                answer: Response = PlainTextResponse(f"{refused.detail}\n", refused.status_code, headers)
                if scope["json"]:
                    problem: Problem = {"status": refused.status_code, "error": refused.detail}
                    answer = JSONResponse(problem, refused.status_code, headers)
                await answer(scope, receive, send)
            finally:
                if gone is not None:
                    gone.cancel()


async def _until_gone(receive: Receive) -> None:
    """Ends when the browser has closed the connection; a request without a body says nothing else."""
    while (await receive())["type"] != "http.disconnect":
        pass
