"""Calls of models: attempts of the ledger with prompts and answers, failed samples, trials, provider batches."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict

from corpus_pipeline.service.records.base import JsonObject, TurnTexts


class Call(TypedDict):
    """One attempt of the ledger. Money in US dollars, at: milliseconds UTC. sent: what was sent, where it is kept."""

    id: str
    strategy: str
    sample: int
    step: int
    attempt: int
    state: str
    outcome: str | None
    model: str
    model_answered: str | None
    prompt_version: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: float
    latency_ms: int | None
    at: int
    http_status: int | None
    run_id: str | None
    request_key: str
    answer: str | None
    rejected: str | None
    sent: Any


class PromptParameters(TypedDict):
    """The parameters of a request."""

    max_output_tokens: int
    temperature: float | None
    seed: int | None
    response_schema: JsonObject | None


class Prompt(TypedDict):
    """A prompt rendered again from its version. same: this is what was sent, byte for byte."""

    messages: list[JsonObject]
    parameters: PromptParameters
    same: bool


class AskedCall(Call):
    """A call with its prompt, None where it cannot be rendered any more."""

    prompt: Prompt | None


class FailedSample(TypedDict):
    """A failed sample with its context. prompt: the messages as sent; by, why: who replayed or dismissed it."""

    id: int
    file: str
    row: str
    stage: str
    strategy: str | None
    reason: str
    error: str
    validator: str | None
    evidence: list[Any]
    state: str
    attempts: int
    model: str | None
    prompt: Any
    answer: str | None
    first_at: int
    last_at: int
    by: str | None
    why: str | None


class InputTurn(TypedDict):
    """A turn that was asked about, with None for what it does not have."""

    system: str | None
    prompt: str | None
    reasoning: str | None
    response: str | None
    rejected: str | None
    weight: float | None
    extra: JsonObject | None


class FailedSampleDetail(FailedSample):
    """A failed sample with the turns that were asked about and every attempt, those of its judge included."""

    input: list[InputTurn]
    calls: list[Call]


class TriedRequest(TypedDict):
    """A request as it would be sent."""

    model: str
    messages: list[JsonObject]
    max_output_tokens: int
    temperature: float | None
    response_schema: JsonObject | None


class TriedAnswer(TypedDict):
    """An answer to it."""

    text: str
    finish_reason: str | None


class TriedVerdict(TypedDict):
    """What one validator says of an answer. detail: why not."""

    validator: str
    passed: bool
    detail: str


class TriedCell(TypedDict):
    """One row under one variant. skipped: why nothing was asked; error: why there is no answer."""

    variant: str
    row: str
    skipped: str | None
    error: str | None
    requests: list[TriedRequest]
    answers: list[TriedAnswer]
    turns: list[TurnTexts]
    values: JsonObject | None
    verdicts: list[TriedVerdict]
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    seconds: float
    passed: bool


class TriedTotal(TypedDict):
    """A variant over all rows."""

    variant: str
    rows: int
    passed: int
    skipped: int
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float


class Trial(TypedDict):
    """Everything that was tried. sources: the turns of each row, by its address."""

    name: str
    strategy: str
    variants: list[str]
    sources: dict[str, list[TurnTexts]]
    cells: list[TriedCell]
    totals: list[TriedTotal]


class ProviderBatch(TypedDict):
    """A provider batch with its requests by outcome. reserved_usd: what those that wait can still cost."""

    batch: int
    file: str
    model: str
    requests: int
    state: str
    provider_id: str | None
    input_file_id: str | None
    provider_status: str | None
    detail: str | None
    created_at: int
    sent_at: int | None
    taken_at: int | None
    answered: int
    errors: int
    unknown: int
    waiting: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    reserved_usd: float


class PricedModel(TypedDict):
    """US dollars per million tokens. tiers: factor of the standard price; long_context: input tokens from which it rises."""

    model: str
    input: float
    cached_input: float
    output: float
    cache_write: float
    tiers: dict[str, float]
    long_context: list[int]


class PriceUpdate(TypedDict):
    """What taking over a price list changed. as_of: YYYY-MM-DD."""

    models: int
    new: int
    changed: int
    as_of: str


class UsageMismatch(TypedDict):
    """A line of a bill that differs from the ledger."""

    line: int
    call: str
    model: str
    adopted: bool
    ledger_usd: float
    bill_usd: float


class Reconciliation(TypedDict):
    """A bill beside the ledger. bill_usd: None where it names no prices."""

    file: str
    lines: int
    bill_usd: float | None
    ledger_usd_before: float
    ledger_usd: float
    settled: int
    not_billed: int
    mismatches: list[UsageMismatch]
    mismatches_in_all: int
    unmatched: int
    unmatched_usd: float
    still_unknown: int


class Spending(TypedDict):
    """Money and tokens of one group. expected_usd: with calls of unknown outcome at what they probably cost; cost_usd: at the
    most. The key that names the group is the one that was asked for."""

    consumer: NotRequired[str]
    file: NotRequired[str]
    strategy: NotRequired[str]
    model: NotRequired[str]
    day: NotRequired[str]
    batch: NotRequired[str]
    item: NotRequired[str]
    calls: int
    answered: int
    errors: int
    unknown: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: float
    unknown_usd: float
    unknown_expected_usd: float
    expected_usd: float


class DearRow(TypedDict):
    """A row that cost much."""

    name: str
    number: int
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float


class Money(TypedDict):
    """Money by one key. dearest: None when there are too many calls to look through them."""

    by: str
    groups: list[Spending]
    total_usd: float
    dearest: list[DearRow] | None


class CostRange(TypedDict):
    """US dollars."""

    low: float
    expected: float
    high: float


class EstimateTotal(TypedDict):
    """All strategies together. margin: the share by which the bill may differ from what is expected, in 19 of 20 jobs, by the
    spread of the rows that are paid; None before enough of them are. trial_rows: how many rows paid, spread over the file,
    bring a margin of 5 %; None where it is no wider, or where no trial of this file does."""

    items: int
    already_answered: int
    calls: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: CostRange
    margin: float | None
    trial_rows: int | None
    saved_by_reuse_usd: float
    saved_by_caching_usd: float
    saving_of_provider_batch_usd: float


class StrategyEstimate(EstimateTotal):
    """What one strategy will ask and cost."""

    strategy: str
    model: str
    finished: int
    skipped: int
    skip_reasons: dict[str, int]
    provider_batch: bool
    from_experience: bool


class Way(TypedDict):
    """A way in which the same calls can be asked. cost_usd: None where it is not open."""

    way: str
    cost_usd: float | None
    hours: float | None
    note: str


class CostEstimate(TypedDict):
    """What augmenting the rest of a dataset file will cost. budgets: US dollars by name."""

    name: str
    rows: int
    rows_looked_at: int
    strategies: list[StrategyEstimate]
    total: EstimateTotal
    ways: list[Way]
    budgets: dict[str, float]
