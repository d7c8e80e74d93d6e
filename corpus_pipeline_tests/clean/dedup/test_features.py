"""Features: the batch tokenizer against its definition, text by text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.stages.clean.dedup import features, features_numpy

HOSTILE = [
    "",
    "!!!",
    "a",
    "Hello, World_1 2",
    "x " * 1000,
    "y" * 300_000,
    "İstanbul ΣΑΣ ΐ ß ﬁ",
    "नमस्ते दुनिया",
    "cafe\u0301 cafe\u0301",
    "你好世界hello世界，真的。𠀀𠀁",
    "ひらがなとカタカナ ﾊﾝｶｸ",
    "ภาษาไทย ខ្មែរ བོད",
    "한국어 단어 나누기",
    "👍🏽 ❤️ 1️⃣ 👨‍👩‍👧",
    "tag \U000e0041 selector \U000e0101 private \U000f0000\U0010ffff end",
    "lone \ud800 surrogate",
    "nul \x00 and \u2028 line",
    "tab\tnew\nline\r\n",
]


def assert_same_as_definition(texts: list[str]) -> None:
    found = features_numpy.tokens(texts)
    pairs = features_numpy.pairs(found)
    triples, there = features_numpy.triples(found)
    for row, text in enumerate(texts):
        start, end = found.bounds[row], found.bounds[row + 1]
        items = features.tokens(text)
        assert found.hashes[start:end].tolist() == [features.token_hash(item) for item in items]
        for width, hashes in ((2, pairs[start : max(end - 1, start)]), (3, triples[start:end][there[start:end]])):
            expected = [features.feature_hash(gram.encode()) for gram in features.ngrams(items, width)]
            assert hashes.tolist() == expected


def test_hostile_texts_have_the_features_of_the_definition() -> None:
    assert_same_as_definition([text for text in HOSTILE if len(text) < 10_000])


@pytest.mark.parametrize("texts", [[], [""], ["", "", ""], ["word"], ["two words"], ["", "a b c", ""]])
def test_small_batches(texts: list[str]) -> None:
    assert_same_as_definition(texts or [""])


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=()), max_size=40), min_size=1, max_size=8))
def test_any_text_has_the_features_of_the_definition(texts: list[str]) -> None:
    assert_same_as_definition(texts)


def test_a_word_longer_than_a_batch_is_one_token() -> None:
    long = "y" * (features_numpy.BATCH_CHARACTERS * 3)
    found = features_numpy.tokens([long, "next"])
    assert found.hashes.tolist() == [features.token_hash(long), features.token_hash("next")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The CAT sat.", ["the", "cat", "sat"]),
        ("don't stop", ["don", "t", "stop"]),
        ("我爱NLP，真的", ["我", "爱", "nlp", "真", "的"]),
        ("नमस्ते", ["नमस्ते"]),
        ("👍🏽❤️…!!", []),
        ("3.14 x_1", ["3", "14", "x_1"]),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert features.tokens(text) == expected


def test_mixing_an_array_is_mixing_each_value() -> None:
    values = [0, 1, 2**63, 2**64 - 1]
    assert features_numpy.mixed(np.array(values, np.uint64)).tolist() == [features.mix(value) for value in values]
