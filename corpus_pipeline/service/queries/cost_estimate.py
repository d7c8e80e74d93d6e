"""Money before it is spent: calls, tokens and cost per strategy, counted from the real rows and what is answered already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import sqrt

from corpus_pipeline.errors import BadAnswer, UsageError
from corpus_pipeline.jobs.augment.plan import Prepared, prepare
from corpus_pipeline.jobs.completion_report import NANO
from corpus_pipeline.jobs.stage_run import Work
from corpus_pipeline.llm import prices, tokens
from corpus_pipeline.llm.endpoints import Endpoints
from corpus_pipeline.llm.prices import BATCH, PriceList
from corpus_pipeline.model import Answer, Request, Usage, id_range
from corpus_pipeline.service.queries.cost_trial import ENOUGH, Trial, rows_for
from corpus_pipeline.service.queries.cost_ways import Load, ways
from corpus_pipeline.service.records.calls import CostEstimate, EstimateTotal, StrategyEstimate
from corpus_pipeline.stages.augment.requests import request_key
from corpus_pipeline.stages.augment.strategies import Gate
from corpus_pipeline.stages.augment.strategies.exchange import find_exchange
from corpus_pipeline.stages.skip_reasons import SkipReason
from corpus_pipeline.states import ItemState, Stage, Status
from corpus_pipeline.store import augmented, cleaned, cursors, ledger
from corpus_pipeline.store.augmented import ItemKey
from corpus_pipeline.store.cleaned import CleanRow
from corpus_pipeline.store.ledger import Experience

_PAGE = 500
SAMPLE_ROWS = 5000  # of a larger file this many rows are looked at, evenly spread
# without experience: this many attempts per call, and an answer is so much shorter or longer than expected
_ATTEMPTS, _LOW = 1.05, 0.5
_WRAPPING_TOKENS = 12  # of an answer in JSON
_JUDGEMENT_TOKENS = 40  # a sentence and a score
_PASSING = 0.5  # the share of rows that a judge lets through, until enough were judged
_WANTED_MARGIN = 0.05
# https://platform.openai.com/docs/guides/prompt-caching: from 1024 tokens on, in steps of 128
_CACHED_FROM, _CACHED_STEP = 1024, 128


@dataclass
class _Sum:
    """What one strategy will ask."""

    prepared: Prepared
    experience: Experience | None
    gate: _Sum | None = None  # what the judge before it will be asked
    knows_rows: bool = False  # whether the experience comes of rows of this file
    passed: int = 0  # rows that the judge let through so far
    refused: int = 0
    wanted_rows: int = 0  # of those that it let through, the unfinished ones
    open_rows: int = 0  # that it is still to be asked about
    items: int = 0
    finished: int = 0
    skip_reasons: Counter[str] = field(default_factory=Counter)
    paid: list[tuple[float, float]] = field(
        default_factory=list
    )  # (see `_weight`, what it cost) of items that are through
    open_weights: list[float] = field(default_factory=list)  # of those that are not
    answered: int = 0
    saved: int = 0
    calls: int = 0
    system_tokens: int = 0  # of the longest common beginning
    expected: dict[str, int] = field(default_factory=lambda: {"input": 0, "cached": 0, "output": 0})
    high: dict[str, int] = field(default_factory=lambda: {"input": 0, "output": 0})

    @property
    def label(self) -> str:
        return self.prepared.strategy.label

    def trial(self) -> Trial:
        """What the rows that are through say of the others."""
        seen = self.experience
        return Trial(
            self.paid, self.open_weights, 0.0 if seen is None else seen.lost, 0 if seen is None else seen.answers
        )

    def add(self, request: Request, source_tokens: int, calls: int) -> None:
        """`calls` further questions, of which this is the first; a later one holds what was answered before it."""
        output = self._output(source_tokens, request.max_output_tokens)
        first, bound = tokens.expected_input(request), tokens.input_bound(request)
        system = tokens.expected(request.messages[0]["content"])
        self.system_tokens = max(self.system_tokens, system)
        self.calls += calls
        self.expected["input"] += first * calls + output * calls * (calls - 1) // 2
        self.expected["output"] += output * calls
        self.high["input"] += bound * calls + request.max_output_tokens * calls * (calls - 1) // 2
        self.high["output"] += request.max_output_tokens * calls
        if first >= _CACHED_FROM:
            self.expected["cached"] += system // _CACHED_STEP * _CACHED_STEP * calls

    def _output(self, source_tokens: int, most: int) -> int:
        if self.experience is not None:
            return min(most, round(self.experience.output_tokens))
        return min(most, source_tokens + _WRAPPING_TOKENS)


def estimate(
    work: Work, default_model: str | None, listed: PriceList | None = None, endpoints: Endpoints | None = None
) -> CostEstimate:
    """What augmenting the rest of a dataset file will cost.

    Raises UsageError when its rows are not cleaned yet (which costs nothing), or the price of a model is not known.
    """
    plan = prepare(work.recipe.augment, default_model, listed, endpoints, work.media_folder)
    own = work.store.fetch(cursors.stage_cursors, work.task.id, Stage.CLEAN)
    if not own or cursors.stage_status(own) is not Status.DONE:
        raise UsageError(
            f"the rows of {work.file.name} are not cleaned yet, so that nobody knows which will be asked about."
            f" Run: corpus run {work.file.name} --to clean (it asks no model)"
        )
    total, dropped, repeated = work.store.fetch(cleaned.counts, work.task.id)
    rows = total - dropped - repeated
    every = max(1, -(-rows // SAMPLE_ROWS))
    sums: dict[str, _Sum] = {}
    for prepared in plan.values():
        gate = None if prepared.gate is None else _sum(work, prepared.gate)
        if gate is not None:
            sums[gate.label] = gate
        sums[prepared.strategy.label] = _sum(work, prepared, gate)
    looked_at = 0
    for page in _pages(work, every):
        looked_at += len(page)
        states = work.store.fetch(augmented.item_states, work.task.id, page[0].id - 1, page[-1].id)
        for own_sum in sums.values():
            if not isinstance(own_sum.prepared.strategy, Gate):
                _look(work, own_sum, page, states)
    scale = rows / looked_at if looked_at else 0.0
    strategies = [_line(own_sum, scale) for own_sum in sums.values()]
    section = work.recipe.augment
    loads = [_load(own_sum, scale) for own_sum in sums.values()]
    return {
        "name": work.file.name,
        "rows": rows,
        "rows_looked_at": looked_at,
        "strategies": strategies,
        "total": _total(strategies, *_most_rows(sums.values(), scale)),
        "ways": ways(loads, section.concurrency, section.limits.requests_per_minute),
        "budgets": {f"{scope}_usd": ceiling / NANO for scope, ceiling in work.recipe.augment.budget.ceilings().items()},
    }


def _sum(work: Work, prepared: Prepared, gate: _Sum | None = None) -> _Sum:
    strategy = prepared.strategy
    here = work.store.fetch(ledger.experience, strategy.label, strategy.model, work.task.id)
    return _Sum(
        prepared,
        here or work.store.fetch(ledger.experience, strategy.label, strategy.model),
        gate,
        knows_rows=here is not None,
    )


def _pages(work: Work, every: int) -> Iterator[list[CleanRow]]:
    after, end = id_range(work.file.id)
    number = 0
    while page := work.store.fetch(cleaned.kept_page, work.task.id, after, end, _PAGE):
        after = page[-1].id
        chosen = [row for at, row in enumerate(page, number) if at % every == 0]
        number += len(page)
        if chosen:
            yield chosen


def _look(work: Work, own: _Sum, page: Sequence[CleanRow], states: dict[ItemKey, ItemState]) -> None:
    strategy = own.prepared.strategy
    asked: list[tuple[CleanRow, int, Request]] = []
    page = [row for row in page if _applies(own, row)]
    if own.gate is not None:
        page = _judged(work, own, own.gate, page, states)
    for row in page:
        for sample in range(strategy.samples):
            if (row.id, strategy.label, sample) in states:
                own.finished += 1
                continue
            own.items += 1
            try:
                request = strategy.next_request(row.conversation, (), sample)
            except BadAnswer:  # it will be parked without a call
                continue
            if request is not None:
                asked.append((row, sample, request))
    if own.knows_rows and page:
        _weigh(work, own, page, states)
    keys = [request_key(request, sample) for _, sample, request in asked]
    known = work.store.fetch(ledger.usable_answers, keys)
    for (row, sample, request), key in zip(asked, keys, strict=True):
        answers: list[Answer] = []
        while (stored := known.get(key)) is not None:
            answers.append(stored.answer)
            own.saved += _price(own, stored.answer.usage)
            try:
                following = strategy.next_request(row.conversation, tuple(answers), sample)
            except BadAnswer:
                break
            if following is None:
                break
            request, key = following, request_key(following, sample)
            known |= work.store.fetch(ledger.usable_answers, [key])
        else:
            own.add(request, _source_tokens(own, row), max(1, strategy.questions - len(answers)))
            own.open_weights.append(_weight(own, row, request))
            continue
        own.answered += 1


def _weigh(work: Work, own: _Sum, page: Sequence[CleanRow], states: dict[ItemKey, ItemState]) -> None:
    """Note what the rows of a page that are through cost, beside how long they are."""
    strategy = own.prepared.strategy
    through = [row for row in page if states.get((row.id, strategy.label, 0)) in (ItemState.DONE, ItemState.FAILED)]
    if not through:
        return
    costs = work.store.fetch(ledger.item_costs, work.task.id, strategy.label, through[0].id, through[-1].id)
    for row in through:
        with suppress(BadAnswer):
            request = strategy.next_request(row.conversation, (), 0)
            if request is not None and row.id in costs:
                own.paid.append((_weight(own, row, request), costs[row.id]))


def _weight(own: _Sum, row: CleanRow, request: Request) -> float:
    """How dear a question is beside others of its strategy, by the lengths of its texts."""
    written = min(request.max_output_tokens, _source_tokens(own, row) + _WRAPPING_TOKENS)
    return prices.cost(Usage(tokens.expected_input(request), written), own.prepared.price.standard)


def _applies(own: _Sum, row: CleanRow) -> bool:
    strategy = own.prepared.strategy
    reason = strategy.applies(row.conversation)
    if reason is not None:
        own.skip_reasons[str(reason)] += strategy.samples
    return reason is None


def _judged(
    work: Work, own: _Sum, gate: _Sum, page: Sequence[CleanRow], states: dict[ItemKey, ItemState]
) -> list[CleanRow]:
    """The rows that a judge lets through as far as it is known, and those that it is still to be asked about."""
    strategy, judge = own.prepared.strategy, gate.prepared.strategy
    assert isinstance(judge, Gate)
    requests = {row.id: judge.next_request(row.conversation) for row in page}
    keys = {row_id: request_key(request, 0) for row_id, request in requests.items() if request is not None}
    known = work.store.fetch(ledger.usable_answers, list(keys.values()))
    wanted = []
    for row in page:
        request, stored = requests[row.id], known.get(keys.get(row.id, ""))
        unfinished = any((row.id, strategy.label, n) not in states for n in range(strategy.samples))
        if stored is not None:
            gate.answered += 1
            gate.saved += _price(gate, stored.answer.usage)
            passes = judge.passes(stored.answer)
            own.passed, own.refused = own.passed + passes, own.refused + (not passes)
            if not passes:
                own.skip_reasons[str(SkipReason.CASCADE)] += strategy.samples
                continue
            own.wanted_rows += unfinished
        elif request is not None and unfinished:
            gate.items += 1
            gate.add(request, _JUDGEMENT_TOKENS, 1)
            own.open_rows += 1
        wanted.append(row)
    return wanted


def _price(own: _Sum, usage: Usage) -> int:
    return prices.cost(usage, own.prepared.price.of(None, usage.input_tokens))


def _source_tokens(own: _Sum, row: CleanRow) -> int:
    """How long an answer will be: about as long as what it is made from."""
    known = own.prepared.strategy.answer_tokens
    if known is not None:
        return known
    index = find_exchange(row.conversation)
    if index is None:
        return 0
    turn = row.conversation.turns[index]
    texts = {"prompt": turn.prompt, "response": turn.response, "reasoning": turn.reasoning or turn.response}
    steps = own.prepared.strategy.steps
    wanted = [key for step in steps for key in step.keys or ("response",)]
    return sum(tokens.expected(texts.get(key) or "") for key in wanted) // len(steps)


def _share(own: _Sum) -> float:
    """The share of the rows counted here that will be asked about: all, or as many as the judge lets through."""
    if own.gate is None or not own.open_rows:
        return 1.0
    judged = own.passed + own.refused
    passing = own.passed / judged if judged >= ENOUGH else _PASSING
    return (own.wanted_rows + passing * own.open_rows) / (own.wanted_rows + own.open_rows)


def _line(own: _Sum, scale: float) -> StrategyEstimate:
    """One strategy of the estimate; money in US dollars."""
    whole, share = scale, _share(own)
    scale *= share
    # at least: the judge lets no one else through
    least = 1.0 if own.gate is None else own.wanted_rows / max(1, own.wanted_rows + own.open_rows)
    price, attempts = own.prepared.price, own.experience.attempts if own.experience else _ATTEMPTS
    cached = own.expected["cached"]
    if own.experience is not None:
        cached = round(own.expected["input"] * own.experience.cached_share)
    batch = own.prepared.strategy.params.provider_batch

    def cost(output: int, cached: int, *, batch: bool = batch) -> int:
        return prices.cost(Usage(own.expected["input"], output, cached), price.of(BATCH if batch else None))

    output = own.expected["output"]
    live = _measured(own)
    paid = attempts if own.experience is None else own.experience.paid
    expected, uncached, full = cost(output, cached), cost(output, 0), cost(output, cached, batch=False)
    low = cost(round(output * _LOW), cached)
    unit, batched = price.standard, price.of(BATCH)
    likely = expected * paid if live is None else live * (batched.output / unit.output if batch else 1.0)
    high = prices.upper_bound(own.high["input"], own.high["output"], price.of(BATCH if batch else None))

    skipped = {reason: round(count * whole) for reason, count in own.skip_reasons.items()}
    if unwanted := round((1 - share) * own.items * whole):
        skipped[str(SkipReason.CASCADE)] = skipped.get(str(SkipReason.CASCADE), 0) + unwanted

    def usd(nano: float, scale: float = scale) -> float:
        return round(nano * scale / NANO, 9)

    left = len(own.open_weights) * scale
    margin = None if live is None else own.trial().margin(left)
    return {
        "strategy": own.label,
        "model": own.prepared.strategy.model,
        "items": round(own.items * scale),
        "finished": round(own.finished * whole),
        "skipped": sum(skipped.values()),
        "skip_reasons": skipped,
        "already_answered": round(own.answered * scale),
        "calls": round(own.calls * attempts * scale),
        "input_tokens": round(own.expected["input"] * attempts * scale),
        "cached_tokens": round(cached * attempts * scale),
        "output_tokens": round(own.expected["output"] * scale),
        "cost_usd": {
            "low": usd(low, whole * least),
            "expected": usd(likely),
            "high": usd(max(high, likely), whole),
        },
        "margin": None if margin is None else round(margin, 4),
        "trial_rows": _trial_rows(margin, len(own.paid), left),
        "saved_by_reuse_usd": usd(own.saved),
        "saved_by_caching_usd": usd((uncached - expected) * paid),
        "provider_batch": batch,
        "saving_of_provider_batch_usd": usd(
            (full * paid if live is None else live) * (1 - batched.output / unit.output)
        ),
        "from_experience": own.experience is not None,
    }


def _measured(own: _Sum) -> float | None:
    """Nano-dollars of the calls counted here by what such calls have cost so far: caching, tiers and answers that were no
    good are in it. None without experience."""
    if own.experience is None or own.experience.cost is None:
        return None
    trial = own.trial()
    if trial.is_enough and own.experience.is_live:
        return len(own.open_weights) * trial.mean_cost()
    return own.calls * own.experience.paid * own.experience.cost


def _load(own: _Sum, scale: float) -> Load:
    scale *= _share(own)
    measured, experience = _measured(own), own.experience
    return Load(
        price=own.prepared.price,
        calls=own.calls * scale,
        input_tokens=own.expected["input"] * scale,
        output_tokens=own.expected["output"] * scale,
        system_tokens=own.system_tokens,
        steps=own.prepared.strategy.questions,
        measured=None if measured is None else measured * scale,
        seconds=None if experience is None else experience.seconds,
        has_judge=own.gate is not None or isinstance(own.prepared.strategy, Gate),
    )


def _trial_rows(margin: float | None, paid: float, left: float) -> int | None:
    return None if margin is None or margin <= _WANTED_MARGIN else rows_for(_WANTED_MARGIN, margin, paid, left)


def _most_rows(sums: Iterable[_Sum], scale: float) -> tuple[float, float]:
    """(paid, left) of the strategy with most rows."""
    return max(((len(own.paid), len(own.open_weights) * scale) for own in sums), key=sum, default=(0, 0))


def _total(lines: Sequence[StrategyEstimate], paid: float, left: float) -> EstimateTotal:
    def usd(amounts: Iterable[float]) -> float:
        return round(sum(amounts), 9)

    expected = usd(line["cost_usd"]["expected"] for line in lines)
    known = all(line["margin"] is not None or not line["calls"] for line in lines) and expected > 0
    off = sqrt(sum(((line["margin"] or 0.0) * line["cost_usd"]["expected"]) ** 2 for line in lines))
    return {
        "items": sum(line["items"] for line in lines),
        "already_answered": sum(line["already_answered"] for line in lines),
        "calls": sum(line["calls"] for line in lines),
        "input_tokens": sum(line["input_tokens"] for line in lines),
        "cached_tokens": sum(line["cached_tokens"] for line in lines),
        "output_tokens": sum(line["output_tokens"] for line in lines),
        "cost_usd": {
            "low": usd(line["cost_usd"]["low"] for line in lines),
            "expected": expected,
            "high": usd(line["cost_usd"]["high"] for line in lines),
        },
        "margin": round(off / expected, 4) if known else None,
        "trial_rows": _trial_rows(off / expected, paid, left) if known and paid and left else None,
        "saved_by_reuse_usd": usd(line["saved_by_reuse_usd"] for line in lines),
        "saved_by_caching_usd": usd(line["saved_by_caching_usd"] for line in lines),
        "saving_of_provider_batch_usd": usd(line["saving_of_provider_batch_usd"] for line in lines),
    }
