"""What takes long to count is kept for a while: at ten million rows, counting them takes many seconds."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

_PATIENCE = 20.0  # an old answer is good for so many times as long as it took to make it
_MOST = 500


class _Kept(NamedTuple):
    state: str
    data: dict[str, Any]
    made: float
    took: float
    at: int


class Kept:
    """Answers by key, each of one state of what it counts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str], state: str, count: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `count` says of this state; or what it said of an earlier one, if it takes long and that is recent. Then
        `counted_at` is the time (milliseconds UTC), else None."""
        with self._lock:
            known = self._found.get(key)
        now = self._clock()
        if known is not None and known.state == state:
            return known.data | {"counted_at": None}
        if known is not None and now - known.made < known.took * _PATIENCE:
            return known.data | {"counted_at": known.at}
        data = count()
        with self._lock:
            self._found[key] = _Kept(state, data, self._clock(), self._clock() - now, int(time.time() * 1000))
            self._found.move_to_end(key)
            while len(self._found) > _MOST:
                self._found.popitem(last=False)
        return data | {"counted_at": None}
