"""The end of all waits: what waits for a slot, for its turn or for a backoff goes on at once when work is to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from corpus_pipeline.errors import Stopped


class Halt:
    """Set once. A call waits three times or more: to wait costs a set entry here, not a task of its own."""

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: set[asyncio.Future[Any]] = set()

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True
        for future in self._waiting:
            if not future.done():
                future.set_exception(stopped())

    async def first(self, future: asyncio.Future[Any]) -> None:
        """Until `future` is done. Raises Stopped when work is to stop, even when both are."""
        if not self._is_set:
            self._waiting.add(future)
            try:
                await future
            finally:
                self._waiting.discard(future)
        if self._is_set:
            raise stopped()
        await future


async def rest(seconds: float, halt: Halt) -> None:
    """Sleep, holding no slot. Raises Stopped as soon as `halt` is set."""
    done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    timer = asyncio.get_running_loop().call_later(max(0.0, seconds), _wake, done)
    try:
        await halt.first(done)
    finally:
        timer.cancel()


async def until(happens: Coroutine[Any, Any, Any], halt: Halt) -> None:
    """Wait for something else, holding no slot. Raises Stopped as soon as `halt` is set."""
    done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    waiting = asyncio.ensure_future(happens)
    waiting.add_done_callback(lambda _: _wake(done))
    try:
        await halt.first(done)
    finally:
        waiting.cancel()


def stopped() -> Stopped:
    return Stopped("stopped before the call was made.")


def _wake(sleeper: asyncio.Future[bool]) -> None:
    if not sleeper.done():
        sleeper.set_result(True)
