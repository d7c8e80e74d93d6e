"""What readers of dead workers still wait for."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import orjson

from corpus_pipeline import file_locks, process_identity
from corpus_pipeline.llm.reader import left

_SLACK_SECONDS = 5.0
_LOOK_SECONDS = 0.05
_MOST_SECONDS = 150.0  # longer than a reader lives behind its worker: one that is held is not waited for for ever


class Awaited(NamedTuple):
    """Calls of dead workers that readers still wait for. until: seconds since 1970; at the latest."""

    calls: int
    until: float


def waiting(folder: Path, task_id: int | None = None) -> Iterator[Awaited]:
    """What is still awaited, again and again, until nothing is or its time is over: for a caller that looks
    at other things meanwhile."""
    ends = time.monotonic() + _MOST_SECONDS
    while (known := awaited(folder, task_id)) is not None and time.time() < known.until and time.monotonic() < ends:
        yield known
        time.sleep(_LOOK_SECONDS)


def awaited(folder: Path, task_id: int | None = None) -> Awaited | None:
    """What readers of dead workers of a task, or of all, still wait for; None when there are none. What readers left that are
    dead themselves is taken away."""
    found = [said for path in left.named(folder, task_id, left.LOCK) if (said := _of(path)) is not None]
    return Awaited(sum(one.calls for one in found), max(one.until for one in found)) if found else None


def _of(path: Path) -> Awaited | None:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        if file_locks.take(descriptor):
            path.unlink(missing_ok=True)
            return None
        worker, calls, until = orjson.loads(os.pread(descriptor, 1000, 0))
    except ValueError:  # it begins at this moment
        return None
    finally:
        os.close(descriptor)
    if not process_identity.is_gone(worker):
        return None
    return Awaited(calls, (until or time.time()) + _SLACK_SECONDS)
