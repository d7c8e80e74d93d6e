"""Several partitions in one run, for backfills of many small files: a run of its own costs each of them a process.

Each partition keeps its own state: it is materialized, paused or failed by itself, and what becomes of one does not keep the
others from going on. The first step of such a run takes each partition through all stages of the run and tells Dagster of each
one by itself, which a step's result cannot (it stands for all partitions of the run); the other steps are skipped. The run
fails at its end when one of its partitions failed, so that a person sees it; Dagster counts those that were materialized as
done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import dagster as dg

from corpus_pipeline.defs import agreement, checks
from corpus_pipeline.defs.metadata import link_to
from corpus_pipeline.defs.resources import CursorResource
from corpus_pipeline.error_words import in_words
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage

Event = dg.MaterializeResult | dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation
Events = Iterator[Event]
GoOn = Callable[[dg.AssetExecutionContext, CursorResource, Stage, str], Events]


def policy() -> dg.BackfillPolicy | None:
    """How many partitions a run of a backfill works; None: each has a run of its own."""
    number = Settings.from_env().partitions_per_run
    return dg.BackfillPolicy.multi_run(max_partitions_per_run=number) if number > 1 else None


def go_on(context: dg.AssetExecutionContext, cursor: CursorResource, stages: Sequence[Stage], one: GoOn) -> Events:
    """Work these stages of all partitions of a run, partition by partition. `one` works a stage of one of them as a run
    of its own would.

    Raises dg.Failure at the end when a partition failed.
    """
    failed = []
    for name in context.partition_keys:
        for stage in stages:
            complete = True
            try:
                for event in one(context, cursor, stage, name):
                    complete &= _lets_go_on(event)
                    failed += [name] if not complete and isinstance(event, dg.MaterializeResult) else []
                    yield from _of_its_own(context, cursor, stage, name, event)
            except Exception as error:  # a signal is no Exception: it ends the run
                reason = error.description or "" if isinstance(error, dg.Failure) else in_words(error)
                context.log.error(f"{stage} of {name}: {reason}")
                yield observation(context, cursor, stage, name, "failed", reason)
                failed.append(name)
                complete = False
            if not complete:
                break
    if failed:
        raise dg.Failure(f"failed: {', '.join(failed)}; the observations tell why", allow_retries=False)


def stages_of(run: dg.DagsterRun) -> list[Stage]:
    """The stages that a run works, in their order."""
    names = {key.path[-1] for key in run.asset_selection or ()}
    return [stage for stage in Stage if not names or checks.ASSETS[stage] in names]


def _lets_go_on(event: Event) -> bool:
    """Whether the next stage may follow: the partition is materialized, and no check blocks it."""
    return isinstance(event, dg.MaterializeResult) and all(result.passed for result in event.check_results or ())


def observation(
    context: dg.AssetExecutionContext, cursor: CursorResource, stage: Stage, name: str, status: str, reason: str
) -> dg.AssetObservation:
    """Neither a success nor a failure: the run ends, and the partition stays as it was."""
    positions = cursor.positions(name, stage)
    return dg.AssetObservation(
        asset_key=cursor.key(stage),
        partition=name,
        description=reason,
        metadata={
            "status": status,
            "reason": reason,
            "offset": min((p.current_offset for p in positions), default=0),
            "total": max((p.total_rows or 0 for p in positions), default=0),
            "row_browser": dg.MetadataValue.url(link_to(cursor.corpus.settings.web_url, name)),
        },
        tags={"corpus/status": status},
    )


def _of_its_own(
    context: dg.AssetExecutionContext, cursor: CursorResource, stage: Stage, name: str, event: Event
) -> Events:
    """A result as events of one partition: Dagster would take it for all partitions of the run."""
    if isinstance(event, dg.MaterializeResult):
        yield from agreement.events_of(
            context.instance,
            cursor.corpus,
            cursor.key_prefix,
            name,
            stage,
            event.metadata or {},
            list(event.check_results or ()),
        )
    else:
        yield event
