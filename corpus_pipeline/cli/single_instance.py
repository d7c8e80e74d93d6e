"""One server of a kind for each CORPUS_HOME."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus_pipeline import file_locks
from corpus_pipeline.errors import UsageError


@contextmanager
def only_one(lock: Path, name: str, place: str) -> Iterator[None]:
    """Hold `lock` as long as the server runs at `place`; the lock goes with its process. Raises UsageError when one runs."""
    with lock.open("a+", encoding="utf-8") as file:
        if not file_locks.take(file.fileno()):
            file.seek(0)
            where = file.read().strip()
            raise UsageError(
                f"{name} of {lock.parent} runs already{where and f' at {where}'}; open it, or end it first"
            )
        file.truncate(0)
        file.write(place)
        file.flush()
        yield
