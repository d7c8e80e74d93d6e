"""Money is exact to the nano-dollar and never guessed."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.errors import UsageError
from corpus_pipeline.llm import tokens
from corpus_pipeline.llm.prices import (
    BATCH,
    TokenPrice,
    bundled,
    cost,
    dollars,
    flat,
    is_same_model,
    price_of,
    read_list,
    upper_bound,
)
from corpus_pipeline.model import Request, Usage

counts = st.integers(0, 5_000_000)
unit_prices = st.builds(TokenPrice, *(st.integers(0, 200_000_000) for _ in range(4)))


def test_a_dollar_per_million_tokens_is_a_thousand_nano_dollars_a_token() -> None:
    assert cost(Usage(1000, 100), dollars(1.0, None, 2.0)) == 1_200_000


def test_cached_and_written_tokens_have_prices_of_their_own_and_are_part_of_the_input() -> None:
    price = dollars(2.0, 0.5, 8.0, 2.5)
    assert cost(Usage(1000, 0, cached_tokens=400), price) == (600 * 2 + 200) * 1000
    assert cost(Usage(1000, 0, cached_tokens=400, cache_write_tokens=100), price) == (500 * 2 + 200 + 250) * 1000


@given(counts, counts, counts, counts, unit_prices)
def test_cost_is_exact_to_half_a_nano_dollar_and_below_its_bound(
    read: int, written: int, cached: int, to_cache: int, price: TokenPrice
) -> None:
    usage = Usage(read, written, cached_tokens=min(cached, read), cache_write_tokens=min(to_cache, read))
    to_cache = min(usage.cache_write_tokens, read - usage.cached_tokens)
    exact = Fraction(
        (read - usage.cached_tokens - to_cache) * price.input
        + usage.cached_tokens * price.cached_input
        + to_cache * price.cache_write
        + written * price.output,
        1000,
    )
    assert abs(cost(usage, price) - exact) <= Fraction(1, 2)
    assert cost(usage, price) <= upper_bound(read, written, price)


@given(st.lists(st.tuples(st.integers(8, 60), st.integers(2, 30)), min_size=50, max_size=200))
def test_many_tiny_calls_add_up_to_what_they_cost(calls: list[tuple[int, int]]) -> None:
    price = dollars(0.0375, None, 0.15)
    booked = sum(cost(Usage(*call), price) for call in calls)
    true = sum(read * 37.5 + written * 150 for read, written in calls)
    assert abs(booked - true) <= true / 1000


def test_an_unknown_model_is_an_error_that_says_what_to_write() -> None:
    with pytest.raises(UsageError, match=r'prices: \{"house-model"'):
        price_of("house-model")


def test_the_recipe_has_the_last_word_and_a_snapshot_a_price_of_its_own() -> None:
    own = {"gpt-4o": flat(dollars(1.0, None, 1.0))}
    assert price_of("gpt-4o", own) == own["gpt-4o"]
    assert price_of("gpt-4o-2024-05-13").standard.input == 2 * price_of("gpt-4o").standard.input
    for name in ("gpt-4o-2031-01-01", "gpt-4o-2024-08-06-finetuned"):
        with pytest.raises(UsageError):
            price_of(name)
    assert price_of("openai/gpt-4o") == price_of("gpt-4o")


@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("openai/gpt-4o", "gpt-4o", True),
        ("Org/Model-8B", "/models/model-8b", True),
        ("gpt-4o", "", True),
        ("gpt-4o", "gpt-4.1", False),
        ("gpt-5", "gpt-50", False),
    ],
)
def test_a_snapshot_of_a_model_is_the_model(asked: str, answered: str, same: bool) -> None:
    assert is_same_model(asked, answered) is same


def test_tiers_and_long_contexts_have_prices_of_their_own() -> None:
    listed = read_list(
        orjson.dumps(
            {
                "_list": {"as_of": "2026-01-02"},
                "house/m": {
                    "litellm_provider": "house",
                    "input_cost_per_token": 2e-6,
                    "output_cost_per_token": 8e-6,
                    "cache_read_input_token_cost": 2e-7,
                    "input_cost_per_token_flex": 1e-6,
                    "output_cost_per_token_flex": 4e-6,
                    "input_cost_per_token_priority": 4e-6,
                    "output_cost_per_token_above_200k_tokens": 1.2e-5,
                    "input_cost_per_token_above_200k_tokens": 4e-6,
                },
                "picture": {"output_cost_per_image": 0.04},
                "free": {"input_cost_per_token": 0, "output_cost_per_token": 0},
            }
        ),
        "list",
    )
    assert listed.as_of == date(2026, 1, 2) and set(listed.models) == {"house/m", "m"}
    price = listed.models["m"]
    assert price.of().input == 2_000_000 and price.of("default") == price.of("auto") == price.of(None) == price.standard
    assert price.of("flex") == TokenPrice(1_000_000, 100_000, 4_000_000, 1_000_000)
    assert price.of("fast") == price.of("priority") and price.of("priority").input == 4_000_000
    assert price.of(BATCH).output == 4_000_000
    assert price.of(None, 200_001) == TokenPrice(4_000_000, 400_000, 12_000_000, 4_000_000)
    assert price.of("flex", 200_001).output == 6_000_000
    assert not price.has_tier("scale") and price.of("scale") == price.standard


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"m": {"input_cost_per_token": 1e-6}}', b"\xff", b'{"_list": 3, "m": 1}']
)
def test_what_is_no_price_list_is_refused_in_words(raw: bytes) -> None:
    with pytest.raises(UsageError, match="prices"):
        read_list(raw, "prices.json", as_of=date(2026, 1, 1))


def test_a_list_without_a_day_asks_for_one() -> None:
    raw = orjson.dumps({"m": {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}})
    with pytest.raises(UsageError, match="--as-of"):
        read_list(raw, "list.json")


def test_no_price_of_the_package_is_free_or_dearer_cached_and_batches_are_never_dearer() -> None:
    models = bundled().models
    assert len(models) > 20
    for name, price in models.items():
        unit = price.standard
        assert unit.input > 0 and unit.output > 0 and 0 < unit.cached_input <= unit.input <= unit.cache_write * 2, name
        assert price.of(BATCH).output <= unit.output, name


@given(st.text(max_size=300), st.text(max_size=300))
def test_expected_tokens_never_exceed_the_bound(system: str, user: str) -> None:
    messages = ({"role": "system", "content": system}, {"role": "user", "content": user})
    request = Request("corpus-stub", messages, 100)
    assert 0 < tokens.expected_input(request) <= tokens.input_bound(request)
