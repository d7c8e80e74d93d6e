"""What the rows of a trial, which are paid, say of the rows that are left: their cost, and how sure that is.

What a row costs is taken for a straight line over the length of its texts, by least squares: some files begin with their short
rows. All of it pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from statistics import fmean, linear_regression
from typing import NamedTuple

ENOUGH = 20  # rows of a trial
_NORMAL = 1.96  # standard errors that hold 19 of 20 cases, of many rows


class Trial(NamedTuple):
    """paid: (length, cost) of each row that is through; open_lengths: of those that are not.

    lost: calls for each answer that broke behind it and are billed beside it; answers: of which this is known.
    """

    paid: Sequence[tuple[float, float]]
    open_lengths: Sequence[float]
    lost: float = 0.0
    answers: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether there are enough rows to say anything."""
        return len(self.paid) >= ENOUGH and bool(self.open_lengths)

    def mean_cost(self) -> float:
        """What an open row will cost on average, in the unit of `paid`."""
        slope, intercept = self._line()
        return max(0.0, intercept + slope * fmean(self.open_lengths)) * (1 + self.lost)

    def margin(self, left: float) -> float | None:
        """The share by which the sum over `left` open rows may differ from what is expected, in 19 of 20 jobs.

        Each paid row counts with its distance from the line that the other ones make (dear rows lie farther from it than
        cheap ones, and draw it to them), and the quantile is that of as few rows. None where nothing can be said.
        """
        count = len(self.paid)
        if not self.is_enough or left <= 0:
            return None
        slope, intercept = self._line()
        expected = intercept + slope * fmean(self.open_lengths)
        if expected <= 0:
            return None
        middle = fmean(length for length, _ in self.paid)
        beyond = fmean(self.open_lengths) - middle
        spread = sum((length - middle) ** 2 for length, _ in self.paid) if slope else 0.0
        of_line = of_rows = 0.0
        for length, cost in self.paid:
            away = length - middle
            pull = 1 / count + (away**2 / spread if spread else 0.0)
            off = (cost - intercept - slope * length) / (1 - min(pull, 0.9))
            of_line += (off * (1 / count + (beyond * away / spread if spread else 0.0))) ** 2
            of_rows += off**2
        # what befalls one row in a hundred, as to be asked twice, a trial may well not have met: it counts once more
        of_line += (expected / count) ** 2
        of_rows += expected**2
        of_lost = self.lost * (1 / left + 1 / self.answers) if self.answers else 0.0
        variance = (of_line + of_rows / count / left) / expected**2 + of_lost / (1 + self.lost) ** 2
        return (_NORMAL + 2.4 / (count - 2)) * sqrt(variance)

    def _line(self) -> tuple[float, float]:
        lengths, costs = zip(*self.paid, strict=True)
        if len(set(lengths)) > 1:
            slope, intercept = linear_regression(lengths, costs)
            if slope >= 0:
                return slope, intercept
        return 0.0, fmean(costs)


def rows_for(wanted: float, margin: float, paid: float, left: float) -> int | None:
    """How many rows of all must be paid for a margin of `wanted`, where `paid` of them brought `margin`; None where no trial
    of this file does: what is left must be many rows, too."""
    every = paid + left
    of_one = margin**2 / (1 / paid + 1 / left)
    # of_one * (1 / n + 1 / (every - n)) = wanted ** 2, whose left side is least where half of the rows are paid
    within = every**2 - 4 * of_one * every / wanted**2
    return None if within < 0 else max(ceil(paid), ceil((every - sqrt(within)) / 2))
