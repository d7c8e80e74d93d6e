"""What an augment run will do, decided before the first call: strategies, prices, prompt versions, the window."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection

from corpus_pipeline.errors import SettingMissing
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.prices import ModelPrice, PriceList, bundled, dollars, flat, known_price, price_of
from corpus_pipeline.recipe import AugmentSection, NamedStep
from corpus_pipeline.stages.augment.strategies import build, gate_of
from corpus_pipeline.stages.augment.strategies.base import Strategy, prompt_version
from corpus_pipeline.store import augmented


class PriceBook(NamedTuple):
    """Where prices stand: the recipe's own, which go first, and the list."""

    own: dict[str, ModelPrice]
    listed: PriceList

    def of(self, model: str) -> ModelPrice:
        """Raises UsageError when it is not known."""
        return price_of(model, self.own, self.listed)

    def known(self, model: str) -> ModelPrice | None:
        return known_price(model, self.own, self.listed)


class Prepared(NamedTuple):
    """A strategy ready to be asked: its prompt version and the price of its model. gate: the judge before it.

    book: for what is answered by another model than the one that was asked.
    """

    strategy: Strategy
    prompt_version: str
    price: ModelPrice
    book: PriceBook
    gate: Prepared | None = None

    @property
    def by_batch(self) -> bool:
        """Whether it is asked by the provider's Batch API; its judge says so for itself."""
        return self.strategy.params.provider_batch


class ModelAccess(NamedTuple):
    """Where models are asked, which one when the recipe names none, and what they cost."""

    endpoint: Endpoint
    default_model: str | None
    prices: PriceList | None = None


def labels(section: AugmentSection) -> tuple[str, ...]:
    """The task types of an augment stage: one per strategy, by its label."""
    return tuple(str(step.params.get("label") or step.name) for step in section.strategies)


def prepare(section: AugmentSection, default_model: str | None, listed: PriceList | None = None) -> dict[str, Prepared]:
    """The strategies of a recipe by label. listed: the price list; None: the package's.

    Raises SettingMissing when no model is named, UsageError for a wrong parameter or a model without a known price.
    """
    model = section.model or default_model
    needs_model = [step.name for step in section.strategies if not step.params.get("model") or _judge_needs(step)]
    if not model and needs_model:
        raise SettingMissing(
            f"no model is named for {', '.join(needs_model)}: set CORPUS_MODEL, or `augment: {{model: ...}}` in the recipe"
        )
    found = {}
    for strategy in build(section.strategies, model or ""):
        found[strategy.label] = _prepared(strategy, section, model or "", listed)
    return found


def _judge_needs(step: NamedStep) -> bool:
    first = step.params.get("first")
    return isinstance(first, dict) and bool(first.get("criterion")) and not first.get("model")


def with_overrides(
    section: AugmentSection,
    label: str,
    default_model: str | None,
    overrides: dict[str, Any],
    listed: PriceList | None = None,
) -> Prepared:
    """A strategy as a replay wants it: another model, another limit. Raises UsageError for what it cannot be."""
    step = section.strategies[labels(section).index(label)]
    changed = NamedStep(name=step.name, params=step.params | overrides)
    model = section.model or default_model or ""
    (strategy,) = build((changed,), model)
    return _prepared(strategy, section, model, listed)


def _prepared(strategy: Strategy, section: AugmentSection, default_model: str, listed: PriceList | None) -> Prepared:
    own = {
        name: flat(dollars(said.input, said.cached_input, said.output, said.cache_write), said.tiers)
        for name, said in section.prices.items()
    }
    book = PriceBook(own, bundled() if listed is None else listed)
    judge = gate_of(strategy, default_model)
    gate = None if judge is None else Prepared(judge, prompt_version(judge), book.of(judge.model), book)
    return Prepared(strategy, prompt_version(strategy), book.of(strategy.model), book, gate)


def save_prompts(connection: Connection, plan: dict[str, Prepared]) -> None:
    """Keep the text behind each prompt version, for the audit trail."""
    gates = [prepared.gate for prepared in plan.values() if prepared.gate is not None]
    for prepared in (*plan.values(), *gates):
        strategy = prepared.strategy
        body = {
            "strategy": strategy.name,
            "version": strategy.version,
            "source": strategy.source,
            "templates": strategy.templates,
            "params": strategy.params.model_dump(mode="json"),
        }
        augmented.save_prompt(connection, prepared.prompt_version, strategy.label, orjson.dumps(body).decode())
