"""The ledger: one row per HTTP attempt, written as an intent before the call and settled after it; and the answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, bindparam, case, func, or_, select, true, update

from corpus_pipeline.model import Answer, ConversationId, NanoDollars, TaskId, Usage
from corpus_pipeline.states import AttemptState, BudgetScope, Stage
from corpus_pipeline.store import budgets, provider_workers, spending
from corpus_pipeline.store.backends import Backend
from corpus_pipeline.store.budgets import Booked, Ceilings, Payer
from corpus_pipeline.store.schema import answers, augmented_rows, dataset_files, leases, llm_attempts, tasks, work_items
from corpus_pipeline.store.types import Money, now_ms

_A = llm_attempts.c


class Intent(NamedTuple):
    """What is about to be asked. Prices are micro-dollars per million tokens; `reserved`, in nano-dollars, is the most it can
    cost."""

    id: str
    request_key: str
    task_id: TaskId
    conversation_id: ConversationId
    strategy: str
    sample_index: int
    step: int
    attempt: int
    consumer: str
    prompt_version: str
    model: str
    input_price: int
    cached_price: int
    output_price: int
    cache_write_price: int
    reserved: NanoDollars
    epoch: int
    run_id: str | None
    batch_id: int | None = None  # the provider batch that it goes with
    sent: str | None = None  # JSON: how the request is put, where that is not as by default


class Settlement(NamedTuple):
    """How one attempt ended. `cost` is what is booked: for an unknown outcome the reserved upper bound.

    prices: of a token, in the order of the intent's, where it was not charged at those. remark: what of the provider's words
    did not agree.
    """

    id: str
    state: AttemptState
    outcome: str
    usage: Usage
    cost: NanoDollars
    latency_ms: int
    model_answered: str | None = None
    http_status: int | None = None
    provider_request_id: str | None = None
    prices: tuple[int, int, int, int] | None = None
    service_tier: str | None = None
    response_id: str | None = None
    remark: str | None = None


class StoredAnswer(NamedTuple):
    """An answer that arrived and is usable, with the attempt that paid for it."""

    attempt_id: str
    answer: Answer


class Recovered(NamedTuple):
    """An answer that arrived and was not committed, with how its attempt ended."""

    settlement: Settlement
    request_key: str
    answer: Answer


class NotMade(NamedTuple):
    """Intents of which there is no row. refused: by the scope of the budget whose ceiling they would have broken.

    asked: by the attempt of another task that asks the same at this moment, or has its answer already. company: whether
    other workers call a provider now.
    """

    refused: dict[str, BudgetScope]
    asked: dict[str, str]
    company: bool = False


_INTENT_COLUMNS = (*Intent._fields, "state", "created_at")


def insert_intents(
    connection: Connection,
    backend: Backend,
    intents: Sequence[Intent],
    ceilings: Ceilings,
    insisted: Collection[str] | None = None,
    *,
    company: bool = False,
) -> NotMade:
    """Commit these before the calls are made; their worst case is reserved. All are of one task.

    insisted: ids of those that are made even where another task asks the same; None: all of them. company: whether other
    workers called a provider since the answers that are known already were looked up.
    """
    if not intents:
        return NotMade({}, {})
    now, workers_here = connection.execute(_NOW).one()
    company = company or workers_here > 1
    payer = Payer(intents[0].task_id, intents[0].consumer, budgets.day_of(now))
    taken, refusal = budgets.reserve(connection, backend, payer, [i.reserved for i in intents], ceilings)
    made, asked = intents[:taken], {}
    if company and insisted is not None:  # behind the rows of the budgets: one transaction at a time is here
        asked = _asked_by_others(connection, [i for i in made if i.id not in insisted])
        budgets.book(connection, [Booked(payer, i.reserved, 0) for i in made if i.id in asked])
    backend.insert(
        connection,
        llm_attempts,
        _INTENT_COLUMNS,
        [(*intent, AttemptState.INTENT.value, now) for intent in made if intent.id not in asked],
    )
    refused = {intent.id: refusal for intent in intents[taken:] if refusal is not None}
    return NotMade(refused, asked, company)


# Statements that run with every commit of the window are built once: to build one costs more than to run it.
_NOW = select(now_ms(), provider_workers.at_work())
_ASKED = and_(
    _A.state == AttemptState.INTENT.value,
    _A.batch_id.is_(None),  # no one waits for a day
    select(leases.c.epoch)
    .where(
        leases.c.task_id == _A.task_id,
        leases.c.stage == Stage.AUGMENT.value,
        leases.c.epoch == _A.epoch,
        leases.c.expires_at > now_ms(),
    )
    .exists(),
)
_ASKED_OR_ANSWERED = (
    select(_A.request_key, _A.id)
    .outerjoin(answers, answers.c.attempt_id == _A.id)
    .where(
        _A.request_key.in_(bindparam("keys", expanding=True)),
        _A.task_id != bindparam("own_task"),
        or_(_ASKED, and_(answers.c.attempt_id.is_not(None), answers.c.rejected.is_(None))),
    )
    .order_by(_A.state)  # an answer before a question
)
_STILL_ASKED = select(_A.id).where(_A.id.in_(bindparam("ids", expanding=True)), _ASKED)


def _asked_by_others(connection: Connection, intents: Sequence[Intent]) -> dict[str, str]:
    """The attempts of other tasks that ask the same, by workers that are alive, or were answered; by the intent's id."""
    if not intents:
        return {}
    by_key: dict[str, str] = {}
    for key, attempt_id in connection.execute(
        _ASKED_OR_ANSWERED, {"keys": [i.request_key for i in intents], "own_task": intents[0].task_id}
    ):
        by_key.setdefault(key, attempt_id)
    return {i.id: by_key[i.request_key] for i in intents if i.request_key in by_key}


def still_asked(connection: Connection, attempt_ids: Collection[str]) -> frozenset[str]:
    """Those attempts that wait for their answer in a worker that is alive."""
    return frozenset(connection.execute(_STILL_ASKED, {"ids": list(attempt_ids)}).scalars())


def others_are_asking(connection: Connection, task_id: TaskId, consumer: str | None) -> bool:
    """Whether live workers of other tasks (of this consumer; None: of any) wait for answers now: what is reserved for these
    and not spent comes back."""
    asking = select(_A.id).where(_A.task_id != task_id, _ASKED)
    if consumer is not None:
        asking = asking.where(_A.consumer == consumer)
    return connection.execute(asking.limit(1)).first() is not None


_OPEN = select(_A.id, _A.task_id, _A.consumer, _A.created_at, _A.reserved, _A.strategy, _A.model, _A.attempt).where(
    _A.state == AttemptState.INTENT.value
)
_OPEN_OF = _OPEN.where(_A.id.in_(bindparam("ids", expanding=True)))


def _open(connection: Connection, attempt_ids: Sequence[str]) -> Sequence[Row]:
    """Those of the intents that are not settled, with what budgets and sums need to know of them."""
    return connection.execute(_OPEN_OF, {"ids": list(attempt_ids)}).all()


def _booked(row: Row, cost: int) -> Booked:
    payer = Payer(TaskId(row.task_id), row.consumer, budgets.day_of(row.created_at))
    return Booked(payer, row.reserved, cost)


def _settled(row: Row, state: AttemptState, usage: Usage, cost: int) -> spending.Settled:
    return spending.Settled(
        TaskId(row.task_id),
        budgets.day_of(row.created_at),
        row.consumer,
        row.strategy,
        row.model,
        state,
        row.attempt,
        usage,
        cost,
    )


_SETTLE = (
    update(llm_attempts)
    .where(_A.id == bindparam("key"), _A.state == AttemptState.INTENT.value)
    .values(
        state=bindparam("to_state"),
        outcome=bindparam("outcome"),
        input_tokens=bindparam("input_tokens"),
        cached_tokens=bindparam("cached_tokens"),
        output_tokens=bindparam("output_tokens"),
        reasoning_tokens=bindparam("reasoning_tokens"),
        cache_write_tokens=bindparam("cache_write_tokens"),
        estimated=bindparam("estimated"),
        cost=bindparam("cost"),
        latency_ms=bindparam("latency_ms"),
        model_answered=bindparam("model_answered"),
        http_status=bindparam("http_status"),
        provider_request_id=bindparam("provider_request_id"),
        service_tier=bindparam("service_tier"),
        response_id=bindparam("response_id"),
        remark=bindparam("remark"),
        input_price=func.coalesce(bindparam("at_input", type_=Money), _A.input_price),
        cached_price=func.coalesce(bindparam("at_cached", type_=Money), _A.cached_price),
        output_price=func.coalesce(bindparam("at_output", type_=Money), _A.output_price),
        cache_write_price=func.coalesce(bindparam("at_cache_write", type_=Money), _A.cache_write_price),
        settled_at=now_ms(),
    )
)


def settle(connection: Connection, settlements: Sequence[Settlement]) -> None:
    """Settle intents. One that was settled in the meantime (booked as unknown by a successor) stays as it is."""
    if settlements:
        ends = {s.id: s for s in settlements}
        still = _open(connection, list(ends))
        budgets.book(connection, [_booked(row, ends[row.id].cost) for row in still])
        spending.add(
            connection, [_settled(row, ends[row.id].state, ends[row.id].usage, ends[row.id].cost) for row in still]
        )
        connection.execute(
            _SETTLE,
            [_ended(s) for s in settlements],
        )


def _ended(s: Settlement) -> dict[str, Any]:
    at = s.prices or (None, None, None, None)
    return {
        "key": s.id,
        "to_state": s.state.value,
        "outcome": s.outcome,
        "input_tokens": s.usage.input_tokens,
        "cached_tokens": s.usage.cached_tokens,
        "output_tokens": s.usage.output_tokens,
        "reasoning_tokens": s.usage.reasoning_tokens,
        "cache_write_tokens": s.usage.cache_write_tokens,
        "estimated": s.usage.estimated,
        "cost": s.cost,
        "latency_ms": s.latency_ms,
        "model_answered": s.model_answered,
        "http_status": s.http_status,
        "provider_request_id": s.provider_request_id,
        "service_tier": s.service_tier,
        "response_id": s.response_id,
        "remark": s.remark,
        "at_input": at[0],
        "at_cached": at[1],
        "at_output": at[2],
        "at_cache_write": at[3],
    }


ANSWERED_SINCE = "answered_since"  # why an answer that came to light late is not used
GIVEN_UP = "given_up"  # the outcome of a call that was on the wire when a person did not want to wait for it
PROCESS_DIED = "process_died"  # how attempts are booked whose answer may still come to light
_RECOVERABLE = select(
    _A.id,
    _A.task_id,
    _A.consumer,
    _A.created_at,
    _A.reserved,
    _A.strategy,
    _A.model,
    _A.attempt,
    _A.state,
    _A.cost,
    _A.request_key,
    _A.input_price,
    _A.cached_price,
    _A.output_price,
    _A.cache_write_price,
).where(
    _A.id.in_(bindparam("ids", expanding=True)),
    or_(
        _A.state == AttemptState.INTENT.value,
        and_(_A.state == AttemptState.UNKNOWN.value, _A.outcome == PROCESS_DIED),
    ),
)


def recoverable(connection: Connection, attempt_ids: Sequence[str]) -> Sequence[Row]:
    """The ledger rows of those attempts for which an answer may still come to light."""
    return connection.execute(_RECOVERABLE, {"ids": list(attempt_ids)}).all() if attempt_ids else []


def recover(connection: Connection, backend: Backend, found: Sequence[Recovered]) -> int:
    """Settle attempts by answers that had arrived when their process died, those too that were booked as unknown since.

    Returns how many; an attempt that is settled stays as it is.
    """
    by_id = {entry.settlement.id: entry for entry in found}
    rows = recoverable(connection, list(by_id))
    for row in rows:
        if row.state == AttemptState.UNKNOWN.value:
            _reopen(connection, row)
    settle(connection, [by_id[row.id].settlement for row in rows])
    entries = [by_id[row.id] for row in rows]
    late = _answered_since(connection, {entry.request_key for entry in entries})
    insert_answers(connection, backend, [(e.settlement.id, e.request_key, e.answer) for e in entries])
    unneeded = [entry.settlement.id for entry in entries if entry.request_key in late]
    if unneeded:  # paid for, and in the books as such; rows were made of the other answer
        own = answers.c.attempt_id.in_(unneeded)
        connection.execute(update(answers).where(own).values(rejected=ANSWERED_SINCE))
    return len(rows)


def _answered_since(connection: Connection, keys: set[str]) -> set[str]:
    """Those request keys that have a usable answer."""
    query = select(answers.c.request_key).where(answers.c.request_key.in_(keys), answers.c.rejected.is_(None))
    return set(connection.execute(query).scalars()) if keys else set()


def _reopen(connection: Connection, row: Row) -> None:
    """Take back what was booked for an unknown outcome: the attempt waits again, its most is reserved."""
    payer = Payer(TaskId(row.task_id), row.consumer, budgets.day_of(row.created_at))
    budgets.book(connection, [Booked(payer, -row.reserved, -row.cost)])
    spending.take_back(connection, [_settled(row, AttemptState.UNKNOWN, Usage(0, 0), row.cost)])
    connection.execute(
        update(llm_attempts).where(_A.id == row.id).values(state=AttemptState.INTENT.value, cost=0, outcome=None)
    )


def still_open(connection: Connection, attempt_ids: Sequence[str]) -> frozenset[str]:
    """Which of these attempts are not settled."""
    return frozenset(row.id for row in _open(connection, attempt_ids))


def withdraw(connection: Connection, attempt_ids: Sequence[str]) -> None:
    """Take back intents whose calls never left: the ledger has one row per HTTP attempt."""
    if attempt_ids:
        budgets.book(connection, [_booked(row, 0) for row in _open(connection, attempt_ids)])
        connection.execute(llm_attempts.delete().where(_A.id.in_(attempt_ids), _A.state == AttemptState.INTENT.value))


def insert_answers(connection: Connection, backend: Backend, arrived: Sequence[tuple[str, str, Answer]]) -> None:
    """(attempt id, request key, answer) of answers that arrived."""
    columns = ("attempt_id", "request_key", "text", "reasoning", "refusal", "finish_reason", "model")
    backend.insert(
        connection,
        answers,
        columns,
        [(i, key, a.text, a.reasoning, a.refusal, a.finish_reason, a.model) for i, key, a in arrived],
    )


_REJECT = update(answers).where(answers.c.attempt_id == bindparam("key")).values(rejected=bindparam("why"))


def reject_answers(connection: Connection, rejected: Sequence[tuple[str, str]]) -> None:
    """(attempt id, reason word) of answers that must never be used again."""
    if rejected:
        connection.execute(
            _REJECT,
            [{"key": attempt_id, "why": reason} for attempt_id, reason in rejected],
        )


class PaidAnswers(NamedTuple):
    """Answers in the database, by request key. rejected: requests with no usable answer, and one of the reason asked for."""

    usable: dict[str, StoredAnswer]
    rejected: frozenset[str]


def usable_answers(connection: Connection, request_keys: Sequence[str]) -> dict[str, StoredAnswer]:
    """Answers that are already paid, by the key of the request that produced them."""
    return paid_answers(connection, request_keys, None).usable


def paid_answers(connection: Connection, request_keys: Sequence[str], reason: str | None) -> PaidAnswers:
    """What earlier calls brought for these requests; reason: for which an answer was rejected."""
    if not request_keys:
        return PaidAnswers({}, frozenset())
    query = (
        select(
            answers.c.request_key,
            answers.c.attempt_id,
            answers.c.rejected,
            answers.c.text,
            answers.c.finish_reason,
            answers.c.model,
            answers.c.refusal,
            answers.c.reasoning,
            _A.provider_request_id,
            _A.input_tokens,
            _A.output_tokens,
            _A.cached_tokens,
            _A.reasoning_tokens,
            _A.estimated,
        )
        .join(llm_attempts, _A.id == answers.c.attempt_id)
        .where(answers.c.request_key.in_(request_keys), or_(answers.c.rejected.is_(None), answers.c.rejected == reason))
        .order_by(answers.c.attempt_id.desc())
    )
    usable: dict[str, StoredAnswer] = {}
    rejected = set()
    for r in connection.execute(query):
        if r.rejected is not None:
            rejected.add(r.request_key)
            continue
        usage = Usage(r.input_tokens, r.output_tokens, r.cached_tokens, r.reasoning_tokens, bool(r.estimated))
        answer = Answer(r.text, r.finish_reason, r.model, usage, r.refusal, r.reasoning, r.provider_request_id)
        usable[r.request_key] = StoredAnswer(r.attempt_id, answer)
    return PaidAnswers(usable, frozenset(rejected - usable.keys()))


def _stored(r: Row[Any]) -> StoredAnswer:
    usage = Usage(r.input_tokens, r.output_tokens, r.cached_tokens, r.reasoning_tokens, bool(r.estimated))
    answer = Answer(r.text, r.finish_reason, r.model, usage, r.refusal, r.reasoning, r.provider_request_id)
    return StoredAnswer(r.attempt_id, answer)


def attempts_made(connection: Connection, task_id: TaskId, ids: Sequence[int]) -> dict[tuple[int, str, int], int]:
    """How many attempts were begun for (conversation, strategy, sample), whatever became of them."""
    query = (
        select(_A.conversation_id, _A.strategy, _A.sample_index, func.count())
        .where(_A.task_id == task_id, _A.conversation_id.in_(ids))
        .group_by(_A.conversation_id, _A.strategy, _A.sample_index)
    )
    return {(r[0], r[1], r[2]): r[3] for r in connection.execute(query)}


def book_unknown(connection: Connection, task_id: TaskId, epoch: int) -> int:
    """Intents of earlier holders that were never settled: on the wire when their process died. Booked at the upper bound.

    Returns how many.
    """
    left = (_A.task_id == task_id, _A.epoch < epoch, _A.batch_id.is_(None))
    still = connection.execute(_OPEN.where(*left)).all()
    budgets.book(connection, [_booked(row, row.reserved) for row in still])
    spending.add(connection, [_settled(row, AttemptState.UNKNOWN, Usage(0, 0), row.reserved) for row in still])
    touched = connection.execute(
        update(llm_attempts)
        .where(_A.state == AttemptState.INTENT.value, *left)
        .values(state=AttemptState.UNKNOWN.value, outcome=PROCESS_DIED, cost=_A.reserved, settled_at=now_ms())
    )
    return touched.rowcount


class Correction(NamedTuple):
    """What an attempt came to by the provider's bill; row: as `for_reconciling` gave it."""

    row: Row
    state: AttemptState
    outcome: str
    usage: Usage
    cost: NanoDollars


def for_reconciling(connection: Connection) -> Sequence[Row]:
    """Every attempt with what a bill can be compared by."""
    columns = (
        *(
            _A.id,
            _A.task_id,
            _A.consumer,
            _A.created_at,
            _A.reserved,
            _A.strategy,
            _A.model,
            _A.model_answered,
            _A.attempt,
        ),
        *(_A.state, _A.outcome, _A.cost, _A.estimated, _A.provider_request_id, _A.response_id, _A.input_tokens),
        *(
            _A.cached_tokens,
            _A.output_tokens,
            _A.reasoning_tokens,
            _A.cache_write_tokens,
            _A.input_price,
            _A.cached_price,
        ),
        *(_A.output_price, _A.cache_write_price),
    )
    return connection.execute(select(*columns)).all()


_CORRECT = (
    update(llm_attempts)
    .where(_A.id == bindparam("key"))
    .values(
        state=bindparam("to_state"),
        outcome=bindparam("why"),
        input_tokens=bindparam("read"),
        cached_tokens=bindparam("cached"),
        output_tokens=bindparam("written"),
        reasoning_tokens=bindparam("reasoning"),
        cache_write_tokens=bindparam("to_cache"),
        cost=bindparam("billed"),
        estimated=False,
        settled_at=now_ms(),
    )
)


def correct(connection: Connection, corrections: Sequence[Correction]) -> None:
    """Book settled attempts at what they were billed; budgets and sums follow. An open one keeps its reservation."""
    done = [entry for entry in corrections if entry.row.state != AttemptState.INTENT.value]
    budgets.book(connection, [_booked(e.row, e.cost - e.row.cost)._replace(reserved=0) for e in done])
    before = [(e.row, AttemptState(e.row.state), _usage_of(e.row), e.row.cost) for e in done]
    spending.take_back(connection, [_settled(*entry) for entry in before])
    spending.add(connection, [_settled(e.row, e.state, e.usage, e.cost) for e in done])
    if done:
        connection.execute(_CORRECT, [_corrected(entry) for entry in done])


def _corrected(entry: Correction) -> dict[str, Any]:
    return {
        "key": entry.row.id,
        "to_state": entry.state.value,
        "why": entry.outcome,
        "read": entry.usage.input_tokens,
        "cached": entry.usage.cached_tokens,
        "written": entry.usage.output_tokens,
        "reasoning": entry.usage.reasoning_tokens,
        "to_cache": entry.usage.cache_write_tokens,
        "billed": entry.cost,
    }


def _usage_of(row: Row) -> Usage:
    return Usage(
        row.input_tokens,
        row.output_tokens,
        row.cached_tokens,
        row.reasoning_tokens,
        cache_write_tokens=row.cache_write_tokens,
    )


def remark_count(connection: Connection, task_id: TaskId) -> int:
    """Calls of a task whose numbers did not agree with each other."""
    query = select(func.count()).where(_A.task_id == task_id, _A.remark.is_not(None))
    return int(connection.execute(query).scalar_one())


def saved(connection: Connection, task_id: TaskId) -> NanoDollars:
    """What the last answers of reused items had cost when they were paid for, once."""
    paid = (
        select(func.max(_A.cost).label("cost"))
        .join(answers, answers.c.attempt_id == _A.id)
        .where(answers.c.request_key == augmented_rows.c.request_key, answers.c.rejected.is_(None))
        .scalar_subquery()
    )
    same = [work_items.c[key] == augmented_rows.c[key] for key in ("conversation_id", "strategy", "sample_index")]
    query = (
        select(func.coalesce(func.sum(paid), 0))
        .select_from(augmented_rows.join(work_items, and_(work_items.c.task_id == augmented_rows.c.task_id, *same)))
        .where(augmented_rows.c.task_id == task_id, work_items.c.reused.is_(True))
    )
    return NanoDollars(int(connection.execute(query).scalar_one()))


class Experience(NamedTuple):
    """What a strategy's calls to a model were like. attempts: per answer. cached_share: of the input tokens. paid: answers
    per question, where an answer that is no good is asked for again. cost: nano-dollars of an answer that was asked for live;
    None from too few. seconds: of a live call. answers: how many there were; lost: calls for each of them that broke behind
    an answer and are billed; is_live: whether none came of a provider batch."""

    input_tokens: float
    output_tokens: float
    attempts: float
    cached_share: float
    paid: float
    cost: float | None
    seconds: float | None
    answers: int
    lost: float
    is_live: bool


_ENOUGH_CALLS = 10


def experience(connection: Connection, strategy: str, model: str, task_id: TaskId | None = None) -> Experience | None:
    """From all calls of that strategy and model, in this task or in any; None from too few."""
    answered = case((_A.state == AttemptState.ANSWERED.value, 1), else_=0)
    live = and_(_A.state == AttemptState.ANSWERED.value, _A.batch_id.is_(None))
    # the wire broke behind an answer, which is billed as others are
    lost = and_(_A.state == AttemptState.UNKNOWN.value, _A.outcome.not_in((PROCESS_DIED, GIVEN_UP)))
    row = connection.execute(
        select(
            func.count().label("calls"),
            func.coalesce(func.sum(answered), 0).label("answered"),
            func.coalesce(func.sum(_A.input_tokens), 0).label("input"),
            func.coalesce(func.sum(_A.cached_tokens), 0).label("cached"),
            func.coalesce(func.sum(_A.output_tokens), 0).label("output"),
            func.count(case((_A.state == AttemptState.ANSWERED.value, _A.request_key)).distinct()).label("questions"),
            func.coalesce(func.sum(case((lost, 1), else_=0)), 0).label("lost"),
            func.coalesce(func.sum(case((live, 1), else_=0)), 0).label("live"),
            func.coalesce(func.sum(case((live, _A.cost), else_=0)), 0).label("live_cost"),
            func.coalesce(func.sum(case((live, _A.latency_ms), else_=0)), 0).label("live_ms"),
        ).where(
            _A.strategy == strategy,
            _A.model == model,
            _A.http_status.is_distinct_from(429),
            true() if task_id is None else _A.task_id == task_id,
        )
    ).one()
    if row.answered < _ENOUGH_CALLS:
        return None
    done = float(row.answered)
    few = row.live < _ENOUGH_CALLS
    return Experience(
        input_tokens=float(row.input) / done,
        output_tokens=float(row.output) / done,
        attempts=float(row.calls) / done,
        cached_share=float(row.cached) / max(1.0, float(row.input)),
        paid=(done + float(row.lost)) / max(1.0, float(row.questions)),
        cost=None if few else float(row.live_cost) / float(row.live),
        seconds=None if few else float(row.live_ms) / 1000 / float(row.live),
        answers=int(row.answered),
        lost=float(row.lost) / done,
        is_live=row.live == row.answered,
    )


def item_costs(connection: Connection, task_id: TaskId, strategy: str, first: int, last: int) -> dict[int, int]:
    """Nano-dollars by conversation of the answers to the first sample of a strategy, for first <= conversation id <= last."""
    query = (
        select(_A.conversation_id, func.sum(_A.cost))
        .where(
            _A.task_id == task_id,
            _A.strategy == strategy,
            _A.sample_index == 0,
            _A.state == AttemptState.ANSWERED.value,  # what is unknown is booked at its most
            _A.conversation_id.between(first, last),
        )
        .group_by(_A.conversation_id)
    )
    return {int(row[0]): int(row[1]) for row in connection.execute(query)}


def cost_by_item(connection: Connection) -> Sequence[Row]:
    """(name, conversation_id, strategy, sample_index, calls, answered, errors, unknown, input_tokens, cached_tokens,
    output_tokens, cost, unknown_cost) of every item that was asked about, the dearest first; in nano-dollars, the last of them
    for calls of unknown outcome."""

    def count(word: AttemptState) -> Any:
        return func.sum(case((_A.state == word.value, 1), else_=0))

    key = (dataset_files.c.name, _A.conversation_id, _A.strategy, _A.sample_index)
    cost = func.sum(_A.cost).label("cost")
    query = (
        select(
            *key,
            func.count().label("calls"),
            count(AttemptState.ANSWERED).label("answered"),
            count(AttemptState.ERROR).label("errors"),
            count(AttemptState.UNKNOWN).label("unknown"),
            func.sum(_A.input_tokens).label("input_tokens"),
            func.sum(_A.cached_tokens).label("cached_tokens"),
            func.sum(_A.output_tokens).label("output_tokens"),
            cost,
            func.sum(case((_A.state == AttemptState.UNKNOWN.value, _A.cost), else_=0)).label("unknown_cost"),
        )
        .select_from(
            llm_attempts.join(tasks, tasks.c.id == _A.task_id).join(
                dataset_files, dataset_files.c.id == tasks.c.file_id
            )
        )
        .group_by(_A.task_id, *key)
        .order_by(cost.desc(), *key)
    )
    return connection.execute(query).all()


def attempts_of(connection: Connection, task_id: TaskId, conversation_id: ConversationId) -> Sequence[Row]:
    """All attempts for one row of a task with the answers that arrived, oldest first."""
    return attempts_of_rows(connection, task_id, [conversation_id])


def attempts_of_rows(connection: Connection, task_id: TaskId, ids: Sequence[int]) -> Sequence[Row]:
    """As `attempts_of`, for some rows."""
    query = (
        select(
            llm_attempts,
            answers.c.text,
            answers.c.reasoning,
            answers.c.refusal,
            answers.c.finish_reason,
            answers.c.rejected,
        )
        .outerjoin(answers, answers.c.attempt_id == _A.id)
        .where(_A.task_id == task_id, _A.conversation_id.in_(ids))
        .order_by(_A.id)
    )
    return connection.execute(query).all()
