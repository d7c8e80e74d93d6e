"""A strategy on a few rows, several models or prompts side by side: what is asked, answered, judged and paid.

Nothing of it becomes a row, a value or a failed sample. Calls are in the ledger under `try`, and a run that asks the same
takes their answers: they are paid already.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, NamedTuple, TypeVar, cast

from sqlalchemy import Connection

from corpus_pipeline.errors import BadAnswer, ControlFlow, SampleSkipped, UnknownName, UsageError
from corpus_pipeline.jobs.augment import settlements
from corpus_pipeline.jobs.augment.charging import Charger
from corpus_pipeline.jobs.augment.intents import intent_for, new_attempt_id
from corpus_pipeline.jobs.augment.plan import ModelAccess, Overrides, Prepared, labels, save_prompts, with_overrides
from corpus_pipeline.jobs.completion_report import NANO
from corpus_pipeline.jobs.ingest import format_of
from corpus_pipeline.jobs.stage_run import Work
from corpus_pipeline.llm.adaptation import NOTHING_LEARNT, Learnt, lesson_of
from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.endpoints import Place
from corpus_pipeline.llm.failures import CallFailed, CallRefused, CallRejected
from corpus_pipeline.model import Answer, Conversation, Request, Turn, conversation_id, id_range
from corpus_pipeline.recipe import Recipe
from corpus_pipeline.service.queries.views import turn_dict
from corpus_pipeline.service.records.base import JsonObject, TurnTexts
from corpus_pipeline.service.records.calls import Trial, TriedAnswer, TriedRequest, TriedTotal
from corpus_pipeline.stages.augment.cleaning import NewRowCleaning
from corpus_pipeline.stages.augment.requests import request_key, shown_messages
from corpus_pipeline.stages.augment.strategies.base import Strategy
from corpus_pipeline.stages.augment.validators.answer import ANSWER_VALIDATORS
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.clean.rules import build as build_rules
from corpus_pipeline.stages.skip_reasons import SkipReason
from corpus_pipeline.store import cleaned, ledger, provider_facts, row_values
from corpus_pipeline.store.cleaned import CleanRow
from corpus_pipeline.units import money

T = TypeVar("T")

STRATEGY: Final = "try"  # what the ledger calls it
MAX_ROWS, MAX_VARIANTS = 50, 12
_PAGE = 200
_CONCURRENCY = 8
_TRIES = 8  # a call, what its refusals may teach, and what a busy provider wants waited for
_LONGEST_WAIT = 20.0


class Variant(NamedTuple):
    """One thing to try: a recipe's strategy, perhaps with another model or template. title: what distinguishes it."""

    title: str
    recipe: Recipe
    overrides: Overrides


@dataclass
class Verdict:
    """What one validator says of an answer. detail: why not."""

    validator: str
    passed: bool
    detail: str = ""


@dataclass
class Cell:
    """One row under one variant. skipped: why nothing was asked. error: why there is no answer."""

    variant: str
    row: str
    skipped: str | None = None
    error: str | None = None
    requests: list[TriedRequest] = field(default_factory=list)
    answers: list[TriedAnswer] = field(default_factory=list)
    turns: list[TurnTexts] = field(default_factory=list)  # of the row that it would make
    values: JsonObject | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    calls: int = 0  # those that were paid now
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether a run would keep what was made."""
        return self.error is None and self.skipped is None and all(verdict.passed for verdict in self.verdicts)


@dataclass
class Tried:
    """Everything that was tried. sources: the turns of each row, by its address."""

    name: str
    strategy: str
    variants: list[str]
    sources: dict[str, list[TurnTexts]]
    cells: list[Cell]

    @property
    def totals(self) -> list[TriedTotal]:
        """By variant: rows asked, passed, skipped; tokens, cost."""
        found: list[TriedTotal] = []
        for title in self.variants:
            own = [cell for cell in self.cells if cell.variant == title]
            asked = [cell for cell in own if cell.skipped is None]
            found.append(
                {
                    "variant": title,
                    "rows": len(asked),
                    "passed": sum(cell.passed for cell in asked),
                    "skipped": len(own) - len(asked),
                    "calls": sum(cell.calls for cell in own),
                    "input_tokens": sum(cell.input_tokens for cell in own),
                    "output_tokens": sum(cell.output_tokens for cell in own),
                    "cost_usd": sum(cell.cost_usd for cell in own),
                }
            )
        return found

    def to_dict(self) -> Trial:
        """The same as JSON."""
        cells = [asdict(cell) | {"passed": cell.passed} for cell in self.cells]
        return cast(Trial, asdict(self) | {"cells": cells, "totals": self.totals})


def variants_of(
    bound: Recipe,
    recipes: Sequence[tuple[str, Recipe]],
    models: Sequence[str],
    templates: Sequence[tuple[str, str | dict[str, str] | None]],
) -> list[Variant]:
    """Every recipe with every model and every template; none of a kind: as the recipe bound to the file says.

    recipes, templates: (name, content); a template of None is the recipe's own. What is named twice is tried once.
    """
    found = []
    for origin, recipe in _once(recipes) or [("", bound)]:
        for model in _once(models) or [""]:
            for name, text in _once(templates) or [("", None)]:
                title = ", ".join(part for part in (origin, model, name) if part) or "as bound"
                overrides: Overrides = {"model": model} if model else {}
                if text:
                    overrides["template"] = text
                found.append(Variant(title, recipe, overrides))
    return found


def _once(named: Sequence[T]) -> list[T]:
    return [one for at, one in enumerate(named) if one not in named[:at]]


def try_out(
    work: Work,
    access: ModelAccess,
    label: str,
    variants: Sequence[Variant],
    *,
    rows: int = 3,
    numbers: Sequence[int] = (),
) -> Tried:
    """Ask each variant of a strategy about a few rows that cleaning kept. numbers: these rows instead of the first ones.

    Raises UnknownName for a strategy or a row that is not there, UsageError for what cannot be tried.
    """
    if not variants or len(variants) > MAX_VARIANTS or not 0 < max(rows, len(numbers)) <= MAX_ROWS:
        raise UsageError(f"at most {MAX_VARIANTS} variants on at most {MAX_ROWS} rows can be tried at once")
    asking: dict[str, asyncio.Lock] = {}
    benches = [_Bench(work, access, variant, label, asking) for variant in variants]
    chosen = _rows_named(work, numbers) if numbers else _first_rows(work, benches, rows)
    cells = asyncio.run(_all_cells(work, benches, chosen))
    sources = {_address(work, row): [turn_dict(turn) for turn in row.conversation.turns] for row in chosen}
    return Tried(work.file.name, label, [variant.title for variant in variants], sources, cells)


async def _all_cells(work: Work, benches: Sequence[_Bench], rows: Sequence[CleanRow]) -> list[Cell]:
    gate = asyncio.Semaphore(min(_CONCURRENCY, work.recipe.augment.concurrency))
    return list(await asyncio.gather(*(bench.cell(row, gate) for row in rows for bench in benches)))


def _rows_named(work: Work, numbers: Sequence[int]) -> list[CleanRow]:
    found = []
    for number in dict.fromkeys(numbers):
        identifier = conversation_id(work.file.id, number) if 0 < number < 1 << 32 else 0
        page = work.store.fetch(cleaned.kept_page, work.task.id, identifier - 1, identifier, 1) if identifier else []
        if not page:
            raise UsageError(
                f"{work.file.name}:{number} is no row that cleaning kept. Next: corpus show {work.file.name}:{number}"
            )
        found += page
    return found


def _first_rows(work: Work, benches: Sequence[_Bench], rows: int) -> list[CleanRow]:
    """The first rows that a variant applies to; the first of all where it applies to none of a page."""
    after, end = id_range(work.file.id)
    page = work.store.fetch(cleaned.kept_page, work.task.id, after, end, _PAGE)
    if not page:
        name = work.file.name
        raise UsageError(f"no row of {name} is cleaned and kept. Next: corpus run {name} --to clean (it asks no model)")
    wanted = [row for row in page if any(bench.strategy.applies(row.conversation) is None for bench in benches)]
    return (wanted or page)[:rows]


def _address(work: Work, row: CleanRow) -> str:
    return f"{work.file.name}:{row.id & 0xFFFFFFFF}"


class NoAnswer(ControlFlow):
    """What was asked came to nothing."""


class _Bench:
    """One variant: its strategy, the tasks that it reads, and where they are asked. asking: by the key of a request, shared by
    all variants, so that what several of them ask is paid once."""

    def __init__(
        self, work: Work, access: ModelAccess, variant: Variant, label: str, asking: dict[str, asyncio.Lock]
    ) -> None:
        self._work, self._access, self._variant, self._asking = work, access, variant, asking
        self._section = variant.recipe.augment
        known = labels(self._section)
        if label not in known:
            raise UnknownName("strategy of the recipe", label, known)
        self._prepared: dict[str, Prepared] = {}
        self._charger = Charger()
        rules = build_rules(variant.recipe.clean.rules)
        self._cleaning = NewRowCleaning(rules, joins=format_of(work.file).joins)
        self.label = label
        self.strategy = self._of(label).strategy

    def _of(self, label: str) -> Prepared:
        if label not in self._prepared:
            overrides: Overrides = self._variant.overrides if label == self.label or not self._prepared else {}
            access = self._access
            prepared = with_overrides(
                self._section,
                label,
                access.default_model,
                overrides,
                access.prices,
                access.endpoints,
                self._work.media_folder,
            )
            self._prepared[label] = prepared
            self._work.store.write(lambda c: save_prompts(c, {label: prepared}), repeatable=True, name="prompt version")
        return self._prepared[label]

    async def cell(self, row: CleanRow, gate: asyncio.Semaphore) -> Cell:
        """One row under this variant."""
        found = Cell(self._variant.title, _address(self._work, row))
        async with gate:
            begun = time.monotonic()
            try:
                await self._fill(found, row)
            except NoAnswer as error:
                found.error = str(error)
            found.seconds = round(time.monotonic() - begun, 3)
        return found

    async def _fill(self, cell: Cell, row: CleanRow) -> None:
        try:
            conversation = await self._with_inputs(cell, row, self.strategy)
        except BadAnswer as fault:
            cell.skipped = f"{SkipReason.NO_INPUT}: {fault}"
            return
        skipped = self.strategy.applies(conversation)
        if skipped is not None:
            cell.skipped = str(skipped)
            return
        answers: list[Answer] = []
        while True:
            request = self._next(cell, conversation, answers)
            if request is None:
                break
            cell.requests.append(_shown(request))
            answers.append(await self._answer(cell, self._of(self.label), row, request, len(answers) + 1))
            cell.answers.append({"text": answers[-1].text, "finish_reason": answers[-1].finish_reason})
        if answers and cell.error is None and all(verdict.passed for verdict in cell.verdicts):
            self._judge(cell, conversation, tuple(answers))

    def _next(self, cell: Cell, conversation: Conversation, answers: Sequence[Answer]) -> Request | None:
        try:
            return self.strategy.next_request(conversation, tuple(answers))
        except BadAnswer as fault:
            name = fault.validator or "answer"
            cell.verdicts.append(Verdict(name, False, str(fault)))
            return None

    def _judge(self, cell: Cell, conversation: Conversation, answers: tuple[Answer, ...]) -> None:
        """The word of every validator, not only of the first that finds a fault."""
        strategy = self.strategy
        for validator in ANSWER_VALIDATORS:
            faults = [fault for answer in answers if (fault := _fault(validator, conversation, (), answer))]
            cell.verdicts.append(Verdict(validator.name, not faults, str(faults[0]) if faults else ""))
        try:
            turns = strategy.parse(conversation, answers)
        except SampleSkipped as skipped:
            cell.skipped = str(skipped)
            return
        except BadAnswer as fault:
            cell.verdicts.append(Verdict(fault.validator or "form", False, str(fault)))
            return
        try:
            cell.values = strategy.values_of(conversation, answers)
            if strategy.makes_rows:
                turns = self._cleaning(conversation, turns).turns
        except BadAnswer as fault:
            cell.verdicts.append(Verdict(fault.validator or "form", False, str(fault)))
            return
        cell.turns = [turn_dict(turn) for turn in turns]
        for one in strategy.validators:
            found = _fault(one, conversation, turns, answers[-1])
            cell.verdicts.append(Verdict(one.name, found is None, "" if found is None else str(found)))

    # --- what other tasks make -------------------------------------------------------------------------------------

    async def _with_inputs(self, cell: Cell, row: CleanRow, strategy: Strategy) -> Conversation:
        """The row with what other tasks made of it; what is not there yet is tried as well. Raises BadAnswer."""
        tasks = sorted({one.task for one in strategy.task_inputs.values()})
        if not tasks:
            return row.conversation
        made = self._work.store.fetch(row_values.read, self._work.task.id, tasks, [row.id])
        values = made.of(row.id, tasks, 0)
        for task in tasks:
            if task not in values:
                values[task] = await self._tried(cell, row, task)
        return row.conversation._replace(values=values)

    async def _tried(self, cell: Cell, row: CleanRow, task: str) -> JsonObject:
        if task not in labels(self._section):
            raise UnknownName("task", task, labels(self._section))
        prepared = self._of(task)
        strategy = prepared.strategy
        conversation = await self._with_inputs(cell, row, strategy)
        skipped = strategy.applies(conversation)
        if skipped is not None:
            raise BadAnswer(str(skipped), f"{task} leaves the row alone")
        answers: tuple[Answer, ...] = ()
        while (request := strategy.next_request(conversation, answers)) is not None:
            answers = (*answers, await self._answer(cell, prepared, row, request, len(answers) + 1))
        turns = strategy.parse(conversation, answers)
        texts = turns[-1]._asdict() if turns else {}
        return {**texts, **(strategy.values_of(conversation, answers) or {})}

    # --- asking ----------------------------------------------------------------------------------------------------

    async def _answer(self, cell: Cell, prepared: Prepared, row: CleanRow, request: Request, step: int) -> Answer:
        """The answer to a request: one that is paid already, or a call. Raises NoAnswer."""
        key = request_key(request, 0)
        async with self._asking.setdefault(key, asyncio.Lock()):
            return await self._answer_of(cell, prepared, row, request, key, step)

    async def _answer_of(
        self, cell: Cell, prepared: Prepared, row: CleanRow, request: Request, key: str, step: int
    ) -> Answer:
        known = (await asyncio.to_thread(self._work.store.fetch, ledger.usable_answers, [key])).get(key)
        if known is not None:
            return known.answer
        place, model = self._access.places.split(prepared.strategy.model)
        put = request._replace(model=model, options=request.options.over(place.options))
        learnt = await asyncio.to_thread(_learnt, self._work, place, prepared.strategy.model)
        async with ModelClient(place.endpoint) as client:
            for attempt in range(1, _TRIES + 1):
                intent = await asyncio.to_thread(self._intend, prepared, row, request, key, step, attempt)
                begun = time.monotonic()
                try:
                    answer = await client.complete(
                        put,
                        attempt_id=intent.id,
                        attempt=attempt,
                        deadline_seconds=self._section.call_deadline_seconds,
                        learnt=learnt,
                    )
                except (CallFailed, CallRejected, CallRefused) as error:
                    await asyncio.to_thread(self._settle_failure, intent, error, begun)
                    learnt = await self._after_failure(error, client, put, learnt, attempt)
                    continue
                except BaseException:
                    self._settle_failure(intent, None, begun)
                    raise
                await asyncio.to_thread(self._settle, cell, prepared, request, intent, key, answer, begun)
                return answer
        raise NoAnswer(f"{_TRIES} attempts came to nothing")

    @staticmethod
    async def _after_failure(
        error: CallFailed | CallRejected | CallRefused, client: ModelClient, put: Request, learnt: Learnt, attempt: int
    ) -> Learnt:
        """What to do otherwise in the next attempt. Raises NoAnswer when there should be none."""
        if isinstance(error, CallRejected):
            lesson = lesson_of(error.failure, client.body(put, learnt), learnt)
            if lesson is not None:
                return learnt.with_fact(lesson.name, lesson.value)
        if not isinstance(error, CallFailed) or attempt > 3:
            raise NoAnswer(f"{error.failure.reason}: {error.failure.message}")
        wait = error.failure.retry_after or float(attempt)
        if wait > _LONGEST_WAIT:
            raise NoAnswer(f"the provider wants {wait:.0f} seconds waited for: {error.failure.message}")
        await asyncio.sleep(wait)
        return learnt

    def _intend(
        self, prepared: Prepared, row: CleanRow, request: Request, key: str, step: int, attempt: int
    ) -> ledger.Intent:
        work = self._work
        intent = intent_for(
            work,
            self._charger,
            prepared,
            request,
            key,
            (row.id, STRATEGY, 0),
            step=step,
            attempt=attempt,
            attempt_id=new_attempt_id(),
            epoch=0,
        )
        ceilings = work.recipe.augment.budget.ceilings()
        made = work.store.write(
            lambda c: ledger.insert_intents(c, work.store.backend, [intent], ceilings), name="intent"
        )
        if intent.id in made.refused:
            raise UsageError(
                f"the budget of the {made.refused[intent.id]} has no room for a call"
                f" of at most {money(intent.reserved / NANO)}."
                f" Raise augment.budget in the recipe of {work.file.name}"
            )
        return intent

    def _settle(
        self,
        cell: Cell,
        prepared: Prepared,
        request: Request,
        intent: ledger.Intent,
        key: str,
        answer: Answer,
        begun: float,
    ) -> None:
        charge = self._charger.charge(prepared, request, answer)
        settlement = settlements.answered(intent.id, answer, charge, settlements.since(begun))
        store = self._work.store

        def keep(connection: Connection) -> None:
            ledger.settle(connection, [settlement])
            ledger.insert_answers(connection, store.backend, [(intent.id, key, answer)])

        store.write(keep, name="settlement")
        cell.calls += 1
        cell.input_tokens += answer.usage.input_tokens
        cell.output_tokens += answer.usage.output_tokens
        cell.cost_usd += charge.cost / NANO

    def _settle_failure(
        self, intent: ledger.Intent, error: CallFailed | CallRejected | CallRefused | None, begun: float
    ) -> None:
        latency_ms = settlements.since(begun)
        if error is None:
            settlement = settlements.given_up(intent.id, intent.reserved, latency_ms)
        else:
            settlement = settlements.failed(intent.id, intent.reserved, error.failure, latency_ms)
        self._work.store.write(lambda c: ledger.settle(c, [settlement]), repeatable=True, name="settlement")


def _fault(
    validator: Validator, conversation: Conversation, turns: tuple[Turn, ...], answer: Answer
) -> BadAnswer | None:
    try:
        return validator(conversation, turns, answer)
    except BadAnswer as fault:
        return fault


def _learnt(work: Work, place: Place, label: str) -> Learnt:
    """What runs learnt of a model at its endpoint."""
    learnt = NOTHING_LEARNT
    for fact in work.store.fetch(provider_facts.of_endpoint, place.key, [label]):
        if fact.kind == provider_facts.PARAMETER:
            learnt = learnt.with_fact(fact.name, fact.value)
    return learnt


def _shown(request: Request) -> TriedRequest:
    return {
        "model": request.model,
        "messages": shown_messages(request),
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "response_schema": request.response_schema,
    }
