"""What an augment run will do, decided before the first call: strategies, prices, prompt versions, the window."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import orjson
from sqlalchemy import Connection
from typing_extensions import TypedDict

from corpus_pipeline.errors import SettingMissing, UsageError
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.endpoints import Endpoints, Place
from corpus_pipeline.llm.prices import ModelPrice, PriceList, bundled, dollars, flat, known_price, price_of
from corpus_pipeline.llm.styles import STYLES
from corpus_pipeline.llm.styles.base import Style
from corpus_pipeline.model import Medium
from corpus_pipeline.recipe import AugmentSection, NamedStep, Price
from corpus_pipeline.stages.augment.media import MediaAccess
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


class Target(NamedTuple):
    """A model that a strategy may ask, as recipes name it, its price, and the prices at its endpoint."""

    label: str
    price: ModelPrice
    book: PriceBook


class Prepared(NamedTuple):
    """A strategy ready to be asked: its prompt version and the price of its model. gate: the judge before it.

    book: for what is answered by another model than the one that was asked. shared: its model at further endpoints.
    fallbacks: what is asked while none of them answers.
    """

    strategy: Strategy
    prompt_version: str
    price: ModelPrice
    book: PriceBook
    gate: Prepared | None = None
    shared: tuple[Target, ...] = ()
    fallbacks: tuple[Target, ...] = ()

    @property
    def targets(self) -> tuple[Target, ...]:
        """The model that is asked, at each of its endpoints."""
        return (Target(self.strategy.model, self.price, self.book), *self.shared)

    @property
    def labels(self) -> list[str]:
        """Every model that may be asked."""
        return [target.label for target in (*self.targets, *self.fallbacks)]

    def at(self, target: Target) -> Prepared:
        """The same, asking that model: what it costs is then its price."""
        return self if target.label == self.strategy.model else self._replace(price=target.price, book=target.book)

    @property
    def by_batch(self) -> bool:
        """Whether it is asked by the provider's Batch API; its judge says so for itself."""
        return self.strategy.params.provider_batch


class ModelAccess(NamedTuple):
    """Where models are asked, which one when the recipe names none, and what they cost. endpoints: None: there is but one.
    reader: whether a process of its own reads answers: auto, always or never."""

    endpoint: Endpoint
    default_model: str | None
    prices: PriceList | None = None
    endpoints: Endpoints | None = None
    reader: str = "auto"

    @property
    def places(self) -> Endpoints:
        """Every endpoint."""
        return self.endpoints or Endpoints(Place(self.endpoint), {})


def labels(section: AugmentSection) -> tuple[str, ...]:
    """The task types of an augment stage: one per strategy, by its label."""
    return tuple(str(step.params.get("label") or step.name) for step in section.strategies)


def samples_by_label(section: AugmentSection) -> dict[str, int]:
    """How many samples each task makes of a row."""
    return {
        label: int(step.params.get("samples", 1))
        for label, step in zip(labels(section), section.strategies, strict=True)
    }


def prepare(
    section: AugmentSection,
    default_model: str | None,
    listed: PriceList | None = None,
    endpoints: Endpoints | None = None,
    folder: str | None = None,
) -> dict[str, Prepared]:
    """The strategies of a recipe by label. listed: the price list; None: the package's. endpoints: those that models may name.
    folder: of the dataset file, below which media may lie.

    Raises SettingMissing when no model is named, UsageError for a wrong parameter or a model without a known price.
    """
    model = section.model or default_model
    needs_model = [step.name for step in section.strategies if not step.params.get("model") or _judge_needs(step)]
    if not model and needs_model:
        raise SettingMissing(
            f"no model is named for {', '.join(needs_model)}: set CORPUS_MODEL, or `augment: {{model: ...}}` in the recipe"
        )
    found, places = {}, _Places(section, listed, endpoints, folder)
    for strategy in build(section.strategies, model or ""):
        found[strategy.label] = _prepared(strategy, model or "", places)
    return found


def _judge_needs(step: NamedStep) -> bool:
    first = step.params.get("first")
    return isinstance(first, dict) and bool(first.get("criterion")) and not first.get("model")


class Overrides(TypedDict, total=False):
    """Parameters of a strategy that a replay or a trial changes."""

    model: str
    max_output_tokens: int
    template: str | dict[str, str]


def with_overrides(
    section: AugmentSection,
    label: str,
    default_model: str | None,
    overrides: Overrides,
    listed: PriceList | None = None,
    endpoints: Endpoints | None = None,
    folder: str | None = None,
) -> Prepared:
    """A strategy as a replay wants it: another model, another limit. Raises UsageError for what it cannot be."""
    step = section.strategies[labels(section).index(label)]
    changed = NamedStep(name=step.name, params={**step.params, **overrides})
    model = section.model or default_model or ""
    (strategy,) = build((changed,), model, alone=True)
    return _prepared(strategy, model, _Places(section, listed, endpoints, folder))


class _Places:
    """Prices and settings by the name of a model: the recipe's word first, then its endpoint's, then the list."""

    def __init__(
        self, section: AugmentSection, listed: PriceList | None, endpoints: Endpoints | None, folder: str | None
    ) -> None:
        self._said, self._endpoints, self._folder = section.prices, endpoints, folder
        self._listed = bundled() if listed is None else listed

    def target(self, label: str) -> Target:
        """Raises UsageError for a model without a known price, SettingMissing for one without an endpoint."""
        place, bare = (None, label) if self._endpoints is None else self._endpoints.split(label)
        said = {} if place is None else {**place.prices}
        own = {name: _flat(price) for name, price in (said | self._said).items()}
        if label not in own and bare in own:
            own[label] = own[bare]
        book = PriceBook(own, self._listed)
        return Target(label, book.of(label if label in own else bare), book)

    def media(self, strategy: Strategy) -> MediaAccess:
        """What all models that a strategy may ask are shown. Raises UsageError for a kind that an endpoint does not take."""
        params = strategy.params
        taken: list[tuple[Style, frozenset[str], bool]] = []
        for label in (strategy.model, *params.share, *params.fallback_models):
            place = None if self._endpoints is None else self._endpoints.split(label)[0]
            style = STYLES["openai" if place is None else place.endpoint.style]
            kinds = (() if place is None else place.media) if params.media is None else params.media
            if wrong := sorted(set(kinds) - style.media_kinds):
                raise UsageError(
                    f"{strategy.label}: media: an endpoint of style {style.name} ({label}) takes no {wrong[0]};"
                    f" it takes {', '.join(sorted(style.media_kinds))}"
                )
            taken.append((style, frozenset(kinds), place is None or place.fetches))
        if not all(kinds for _, kinds, _ in taken):
            return MediaAccess()

        def takes(medium: Medium) -> bool:
            return all(
                medium.kind in kinds and (fetches or not medium.url) and style.media_part(medium) is not None
                for style, kinds, fetches in taken
            )

        return MediaAccess(takes, self._folder)

    def version(self, strategy: Strategy) -> str:
        """The prompt version, with what the settings of its endpoint add to every request."""
        version = prompt_version(strategy)
        place = None if self._endpoints is None else self._endpoints.split(strategy.model)[0]
        said = {} if place is None else place.options.said()
        kinds = strategy.params.media if strategy.params.media is not None else () if place is None else place.media
        if kinds:
            said["media"] = sorted(kinds)
        if not said:
            return version
        said |= {"headers": sorted(said["headers"])} if "headers" in said else {}
        return hashlib.sha256(version.encode() + orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _flat(said: Price) -> ModelPrice:
    return flat(dollars(said.input, said.cached_input, said.output, said.cache_write), said.tiers)


def _prepared(strategy: Strategy, default_model: str, places: _Places) -> Prepared:
    judge = gate_of(strategy, default_model)
    strategy.media = places.media(strategy)
    if judge is not None:
        judge.media = places.media(judge)
        strategy.media = strategy.media.narrowed(judge.media)
    gate = None if judge is None else _with_targets(judge, None, places)
    return _with_targets(strategy, gate, places)


def _with_targets(strategy: Strategy, gate: Prepared | None, places: _Places) -> Prepared:
    own, params = places.target(strategy.model), strategy.params
    return Prepared(
        strategy,
        places.version(strategy),
        own.price,
        own.book,
        gate,
        tuple(places.target(label) for label in params.share),
        tuple(places.target(label) for label in params.fallback_models),
    )


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
