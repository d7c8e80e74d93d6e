"""Writing one batch while the next is made ready: the disk is waited for in a thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any


class Behind:
    """Runs what is started, one at a time and in order. Leaving the block waits for the last one.

    Whatever is written by it must be made ready before: while it writes, nothing else may read the database (a reader and
    a writer of SQLite wait for each other).
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="behind")
        self._last: Future[Any] | None = None

    def start(self, write: Callable[..., Any], *args: Any) -> None:
        """Begin `write(*args)`; what was started before has been waited for."""
        assert self._last is None
        self._last = self._thread.submit(write, *args)

    def wait(self) -> bool:
        """Wait for what was started. Returns whether there was anything; raises what it raised."""
        last, self._last = self._last, None
        if last is None:
            return False
        last.result()
        return True

    def __enter__(self) -> Behind:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True)
        if error is None:
            self.wait()
