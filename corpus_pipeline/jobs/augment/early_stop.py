"""Early stop: a sequential test that notices, while samples fail, that more of them fail than the recipe tolerates.

After each sample the likelihood of what was seen at a failure rate `GAP` above the tolerated one is compared with that at the
tolerated one (Wald's sequential probability ratio, 1945). At or below the tolerated rate the ratio is a supermartingale that
begins at 1, so that by Ville's inequality it ever reaches 1/alpha with a probability of alpha at most: a good job is stopped
in at most one of 200, however long it is. A job that begins well and goes bad later is noticed, too: where the ratio has
become small, the test begins again. Round k has the share 1 / ((k + 1) ln(k + 1)^2) / 2.11 of alpha; these shares sum up to
one, and fall so slowly that a job which goes bad in its 100,000th sample is stopped within the next hundred failures.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from typing import Final

from corpus_pipeline.recipe import Completion

ALPHA: Final = 0.005  # of stopping a job whose samples fail as often as it tolerates, or less
BETA: Final = 0.01  # where the ratio says so much for the tolerated rate, the test begins again
GAP: Final = 0.2
MIN_SAMPLES: Final = 20  # fewer say too little to a person, whatever they say to the test
DEFAULT_TOLERANCE: Final = 0.5
_SHOWN = 3
_ALL_SHARES = 2.11  # the sum of 1 / (n ln(n)^2) from n = 2 on, rounded up


class SequentialTest:
    """The test alone: told of one outcome after another. tolerated: the share that may fail, below 1."""

    def __init__(self, tolerated: float, *, alpha: float = ALPHA) -> None:
        low = min(max(tolerated, 0.001), 0.985)
        high = low + GAP if low + GAP < 0.99 else (1 + low) / 2
        self._of_failure, self._of_success = math.log(high / low), math.log((1 - high) / (1 - low))
        self._alpha = alpha
        self._round = 1
        self._ratio = 0.0  # its logarithm

    def add(self, *, failed: bool) -> bool:
        """Count one outcome; whether the tolerated rate is exceeded."""
        self._ratio += self._of_failure if failed else self._of_success
        if self._ratio <= math.log(BETA):
            self._round += 1
            self._ratio = 0.0
        return self._ratio >= self._limit

    @property
    def _limit(self) -> float:
        number = self._round + 1
        return -math.log(self._alpha / (number * math.log(number) ** 2) / _ALL_SHARES)


class EarlyStop:
    """The samples of one strategy. strategies: how many are tested in the run, which share the error. accepted: failed
    samples that the export goes out with (`export.gate.max_failed`): anyone who accepts this many wants to see them."""

    def __init__(self, label: str, tolerated: float, *, strategies: int = 1, accepted: int = 0) -> None:
        self.label, self.tolerated, self._accepted = label, tolerated, accepted
        self._test = SequentialTest(tolerated, alpha=ALPHA / max(1, strategies))
        self._reasons: Counter[str] = Counter()
        self._newest: deque[tuple[str, str, str]] = deque(maxlen=200)  # sample, reason, detail
        self._samples = 0

    def succeeded(self) -> None:
        """A sample became a row."""
        self._samples += 1
        self._test.add(failed=False)

    def failed(self, sample: str, reason: str, detail: str) -> bool:
        """A sample failed; whether the strategy is to be stopped."""
        self._samples += 1
        self._reasons[reason] += 1
        self._newest.append((sample, reason, detail))
        exceeded = self._test.add(failed=True)
        return exceeded and self._samples >= MIN_SAMPLES and self._reasons.total() > self._accepted

    def sentence(self) -> str:
        """Why it is stopped: the share, the reason of most of them, some samples, and what a person can do."""
        failures = sum(self._reasons.values())
        reason, count = self._reasons.most_common(1)[0]
        shown = [f"{sample}: {detail[:120]}" for sample, own, detail in self._newest if own == reason][-_SHOWN:]
        others = ", ".join(f"{name} {number}" for name, number in self._reasons.most_common(4)[1:])
        return (
            f"{failures} of {self._samples} samples of {self.label} failed, {count} of them for '{reason}'"
            f"{f' (others: {others})' if others else ''}; the recipe tolerates {self.tolerated:.0%}."
            f" For example {'; '.join(shown)}."
            f" Look at them with `corpus failed list`, mend the recipe, or say that more may fail:"
            f" augment: {{completion: {{tolerated_failures: {min(0.95, self.tolerated + 0.3):.2f}}}}}."
        )


class SameScores:
    """The scores of one task: whether the first of them are all the same, so that they tell no row from another."""

    def __init__(self, label: str, many: int | None) -> None:
        self.label, self._many = label, many
        self._first: float | None = None
        self._samples = 0

    def add(self, score: float) -> bool:
        """Count a score; whether it is the one with which the task is to be stopped."""
        if self._many is None:
            return False
        self._first = score if self._samples == 0 else self._first
        if score != self._first:
            self._many = None  # they differ: there is nothing more to watch
            return False
        self._samples += 1
        return self._samples == self._many

    def sentence(self) -> str:
        """What is wrong, and what a person can do."""
        return (
            f"the first {self._samples} scores of {self.label} are all {self._first:g}: its judge tells nothing apart."
            f" Look at its prompt and its model with `corpus try`, or let it go on:"
            f" augment: {{completion: {{same_scores: null}}}}."
        )


def tolerance(completion: Completion) -> float:
    """The share of samples that may fail: as the recipe says, else what its `min_success` leaves, else half."""
    if completion.tolerated_failures is not None:
        return completion.tolerated_failures
    return 1 - completion.min_success if completion.min_success else DEFAULT_TOLERANCE
