"""The ways in which the same calls can be asked, ranked by money, with the hours that each takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from corpus_pipeline.llm import prices
from corpus_pipeline.llm.prices import BATCH, ModelPrice, TokenPrice
from corpus_pipeline.model import Usage
from corpus_pipeline.service.records.calls import Way

LIVE, FLEX, CACHED, CASCADE = "live", "flex", "cached", "cascade"
BATCH_HOURS = 24.0  # of one round of batches, at most
_SECONDS = 5.0  # of a live call, where nothing is known
_FLEX_FACTOR = 2.0  # flex calls wait for room
CACHED_FROM = 1024  # tokens of a common beginning, below which no provider caches
_JUDGED, _PASSING = 40, 0.5  # tokens of a verdict; the share of rows that a judge lets through
_NANO = 1_000_000_000


class Load(NamedTuple):
    """What one strategy is still to ask. tokens: of all its calls; system_tokens: of the common beginning of one call.

    measured: nano-dollars of all live calls by what such calls cost so far; None: by tokens alone. has_judge: whether a judge
    decides already.
    """

    price: ModelPrice
    calls: float
    input_tokens: float
    output_tokens: float
    system_tokens: int
    steps: int
    measured: float | None
    seconds: float | None
    has_judge: bool


def ways(loads: Sequence[Load], concurrency: int, requests_per_minute: int | None) -> list[Way]:
    """The ways, the cheapest first; those that are not open last."""
    calls = sum(load.calls for load in loads)
    busy = sum(load.calls * (load.seconds or _SECONDS) for load in loads)
    hours = busy / max(1, concurrency) / 3600
    if requests_per_minute:
        hours = max(hours, calls / requests_per_minute / 60)
    rounds = max((load.steps for load in loads), default=1)
    live = sum(_live(load) for load in loads)
    found = [_way(LIVE, live, hours, "one by one, at the standard price")]
    if loads and all(load.price.has_tier(FLEX) for load in loads):
        cost = sum(_live(load) * _factor(load, FLEX) for load in loads)
        found.append(_way(FLEX, cost, hours * _FLEX_FACTOR, "`service_tier: flex`: slower, may be refused when busy"))
    else:
        found.append(_way(FLEX, None, None, "not every model has a known price for it"))
    batched = sum(_live(load) * _factor(load, BATCH) for load in loads)
    found.append(
        _way(BATCH, batched, BATCH_HOURS * rounds, f"`provider_batch: true`: up to 24 hours a round, {rounds} rounds")
    )
    saved = sum(_saved_by_cache(load) for load in loads)
    note = "a common beginning of every prompt is read from the cache"
    if not saved:
        longest = max((load.system_tokens for load in loads), default=0)
        note = f"saves nothing: prompts have {longest:,} tokens in common, and caching begins at {CACHED_FROM:,}"
    found.append(_way(CACHED, live - saved, hours, note))
    if all(load.has_judge for load in loads):
        found.append(_way(CASCADE, live, hours, "a judge decides already (`first`)"))
    else:
        cost = sum(_live(load) if load.has_judge else _live(load) * _PASSING + _judge(load) for load in loads)
        note = (
            f"`first: {{criterion: ...}}`: a judge of the same model lets {_PASSING:.0%} of the rows through (assumed)"
        )
        found.append(_way(CASCADE, cost, hours * (1 + _PASSING), note))
    return sorted(found, key=lambda way: (way["cost_usd"] is None, way["cost_usd"] or 0.0, way["hours"] or 0.0))


def _way(name: str, nano: float | None, hours: float | None, note: str) -> Way:
    cost = None if nano is None else round(nano / _NANO, 9)
    return {"way": name, "cost_usd": cost, "hours": None if hours is None else round(hours, 3), "note": note}


def _live(load: Load) -> float:
    if load.measured is not None:
        return load.measured
    return _cost(load.price.standard, load.input_tokens, load.output_tokens)


def _factor(load: Load, tier: str) -> float:
    """How dear a tier is beside the standard price, for tokens in this proportion."""
    whole = _cost(load.price.standard, load.input_tokens, load.output_tokens)
    return _cost(load.price.of(tier), load.input_tokens, load.output_tokens) / whole if whole else 1.0


def _saved_by_cache(load: Load) -> float:
    if load.system_tokens < CACHED_FROM:
        return 0.0
    unit = load.price.standard
    return load.system_tokens * max(0.0, load.calls - 1) * (unit.input - unit.cached_input) / 1000


def _judge(load: Load) -> float:
    per_item = load.calls / max(1, load.steps)
    share = 1 / max(1, load.steps)
    return _cost(load.price.standard, load.input_tokens * share, per_item * _JUDGED)


def _cost(unit: TokenPrice, read: float, written: float) -> float:
    return float(prices.cost(Usage(round(read), round(written)), unit))
