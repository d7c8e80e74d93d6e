"""How fast work goes just now: what the pages saw of it in the last minute."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

from corpus_pipeline.states import Status

_WINDOW = 60.0  # seconds that are looked back
_LEAST = 4.0  # seconds that must lie between two looks
_MOST_KEYS = 5_000
_BUSY = (Status.RUNNING, Status.PAUSING)


class Pace:
    """Looks at progress, by dataset file and stage. The database knows the rate since the start, pauses left out; this
    one is the rate of now, which a slow provider or a second worker changes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: OrderedDict[tuple[str, str], deque[tuple[float, int]]] = OrderedDict()
        self._lock = threading.Lock()

    def refine(self, files: list[dict[str, Any]]) -> None:
        """Put the rate of now, and the time that is left by it, into what `overview.progress` says of running stages."""
        for file in files:
            for name, stage in file["stages"].items():
                if stage["status"] not in _BUSY:
                    continue
                rate = self._rate((file["name"], name), stage["processed"])
                if rate is not None:
                    left = max(0, (stage["total"] or 0) - stage["processed"])
                    stage["per_second"] = rate
                    stage["eta_seconds"] = left / rate if rate and left else None

    def _rate(self, key: tuple[str, str], processed: int) -> float | None:
        now = self._clock()
        with self._lock:
            seen = self._seen.setdefault(key, deque())
            self._seen.move_to_end(key)
            if seen and processed < seen[-1][1]:
                seen.clear()  # it was started over
            if not seen or now - seen[-1][0] >= 1.0:
                seen.append((now, processed))
            while seen and now - seen[0][0] > _WINDOW:
                seen.popleft()
            while len(self._seen) > _MOST_KEYS:
                self._seen.popitem(last=False)
            if not seen or now - seen[0][0] < _LEAST:
                return None
            return (processed - seen[0][1]) / (now - seen[0][0])
