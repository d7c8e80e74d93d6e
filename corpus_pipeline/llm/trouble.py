"""What is wrong at a provider at a moment: since when, until when, and in which words. For people, while it lasts."""

from __future__ import annotations

import time
from typing import Any, NamedTuple, Self

import orjson

from corpus_pipeline.plain_text import plain
from corpus_pipeline.units import moment, span

MIN_SECONDS = 5.0  # a wait that is shorter is no trouble


class Trouble(NamedTuple):
    """what: in a few words. endpoint: its address, or its name. since, until: Unix time; None is not known."""

    what: str
    endpoint: str
    since: float | None
    until: float | None
    words: str

    def __str__(self) -> str:
        now = time.time()
        said = f"{self.endpoint}: {self.what}"
        if self.since is not None:
            said += f" since {moment(self.since * 1000)} UTC ({span(now - self.since)})"
        if self.until is not None and self.until > now:
            said += f", until {moment(self.until * 1000)} UTC (in {span(self.until - now)})"
        return f"{said}; last: {self.words}" if self.words else said

    def to_json(self) -> str:
        """For the database, through which other processes show it."""
        return orjson.dumps(self._asdict()).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What another process wrote."""
        said: dict[str, Any] = orjson.loads(text)
        return cls(plain(said["what"]), plain(said["endpoint"]), said["since"], said["until"], plain(said["words"]))
