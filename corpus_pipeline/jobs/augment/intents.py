"""What is written before a call: its intent with the most that it can cost, and what is said when no money is left."""

from __future__ import annotations

import os
import time

from corpus_pipeline.jobs.augment.charging import Charger
from corpus_pipeline.jobs.augment.plan import Prepared
from corpus_pipeline.jobs.augment.work_item import Item
from corpus_pipeline.jobs.stage_run import Held, Work
from corpus_pipeline.model import ConversationId, NanoDollars, Request
from corpus_pipeline.states import BudgetScope
from corpus_pipeline.store import budgets, ledger
from corpus_pipeline.store.augmented import ItemKey
from corpus_pipeline.units import money

BUDGET = "budget"  # who sets the pause flag when no money is left


def intent_of(
    held: Held,
    charger: Charger,
    item: Item,
    request: Request,
    key: str,
    *,
    step: int,
    attempt: int,
    attempt_id: str,
    batch: bool = False,
    sent: str | None = None,
) -> ledger.Intent:
    """The ledger row of a call for an item of a run (see `intent_for`)."""
    return intent_for(
        held.work,
        charger,
        item.prepared,
        request,
        key,
        item.key,
        step=step,
        attempt=attempt,
        attempt_id=attempt_id,
        epoch=held.lease.epoch,
        batch=batch,
        sent=sent,
    )


def intent_for(
    work: Work,
    charger: Charger,
    prepared: Prepared,
    request: Request,
    key: str,
    place: ItemKey,
    *,
    step: int,
    attempt: int,
    attempt_id: str,
    epoch: int,
    batch: bool = False,
    sent: str | None = None,
) -> ledger.Intent:
    """The ledger row of a call that is about to be made; `place`: what it is booked under; `batch`: at the price of the
    provider's Batch API; `sent`: how it is put, where that is not as by default."""
    reserved, price = charger.reserve(prepared, request, batch=batch)
    conversation_id, strategy, sample_index = place
    return ledger.Intent(
        id=attempt_id,
        request_key=key,
        task_id=work.task.id,
        conversation_id=ConversationId(conversation_id),
        strategy=strategy,
        sample_index=sample_index,
        step=step,
        attempt=attempt,
        consumer=work.file.consumer,
        prompt_version=prepared.prompt_version,
        model=request.model,
        input_price=price.input,
        cached_price=price.cached_input,
        output_price=price.output,
        cache_write_price=price.cache_write,
        reserved=reserved,
        epoch=epoch,
        run_id=work.run_id,
        sent=sent,
    )


def new_attempt_id() -> str:
    """32 hexadecimal digits that sort by time: milliseconds since 1970, then chance."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


def out_of_money(held: Held, scope: BudgetScope, reserved: NanoDollars, note: str = "") -> str:
    """Why a task pauses when a call of at most `reserved` would break a budget, and what a person can do."""
    work, ceilings = held.work, held.work.recipe.augment.budget.ceilings()
    whose = {
        BudgetScope.TASK: ("this task", str(work.task.id)),
        BudgetScope.CONSUMER: (f"consumer {work.file.consumer}", work.file.consumer),
        BudgetScope.DAY: ("the day", held.fetch(budgets.today)),
    }
    name, subject = whose[scope]
    level = held.fetch(budgets.level, scope, subject)
    return (
        f"the budget of {name}, {money(ceilings[scope] / 1e9)}, has no room for another call:"
        f" {money(level.spent / 1e9)} spent, {money(level.reserved / 1e9)} reserved, and it may cost"
        f" {money(reserved / 1e9)}.{note and f' {note}.'} Raise"
        f" augment.budget.{scope}_usd in the recipe and bind it again, then: corpus resume {work.file.name}"
        f" --stage augment, corpus run {work.file.name}"
    )
