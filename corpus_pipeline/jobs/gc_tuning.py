"""Fewer garbage collections while rows pass by: they are freed by their reference counts, and looking for cycles among
ten thousand of them, and among all that was imported, again and again takes a third of the time."""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

ROWS = 200_000  # more containers than there were; Python's own is 700
CALLS = 20_000  # a call leaves some hundred in cycles
_lock = threading.Lock()
_inside = 0
_before = gc.get_threshold()


def give_back() -> None:
    """Return freed memory to the system. The C library keeps what several threads used in turn, some 350 bytes for each
    row that passed between them and the cleaning processes; libraries that cannot be asked need not be."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def rare_collection(threshold: int = ROWS) -> Iterator[None]:
    """Within this, what exists already is not looked at, and the rest seldom: when there are `threshold` containers more.

    May be nested and used by many threads; the outermost one's threshold holds.
    """
    global _inside, _before
    with _lock:
        if _inside == 0:
            _before = gc.get_threshold()
            gc.freeze()
            gc.set_threshold(threshold, *_before[1:])
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                gc.set_threshold(*_before)
                gc.unfreeze()
