"""Where calls go: the endpoints of a run, each with its client and limits, and for each model there what was learnt of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import orjson

from corpus_pipeline.cancellation import StopSignal
from corpus_pipeline.jobs.augment.limit_sharing import Sharing
from corpus_pipeline.jobs.augment.plan import ModelAccess, Prepared, Target
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.llm.adaptation import NOTHING_LEARNT, Learnt, Lesson
from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.endpoints import Place
from corpus_pipeline.llm.evidence import Evidence
from corpus_pipeline.llm.limits import Limiter
from corpus_pipeline.llm.reader.channel import Channel
from corpus_pipeline.llm.trouble import Trouble
from corpus_pipeline.model import CallOptions, Request
from corpus_pipeline.store import provider_facts
from corpus_pipeline.store.provider_facts import Fact

# calls whose intent is being committed while those before them end: a commit takes the time of a few disk writes
_AHEAD_SHARE = 5
# a refusal comes within moments; a call that is out for longer was accepted
_ACCEPTED_SECONDS = 3.0


class Line:
    """One endpoint in this run: its connections, its limits, and what processes tell each other of them."""

    def __init__(self, held: Held, place: Place, reader: Channel | None) -> None:
        section = held.work.recipe.augment
        concurrency = min(place.concurrency or section.concurrency, section.concurrency)
        per_minute = (
            _lower(place.limits.requests_per_minute, section.limits.requests_per_minute),
            _lower(place.limits.tokens_per_minute, section.limits.tokens_per_minute),
        )
        self.place = place
        self.limiter = Limiter(
            concurrency,
            requests_per_minute=per_minute[0],
            tokens_per_minute=per_minute[1],
            patience_seconds=section.provider_patience_seconds,
            ahead=-(-concurrency // _AHEAD_SHARE),
            name=place.endpoint.name or place.endpoint.host,
        )
        self.client = ModelClient(
            place.endpoint, connections=concurrency + 10, observe=self.limiter.observe, reader=reader
        )
        self.sharing = Sharing(held.store, place.key, self.limiter, held.work.task.id, self.trouble)
        self.gone: Trouble | None = None  # why it is asked no more in this run: its quota is used up, its key refused
        self.seen: Trouble | None = None  # at the last look, for other threads

    def trouble(self) -> Trouble | None:
        """What is wrong there now."""
        self.seen = self.gone or self.limiter.trouble()
        return self.seen


class FirstCall:
    """Lets one call at a time go out until one was accepted: what concerns every request is found before money is spent."""

    def __init__(self) -> None:
        self._is_open = False
        self._is_out = False
        self._waiting: list[asyncio.Future[None]] = []

    @asynccontextmanager
    async def turn(self, stop: StopSignal) -> AsyncIterator[None]:
        """While one call is out. Raises Stopped."""
        while self._is_out and not self._is_open:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            with stop.interruptible():
                await turn
        if self._is_open:
            yield
            return
        self._is_out = True
        timer = asyncio.get_running_loop().call_later(_ACCEPTED_SECONDS, self.accepted)
        try:
            yield
        finally:
            timer.cancel()
            self._is_out = False
            self._wake()

    def accepted(self) -> None:
        """Requests of this shape are answered: let everybody go."""
        self._is_open = True
        self._wake()

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.pop(0)
            if not turn.done():
                turn.set_result(None)
                if not self._is_open:
                    return


class Route:
    """One model at one endpoint. model: its name there; label: as recipes, ledger and reports name it."""

    def __init__(self, line: Line, model: str, label: str) -> None:
        self.line, self.model, self.label = line, model, label
        self.learnt: Learnt = NOTHING_LEARNT
        self.evidence = Evidence()
        self.first_call = FirstCall()
        self._sent: dict[Any, str | None] = {}
        self._options: dict[
            int, tuple[CallOptions, CallOptions]
        ] = {}  # by identity: those of a strategy, and as merged

    @property
    def is_usable(self) -> bool:
        """Whether a call may go there now: it is not down, and no one has to wait for long."""
        return self.line.gone is None and self.line.limiter.is_usable

    @property
    def room(self) -> int:
        """Calls that could leave at once."""
        return self.line.limiter.room

    def request(self, request: Request) -> Request:
        """The request as this endpoint gets it."""
        known = self._options.get(id(request.options))
        if known is None or known[0] is not request.options:
            known = request.options, request.options.over(self.line.place.options)
            self._options[id(request.options)] = known
        return request._replace(model=self.model, options=known[1])

    def body(self, request: Request, learnt: Learnt) -> dict[str, Any]:
        """The body of a request, from `request`, as it went out."""
        return self.line.client.body(request, learnt)

    def sent(self, request: Request) -> str | None:
        """How a request is put, as JSON for the ledger; None when it is as by default."""
        key = (id(self.learnt), id(request.options))  # both are kept here
        if key not in self._sent:
            self._sent[key] = sent_as(self.line.place, request, self.learnt)
        return self._sent[key]

    def learn(self, lesson: Lesson) -> Fact:
        """Put requests in another way from now on; returns what is to be kept of it."""
        self.learnt = self.learnt.with_fact(lesson.name, lesson.value)
        return self.fact(provider_facts.PARAMETER, lesson.name, lesson.value, lesson.said)

    def fact(self, kind: str, name: str, value: str, said: str = "") -> Fact:
        """Something about this model at this endpoint."""
        return Fact(self.line.place.key, self.label, kind, name, value, said)

    def recall(self, facts: list[Fact]) -> None:
        """Take over what earlier runs learnt."""
        self.learnt = recalled(facts, self.learnt)
        if any(fact.kind == provider_facts.ANSWERS for fact in facts):
            self.first_call.accepted()


def recalled(facts: Iterable[Fact], learnt: Learnt = NOTHING_LEARNT) -> Learnt:
    """How requests are put by what earlier runs learnt."""
    for fact in facts:
        if fact.kind == provider_facts.PARAMETER:
            learnt = learnt.with_fact(fact.name, fact.value)
    return learnt


def sent_as(place: Place, request: Request, learnt: Learnt) -> str | None:
    """How a request is put at an endpoint, as JSON for the ledger; None when it is as by default."""
    said: dict[str, Any] = dict(request.options.said())
    if "headers" in said:
        said["headers"] = sorted(said["headers"])  # their values may be secrets
    learnt = learnt._replace(refused=frozenset())
    if learnt != NOTHING_LEARNT:
        said["learnt"] = {
            name: sorted(value) if isinstance(value, frozenset) else value
            for name, value in learnt._asdict().items()
            if value
        }
    if place.endpoint.name:
        said["endpoint"] = place.endpoint.name
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode() if said else None


class Routes:
    """All routes of a run; use as `async with`. Endpoints that only a fallback names are opened with the others."""

    def __init__(
        self, held: Held, plan: dict[str, Prepared], access: ModelAccess, reader: Channel | None = None
    ) -> None:
        self._held = held
        self._reader = reader
        self._places = access.places
        prepared = [p for own in plan.values() for p in (own, own.gate) if p is not None]
        self._labels = list(dict.fromkeys(label for p in prepared for label in p.labels))
        self._lines: dict[str, Line] = {}
        self._routes: dict[str, Route] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Routes:
        for label in self._labels:
            self._open(label)
        for line in self._lines.values():
            if len(self._lines) > 1:
                line.limiter.has_alternative = partial(self._is_asked_elsewhere, line)
            await line.sharing.join()
            self._tasks.append(asyncio.create_task(line.sharing.run()))
        for route in self._routes.values():
            facts = await asyncio.to_thread(
                self._held.fetch, provider_facts.of_endpoint, route.line.place.key, [route.label]
            )
            route.recall(facts)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for line in self._lines.values():
            with suppress(Exception):
                await line.client.close()
            await line.sharing.leave()

    def _open(self, label: str) -> Route:
        if label not in self._routes:
            place, model = self._places.split(label)
            if place.key not in self._lines:
                self._lines[place.key] = Line(self._held, place, self._reader)
            line = self._lines[place.key]
            self._routes[label] = Route(line, model, label)
        return self._routes[label]

    def choose(self, prepared: Prepared) -> tuple[Route, Target]:
        """Where the next call of a strategy goes: of its endpoints the one with the most room, else the first fallback that
        can be asked, else where it would wait anyway."""
        own = [(self._open(target.label), target) for target in prepared.targets]
        usable = [pair for pair in own if pair[0].is_usable]
        if usable:
            return max(usable, key=lambda pair: pair[0].room)
        for target in prepared.fallbacks:
            route = self._open(target.label)
            if route.is_usable:
                return route, target
        return next((pair for pair in own if pair[0].line.gone is None), own[0])

    def has_another(self, prepared: Prepared, route: Route) -> bool:
        """Whether a strategy could be asked elsewhere at this moment."""
        targets = (*prepared.targets, *prepared.fallbacks)
        return any(other.is_usable and other.line is not route.line for other in (self._open(t.label) for t in targets))

    def _is_asked_elsewhere(self, line: Line) -> bool:
        """Whether an endpoint beside this one could take calls now."""
        return any(
            other.gone is None and other.limiter.is_usable for other in self._lines.values() if other is not line
        )

    def troubles(self) -> list[str]:
        """What was wrong at the last look, at each endpoint. May be called from another thread."""
        return [str(line.seen) for line in list(self._lines.values()) if line.seen is not None]


def _lower(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
