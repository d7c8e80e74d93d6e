"""Asking a running job to stop: one flag that a signal handler, a Dagster termination or a test may set."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class StopSignal:
    """Set once; every stage looks at it at its batch boundaries, every wait ends when it is set."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reason = ""

    def set(self, reason: str) -> None:
        """Ask for a stop. The first reason stays."""
        if not self._event.is_set():
            self.reason = reason
            self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait, at most until the stop; returns whether it is set."""
        return self._event.wait(seconds)


@contextmanager
def on_signals(stop: StopSignal) -> Iterator[None]:
    """SIGINT and SIGTERM set the stop; the second one does what it did before. Does nothing outside the main thread.

    Python's own way, an exception between any two lines, would also be survived, but would lose the answers on the wire.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            signal.signal(number, before[signal.Signals(number)])
            signal.raise_signal(number)
        stop.set(signal.Signals(number).name)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def signals_noted() -> Iterator[Callable[[], bool]]:
    """Tells whether SIGINT or SIGTERM came since the beginning of the block, whoever handled it.

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
