"""What a call costs, in integer nano-dollars. An unknown price is an error, never zero.

Prices are data: a dated list in the JSON shape that public price lists use (`prices.json` beside this module, or the one that
`corpus prices update` put into CORPUS_HOME); `augment.prices` in the recipe goes before it. A dated snapshot has its own price.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from corpus_pipeline.errors import UsageError
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import NanoDollars, Usage

_PER_MILLION = 1_000_000
_PICO = 1_000  # pico-dollars of a nano-dollar: a price of one micro-dollar per million tokens is a pico-dollar a token
BATCH_PERCENT = 50  # what a provider's Batch API charges of the normal price, where the list does not say
MAX_AGE_DAYS = 60

BATCH = "batch"
# words of a provider for the tier that has the listed price, and words that mean another one's
_STANDARD = frozenset({"", "default", "standard", "auto", "none", "on_demand", "standard_only"})
_SYNONYMS = {"fast": "priority", "batches": BATCH}


class TokenPrice(NamedTuple):
    """Micro-dollars per million tokens: one US dollar per million tokens is 1_000_000."""

    input: int
    cached_input: int
    output: int
    cache_write: int

    def times(self, factor: float) -> TokenPrice:
        return TokenPrice(*(round(part * factor) for part in self))


class Step(NamedTuple):
    """What calls with more than `above` input tokens cost, in one tier."""

    above: int
    price: TokenPrice


class ModelPrice(NamedTuple):
    """The prices of one model. tiers: by the tier's word, the Batch API's included; steps: likewise, "" is the standard one."""

    standard: TokenPrice
    tiers: Mapping[str, TokenPrice]
    steps: Mapping[str, tuple[Step, ...]] = {}

    def has_tier(self, tier: str | None) -> bool:
        """Whether the price of this tier is known."""
        word = tier_word(tier)
        return not word or word in self.tiers

    def of(self, tier: str | None = None, input_tokens: int = 0) -> TokenPrice:
        """The unit price of a call; of a tier without a known price: the standard one."""
        word = tier_word(tier)
        if word not in self.tiers:
            word = ""
        for step in reversed(self.steps.get(word, ())):
            if input_tokens > step.above:
                return step.price
        return self.tiers[word] if word else self.standard


class PriceList(NamedTuple):
    """Prices by model, as of a day. origin: the file."""

    as_of: date
    models: Mapping[str, ModelPrice]
    origin: str

    def age_days(self, today: date) -> int:
        return (today - self.as_of).days


def tier_word(tier: str | None) -> str:
    """A provider's word for a service tier, "" for the standard one."""
    word = (tier or "").strip().lower()
    return "" if word in _STANDARD else _SYNONYMS.get(word, word)


def dollars(input: float, cached_input: float | None, output: float, cache_write: float | None = None) -> TokenPrice:
    """A price from US dollars per million tokens, as lists and recipes say it; None: as dear as input that is not cached."""
    return TokenPrice(*(round((input if said is None else said) * _PER_MILLION)
                        for said in (input, cached_input, output, cache_write)))  # fmt: skip


def flat(price: TokenPrice, tiers: Mapping[str, float] | None = None) -> ModelPrice:
    """A model with one price and factors for tiers; the Batch API at half of it."""
    factors = {BATCH: BATCH_PERCENT / 100} | {tier_word(word): factor for word, factor in (tiers or {}).items()}
    return ModelPrice(price, {word: price.times(factor) for word, factor in factors.items() if word})


def price_of(
    model: str, overrides: Mapping[str, ModelPrice] | None = None, listed: PriceList | None = None
) -> ModelPrice:
    """The price of a model: the recipe's word first, then the list. A dated name has a price of its own, or none.

    Raises UsageError that names the recipe lines to write when the price is not known.
    """
    found = known_price(model, overrides, listed)
    if found is None:
        raise UsageError(
            f"the price of model '{model}' is not known. Set it in the recipe, in US dollars per million tokens: "
            f'augment: {{prices: {{"{model}": {{input: 1.0, output: 2.0}}}}}}, then `corpus recipe check`;'
            " `corpus prices update FILE` takes over a newer list."
        )
    return found


def known_price(
    model: str, overrides: Mapping[str, ModelPrice] | None = None, listed: PriceList | None = None
) -> ModelPrice | None:
    """As `price_of`; None when it is not known."""
    models = (bundled() if listed is None else listed).models
    for table in (overrides or {}, models):
        if model in table:
            return table[model]
    return models.get(model.rpartition("/")[2])  # gateways write provider/model


def is_same_model(asked: str, answered: str) -> bool:
    """Whether an answer's model is the one that was asked: the same name, or a snapshot of it."""
    wanted, said = (name.lower().rpartition("/")[2] for name in (asked, answered))
    return not said or said == wanted or said.startswith((f"{wanted}-", f"{wanted}@", f"{wanted}:"))


def cost(usage: Usage, price: TokenPrice) -> NanoDollars:
    """Nano-dollars of one call. Cached and written tokens are part of the input, reasoning tokens of the output."""
    cached = min(max(usage.cached_tokens, 0), usage.input_tokens)
    written = min(max(usage.cache_write_tokens, 0), usage.input_tokens - cached)
    pico = (
        (usage.input_tokens - cached - written) * price.input
        + cached * price.cached_input
        + written * price.cache_write
        + usage.output_tokens * price.output
    )
    return NanoDollars((pico + _PICO // 2) // _PICO)


def upper_bound(input_tokens: int, max_output_tokens: int, price: TokenPrice) -> NanoDollars:
    """The most that a call with this many input tokens can cost: nothing cached, the whole output limit used."""
    pico = input_tokens * max(price.input, price.cached_input, price.cache_write) + max_output_tokens * price.output
    return NanoDollars(-(-pico // _PICO))


# --- price lists -----------------------------------------------------------------------------------------------------------


@cache
def bundled() -> PriceList:
    """The list that comes with the package."""
    raw = (resources.files("corpus_pipeline.llm") / "prices.json").read_bytes()
    return read_list(raw, "prices.json of the package")


def current(own: Path) -> PriceList:
    """The list to work with: the one at `own`, where `corpus prices update` puts it, over the package's, else the package's."""
    if not own.exists():
        return bundled()
    newer = read_list(own.read_bytes(), str(own))
    return newer._replace(models={**bundled().models, **newer.models})


_SLOTS = {
    "input_cost_per_token": "input",
    "cache_read_input_token_cost": "cached_input",
    "output_cost_per_token": "output",
    "cache_creation_input_token_cost": "cache_write",
}
_KEY = lazily(rf"({'|'.join(_SLOTS)})(?:_above_(\d+)k_tokens)?(?:_([a-z]+))?")
_TIERS = {"batches": BATCH}
_LIST = "_list"


def read_list(raw: bytes, origin: str, *, as_of: date | None = None) -> PriceList:
    """A price list: {model: {input_cost_per_token: ..., output_cost_per_token: ..., ...}}, in US dollars per token.

    as_of: its day when it does not say one (`_list: {as_of: ...}`). Entries without prices per token (pictures, speech) are
    passed over. Raises UsageError.
    """
    try:
        body = orjson.loads(raw)
        head = body.get(_LIST) or {}
        day = date.fromisoformat(str(head["as_of"])) if "as_of" in head else as_of
        models = {}
        for name, entry in body.items():
            if name != _LIST and isinstance(entry, dict) and (price := _model_price(entry)) is not None:
                short = name.removeprefix(f"{entry.get('litellm_provider')}/")
                models[name] = price
                models.setdefault(short, price)
    except (orjson.JSONDecodeError, AttributeError, ValueError, TypeError) as error:
        raise UsageError(
            f"{origin} is no price list: {error}. It is JSON, {{model: {{input_cost_per_token: ...}}}}."
        ) from None
    if not models:
        raise UsageError(f"{origin} names no price per token. It is JSON, {{model: {{input_cost_per_token: ...}}}}.")
    if day is None:
        raise UsageError(
            f"{origin} does not say of which day it is. Say it: corpus prices update {shlex.quote(origin)} --as-of YYYY-MM-DD"
        )
    return PriceList(day, models, origin)


def _model_price(entry: Mapping[str, Any]) -> ModelPrice | None:
    """None for what is not sold by the token, or for nothing."""
    found: dict[tuple[str, int], dict[str, float]] = {}
    for key, value in entry.items():
        match = _KEY.fullmatch(key)
        if match and isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1:
            slot, above, tier = match.groups()
            place = (_TIERS.get(tier or "", tier or ""), int(above or 0) * 1000)
            found.setdefault(place, {})[_SLOTS[slot]] = value * _PER_MILLION
    base = found.pop(("", 0), {})
    if not base.get("input") or not base.get("output"):
        return None
    standard = _token_price(base, None)
    tiers = {BATCH: standard.times(BATCH_PERCENT / 100)}
    steps: dict[str, list[Step]] = {}
    for (tier, above), said in sorted(found.items()):
        under = tiers.get(tier, standard) if tier else standard
        if not above:
            tiers[tier] = _token_price(said, standard)
        else:
            steps.setdefault(tier, []).append(Step(above, _token_price(said, under)))
    for tier in (BATCH, "flex"):  # a step that only the standard tier names holds for the others as well
        if tier in tiers and tier not in steps and "" in steps:
            factor = tiers[tier].input / standard.input
            steps[tier] = [Step(step.above, step.price.times(factor)) for step in steps[""]]
    return ModelPrice(standard, tiers, {tier: tuple(found_steps) for tier, found_steps in steps.items()})


def _token_price(said: Mapping[str, float], base: TokenPrice | None) -> TokenPrice:
    """What a list says of a tier or step; what it leaves out, in the proportion of the price below."""
    if base is None:
        return dollars(said["input"], said.get("cached_input"), said["output"], said.get("cache_write"))
    factor = said["input"] * _PER_MILLION / base.input if "input" in said else 1.0
    scaled = base.times(factor)
    parts = {name: round(value * _PER_MILLION) for name, value in said.items()}
    return scaled._replace(**parts)
