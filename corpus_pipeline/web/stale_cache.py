"""Stale-while-revalidate cache of slow aggregates: at ten million rows, a count takes tens of seconds."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Generic, NamedTuple, TypeVar

_PATIENCE = 20.0  # an old answer is good for this many times as long as it took to make it
_WAIT = 1.0  # seconds that a page waits for a count
_MOST = 500

Answer = TypeVar("Answer")


class Counted(NamedTuple, Generic[Answer]):
    """An answer. counted_at: when it was counted (milliseconds UTC), None: of the state as it is now. counting: whether a newer
    one is being counted."""

    data: Answer
    counted_at: int | None
    counting: bool


class _Kept(NamedTuple):
    state: str
    data: Any
    made: float
    took: float
    at: int


class _Count(threading.Thread):
    """One count, in a thread of its own; one runs at a time."""

    _one = threading.Lock()

    def __init__(self, count: Callable[[], Any]) -> None:
        super().__init__(name="counting", daemon=True)
        context = copy_context()
        self._count: Callable[[], Any] = lambda: context.run(count)
        self.data: Any = None
        self.error: Exception | None = None
        self.estimate: Any = None  # what was said in the meantime

    def run(self) -> None:
        try:
            with self._one:
                self.data = self._count()
        except Exception as error:  # it is raised where somebody asks
            self.error = error


class Kept:
    """Answers by key, each of one state of what it counts. wait: seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, wait: float = _WAIT) -> None:
        self._clock = clock
        self._wait = wait
        self._found: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._under_way: dict[tuple[str, str], tuple[str, float, _Count]] = {}
        self._lock = threading.Lock()

    def get(
        self,
        key: tuple[str, str],
        state: str,
        count: Callable[[], Answer],
        meanwhile: Callable[[], Answer],
        takes_long: bool = False,
    ) -> Counted[Answer]:
        """What `count` says of this state; or what it said of an earlier one, if it takes long and that is recent. While it is
        being counted for the first time, what `meanwhile` says: at once when it is known that the count `takes_long`."""
        with self._lock:
            known, now = self._found.get(key), self._clock()
            if known is not None and known.state == state:
                return Counted(known.data, None, False)
            if known is not None and now - known.made < known.took * _PATIENCE:
                return Counted(known.data, known.at, False)
            is_new = key not in self._under_way
        # before the count begins, which would be in its way
        early = meanwhile() if is_new and takes_long and known is None else None
        with self._lock:
            if key not in self._under_way:
                self._under_way[key] = (state, now, _Count(count))
                self._under_way[key][2].start()
            of_state, begun, counter = self._under_way[key]
            if early is not None:
                counter.estimate = early
        if early is not None:
            return Counted(early, None, True)
        counter.join(0 if takes_long else self._wait)
        if not counter.is_alive():
            with self._lock:
                self._under_way.pop(key, None)
                if counter.data is not None:
                    took = self._clock() - begun
                    self._found[key] = _Kept(of_state, counter.data, self._clock(), took, int(time.time() * 1000))
                    self._found.move_to_end(key)
                    while len(self._found) > _MOST:
                        self._found.popitem(last=False)
                if counter.error is not None:
                    raise counter.error
                kept = self._found[key]
            return Counted(kept.data, None if kept.state == state else kept.at, False)
        if known is not None:
            return Counted(known.data, known.at, True)
        counter.estimate = counter.estimate or meanwhile()
        return Counted(counter.estimate, None, True)
