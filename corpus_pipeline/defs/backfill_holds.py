"""Backfills with paused partitions: a run that waits in the queue keeps the backfill open until the pause is over.

Dagster ends a backfill when none of its runs is unfinished, and what was not materialized by then has failed in it. So as long
as a flag covers a partition of an open backfill, the run that will go on waits in the queue: its tag has a limit of 0 in
dagster.yaml. When the flag is cleared the tag changes, the run starts, and the backfill ends as complete.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from corpus_pipeline.defs import run_tags
from corpus_pipeline.defs.multi_partition import stages_of
from corpus_pipeline.defs.names import Names
from corpus_pipeline.errors import UnknownName
from corpus_pipeline.service.corpus import Corpus
from corpus_pipeline.states import Stage
from corpus_pipeline.store import pauses
from corpus_pipeline.store.pauses import PauseFlag

PARTITION_TAG = "dagster/partition"
BACKFILL_TAG = "dagster/backfill"
HOLD_TAG = "corpus/hold"
PAUSED, OVER = "paused", "over"  # its values: the run waits; it may start
_LIMIT = {"key": HOLD_TAG, "value": PAUSED, "limit": 0}
_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 20.0  # for the sensor to request the run that waits


def possible(instance: dg.DagsterInstance) -> bool:
    """Whether this Dagster's queue lets runs with our tag wait: a dagster.yaml of the user's may not say so."""
    queue = instance.get_concurrency_config().run_queue_config
    return queue is not None and _LIMIT in [dict(limit) for limit in queue.tag_concurrency_limits or ()]


def is_open(instance: dg.DagsterInstance, backfill_id: str) -> bool:
    """Whether a backfill still counts what its runs do."""
    backfill = instance.get_backfill(backfill_id)
    return backfill is not None and backfill.status.value == "REQUESTED"


def keep(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Let a queued run of an open backfill wait where it is; False for any other."""
    if not is_open(instance, run.tags.get(BACKFILL_TAG, "")) or not possible(instance):
        return False
    instance.add_run_tags(run.run_id, {HOLD_TAG: PAUSED})
    return True


def requests(instance: dg.DagsterInstance, corpus: Corpus, names: Names) -> Iterator[dg.RunRequest]:
    """For each paused partition of an open backfill a run that waits. Its run may be about to end: see `await_successor`."""
    for work, flag in corpus.paused():
        before = instance.get_run_by_id(work.run_id) if flag is not None and work.run_id else None
        if before is None or not is_open(instance, before.tags.get(BACKFILL_TAG, "")):
            continue
        if before.tags.get(HOLD_TAG) == PAUSED and before.is_finished:
            continue  # it has waited, and somebody ended it, or its time did
        others = {run.run_id for run in _active(instance, work.name) if names.owns(run)} - {before.run_id}
        if others or not possible(instance):
            continue
        order = list(Stage)
        stages = [stage for stage in stages_of(before) if order.index(stage) >= order.index(work.stage)]
        yield dg.RunRequest(
            run_key=f"hold:{work.task_id}:{work.stage}:{work.generation}",
            partition_key=work.name,
            asset_selection=[names.key(stage) for stage in stages],
            tags={
                HOLD_TAG: PAUSED,
                BACKFILL_TAG: before.tags[BACKFILL_TAG],
                "corpus/resume": work.why,
                **run_tags.carried(before.tags),
            },
        )


def release(instance: dg.DagsterInstance, corpus: Corpus, names: Names, flags: list[PauseFlag]) -> int:
    """Let the waiting runs start that no flag covers any more; give those up that have waited for too long, so that their
    backfill ends. Returns how many."""
    waiting = RunsFilter(statuses=[DagsterRunStatus.QUEUED], tags={HOLD_TAG: PAUSED})
    longest = corpus.settings.backfill_hold_hours * 3600
    number = 0
    for record in instance.get_run_records(waiting):
        run = record.dagster_run
        if not names.owns(run):
            continue
        try:
            flag = covering(corpus, run, flags)
        except UnknownName:  # its file has been removed
            instance.run_coordinator.cancel_run(run.run_id)
            continue
        if flag is None:
            instance.add_run_tags(run.run_id, {HOLD_TAG: OVER})
        elif time.time() - record.create_timestamp.timestamp() > longest:
            instance.run_coordinator.cancel_run(run.run_id)
        else:
            continue
        number += 1
    return number


def covering(corpus: Corpus, run: dg.DagsterRun, flags: list[PauseFlag]) -> PauseFlag | None:
    """The flag that covers the next stage of a run of one partition."""
    name, stages = run.tags.get(PARTITION_TAG), stages_of(run)
    if not name or not stages:
        return None
    ahead = next((stage for stage in corpus.incomplete_stages(name, stages[-1]) if stage in stages), None)
    return next((flag for flag in flags if ahead and flag.covers(name, ahead)), None)


def await_successor(context: dg.AssetExecutionContext, corpus: Corpus, name: str, stage: Stage) -> None:
    """Stay until the run that waits for the end of the pause is queued: between this run and that one, Dagster would find
    nothing unfinished and end the backfill."""
    backfill = context.run.tags.get(BACKFILL_TAG, "")
    if not is_open(context.instance, backfill) or not possible(context.instance):
        return
    tags = {PARTITION_TAG: name, BACKFILL_TAG: backfill, HOLD_TAG: PAUSED}
    _until(
        lambda: (
            context.instance.get_runs_count(RunsFilter(statuses=[DagsterRunStatus.QUEUED], tags=tags)) > 0
            or corpus.store.fetch(pauses.covering, name, stage) is None
        )
    )


def _until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and not happened():
        time.sleep(_LOOK_SECONDS)


def _active(instance: dg.DagsterInstance, name: str) -> list[dg.DagsterRun]:
    statuses = [
        DagsterRunStatus.QUEUED,
        DagsterRunStatus.NOT_STARTED,
        DagsterRunStatus.STARTING,
        DagsterRunStatus.STARTED,
        DagsterRunStatus.CANCELING,
    ]
    return list(instance.get_runs(RunsFilter(statuses=statuses, tags={PARTITION_TAG: name})))
