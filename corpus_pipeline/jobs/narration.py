"""Narration: what a running stage says of itself, by a thread of its own, to anyone who ran it."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sqlalchemy import Connection

from corpus_pipeline.error_words import in_words
from corpus_pipeline.errors import CorpusError
from corpus_pipeline.states import Stage
from corpus_pipeline.store import augmented, cursors, spending
from corpus_pipeline.units import money, rate, span

if TYPE_CHECKING:
    from corpus_pipeline.jobs.stage_run import Held

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_STEP_SHARE = 0.05  # a report after each twentieth of the rows
_TROUBLE_SECONDS = 30.0  # between two words about the same trouble
_MIN_SECONDS = 10.0  # between two reports, however fast the rows go


class Calls(NamedTuple):
    """Model calls at this moment. oldest_seconds: how long the oldest of those that are out has been so; waiting: items that
    hold no slot, because of a backoff, a limit or a budget."""

    out: int
    oldest_seconds: float
    waiting: int

    def __str__(self) -> str:
        if self.out == 0:
            return "no call is out"
        noun, verb = ("call", "is") if self.out == 1 else ("calls", "are")
        return f"{self.out} {noun} {verb} out, the oldest since {span(self.oldest_seconds)}"


@dataclass(frozen=True)
class Progress:
    """How far a stage of a dataset file is. rate: rows a second since this run began; calls: None where none are made.

    troubles: what is wrong at the providers now, in sentences.
    """

    name: str
    stage: Stage
    processed: int
    total: int | None
    rate: float
    cost_usd: float
    calls: Calls | None = None
    troubles: tuple[str, ...] = ()

    @property
    def share(self) -> float | None:
        """The finished part of the rows, where their number is known."""
        return min(1.0, self.processed / self.total) if self.total else None

    @property
    def eta_seconds(self) -> float | None:
        """The time that the rest takes at this rate."""
        if not self.total or self.rate <= 0:
            return None
        return max(0, self.total - self.processed) / self.rate

    def __str__(self) -> str:
        said = f"{self.stage} of {self.name}: {self.processed:,}"
        if self.total:
            said += f" of {self.total:,} rows ({self.processed / self.total:.0%})"
        else:
            said += " rows"
        if self.rate > 0:
            said += f", {rate(self.rate)}"
        if self.eta_seconds is not None:
            said += f", about {span(self.eta_seconds)} left"
        if self.cost_usd:
            said += f", {money(self.cost_usd)}"
        if self.calls is not None:
            said += f", {self.calls}"
            if self.calls.waiting:
                said += f", {self.calls.waiting} wait"
        return "; ".join((said, *self.troubles))


class Narrator(Protocol):
    """Receives what a stage says of itself. Called from other threads, too."""

    def notice(self, text: str) -> None:
        """One sentence that somebody should read now."""

    def progress(self, progress: Progress) -> None:
        """How far it is, at the rhythm of `Rhythm`."""


class LogNarrator:
    """Writes to the log."""

    def notice(self, text: str) -> None:
        log.warning("%s", text)

    def progress(self, progress: Progress) -> None:
        log.log(logging.WARNING if progress.troubles else logging.INFO, "%s", progress, extra=fields(progress))


def fields(progress: Progress) -> dict[str, object]:
    """The numbers of a progress report, for structured logs."""
    return {
        "event": "progress",
        "file": progress.name,
        "stage": progress.stage.value,
        "processed": progress.processed,
        "total": progress.total,
        "rows_per_second": round(progress.rate, 3),
        "eta_seconds": None if progress.eta_seconds is None else round(progress.eta_seconds),
        "cost_usd": progress.cost_usd,
        "calls_out": progress.calls.out if progress.calls else None,
        "waiting": progress.calls.waiting if progress.calls else None,
        "troubles": list(progress.troubles),
    }


class Rhythm:
    """When progress is due: after this many seconds, or after a twentieth of the rows."""

    def __init__(self, every_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._every, self._clock = every_seconds, clock
        self._said_at, self._said_share = clock(), 0.0

    def is_due(self, share: float | None) -> bool:
        """Whether to speak now; if so, the next time counts from here."""
        since = self._clock() - self._said_at
        stepped = share is not None and share - self._said_share >= _STEP_SHARE
        if since < self._every and not (stepped and since >= min(self._every, _MIN_SECONDS)):
            return False
        self._said_at, self._said_share = self._clock(), share or 0.0
        return True


class TroubleRhythm:
    """When a word about troubles is due: when they begin, every 30 s while they last, and when they are over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told = -math.inf  # when they were last told

    def notice(self, troubles: Sequence[str], *, in_progress: bool) -> str | None:
        """What is to be said now. in_progress: a line of progress has just said the troubles: no second one repeats them."""
        now, was_told = self._clock(), self._told > -math.inf
        if not troubles:
            self._told = -math.inf
            return "calls flow again" if was_told else None
        if now - self._told < _TROUBLE_SECONDS and not in_progress:
            return None
        self._told = now
        return None if in_progress else "; ".join(troubles)


class Speaker:
    """Reads the progress of a stage from the database and tells a narrator, as often as the rhythm wants it."""

    def __init__(self, held: Held) -> None:
        work = held.work
        self._held = held
        self._store, self._name, self._task_id, self._stage = work.store, work.file.name, work.task.id, work.stage
        self._narrator = work.narrator
        self._rhythm = Rhythm(work.progress_seconds)
        self._begun = time.monotonic()
        self._first: int | None = None
        self._troubles = TroubleRhythm()

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Speak as long as the block lasts."""
        over = threading.Event()
        thread = threading.Thread(target=self._speak, args=(over,), name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(timeout=_LOOK_SECONDS)

    def _speak(self, over: threading.Event) -> None:
        while not over.wait(_LOOK_SECONDS):
            try:
                progress = self._store.fetch(self._read)
                is_due = self._rhythm.is_due(progress.share)
                if is_due:
                    self._narrator.progress(progress)
                said = self._troubles.notice(progress.troubles, in_progress=is_due)
                if said is not None:
                    self._narrator.notice(f"{self._stage} of {self._name}: {said}")
            except CorpusError:  # the database is away: the work meets the same trouble
                continue
            except Exception as error:  # what is said must not end what is done
                log.debug("could not tell the progress of %s: %s", self._name, in_words(error))

    def _read(self, connection: Connection) -> Progress:
        own = cursors.stage_cursors(connection, self._task_id, self._stage)
        processed = augmented.processed_rows(connection, self._stage, own)
        total = max((cursor.total_rows or 0 for cursor in own), default=0)
        if self._first is None:
            self._first = processed
        elapsed = max(0.001, time.monotonic() - self._begun)
        cost = int(spending.of_task(connection, self._task_id).cost)
        rate = max(0, processed - self._first) / elapsed
        calls = None if (look := self._held.calls) is None else look()
        wrong = () if (look_at_trouble := self._held.troubles) is None else tuple(look_at_trouble())
        return Progress(self._name, self._stage, processed, total or None, rate, cost / 1_000_000_000, calls, wrong)
