"""Money is whole micro-dollars, never less than what was used, and never guessed."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.errors import UsageError
from corpus_pipeline.llm import tokens
from corpus_pipeline.llm.prices import PRICES, TokenPrice, cost, dollars, price_of, upper_bound
from corpus_pipeline.model import Request, Usage

counts = st.integers(0, 5_000_000)
unit_prices = st.builds(TokenPrice, *(st.integers(0, 200_000_000) for _ in range(3)))


def test_a_dollar_per_million_tokens_is_a_micro_dollar_a_token() -> None:
    assert cost(Usage(1000, 100), dollars(1.0, None, 2.0)) == 1200


def test_cached_tokens_are_cheaper_and_part_of_the_input() -> None:
    price = dollars(2.0, 0.5, 8.0)
    assert cost(Usage(1000, 0, cached_tokens=400), price) == 600 * 2 + 200


def test_fractions_are_rounded_up() -> None:
    assert cost(Usage(1, 0), dollars(0.15, None, 0.6)) == 1
    assert cost(Usage(0, 0), dollars(0.15, None, 0.6)) == 0


@given(counts, counts, counts, unit_prices, st.booleans())
def test_cost_is_exact_to_the_next_micro_dollar_and_below_its_bound(
    read: int, written: int, cached: int, price: TokenPrice, batch: bool
) -> None:
    usage = Usage(read, written, cached_tokens=min(cached, read))
    exact = Fraction(
        (read - usage.cached_tokens) * price.input + usage.cached_tokens * price.cached_input + written * price.output,
        1_000_000 * (2 if batch else 1),
    )
    assert 0 <= cost(usage, price, batch=batch) - exact < 1 + Fraction(1, 1_000_000)
    assert cost(usage, price, batch=batch) <= upper_bound(read, written, price, batch=batch)


def test_an_unknown_model_is_an_error_that_says_what_to_write() -> None:
    with pytest.raises(UsageError, match=r'prices: \{"house-model"'):
        price_of("house-model")


def test_the_recipe_has_the_last_word_and_snapshots_cost_what_their_alias_does() -> None:
    own = {"gpt-4o": dollars(1.0, None, 1.0)}
    assert price_of("gpt-4o", own) == price_of("gpt-4o-2024-08-06", own) == own["gpt-4o"]
    assert price_of("gpt-4o-2024-08-06") == PRICES["gpt-4o"]
    with pytest.raises(UsageError):
        price_of("gpt-4o-2024-08-06-finetuned")


def test_no_price_in_the_table_is_free() -> None:
    assert all(
        price.input > 0 and price.output > 0 and 0 < price.cached_input <= price.input for price in PRICES.values()
    )


@given(st.text(max_size=300), st.text(max_size=300))
def test_expected_tokens_never_exceed_the_bound(system: str, user: str) -> None:
    messages = ({"role": "system", "content": system}, {"role": "user", "content": user})
    request = Request("corpus-stub", messages, 100)
    assert 0 < tokens.expected_input(request) <= tokens.input_bound(request)
