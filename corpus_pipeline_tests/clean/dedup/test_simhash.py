"""Fingerprints against the `simhash` package on the same features."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simhash import Simhash

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.stages.clean.dedup import features, simhash
from corpus_pipeline.stages.clean.dedup.schemes import SCHEMES, Scheme, scheme_named
from corpus_pipeline.stages.clean.dedup.signatures import ANSWER, CLASS, SKETCH_SIZE, SKETCHES
from corpus_pipeline.stages.clean.dedup.simhash import ANSWER_SIDE, RowTexts
from corpus_pipeline_tests.clean.dedup.test_features import HOSTILE

FERRY = "The harbour master counts every lantern before the last ferry leaves."


def printed(texts: list[str], scheme: Scheme) -> simhash.Fingerprints:
    """The fingerprints of rows of one answer each."""
    return simhash.fingerprints([RowTexts([(ANSWER_SIDE, text)] if text else [], 0) for text in texts], scheme, 40)


def by_the_package(text: str, scheme: Scheme) -> int:
    if scheme.kind == "characters":
        return Simhash(text).value
    listed = features.word_features(text)
    if scheme.kind == "words":
        return Simhash(listed, hashfunc=features.feature_hash).value
    return Simhash(sorted(set(listed)), hashfunc=features.feature_hash).value


def assert_equal_to_the_package(texts: list[str], scheme: Scheme) -> None:
    found = printed(texts, scheme)
    for text, value, enough in zip(texts, found.values.tolist(), found.enough.tolist(), strict=True):
        if enough:
            assert value == by_the_package(text, scheme)
        else:
            assert value == 0


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_hostile_texts_equal_the_package(scheme: Scheme) -> None:
    texts = [text for text in HOSTILE if len(text) < 10_000 and not (scheme.kind == "characters" and "x x" in text)]
    assert_equal_to_the_package(texts, scheme)


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@given(
    st.lists(
        st.text(alphabet=st.sampled_from("abcdeXYZéß中文カ한𠀀🙂_1 \n.\u0301\u0000"), min_size=5, max_size=200),
        min_size=1,
        max_size=5,
    )
)
def test_any_text_equals_the_package(scheme: Scheme, texts: list[str]) -> None:
    assert_equal_to_the_package(texts, scheme)


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_long_texts_equal_the_package_beyond_the_byte_lanes(scheme: Scheme) -> None:
    chooser = random.Random(3)
    vocabulary = ["".join(chooser.choices("abcdefgh", k=chooser.randint(1, 9))) for _ in range(3000)]
    texts = [" ".join(chooser.choices(vocabulary, k=size)) for size in (127, 128, 129, 254, 255, 256, 511, 4000)]
    assert_equal_to_the_package(texts, scheme)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 9])
def test_shingles_of_any_width_equal_the_package(width: int) -> None:
    texts = [FERRY, "渡轮离开之前数一数码头上的灯笼" * 2, FERRY + " 𠀀𠀁", "naïve Straße ŒUVRE déjà vu à côté"]
    for batch in (texts, texts[:2], texts[3:]):
        found = printed(batch, scheme_named("characters", {"width": width}))
        for text, value in zip(batch, found.values.tolist(), strict=True):
            assert value == Simhash(sorted(features.character_features(text, width))).value


def test_a_shingle_that_overflows_the_package_still_counts() -> None:
    text = "a" * 300 + "bcdefghijklm"
    with pytest.raises(OverflowError):
        Simhash(text)
    found = printed([text], scheme_named("characters"))
    assert found.values[0] == Simhash(["aaaa"]).value  # 297 votes against 12


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@pytest.mark.parametrize("text", ["", "   ", "!!!", "?!…。，", "👍🏽", "❤️ 🙂 👨‍👩‍👧"])
def test_a_text_without_tokens_has_no_fingerprint(scheme: Scheme, text: str) -> None:
    found = printed([text], scheme)
    assert (found.values.tolist(), found.enough.tolist()) == ([0], [False])
    assert not found.signatures.any()


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_a_row_has_the_same_fingerprint_in_any_batch(scheme: Scheme) -> None:
    chooser = random.Random(5)
    texts = [" ".join(chooser.choices("alpha beta gamma delta 中 文 ü".split(), k=size)) for size in range(60)]
    together = printed(texts, scheme)
    for row in (0, 7, 30, 59):
        alone = printed([texts[row]], scheme)
        assert alone.values[0] == together.values[row]
        assert np.array_equal(alone.signatures[0], together.signatures[row])


def test_the_sketch_of_a_long_text_is_its_lowest_triple_hashes() -> None:
    texts = [
        " ".join(f"word{number % 37}" for number in range(200)),
        " ".join(f"word{number}" for number in range(400)),
    ]
    texts += [" ".join("abcdefghij" * 30), "a b c " * 100, "港口的灯笼" * 60]
    found = printed(texts, scheme_named("default")).signatures
    for row, text in enumerate(texts):
        grams = {features.feature_hash(gram.encode()) >> 32 for gram in features.ngrams(features.tokens(text), 3)}
        lowest = sorted(grams)[:SKETCH_SIZE]
        filled = [*lowest, *[0] * (SKETCH_SIZE - len(lowest))]
        assert found[row, SKETCHES].tolist() == [*[0] * SKETCH_SIZE, *filled]


def test_a_short_text_has_no_sketch_and_no_class() -> None:
    found = printed(["one two three four"], scheme_named("default")).signatures
    assert not found[0, CLASS].any() and not found[0, SKETCHES].any() and found[0, ANSWER]


def test_no_texts_have_no_fingerprints() -> None:
    assert len(printed([], scheme_named("default")).values) == 0


def test_unknown_schemes_and_parameters_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="did you mean 'words'"):
        scheme_named("word")
    with pytest.raises(UnknownName, match="Known: none yet"):
        scheme_named("default", {"verified": 3})
    with pytest.raises(UsageError, match="width"):
        scheme_named("characters", {"width": 0})
    assert scheme_named("characters", {"width": 6}).width == 6
