"""Every notation of usage is read; where a provider contradicts itself, the larger number counts and is remarked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.llm.usage import MAX_TOKENS, read_usage
from corpus_pipeline.model import Usage


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}, Usage(10, 4)),
        (  # thinking beside the completion
            {
                "prompt_tokens": 100,
                "completion_tokens": 30,
                "total_tokens": 930,
                "completion_tokens_details": {"reasoning_tokens": 800},
            },
            Usage(100, 830, reasoning_tokens=800),
        ),
        (  # thinking within it
            {
                "prompt_tokens": 100,
                "completion_tokens": 830,
                "total_tokens": 930,
                "completion_tokens_details": {"reasoning_tokens": 800},
            },
            Usage(100, 830, reasoning_tokens=800),
        ),
        (
            {
                "prompt_tokens": 2000,
                "completion_tokens": 1,
                "prompt_tokens_details": {"cached_tokens": 500, "cache_write_tokens": 1200},
            },
            Usage(2000, 1, cached_tokens=500, cache_write_tokens=1200),
        ),
        (
            {
                "prompt_tokens": 900,
                "completion_tokens": 1,
                "prompt_cache_hit_tokens": 640,
                "prompt_cache_miss_tokens": 260,
            },
            Usage(900, 1, cached_tokens=640),
        ),
        (
            {
                "input_tokens": 50,
                "output_tokens": 9,
                "cache_creation_input_tokens": 1000,
                "cache_read_input_tokens": 2000,
            },
            Usage(3050, 9, cached_tokens=2000, cache_write_tokens=1000),
        ),
        (
            {"input_tokens": 50, "output_tokens": 9, "input_tokens_details": {"cached_tokens": 20}, "total_tokens": 59},
            Usage(50, 9, cached_tokens=20),
        ),
        (
            {"promptTokenCount": 70, "candidatesTokenCount": 5, "thoughtsTokenCount": 60, "totalTokenCount": 135},
            Usage(70, 65, reasoning_tokens=60),
        ),
        ({"prompt_tokens": 10, "total_tokens": 25}, Usage(10, 15)),
        ({"prompt_tokens": "31", "completion_tokens": "4"}, Usage(31, 4)),
        ({"billed_units": {"input_tokens": 8, "output_tokens": 3}, "tokens": {"input_tokens": 80}}, Usage(8, 3)),
    ],
)
def test_notations(said: dict[str, Any], right: Usage) -> None:
    assert read_usage(said) == right


@pytest.mark.parametrize(
    ("said", "read", "written"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 500}, 10, 490),
        ({"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 3}, 10, 4),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 4,
                "total_tokens": 14,
                "completion_tokens_details": {"reasoning_tokens": 90},
            },
            10,
            94,
        ),
        ({"prompt_tokens": 10, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 700}}, 700, 4),
    ],
)
def test_where_numbers_disagree_the_larger_counts_and_it_is_said(said: dict[str, Any], read: int, written: int) -> None:
    usage = read_usage(said)
    assert usage is not None and (usage.input_tokens, usage.output_tokens) == (read, written)
    assert usage.remark


@pytest.mark.parametrize(
    "said", [None, [], "12", {}, {"prompt_tokens": -1, "completion_tokens": 3}, {"prompt_tokens": True}]
)
def test_what_says_nothing_is_nothing(said: Any) -> None:
    assert read_usage(said) is None


_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_names = st.sampled_from(
    "prompt_tokens completion_tokens total_tokens input_tokens output_tokens prompt_tokens_details reasoning_tokens"
    " completion_tokens_details cache_creation_input_tokens cache_read_input_tokens prompt_cache_hit_tokens"
    " promptTokenCount candidatesTokenCount thoughtsTokenCount totalTokenCount cache_creation".split()
)


@given(st.dictionaries(_names, _values | st.integers(0, 10**7)))
def test_any_words_give_a_usage_that_holds_together_or_none(said: dict[str, Any]) -> None:
    usage = read_usage(said)
    if usage is not None:
        assert 0 <= usage.input_tokens <= MAX_TOKENS and 0 <= usage.output_tokens <= MAX_TOKENS
        assert 0 <= usage.cached_tokens <= usage.input_tokens and 0 <= usage.cache_write_tokens <= usage.input_tokens
        assert 0 <= usage.reasoning_tokens <= usage.output_tokens
