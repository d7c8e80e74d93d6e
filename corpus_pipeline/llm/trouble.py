"""What is wrong at a provider at a moment: since when, until when, and in which words. For people, while it lasts."""

from __future__ import annotations

import time
from typing import Any, NamedTuple, Self

import orjson

from corpus_pipeline.plain_text import plain

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
            said += f" since {_clock(self.since)} ({_span(now - self.since)})"
        if self.until is not None and self.until > now:
            said += f", until {_clock(self.until)} (in {_span(self.until - now)})"
        return f"{said}; last: {self.words}" if self.words else said

    def to_json(self) -> str:
        """For the database, through which other processes show it."""
        return orjson.dumps(self._asdict()).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What another process wrote."""
        said: dict[str, Any] = orjson.loads(text)
        return cls(plain(said["what"]), plain(said["endpoint"]), said["since"], said["until"], plain(said["words"]))


def _clock(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))


def _span(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
