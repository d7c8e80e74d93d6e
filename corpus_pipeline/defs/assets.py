"""The four partitioned assets. Each asks the cursor resource to go on, and tells Dagster what came of it."""

# no postponed annotations here: Dagster reads the types of an asset's arguments

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from corpus_pipeline.cancellation import StopSignal, on_signals
from corpus_pipeline.defs import (
    agreement,
    automation,
    backfill_holds,
    checks,
    multi_partition,
    narration,
    run_liveness,
    run_tags,
    tables,
    upstream,
)
from corpus_pipeline.defs.dagster_internals import PLAN_LOGGER
from corpus_pipeline.defs.metadata import PREVIEW_ROWS, link_to, stage_metadata
from corpus_pipeline.defs.multi_partition import Events, observation
from corpus_pipeline.defs.names import DEFAULT, Names
from corpus_pipeline.defs.resources import RESOURCE, CursorResource
from corpus_pipeline.error_words import in_words, steps
from corpus_pipeline.errors import GateRefused, Interrupted, LeaseHeld, Paused, StopJob, UsageError
from corpus_pipeline.jobs.runner import Outcome
from corpus_pipeline.service.code_versions import code_version
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage

STAGE_OF = {name: stage for stage, name in checks.ASSETS.items()}
_KINDS = {
    Stage.INGEST: {"python", "sql"},
    Stage.CLEAN: {"python", "sql"},
    Stage.AUGMENT: {"python", "sql", "openai"},
    Stage.EXPORT: {"python", "jsonl"},
}
_DESCRIPTIONS = {
    Stage.INGEST: "The conversations of a dataset file as turn rows, and its bad lines as rejects.",
    Stage.CLEAN: "The verdict on each row: kept, changed or dropped by a rule, or a duplicate of a lower row.",
    Stage.AUGMENT: "New rows made from kept ones by model calls; what failed waits in the failed-sample queue.",
    Stage.EXPORT: "The dataset file as JSONL for trainers, with its manifest, behind a gate.",
}

# a stage that did not come to its end gives neither an output nor check results, and what is behind it is skipped: Dagster
# warns that it runs without the checks, which is not so
logging.getLogger(PLAN_LOGGER).setLevel(logging.ERROR)

_LOOK_SECONDS = 1.0  # between two looks at a lease that will be ours


def assets_of(names: Names, settings: Callable[[], Settings]) -> list[dg.AssetsDefinition]:
    """The assets of one corpus, in the order of its stages; `settings` is asked whenever their conditions are evaluated."""
    return [_asset(stage, names, settings) for stage in Stage]


def _asset(stage: Stage, names: Names, settings: Callable[[], Settings]) -> dg.AssetsDefinition:
    order = list(Stage)
    before = order[: order.index(stage)][-1:]
    resource = names.unique(RESOURCE)

    @dg.multi_asset(
        name=names.unique(checks.ASSETS[stage]),
        specs=[
            dg.AssetSpec(
                names.key(stage),
                deps=[*(names.key(earlier) for earlier in before), *upstream.keys_of(list(names.key_prefix), stage)],
                group_name=names.group,
                kinds=_KINDS[stage],
                owners=list(names.owners),
                description=_DESCRIPTIONS[stage],
                metadata=tables.definition_metadata(stage, names.key_prefix),
                code_version=code_version(stage),
                automation_condition=automation.condition(
                    stage, upstream.keys_of(list(names.key_prefix), stage), settings
                ),
                skippable=True,  # a paused partition is neither a success nor a failure: it yields an observation
                tags={"corpus/stage": stage.value},
            )
        ],
        check_specs=checks.specs(stage, names.key(stage), names.partitions),
        partitions_def=names.partitions,
        required_resource_keys={resource},
        backfill_policy=multi_partition.policy(),
        pool=names.pools.get(stage),
        can_subset=True,  # a paused partition has no check results either
    )
    def materialize(context: dg.AssetExecutionContext) -> Events:
        cursor: CursorResource = getattr(context.resources, resource)
        if not context.selected_asset_keys:  # the checks alone: Dagster gives them no partition
            raise dg.Failure(
                "The checks are evaluated with their partition. Materialize it: what is complete is left as it is.",
                allow_retries=False,
            )
        if len(context.partition_keys) == 1:
            yield from _go_on(context, cursor, stage, context.partition_key)
        else:
            # the step of the run's first stage does it all: without a result of its own the others are skipped
            yield from multi_partition.go_on(context, cursor, multi_partition.stages_of(context.run), _go_on)

    return materialize


def _go_on(context: dg.AssetExecutionContext, cursor: CursorResource, stage: Stage, name: str) -> Events:
    stop = StopSignal()
    limit = context.run.tags.get(run_tags.LIMIT_TAG)
    try:
        run_liveness.at(cursor.corpus.store, name, stage)
        run_tags.describe(context, cursor, stage, name)
        _require_budget(context, cursor, stage, name)
        upstream.tell(context, name, cursor.upstream(name, stage))
        with _stopping(context, cursor, stop):
            outcome = _outcome(context, cursor, stage, name, stop, int(limit) if limit is not None else None)
    except LeaseHeld as held:
        yield from _refused(context, cursor, stage, name, held)
        return
    except Paused as pause:
        context.log.info(f"{stage} of {name} is {pause}")
        run_tags.end(context, "paused")
        yield observation(context, cursor, stage, name, "paused", str(pause))
        backfill_holds.await_successor(context, cursor.corpus, name, stage)
        return
    except Interrupted as interrupt:
        if not stop.is_set():  # a limit or a provider that is down: said by the job, not by a signal
            context.log.info(f"{stage} of {name} stopped: {interrupt}")
            run_tags.end(context, "interrupted")
            yield observation(context, cursor, stage, name, "interrupted", str(interrupt))
            return
        run_tags.end(context, "interrupted")
        raise dg.DagsterExecutionInterruptedError(f"{stage} of {name}: {interrupt}") from interrupt
    except (GateRefused, StopJob, UsageError) as error:
        run_tags.end(context, "blocked" if isinstance(error, GateRefused) else "failed")
        # nothing that another attempt could mend by itself
        raise dg.Failure(description=str(error), allow_retries=False) from error
    except Exception as error:  # what it says may be the text of a row, and Dagster keeps it
        run_tags.end(context, "failed")
        context.log.error(f"{stage} of {name}: {in_words(error)}\n{steps(error.__traceback__)}")
        raise dg.Failure(description=in_words(error)) from None
    run_tags.done(context, stage)
    yield _materialized(cursor, stage, name, outcome)


def _require_budget(context: dg.AssetExecutionContext, cursor: CursorResource, stage: Stage, name: str) -> None:
    """Raises UsageError where no one but a condition started a stage that spends money, and no budget holds it."""
    if stage is not Stage.AUGMENT or automation.AUTOMATION_TAG not in context.run.tags:
        return
    (file,) = cursor.corpus.files([name])
    section = cursor.corpus.recipe_of(file).augment
    if section.strategies and not section.budget.ceilings():
        raise UsageError(
            f"augment of {name} was started by automation, and its recipe has no budget: set augment.budget, or start it"
            f" yourself (corpus run {name})"
        )


def _refused(
    context: dg.AssetExecutionContext, cursor: CursorResource, stage: Stage, name: str, held: LeaseHeld
) -> Events:
    """Somebody else works on it. No failure: it would alarm, and un-materialize what the holder is about to finish. No success
    either: this run did nothing. It ends as cancelled; one of several partitions ends as an observation."""
    context.log.warning(f"{stage} of {name}: {held}")
    yield observation(context, cursor, stage, name, "held", str(held))
    if len(context.partition_keys) == 1:
        run_tags.end(context, "held")
        context.instance.report_run_canceling(context.run, message=str(held))
        raise dg.DagsterExecutionInterruptedError(f"{stage} of {name}: {held}") from held


@contextmanager
def _stopping(context: dg.AssetExecutionContext, cursor: CursorResource, stop: StopSignal) -> Iterator[None]:
    """Signals and a forced termination reach the work. Who pressed Ctrl-C can press it again; others get a grace."""
    started_by = context.run.tags.get(narration.STARTED_BY_TAG)
    patient = started_by == narration.COMMAND
    grace = cursor.corpus.settings.stop_grace_seconds
    with on_signals(stop, grace_seconds=grace, patient=patient), narration.heeding_force(context, stop):
        try:
            yield
        except (Interrupted, KeyboardInterrupt, dg.DagsterExecutionInterruptedError) as end:
            if started_by is not None and stop.is_set():
                # otherwise Dagster takes it for a failure, and a daemon that looks on starts again what a person has stopped
                context.instance.report_run_canceling(context.run, message=f"stopped: {end}")
            raise


def _outcome(
    context: dg.AssetExecutionContext,
    cursor: CursorResource,
    stage: Stage,
    name: str,
    stop: StopSignal,
    limit: int | None,
) -> Outcome:
    """Work the stage. Held by our own run (two daemons started it) or by the dead run that this one repeats: wait, and go
    on where that one ends or its lease does. Held by anybody else: LeaseHeld, at once."""
    ours = {context.run.run_id, context.run.parent_run_id}
    narrator = narration.DagsterNarrator(context, cursor.key(stage), link_to(cursor.corpus.settings.web_url, name))
    looked = False
    while True:
        try:
            for earlier in cursor.corpus.to_catch_up(name, stage):
                context.log.info(
                    f"{earlier} of {name} is as before under the changed recipe: made again of what is stored"
                )
                _require_budget(context, cursor, earlier, name)
                cursor.go_on(name, earlier, stop=stop, run_id=context.run.run_id, limit=None, narrator=narrator)
            return cursor.go_on(
                name,
                stage,
                stop=stop,
                run_id=context.run.run_id,
                limit=limit,
                narrator=narrator,
                spread=run_tags.SPREAD_TAG in context.run.tags,
            )
        except LeaseHeld:
            if looked and not ours & cursor.run_ids(name, stage):
                raise
        looked = True  # a holder that has just begun may not have said its name yet
        if stop.wait(_LOOK_SECONDS):
            raise Interrupted(f"stopped by {stop.reason}")


def _materialized(cursor: CursorResource, stage: Stage, name: str, outcome: Outcome) -> dg.MaterializeResult:
    corpus = cursor.corpus
    report = outcome.report
    link = link_to(corpus.settings.web_url, name)
    metadata: dict[str, Any] = stage_metadata(report, stage, corpus.preview(name, stage, PREVIEW_ROWS), link)
    metadata["was_complete"] = not outcome.worked
    if stage is Stage.EXPORT:
        metadata["dagster/column_schema"] = tables.export_columns(corpus.export_columns(name))
    return dg.MaterializeResult(
        asset_key=cursor.key(stage),
        metadata=metadata,
        data_version=dg.DataVersion(agreement.data_version(corpus, name, stage)),
        check_results=list(checks.results(corpus, name, stage, cursor.key(stage))),
    )


ASSETS: tuple[dg.AssetsDefinition, ...] = tuple(assets_of(DEFAULT, Settings.from_env))
