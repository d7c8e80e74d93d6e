"""How fast work goes just now: what the pages saw of it in the last minute."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from corpus_pipeline.service.records.progress import FileProgress, StageProgress
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

    def refined(self, files: list[FileProgress]) -> list[FileProgress]:
        """Progress with the rate of now, and the time that is left by it, in running stages."""
        return [
            {**file, "stages": {name: self._refined(file["name"], name, own) for name, own in file["stages"].items()}}
            for file in files
        ]

    def _refined(self, file: str, name: str, stage: StageProgress) -> StageProgress:
        rate = self._rate((file, name), stage["processed"]) if stage["status"] in _BUSY else None
        if rate is None:
            return stage
        left = max(0, (stage["total"] or 0) - stage["processed"])
        return {**stage, "per_second": rate, "eta_seconds": left / rate if rate and left else None}

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
