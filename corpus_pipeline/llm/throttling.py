"""The pure parts of the limits: how fast, how many at once, and whether the provider is there at all.

Each gets the time from its caller (seconds of any one clock) and waits for no one; `limits` makes them wait.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import NamedTuple

from corpus_pipeline.lazy_patterns import lazily

_BURST_SHARE = 0.05  # of a minute's allowance may be used at once


class Pace:
    """This many per minute, spread evenly: in no minute more than the allowance plus one oversized request."""

    def __init__(self, per_minute: float | None) -> None:
        self.per_minute = per_minute
        self._level = 0.0 if per_minute is None else self._capacity(per_minute)
        self._at: float | None = None

    @staticmethod
    def _capacity(per_minute: float) -> float:
        return max(1.0, per_minute * _BURST_SHARE)

    def wait(self, amount: float, now: float) -> float:
        """Seconds until `amount` may go out; 0 is now."""
        if self.per_minute is None:
            return 0.0
        self._refill(self.per_minute, now)
        missing = min(amount, self._capacity(self.per_minute)) - self._level
        # a wait shorter than a clock tick would be a busy loop
        return 0.0 if missing <= 1e-9 else max(missing / self._rate(self.per_minute), 1e-4)

    def take(self, amount: float, now: float) -> None:
        """Book `amount`; the level may go below nothing, and the next one waits for it. Negative gives back."""
        if self.per_minute is not None:
            self._refill(self.per_minute, now)
            self._level = min(self._level - amount, self._capacity(self.per_minute))

    def learn(self, per_minute: float, remaining: float | None, now: float) -> None:
        """Take over a limit that the provider told, and how much of it is left there."""
        if self.per_minute is None:
            self.per_minute, self._level, self._at = per_minute, self._capacity(per_minute), now
        elif per_minute != self.per_minute:
            self._refill(self.per_minute, now)
            self.per_minute = per_minute
        if remaining is not None:
            self._refill(per_minute, now)
            self._level = min(self._level, remaining)

    def _rate(self, per_minute: float) -> float:
        # with the burst, one minute's sum stays at the allowance
        return max(per_minute - self._capacity(per_minute), per_minute * 0.5) / 60.0

    def _refill(self, per_minute: float, now: float) -> None:
        if self._at is not None:
            grown = self._level + max(0.0, now - self._at) * self._rate(per_minute)
            self._level = min(self._capacity(per_minute), grown)
        self._at = now


class Concurrency:
    """How many calls at once: adds one after each good round, takes three tenths away when the provider throttles.

    A round is as many results as calls may be in flight. Single 429s are noise, which their senders wait out alone;
    a round of which more than a quarter was throttled is the sign that there are too many of us. (AIMD: Chiu and Jain,
    1989.)
    """

    THROTTLED_SHARE = 0.25
    DECREASE = 0.7
    _LEAST_ROUND = 8

    def __init__(self, most: int) -> None:
        self.most = most
        self.level = float(most)
        self._results = 0
        self._throttled = 0
        self._waits: list[float] = []

    @property
    def limit(self) -> int:
        return max(1, int(self.level))

    @property
    def is_lowered(self) -> bool:
        """Whether the provider throttled us and we have not grown back since."""
        return self.level < self.most

    def record(self, throttled: bool, retry_after: float | None) -> float:
        """Count one result; the answer is for how many seconds no one should call, mostly none."""
        self._results += 1
        if throttled:
            self._throttled += 1
            self._waits.append(retry_after or 0.0)
        if self._results < max(self._LEAST_ROUND, self.limit):
            return 0.0
        share, waits = self._throttled / self._results, self._waits
        self._results, self._throttled, self._waits = 0, 0, []
        if share <= self.THROTTLED_SHARE:
            self.level = min(float(self.most), self.level + 1.0)
            return 0.0
        self.level = max(1.0, self.level * self.DECREASE)
        # when most were sent away, the next calls would only be sent away too
        return min(waits) if share > 0.5 else 0.0

    def resize(self, most: int) -> None:
        """Another ceiling; the level keeps its share of it."""
        self.level = max(1.0, self.level * most / self.most)
        self.most = most


class Breaker:
    """Stops calling a provider that is down: opens after failures in a row, then lets one probe through at a time.

    Once it answered, a sample that fails again and again counts once: it may be the sample.

    It gives up, once it has been open for `patience_seconds` without one success.
    """

    FAILURES = 10
    FIRST_COOLDOWN, LONGEST_COOLDOWN = 5.0, 60.0

    def __init__(self, patience_seconds: float) -> None:
        self.patience = patience_seconds
        self._in_a_row = 0
        self._cooldown = self.FIRST_COOLDOWN
        self._opened_at: float | None = None
        self._probe_at = 0.0
        self._was_there = False
        self._failed_samples: set[Hashable] = set()
        self.last_failure = ""

    @property
    def is_open(self) -> bool:
        return self._opened_at is not None

    @property
    def opened_at(self) -> float | None:
        """Since when it is open."""
        return self._opened_at

    def wait(self, now: float) -> float:
        """Seconds until a call may be made; 0 is now (the first call of an open breaker is the probe)."""
        return max(0.0, self._probe_at - now) if self.is_open else 0.0

    def probing(self, now: float) -> None:
        """A call goes out; while the breaker is open it is the only one until its result or the next cooldown."""
        if self.is_open:
            self._probe_at = now + self._cooldown

    def gave_up(self, now: float) -> bool:
        return self._opened_at is not None and now - self._opened_at >= self.patience

    def succeeded(self) -> None:
        self._in_a_row, self._opened_at, self._cooldown = 0, None, self.FIRST_COOLDOWN
        self._was_there = True
        self._failed_samples.clear()

    def failed(self, now: float, what: str, *, probe: bool, sample: Hashable = None) -> None:
        """probe: the call was made while the breaker was open; late results of earlier calls do not count again.

        sample: whom the call was about, where the failure may come of it.
        """
        self.last_failure = what
        if self.is_open:
            if probe:
                self._cooldown = min(self._cooldown * 2.0, self.LONGEST_COOLDOWN)
                self._probe_at = now + self._cooldown
            return
        if sample is not None and self._was_there:
            if sample in self._failed_samples:
                return
            self._failed_samples.add(sample)
        self._in_a_row += 1
        if self._in_a_row >= self.FAILURES:
            self._opened_at, self._probe_at = now, now + self._cooldown


class Told(NamedTuple):
    """What a response's headers say of one limit; None where they are silent."""

    limit: float | None
    remaining: float | None


def told(headers: Mapping[str, str], what: str) -> Told:
    """The `x-ratelimit-*-requests` or `-tokens` of a response.

    https://platform.openai.com/docs/guides/rate-limits
    """
    return Told(_count(headers.get(f"x-ratelimit-limit-{what}")), _count(headers.get(f"x-ratelimit-remaining-{what}")))


_COUNT = lazily(r"\d{1,15}(?:\.\d{1,6})?")


def _count(text: str | None) -> float | None:
    return float(text) if text and _COUNT.fullmatch(text) else None
