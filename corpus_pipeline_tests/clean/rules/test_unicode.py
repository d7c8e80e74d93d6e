from __future__ import annotations

import unicodedata

import pytest

from corpus_pipeline.stages.clean.rules.unicode import Unicode
from corpus_pipeline_tests.clean.rules.making import fixed, one, outcome


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("Cafe\u0301 cre\u0300me", "Café crème"),
        (unicodedata.normalize("NFD", "서울에서 만나요"), "서울에서 만나요"),
        ("か\u3099", "が"),
        ("Ångström \u212b", "Ångström Å"),
    ],
)
def test_composes_what_was_split(text: str, better: str) -> None:
    assert fixed(Unicode(), text) == better


@pytest.mark.parametrize(
    "text",
    [
        "ＡＢＣ１２３，ｶﾀｶﾅ：！",  # full and half width
        "\ufb01ne ½ x² ① ™ ℃ ㈱",
        "福\ufa19 \ufa30 \U0002f800",  # compatibility ideographs, which NFC alone would replace
        "naïve café, Привет, مرحبا, नमस्ते",
        "👨‍👩‍👧 ❤️",
    ],
)
def test_leaves_width_ligatures_and_compatibility_ideographs_alone(text: str) -> None:
    assert fixed(Unicode(), text) == text


def test_composes_around_a_compatibility_ideograph() -> None:
    assert fixed(Unicode(), "e\u0301\ufa19e\u0301") == "é\ufa19é"


def test_a_pile_of_marks_is_cut_and_takes_no_quadratic_time() -> None:
    pile = "e" + "\u0301\u0316" * 100_000
    assert len(fixed(Unicode(), pile)) <= 31


def test_says_where_it_changed() -> None:
    change = outcome(Unicode(), one("e\u0301", "fine")).changes[0]
    assert (change.rule, change.turn, change.field) == ("unicode", 1, "prompt")
