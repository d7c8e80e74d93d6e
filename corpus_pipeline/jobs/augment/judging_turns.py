"""Answers are judged one at a time, and between two of them the loop looks at the network.

To judge an answer takes much longer than to read one and write it down. Where all answers that came together were judged in
one go, those that came since, and were paid, would wait in the sockets, and a kill would lose them: the more of them,
the slower the machine. And while many answers wait to be judged no more are asked for: they may all be bad.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

_LOOKS = 3  # turns of the loop in which an answer goes from its socket to the spool
_MOST_UNJUDGED = 8  # answers that may wait without holding up new questions


class Turns:
    """`await turn()` before judging, `await caught_up()` before asking. Use from one event loop.

    idle: called when the last answer that waited is judged.
    """

    def __init__(self, idle: Callable[[], None] = lambda: None) -> None:
        self._idle = idle
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._asking: deque[asyncio.Future[None]] = deque()
        self._looks_left = 0
        self._is_running = False
        self._is_closed = False

    async def turn(self) -> None:
        """Wait until it is the caller's turn, which ends with its next `await`."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        if not self._is_running:
            self._is_running = True
            self._looks_left = _LOOKS
            loop.call_soon(self._look, loop)
        await turn

    @property
    def are_waited_for(self) -> bool:
        """Whether answers wait to be judged."""
        return bool(self._waiting)

    async def caught_up(self) -> None:
        """Wait while many answers are to be judged: one question goes out for each that is."""
        if len(self._waiting) >= _MOST_UNJUDGED or self._asking or self._is_closed:
            question: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._asking.append(question)
            await question

    def close(self) -> None:
        """Let no question go out until `open`: the task is about to be paused, and to write that down takes its time."""
        self._is_closed = True

    def open(self) -> None:
        """Let questions go out again, or find what was written down in the meantime."""
        self._is_closed = False
        _let_go(self._asking, len(self._asking))

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called once in each turn of the loop while somebody waits."""
        if self._looks_left:
            self._looks_left -= 1
        else:
            _let_go(self._waiting, 1)
            if not self._is_closed:
                _let_go(self._asking, 1 if self._waiting else len(self._asking))
            self._looks_left = _LOOKS
        self._is_running = bool(self._waiting)
        if self._is_running:
            loop.call_soon(self._look, loop)
        else:
            self._idle()


def _let_go(waiting: deque[asyncio.Future[None]], most: int) -> None:
    """Let the first ones go on that still want to."""
    while waiting and most:
        one = waiting.popleft()
        if not one.done():
            one.set_result(None)
            most -= 1
