"""What a call costs, in integer micro-dollars. An unknown price is an error, never zero."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from corpus_pipeline.errors import UsageError
from corpus_pipeline.model import MicroDollars, Usage

_PER_MILLION = 1_000_000
PRICES_AS_OF = "2026-11"  # when the table below was last compared, with lists that others copied from the provider's
BATCH_PERCENT = 50  # what the provider's Batch API charges of the normal price


class TokenPrice(NamedTuple):
    """Micro-dollars per million tokens: one US dollar per million tokens is 1_000_000."""

    input: int
    cached_input: int
    output: int


def dollars(input: float, cached_input: float | None, output: float) -> TokenPrice:
    """A price from US dollars per million tokens, as lists and recipes say it; None: as dear cached as not."""
    cached = input if cached_input is None else cached_input
    return TokenPrice(round(input * _PER_MILLION), round(cached * _PER_MILLION), round(output * _PER_MILLION))


# Standard tier, short context: beyond some 270,000 input tokens the newest models cost more, which a conversation of
# `max_input_characters` never reaches. What counts is the provider's list, https://platform.openai.com/docs/pricing;
# `augment.prices` in the recipe overrides this table.
PRICES: dict[str, TokenPrice] = {
    "gpt-5.5": dollars(5.00, 0.50, 30.00),
    "gpt-5.4": dollars(2.50, 0.25, 15.00),
    "gpt-5.4-mini": dollars(0.75, 0.075, 4.50),
    "gpt-5.4-nano": dollars(0.20, 0.02, 1.25),
    "gpt-5.2": dollars(1.75, 0.175, 14.00),
    "gpt-5.1": dollars(1.25, 0.125, 10.00),
    "gpt-5": dollars(1.25, 0.125, 10.00),
    "gpt-5-mini": dollars(0.25, 0.025, 2.00),
    "gpt-5-nano": dollars(0.05, 0.005, 0.40),
    "gpt-4.1": dollars(2.00, 0.50, 8.00),
    "gpt-4.1-mini": dollars(0.40, 0.10, 1.60),
    "gpt-4.1-nano": dollars(0.10, 0.025, 0.40),
    "gpt-4o": dollars(2.50, 1.25, 10.00),
    "gpt-4o-mini": dollars(0.15, 0.075, 0.60),
    "o3": dollars(2.00, 0.50, 8.00),
    "o4-mini": dollars(1.10, 0.275, 4.40),
    "o3-mini": dollars(1.10, 0.55, 4.40),
    # the stand-in: invented, so that budgets and the ledger can be rehearsed
    "corpus-stub": dollars(0.15, 0.075, 0.60),
    "corpus-stub-mini": dollars(0.05, 0.025, 0.20),
}

# a dated snapshot costs what its alias costs: gpt-4o-2024-08-06
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


def price_of(model: str, overrides: Mapping[str, TokenPrice] | None = None) -> TokenPrice:
    """The price of a model: the recipe's word first, then the table; a dated name falls back on its undated one.

    Raises UsageError that names the recipe lines to write when the price is not known.
    """
    for table in (overrides or {}, PRICES):
        for name in (model, _SNAPSHOT.sub("", model)):
            if name in table:
                return table[name]
    raise UsageError(
        f"the price of model '{model}' is not known. Set it in the recipe, in US dollars per million tokens: "
        f'augment: {{prices: {{"{model}": {{input: 1.0, output: 2.0}}}}}}, then `corpus recipe check`.'
    )


def batch_price(price: TokenPrice) -> TokenPrice:
    """What the provider's Batch API charges."""
    return TokenPrice(*(-(-part * BATCH_PERCENT // 100) for part in price))


def _round_up(micro_millionths: int) -> MicroDollars:
    return MicroDollars(-(-micro_millionths // _PER_MILLION))


def cost(usage: Usage, price: TokenPrice, *, batch: bool = False) -> MicroDollars:
    """Micro-dollars of one call, rounded up. Cached tokens are part of the input, reasoning tokens of the output."""
    cached = min(max(usage.cached_tokens, 0), usage.input_tokens)
    total = (
        (usage.input_tokens - cached) * price.input + cached * price.cached_input + usage.output_tokens * price.output
    )
    return _round_up(_discounted(total, batch))


def upper_bound(input_tokens: int, max_output_tokens: int, price: TokenPrice, *, batch: bool = False) -> MicroDollars:
    """The most that a call with so many input tokens can cost: nothing cached, the whole output limit used."""
    total = input_tokens * max(price.input, price.cached_input) + max_output_tokens * price.output
    return _round_up(_discounted(total, batch))


def _discounted(micro_millionths: int, batch: bool) -> int:
    return -(-micro_millionths * BATCH_PERCENT // 100) if batch else micro_millionths
