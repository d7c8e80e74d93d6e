"""The search within a Hamming distance against comparing all pairs."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.stages.clean.dedup import hamming_search
from corpus_pipeline.stages.clean.dedup.hamming_search import NOBODY, Hashes, Marks, Mask, Positions, lowest_within


def by_all_pairs(
    fingerprints: Hashes, distance: int, queries: Mask, targets: Mask, marks: Marks | None = None
) -> Positions:
    marks = np.zeros(len(fingerprints), np.uint32) if marks is None else marks
    result = np.full(len(fingerprints), NOBODY, np.int64)
    for row in np.flatnonzero(queries):
        near = np.bitwise_count(fingerprints[:row] ^ fingerprints[row]) <= distance
        found = np.flatnonzero(near & targets[:row] & (marks[:row] == marks[row]))
        if len(found):
            result[row] = found[0]
    return result


def clustered(random: np.random.Generator, rows: int, centres: int, flips: int) -> Hashes:
    """Fingerprints some bits away from a few centres."""
    values = random.integers(0, 1 << 64, centres, dtype=np.uint64)[random.integers(0, centres, rows)]
    for _ in range(flips):
        values ^= (np.uint64(1) << random.integers(0, 64, rows, dtype=np.uint64)) * random.integers(
            0, 2, rows, dtype=np.uint64
        )
    return values


@given(
    seed=st.integers(0, 2**32),
    rows=st.integers(0, 300),
    centres=st.integers(1, 40),
    flips=st.integers(0, 8),
    distance=st.integers(0, 16),
    shares=st.tuples(st.sampled_from([0.1, 0.5, 1.0]), st.sampled_from([0.1, 0.5, 1.0])),
    small=st.booleans(),
    kinds=st.sampled_from([1, 2, 9, 300]),
)
def test_the_search_equals_comparing_all_pairs(
    seed: int, rows: int, centres: int, flips: int, distance: int, shares: tuple[float, float], small: bool, kinds: int
) -> None:
    random = np.random.default_rng(seed)
    fingerprints = clustered(random, rows, centres, flips)
    queries, targets = random.random(rows) < shares[0], random.random(rows) < shares[1]
    marks = random.integers(0, kinds, rows, np.uint32)
    with pytest.MonkeyPatch.context() as patch:
        if small:  # crowded runs at test size
            patch.setattr(hamming_search, "_STEPS", 2)
            patch.setattr(hamming_search, "_CROWDED", 6)
        found = lowest_within(fingerprints, distance, queries, targets, marks)
    assert found.tolist() == by_all_pairs(fingerprints, distance, queries, targets, marks).tolist()


def test_a_crowded_run_at_full_size_equals_comparing_all_pairs() -> None:
    fingerprints = clustered(np.random.default_rng(7), 6000, 2, 9)
    everyone = np.ones(6000, np.bool_)
    assert lowest_within(fingerprints, 3).tolist() == by_all_pairs(fingerprints, 3, everyone, everyone).tolist()


@pytest.mark.parametrize(
    "fingerprints",
    [
        np.zeros(200_000, np.uint64),
        np.repeat(np.arange(3, dtype=np.uint64) << np.uint64(40), 60_000),
        np.arange(50_000, dtype=np.uint64),  # all bits but the low 16 agree
        np.random.default_rng(1).integers(0, 1 << 16, 100_000, dtype=np.uint64) << np.uint64(48),
    ],
    ids=["one value", "three values", "low bits", "high bits"],
)
def test_skewed_fingerprints_are_searched_as_exactly(fingerprints: Hashes) -> None:
    found = lowest_within(fingerprints, 3)
    for row in np.random.default_rng(2).integers(0, len(fingerprints), 50):
        near = np.flatnonzero(np.bitwise_count(fingerprints[:row] ^ fingerprints[row]) <= 3)
        assert found[row] == (near[0] if len(near) else NOBODY)


def test_one_template_with_other_numbers_in_each_row_is_no_crowd() -> None:
    rows = 200_000
    flips = np.uint64(1) << np.random.default_rng(3).integers(0, 64, rows, np.uint64)
    begun = time.process_time()
    assert (lowest_within(flips, 3, marks=np.arange(rows, dtype=np.uint32)) == NOBODY).all()
    assert time.process_time() - begun < 5


def test_threshold_zero_finds_equal_fingerprints_only() -> None:
    fingerprints = np.array([5, 4, 5, 5, 4], np.uint64)
    assert lowest_within(fingerprints, 0).tolist() == [NOBODY, NOBODY, 0, 0, 1]


def test_the_extreme_bits_count() -> None:
    fingerprints = np.array([0, 1 << 63, (1 << 64) - 1], np.uint64)
    assert lowest_within(fingerprints, 1).tolist() == [NOBODY, 0, NOBODY]
    assert lowest_within(fingerprints, 64).tolist() == [NOBODY, 0, 0]
