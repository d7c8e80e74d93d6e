"""One small call to every model that recipes ask, as a run would put it: what its endpoint refuses, before money is spent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

from corpus_pipeline.errors import CorpusError
from corpus_pipeline.jobs.augment.intents import new_attempt_id
from corpus_pipeline.jobs.augment.plan import ModelAccess, Prepared, Target, prepare
from corpus_pipeline.jobs.completion_report import NANO
from corpus_pipeline.llm import prices
from corpus_pipeline.llm.adaptation import NOTHING_LEARNT, Learnt, hint_of, lesson_of
from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.endpoints import Place
from corpus_pipeline.llm.failures import CallFailed, CallRefused, CallRejected
from corpus_pipeline.model import Answer, Request
from corpus_pipeline.plain_text import plain
from corpus_pipeline.recipe import parse
from corpus_pipeline.service.corpus import Corpus
from corpus_pipeline.store import provider_facts, recipes
from corpus_pipeline.store.provider_facts import Fact
from corpus_pipeline.units import money

_SECONDS = 60.0
_TRIES = 8  # a call and what its refusals may teach
_OUTPUT_TOKENS = 64
_ASKED = ({"role": "system", "content": "You are brief."}, {"role": "user", "content": 'Reply with {"ok": "yes"}.'})
_SCHEMA = {
    "type": "object",
    "properties": {"ok": {"type": "string"}},
    "required": ["ok"],
    "additionalProperties": False,
}


class Probed(NamedTuple):
    """What became of the call to one model. cost_usd: what it cost, by the price list."""

    label: str
    ok: bool
    sentence: str
    cost_usd: float


def probe(corpus: Corpus) -> Iterator[Probed]:
    """Ask each model of each registered recipe once, endpoints and judges included. Costs a fraction of a cent each."""
    access = corpus.models
    if access is None:
        return
    seen = set()
    for prepared, target in _asked(corpus):
        request = _request(prepared, target)
        key = (target.label, str(request))
        if key not in seen:
            seen.add(key)
            yield asyncio.run(_probe(corpus, access, target, request))


def _asked(corpus: Corpus) -> Iterator[tuple[Prepared, Target]]:
    for recipe_id in dict.fromkeys(file.recipe_id for file in corpus.files()):
        section = parse(corpus.store.fetch(recipes.recipe_row, recipe_id).body).augment
        if not section.strategies:
            continue
        for own in prepare(section, corpus.settings.model, corpus.prices, corpus.endpoints).values():
            for prepared in (own, own.gate):
                if prepared is not None:
                    yield from ((prepared, target) for target in (*prepared.targets, *prepared.fallbacks))


def _request(prepared: Prepared, target: Target) -> Request:
    """A small request with the parameters of a strategy."""
    strategy, params = prepared.strategy, prepared.strategy.params
    wants_json = params.structured_output and any(step.keys for step in strategy.steps)
    return Request(
        model=target.label,
        messages=_ASKED,
        max_output_tokens=_OUTPUT_TOKENS,
        temperature=params.temperature,
        response_schema=_SCHEMA if wants_json else None,
        seed=params.seed,
        options=strategy.options,
    )


async def _probe(corpus: Corpus, access: ModelAccess, target: Target, request: Request) -> Probed:
    place, model = access.places.split(target.label)
    put = request._replace(model=model, options=request.options.over(place.options))
    learnt, new = _known(corpus, place, target.label), []
    async with ModelClient(place.endpoint) as client:
        for attempt in range(1, _TRIES + 1):
            try:
                answer = await client.complete(
                    put, attempt_id=new_attempt_id(), attempt=attempt, deadline_seconds=_SECONDS, learnt=learnt
                )
            except CallRejected as error:
                lesson = lesson_of(error.failure, client.body(put, learnt), learnt)
                if lesson is None:
                    return Probed(target.label, False, plain(f"{error.failure.message}. {hint_of(error.failure)}"), 0.0)
                learnt = learnt.with_fact(lesson.name, lesson.value)
                new.append(
                    Fact(place.key, target.label, provider_facts.PARAMETER, lesson.name, lesson.value, lesson.said)
                )
            except (CallFailed, CallRefused) as error:
                return Probed(target.label, False, plain(f"{error}"), 0.0)
            else:
                _keep(corpus, new)
                return _answered(target, answer, [f"{fact.name}: {fact.value}" for fact in new])
    return Probed(target.label, False, f"{_TRIES} requests were refused, each for another reason", 0.0)


def _known(corpus: Corpus, place: Place, label: str) -> Learnt:
    learnt = NOTHING_LEARNT
    for fact in corpus.store.fetch(provider_facts.of_endpoint, place.key, [label]):
        if fact.kind == provider_facts.PARAMETER:
            learnt = learnt.with_fact(fact.name, fact.value)
    return learnt


def _keep(corpus: Corpus, facts: list[Fact]) -> None:
    """Keep what was learnt, so that the next run knows it."""
    if facts:
        store = corpus.store
        store.write(lambda c: provider_facts.save(c, store.backend, facts), repeatable=True, name="provider facts")


def _answered(target: Target, answer: Answer, learnt: list[str]) -> Probed:
    cost = prices.cost(answer.usage, target.price.of(answer.service_tier, answer.usage.input_tokens)) / NANO
    said = f"answers as {answer.model or 'it does not say which model'}"
    if learnt:
        said += f"; learnt, and kept for runs: {', '.join(learnt)}"
    if not answer.usage.estimated and answer.usage.output_tokens > 2 * _OUTPUT_TOKENS:
        said += f"; it does not keep the output limit: {answer.usage.output_tokens} tokens for {_OUTPUT_TOKENS}"
    return Probed(target.label, True, plain(f"{said}; this call cost {money(cost)}"), cost)


def guarded(corpus: Corpus) -> list[Probed]:
    """As `probe`; what keeps it from asking at all is a finding of its own."""
    try:
        return list(probe(corpus))
    except CorpusError as error:
        return [Probed("models", False, str(error), 0.0)]
