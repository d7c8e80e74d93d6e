"""What readers of dead workers still wait for."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

import orjson

from corpus_pipeline import file_locks, process_identity
from corpus_pipeline.llm.reader import left

_SLACK_SECONDS = 5.0


class Awaited(NamedTuple):
    """Calls of dead workers that readers still wait for. until: seconds since 1970; at the latest."""

    calls: int
    until: float


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
