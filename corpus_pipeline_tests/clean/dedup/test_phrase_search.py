"""The phrase search against comparing all pairs, and what verification accepts."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.model import FileId, conversation_id, split_id
from corpus_pipeline.stages.clean.dedup import phrase_search
from corpus_pipeline.stages.clean.dedup.features import ngrams, tokens
from corpus_pipeline.stages.clean.dedup.hamming_search import NOBODY
from corpus_pipeline.stages.clean.dedup.phrase_search import (
    HOLDERS,
    held_phrases,
    lowest_verified,
    similarity,
    verified,
)
from corpus_pipeline.stages.clean.dedup.schemes import scheme_named
from corpus_pipeline.stages.clean.dedup.simhash import SIGNATURE_COLUMNS, SKETCH, fingerprints

DEFAULT = scheme_named("default")


def similar_texts(seed: int, rows: int, words: int) -> list[str]:
    """Rows that repeat each other's phrases, exactly and with edits."""
    chooser = random.Random(seed)
    vocabulary = [f"w{number}" for number in range(words)]
    texts: list[str] = []
    for _ in range(rows):
        if texts and chooser.random() < 0.6:
            items = chooser.choice(texts).split()
            for _ in range(chooser.randint(0, 3)):
                items[chooser.randrange(len(items))] = chooser.choice(vocabulary)
        else:
            items = chooser.choices(vocabulary, k=chooser.randint(5, 60))
        texts.append(" ".join(items))
    return texts


@given(
    seed=st.integers(0, 2**32),
    rows=st.integers(1, 120),
    words=st.sampled_from([4, 20, 1000]),
    files=st.integers(1, 4),
    own_share=st.sampled_from([None, 0.2, 0.8]),
    small=st.booleans(),
)
def test_the_search_equals_comparing_all_pairs(
    seed: int, rows: int, words: int, files: int, own_share: float | None, small: bool
) -> None:
    chooser = np.random.default_rng(seed)
    found = fingerprints(similar_texts(seed, rows, words), DEFAULT)
    ids = np.sort(
        np.array([conversation_id(FileId(int(chooser.integers(1, files + 1))), row + 1) for row in range(rows)])
    )
    queries, copies = chooser.random(rows) < 0.9, chooser.random(rows) < 0.1
    own = None if own_share is None else chooser.random(rows) < own_share

    sketches = [set(row[SKETCH][row[SKETCH] > 0].tolist()) for row in found.signatures]
    file_of = [split_id(identifier)[0] for identifier in ids.tolist()]
    seen: dict[tuple[int, int], int] = {}
    held: list[set[int]] = []
    for row in range(rows):
        held.append(set())
        for phrase in sketches[row] if not copies[row] else ():
            seen[file_of[row], phrase] = seen.get((file_of[row], phrase), 0) + 1
            if seen[file_of[row], phrase] <= HOLDERS:
                held[row].add(phrase)
    expected = [NOBODY] * rows
    for row in np.flatnonzero(queries).tolist():
        for lower in range(row):
            asked = own is None or own[row] or own[lower]
            pair = np.array([row]), np.array([lower])
            if asked and sketches[row] & held[lower] and verified(found.values, found.signatures, *pair, 16)[0]:
                expected[row] = lower
                break

    with pytest.MonkeyPatch.context() as patch:
        if small:
            patch.setattr(phrase_search, "_PART", 64)
            patch.setattr(phrase_search, "_PAIRS", 16)
        answer = lowest_verified(ids, found.values, found.signatures, 16, queries, copies, own)
        holding = held_phrases(ids, found.signatures, copies)
        told = lowest_verified(ids, found.values, found.signatures, 16, queries, copies, own, holding)
    assert answer.tolist() == expected
    assert told.tolist() == expected


def test_similarity_of_short_rows_is_the_jaccard_of_their_triples() -> None:
    texts = similar_texts(3, 40, 12)
    texts = [text for text in texts if len(text.split()) < 18]
    sketches = fingerprints(texts, DEFAULT).signatures[:, SKETCH]
    triples = [set(ngrams(tokens(text), 3)) for text in texts]
    for other in range(1, len(texts)):
        expected = len(triples[0] & triples[other]) / len(triples[0] | triples[other])
        assert similarity(sketches[:1], sketches[other : other + 1])[0] == pytest.approx(expected)


def test_rows_of_other_lengths_are_not_verified() -> None:
    sentence = "the harbour master counts every lantern before the last ferry leaves for the island"
    texts = [sentence, sentence.replace("lantern", "rope"), sentence + " and " + sentence]
    found = fingerprints(texts, DEFAULT)
    pairs = np.array([1, 2]), np.array([0, 0])
    assert verified(found.values, found.signatures, *pairs, 16).tolist() == [True, False]


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("60", "120", False),
        ("60", "sixty", False),
        ("litres", "liters", True),
        ("60 litres and 7", "7 litres and 60", True),  # which number stands where is not looked at
        ("٦٠", "١٢٠", False),
        ("A320", "A321", True),  # a name, not a number
        ("", "7", False),
    ],
)
def test_rows_that_differ_in_a_number_are_two_rows(before: str, after: str, same: bool) -> None:
    sentence = "a tank of {} is filled by two pumps, the first of which gives what the second one takes away each hour"
    found = fingerprints([sentence.format(before), sentence.format(after)], DEFAULT)
    assert verified(found.values, found.signatures, np.array([1]), np.array([0]), 32).tolist() == [same]


def test_a_phrase_of_a_hundred_thousand_rows_stays_within_its_window() -> None:
    chooser = np.random.default_rng(1)
    rows = 100_000
    signatures = np.zeros((rows, SIGNATURE_COLUMNS), np.uint32)
    signatures[:, 0] = 40
    signatures[:, 1:15] = np.arange(1, 15)  # boilerplate in every row
    signatures[:, 15:17] = np.sort(chooser.integers(100, 2**32, (rows, 2)), axis=1)
    looked_at = 0
    counted = phrase_search._pairs

    def counting(*arguments: object) -> object:
        nonlocal looked_at
        for query, target in counted(*arguments):  # type: ignore[arg-type]
            looked_at += len(query)
            yield query, target

    everyone = np.ones(rows, np.bool_)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phrase_search, "_pairs", counting)
        lowest_verified(
            np.arange(1, rows + 1),
            chooser.integers(0, 2**64, rows, dtype=np.uint64),
            signatures,
            16,
            everyone,
            ~everyone,
        )
    assert 0 < looked_at <= rows * 16 * HOLDERS
