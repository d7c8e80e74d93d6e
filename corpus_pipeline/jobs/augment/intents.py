"""What is written before a call: its intent with the most that it can cost, and what is said when no money is left."""

from __future__ import annotations

import os
import time

from corpus_pipeline.jobs.augment.charging import Charger
from corpus_pipeline.jobs.augment.work_item import Item
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.model import NanoDollars, Request
from corpus_pipeline.states import BudgetScope
from corpus_pipeline.store import budgets, ledger

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
    """The ledger row of a call that is about to be made; `batch`: at the price of the provider's Batch API;
    `sent`: how it is put, where that is not as by default."""
    work = held.work
    reserved, price = charger.reserve(item.prepared, request, batch=batch)
    return ledger.Intent(
        id=attempt_id,
        request_key=key,
        task_id=work.task.id,
        conversation_id=item.conversation_id,
        strategy=item.prepared.strategy.label,
        sample_index=item.sample_index,
        step=step,
        attempt=attempt,
        consumer=work.file.consumer,
        prompt_version=item.prepared.prompt_version,
        model=request.model,
        input_price=price.input,
        cached_price=price.cached_input,
        output_price=price.output,
        cache_write_price=price.cache_write,
        reserved=reserved,
        epoch=held.lease.epoch,
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
        f"the budget of {name}, ${ceilings[scope] / 1e9:.4f}, has no room for another call:"
        f" ${level.spent / 1e9:.4f} spent, ${level.reserved / 1e9:.4f} reserved, and it may cost"
        f" ${reserved / 1e9:.4f}.{note and f' {note}.'} Raise"
        f" augment.budget.{scope}_usd in the recipe and bind it again, then: corpus resume {work.file.name}"
        f" --stage augment, corpus run {work.file.name}"
    )
