"""What readers of dead workers leave: answers as they came, in files, and a lock while they still read."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from corpus_pipeline import file_locks, record_files
from corpus_pipeline.llm.endpoint import Endpoint

log = logging.getLogger(__name__)

SUFFIX, LOCK = "raw", "reader"
_LOCK_BYTES = 400
_REQUEST_IDS = ("x-request-id", "request-id", "apim-request-id", "x-goog-request-id")


class Arrived(NamedTuple):
    """An answer as it came. style: of `llm.styles`. input_tokens, limit: of its request, as expected and as allowed."""

    attempt_id: str
    style: str
    input_tokens: int
    limit: int
    latency_ms: int
    request_id: str | None
    content: bytes


def record(note: list[Any], content: bytes) -> tuple[bytes, bytes, bytes]:
    """An answer as it stands in a file: the fields of `Arrived` up to the content, a line end, the content."""
    return orjson.dumps(note), b"\n", content


def answers(paths: Iterable[Path]) -> Iterator[Arrived]:
    """The answers in some files, as far as they are whole; what is not is told in the log."""
    for path in paths:
        for raw in record_files.records(path, log.warning):
            note, _, content = raw.partition(b"\n")
            try:
                found = Arrived._make([*orjson.loads(note), content])
            except (ValueError, TypeError):
                log.warning("%s: a record is none of this version, and left out", path)
                continue
            yield found


def files(folder: Path, task_id: int | None = None) -> list[Path]:
    """The files of answers of a task, or of all."""
    return named(folder, task_id, SUFFIX)


def request_id(headers: Mapping[str, str]) -> str | None:
    """The provider's name for a call."""
    return next((found for name in _REQUEST_IDS if (found := headers.get(name))), None)


def secrets(where: Endpoint) -> tuple[str | None, ...]:
    """What may not be said of an endpoint."""
    return (where.api_key, *(value for _, value in where.headers))


class Lock:
    """Held by a reader for as long as it lives; says what it waits for when its worker is dead."""

    def __init__(self, folder: Path, prefix: str, worker: str) -> None:
        self._path = folder / f"{prefix}.{LOCK}"
        self._worker = worker
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        file_locks.wait_for(self._descriptor)
        self.say(0, 0.0)

    def say(self, calls: int, until: float) -> None:
        """How many calls are out, and until when (seconds since 1970) they are waited for."""
        with suppress(OSError):
            os.pwrite(self._descriptor, orjson.dumps([self._worker, calls, until]).ljust(_LOCK_BYTES), 0)

    def close(self) -> None:
        """Take it away: all is written."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def named(folder: Path, task_id: int | None, suffix: str) -> list[Path]:
    """The files of a task, or of all, that end in this way."""
    return sorted(folder.glob(f"{'*' if task_id is None else task_id}-*.{suffix}")) if folder.is_dir() else []
