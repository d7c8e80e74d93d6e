"""Cancellation: one request to stop, for threads and for tasks alike.

A stop has two degrees. `set` asks: no new work begins, what is under way comes to its end. `hurry` insists: what is under way
is given up. Tasks are interrupted by asyncio's own cancellation, at the awaits that they declare as interruptible.
"""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

from corpus_pipeline.errors import Stopped


class StopSignal:
    """A request to stop: set once, looked at between the batches of a stage; every declared wait ends with it.

    grace_seconds: how long what is under way may take to end; None: as long as it needs.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._is_urgent = False
        self._came: queue.SimpleQueue[None] = queue.SimpleQueue()  # its put() may interrupt itself: for signal handlers
        self._waits: set[_Interruptible] = set()
        self.reason = ""
        self.grace_seconds: float | None = None
        self.heeds_urgency = False  # whether the current work ends by itself when it is urgent

    def set(self, reason: str = "", *, grace_seconds: float | None = None) -> None:
        """Ask for a stop. The first reason stays."""
        if self._is_set:
            return
        self.reason, self.grace_seconds = reason, grace_seconds
        self._is_set = True
        self._came.put(None)
        for wait in tuple(self._waits):
            wait.interrupt()

    def hurry(self, reason: str = "") -> None:
        """Ask for a stop at once: what is under way is given up."""
        self._is_urgent = True
        self.set(reason)

    def is_set(self) -> bool:
        return self._is_set

    @property
    def is_urgent(self) -> bool:
        """Whether what is under way is to be given up."""
        return self._is_urgent

    def wait(self, seconds: float) -> bool:
        """Block this thread, at most until the stop; returns whether it is set."""
        if not self._is_set:
            try:
                self._came.get(timeout=seconds)
            except queue.Empty:
                return self._is_set
            self._came.put(None)  # for the next one who waits
        return True

    def interruptible(self) -> _Interruptible:
        """Within `with`, the awaits of the current task end with the stop. Raises Stopped, also when both happen at once."""
        return _Interruptible(self)

    async def sleep(self, seconds: float) -> None:
        """Sleep. Raises Stopped as soon as the stop is set."""
        with self.interruptible():
            await asyncio.sleep(max(0.0, seconds))

    def _register(self, wait: _Interruptible) -> None:
        self._waits.add(wait)

    def _forget(self, wait: _Interruptible) -> None:
        self._waits.discard(wait)


class _Interruptible:
    """A part of a task that a stop interrupts, in the manner of `asyncio.timeout`: the cancellation is ours, and is taken back
    when it becomes `Stopped`."""

    __slots__ = ("_cancelling", "_interrupted", "_loop", "_stop", "_task")

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop
        self._interrupted = False

    def __enter__(self) -> None:
        if self._stop.is_set():
            raise stopped()
        task = asyncio.current_task()
        assert task is not None, "only a task can be interrupted"
        self._task, self._loop, self._cancelling = task, task.get_loop(), task.cancelling()
        self._stop._register(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop._forget(self)
        if self._interrupted:
            remaining = self._task.uncancel()
            if kind is None or (kind is asyncio.CancelledError and remaining <= self._cancelling):
                raise stopped() from error
        elif kind is None and self._stop.is_set():
            raise stopped()

    def interrupt(self) -> None:
        """Cancel the wait, from whichever thread."""
        if asyncio._get_running_loop() is self._loop:
            self._cancel()
        else:
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        # the task that sets the stop itself is cancelled where its block ends: it waits for nothing
        if self in self._stop._waits and not self._interrupted and asyncio.current_task() is not self._task:
            self._interrupted = True
            self._task.cancel()


def stopped() -> Stopped:
    """The error of a wait that a stop ended."""
    return Stopped("stopped before the call was made.")


@contextmanager
def on_signals(stop: StopSignal, *, grace_seconds: float | None, patient: bool = False) -> Iterator[None]:
    """SIGINT and SIGTERM set the stop, the second one makes it urgent; what does not heed that gets Python's own way.

    grace_seconds: how long what is under way may take to end. patient: Ctrl-C waits for as long as it takes, because the one
    who pressed it can press again. Does nothing outside the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if not stop.is_set():
            stop.set(name, grace_seconds=None if patient and number == signal.SIGINT else grace_seconds)
            return
        heeded = stop.heeds_urgency and not stop.is_urgent
        stop.hurry(name)
        if not heeded:
            signal.signal(number, before[signal.Signals(number)])
            signal.raise_signal(number)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def signals_noted() -> Iterator[Callable[[], bool]]:
    """Tells whether SIGINT or SIGTERM came since the beginning of the block, although somebody else handled it.

    Dagster forgets a signal that it captured behind the last step of a run; without this, a command that works several runs
    would go on with the next one. For the main thread; elsewhere it never tells.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    seen = bytearray()

    def noted() -> bool:
        try:
            while more := os.read(reader, 512):
                seen.extend(more)
        except BlockingIOError:
            pass
        return signal.SIGINT in seen or signal.SIGTERM in seen

    try:
        yield noted
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)
