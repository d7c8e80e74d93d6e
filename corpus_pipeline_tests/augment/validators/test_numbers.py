from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.stages.augment.validators.base import Pair
from corpus_pipeline.stages.augment.validators.numbers import NumbersKept, missing_numbers
from corpus_pipeline.stages.augment.validators.words import BadReason


@pytest.mark.parametrize(
    ("source", "new"),
    [
        ("Natalia sold 48 clips", "48 clips were sold by Natalia"),
        ("1,000 people", "1000 people"),
        ("1,234.50 dollars", "1.234,50 euros"),
        ("1 000 000 km", "1,000,000 km"),
        ("pays 4.5", "zahlt 4,5"),
        ("He has 10,000 dollars and 1.5 million fans", "他有1万美元和150万粉丝"),
        ("3亿人", "300 million people"),
        ("3 млн человек", "3 million people"),
        ("2.5k stars", "2500 stars"),
        ("3 apples", "three apples"),
        ("2 cats", "两只猫"),
        ("12 eggs", "a dozen eggs"),
        ("1/2 cup", "half a cup"),
        ("1/2 cup", "半杯"),
        ("at 3:30 pm", "um 15:30 Uhr"),
        ("the 1st of them", "the first of them"),
        ("1. Wash\n2. Cut\n3. Cook", "- Wash\n- Cut\n- Cook"),
        ("３个苹果", "3 apples"),
        ("٣٥ كتابا", "35 books"),
        ("5 km", "पाँच किमी"),
        ("no numbers here", "none there"),
        ("GPT-4 and H2O", "the model and water"),
        ("run `x = 41`", "run it"),
    ],
)
def test_the_same_number_in_another_coat_is_kept(source: str, new: str) -> None:
    assert missing_numbers(source, new) == []


@pytest.mark.parametrize(
    ("source", "new", "gone"),
    [
        ("48 clips and 50 more", "48 clips and 60 more", ["50"]),
        ("48 clips", "many clips", ["48"]),
        ("3 apples", "some apples", ["3"]),
        ("3 apples", "four apples", ["3"]),
        ("1,000 people", "10,000 people", ["1,000"]),
        ("0.5 l", "5 l", ["0.5"]),
        ("in 1999", "in 1998", ["1999"]),
        ("1万美元", "1000 dollars", ["1"]),
    ],
)
def test_a_changed_number_is_named(source: str, new: str, gone: list[str]) -> None:
    assert missing_numbers(source, new) == gone
    fault = NumbersKept(("prompt",)).judge(Pair("prompt", source, new))
    assert fault is not None
    assert fault.reason == BadReason.NUMBERS_CHANGED
    assert gone[0] in fault.detail


@given(st.text(max_size=300))
def test_no_text_lacks_a_number_of_itself(text: str) -> None:
    assert missing_numbers(text, text) == []


@given(st.lists(st.integers(13, 10**15), min_size=1, max_size=5))
def test_grouping_is_no_change(numbers: list[int]) -> None:
    assert missing_numbers("; ".join(f"{n:,}" for n in numbers), "; ".join(map(str, numbers))) == []
