"""The review's statistics by simulation: what is accepted is as good as stated, as often as stated."""

from __future__ import annotations

import random

import pytest

from corpus_pipeline.recipe import Review
from corpus_pipeline.stages.export.review import Decision, agreement, bounds, cumulative, decide, sample_size, wilson

MANY = 100_000


def accepted(rng: random.Random, rate: float, sizes: list[int], most: int = 400) -> bool:
    """Whether a person who looks after every row accepts. sizes: by bad rows, the rows from which a sample is accepted."""
    bad = 0
    for judged in range(1, most + 1):
        bad += rng.random() < rate
        if bad >= len(sizes):
            return False
        if judged >= sizes[bad]:
            return True
    return False


def sizes_of(review: Review) -> list[int]:
    return [decide(0, bad, MANY, review).wanted for bad in range(40)]


@pytest.mark.parametrize("rate", [0.101, 0.15, 0.3])
def test_what_is_worse_than_stated_is_accepted_as_rarely_as_stated_however_often_one_looks(rate: float) -> None:
    rng, sizes = random.Random(f"bad {rate}"), sizes_of(Review(max_defects=0.1, confidence=0.9))
    assert sum(accepted(rng, rate, sizes) for _ in range(2000)) <= 0.1 * 2000


def test_what_is_good_is_accepted() -> None:
    rng, sizes = random.Random("good"), sizes_of(Review(max_defects=0.1, confidence=0.9))
    assert sum(accepted(rng, 0.01, sizes) for _ in range(500)) >= 0.95 * 500


def test_a_sample_is_accepted_from_its_size_on_and_rejected_when_it_is_surely_bad() -> None:
    review = Review(max_defects=0.1, confidence=0.9)
    for bad in (0, 1, 5):
        size = decide(0, bad, MANY, review).wanted
        assert decide(size, bad, MANY, review).decision is Decision.ACCEPT
        assert decide(size - 1, bad, MANY, review).decision is Decision.LOOK
    assert decide(20, 12, MANY, review).decision is Decision.REJECT


def test_the_sample_is_as_large_as_it_must_be_and_no_larger() -> None:
    for limit in (0.01, 0.05, 0.2):
        for bad in range(4):
            size = sample_size(bad, limit, 0.05)
            assert cumulative(bad, size, limit) <= 0.05 < cumulative(bad, size - 1, limit)
    assert sample_size(0, 0.05, 0.05) == 59


def test_bounds_are_those_of_the_tables() -> None:
    low, high = bounds(20, 2, 0.025)
    assert (round(low, 4), round(high, 4)) == (0.0123, 0.3170)
    assert bounds(0, 0, 0.05) == (0.0, 1.0)


def test_all_rows_judged_is_certain() -> None:
    review = Review(max_defects=0.1, confidence=0.95)
    assert decide(10, 1, 10, review).decision is Decision.ACCEPT
    assert decide(10, 2, 10, review).decision is Decision.REJECT


def test_a_judge_is_held_against_people() -> None:
    found = agreement([(True, True)] * 40 + [(True, False)] * 10 + [(False, False)] * 18 + [(False, True)] * 2)
    assert found.passes_good == wilson(40, 50) and found.refuses_bad == wilson(18, 20)
    assert found.passes_good[1] < 0.8 < found.passes_good[2] and found.kappa is not None and 0.5 < found.kappa < 0.7
    assert agreement([]).kappa is None
