"""The request log: one line per call, written before the first byte of its answer goes out. The provider's invoice."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import orjson

from corpus_pipeline.model import NanoDollars, Usage


class Line(NamedTuple):
    """One call as the provider saw it.

    outcome: answered (a whole answer was made, whether or not it arrives), refused (an error status, not billed).
    """

    request_hash: str
    attempt: int
    attempt_id: str | None
    model: str
    status: int
    outcome: str
    fault: str | None
    usage: Usage
    nano_dollars: NanoDollars
    batch: str | None = None


class Invoice:
    """Appends to `path` (None: counts only). fsync: survive a power cut, at the price of speed."""

    def __init__(self, path: Path | None, *, fsync: bool = False) -> None:
        self._file = None if path is None else os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._fsync = fsync
        self._seq = 0
        self.counters: Counter[str] = Counter()

    def write(self, line: Line) -> None:
        self._seq += 1
        self.counters["calls"] += 1
        self.counters[line.outcome] += 1
        self.counters["input_tokens"] += line.usage.input_tokens
        self.counters["output_tokens"] += line.usage.output_tokens
        self.counters["nano_dollars"] += line.nano_dollars
        if line.fault:
            self.counters[f"fault:{line.fault}"] += 1
        if self._file is None:
            return
        usage = line.usage
        entry = {
            "seq": self._seq,
            "time": time.time(),
            "request": line.request_hash,
            "attempt": line.attempt,
            "attempt_id": line.attempt_id,
            "model": line.model,
            "status": line.status,
            "outcome": line.outcome,
            "fault": line.fault,
            "input_tokens": usage.input_tokens,
            "cached_tokens": usage.cached_tokens,
            "output_tokens": usage.output_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "nano_dollars": line.nano_dollars,
            "batch": line.batch,
        }
        os.write(self._file, orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))
        if self._fsync:
            os.fsync(self._file)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
