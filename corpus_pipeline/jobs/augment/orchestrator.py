"""In which order the questions of a run are asked: what goes by provider batch first, and in the meantime the rest one by one.

A strategy and its judge each go their own way, live or by batch, and a row's strategy is asked when its verdict is known.
Tasks that read what others make come after them, in groups.
Verdicts that are asked for live come before the batches that wait for them, and a cascade whose both steps go by batch
takes two rounds.
"""

from __future__ import annotations

import asyncio

from corpus_pipeline.errors import Interrupted
from corpus_pipeline.jobs.augment import event_loop, until_accepted
from corpus_pipeline.jobs.augment.plan import ModelAccess, Prepared
from corpus_pipeline.jobs.augment.provider_batches import Batching
from corpus_pipeline.jobs.augment.scheduler import Window
from corpus_pipeline.jobs.stage_run import Held
from corpus_pipeline.stages.augment.strategies.tasks import graph

_Plan = dict[str, Prepared]


def run(held: Held, plan: _Plan, access: ModelAccess) -> None:
    """Bring every item to its outcome. Raises Paused or Interrupted, or the error that stops the job."""
    wanted = held.work.recipe.augment.until_accepted
    if wanted is not None:
        until_accepted.run(held, plan, wanted, lambda: _run_groups(held, plan, access))
    elif _run_groups(held, plan, access):
        raise Interrupted(f"the limit of {held.work.limit} rows is reached")


def _run_groups(held: Held, plan: _Plan, access: ModelAccess) -> bool:
    """All strategies in their order; whether the limit of rows ended one."""
    groups = graph.levels({label: prepared.strategy for label, prepared in plan.items()})
    return any([_run_group(held, {label: plan[label] for label in group}, access) for group in groups])


def _run_group(held: Held, plan: _Plan, access: ModelAccess) -> bool:
    """Strategies that read nothing of each other; whether the limit of rows ended it."""
    batched = {label: p for label, p in plan.items() if p.by_batch or (p.gate is not None and p.gate.by_batch)}
    at_once = {label: p for label, p in plan.items() if label not in batched}
    return _with_batches(held, batched, at_once, access) if batched else _ask(held, at_once, access)


def _with_batches(held: Held, batched: _Plan, at_once: _Plan, access: ModelAccess) -> bool:
    batching = Batching(held, batched, access)
    asyncio.run(batching.send())  # the provider works on them while the others are asked
    cascades = {label: (p, p.gate) for label, p in batched.items() if p.by_batch and p.gate is not None}
    if judged_live := {label: p for label, (p, gate) in cascades.items() if not gate.by_batch}:
        _ask(held, judged_live, access, verdicts_only=True)
        asyncio.run(batching.send())
    limited = bool(at_once) and _ask(held, at_once, access)
    judged_by_batch = {label: p for label, (p, gate) in cascades.items() if gate.by_batch}
    while True:
        asyncio.run(batching.finish())
        if judged_by_batch:  # the verdicts that no batch could give
            _window(held, judged_by_batch, access, verdicts_only=True, batching=batching)
            asyncio.run(batching.finish())
        window = _window(held, batched, access, batching=batching)
        if not window.left:
            return window.limit_reached or limited


def _ask(held: Held, plan: _Plan, access: ModelAccess, *, verdicts_only: bool = False) -> bool:
    """All that is left of these strategies, one by one; whether the limit of rows ended it."""
    return _window(held, plan, access, verdicts_only=verdicts_only).limit_reached


def _window(
    held: Held, plan: _Plan, access: ModelAccess, *, verdicts_only: bool = False, batching: Batching | None = None
) -> Window:
    window = Window(held, plan, access, verdicts_only=verdicts_only, batching=batching)
    event_loop.run(window.run(), held.work.stop)
    return window
