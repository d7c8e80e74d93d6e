"""What people's verdicts on a random sample say of all new rows: accept, reject, or look at more.

Acceptance sampling with a stated defect rate and confidence: the export goes out when, with that confidence, fewer than the
stated share of the new rows are bad. People may look at the figures after every verdict: the error is shared out over the
numbers of bad rows at which the sample may be accepted, k = 0, 1, 2, ..., in parts of 6 / (pi (k + 1))^2, which sum to the
whole, so that looking often does not raise it (the union bound). Bounds are those of Clopper and Pearson (1934), exact for
any sample; where the sample is all there is, its rate is the rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from corpus_pipeline.recipe import Review

_STEPS: Final = 60  # of a bisection: far beyond the precision of a float's last digit that matters
_MOST_ROWS: Final = 1_000_000


class Decision(StrEnum):
    """What the sample says."""

    ACCEPT = "accept"
    REJECT = "reject"
    LOOK = "look"  # too few rows were judged to say so


class Verdict(NamedTuple):
    """Where a review stands. low, high: the interval of the defect rate at the stated confidence, one-sided each.

    wanted: rows to judge in all, when no further bad one is found.
    """

    decision: Decision
    judged: int
    bad: int
    low: float
    high: float
    wanted: int


def decide(judged: int, bad: int, rows: int, review: Review) -> Verdict:
    """What `bad` of `judged` rows, drawn at random from `rows`, say."""
    limit = review.max_defects
    assert limit is not None
    error = (1 - review.confidence) * _share(bad)
    low, high = bounds(judged, bad, error)
    wanted = min(rows, sample_size(bad, limit, error))
    if judged >= rows:
        low = high = bad / rows if rows else 0.0
    if high <= limit and (judged >= rows or judged >= wanted):
        return Verdict(Decision.ACCEPT, judged, bad, low, high, wanted)
    decision = Decision.REJECT if low > limit else Decision.LOOK
    return Verdict(decision, judged, bad, low, high, wanted)


def _share(bad: int) -> float:
    """The part of the error for the stage with this many bad rows; all parts sum to 1."""
    return 6 / (math.pi * (bad + 1)) ** 2


def sample_size(bad: int, limit: float, error: float) -> int:
    """The smallest sample that is accepted with `bad` bad rows: its upper bound is at the limit or below."""
    low, high = bad, _MOST_ROWS
    while low < high:
        middle = (low + high) // 2
        if cumulative(bad, middle, limit) <= error:
            high = middle
        else:
            low = middle + 1
    return low


def bounds(judged: int, bad: int, error: float) -> tuple[float, float]:
    """Clopper and Pearson's bounds of a rate, each missed with a probability of `error` at most."""
    if judged == 0:
        return 0.0, 1.0
    low = 0.0 if bad == 0 else _root(lambda rate: 1 - cumulative(bad - 1, judged, rate) < error)
    high = 1.0 if bad == judged else _root(lambda rate: cumulative(bad, judged, rate) > error)
    return low, high


def _root(is_below: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if is_below(middle):
            low = middle
        else:
            high = middle
    return high


def cumulative(most: int, trials: int, rate: float) -> float:
    """The probability of at most this many bad ones among `trials`."""
    if rate <= 0:
        return 1.0
    if rate >= 1:
        return float(most >= trials)
    logs = math.log(rate), math.log1p(-rate)
    terms = (
        math.exp(
            math.lgamma(trials + 1)
            - math.lgamma(k + 1)
            - math.lgamma(trials - k + 1)
            + k * logs[0]
            + (trials - k) * logs[1]
        )
        for k in range(min(most, trials) + 1)
    )
    return min(1.0, sum(terms))


class Agreement(NamedTuple):
    """How a judge model agrees with people: the share of people's good rows that it passes, of their bad ones that it
    refuses, of all on which both agree, each (share, low, high) by Wilson at 95 %; kappa: agreement beyond chance (Cohen
    1960)."""

    rows: int
    passes_good: tuple[float, float, float]
    refuses_bad: tuple[float, float, float]
    agree: tuple[float, float, float]
    kappa: float | None


def agreement(pairs: list[tuple[bool, bool]]) -> Agreement:
    """pairs: (a person calls it good, the judge passes it)."""
    good = [passed for is_good, passed in pairs if is_good]
    bad = [not passed for is_good, passed in pairs if not is_good]
    same = sum(is_good is passed for is_good, passed in pairs)
    return Agreement(
        len(pairs), wilson(sum(good), len(good)), wilson(sum(bad), len(bad)), wilson(same, len(pairs)), _kappa(pairs)
    )


def wilson(found: int, of: int) -> tuple[float, float, float]:
    """(share, low, high): Wilson's interval at 95 %."""
    if of == 0:
        return 0.0, 0.0, 1.0
    z, share = 1.959964, found / of
    middle, spread = share + z * z / (2 * of), z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return share, max(0.0, (middle - spread) / (1 + z * z / of)), min(1.0, (middle + spread) / (1 + z * z / of))


def _kappa(pairs: list[tuple[bool, bool]]) -> float | None:
    if not pairs:
        return None
    number = len(pairs)
    good, passed = sum(one for one, _ in pairs) / number, sum(other for _, other in pairs) / number
    chance = good * passed + (1 - good) * (1 - passed)
    same = sum(one is other for one, other in pairs) / number
    return None if chance == 1 else (same - chance) / (1 - chance)
