"""The four partitioned assets. Each asks the cursor resource to go on, and tells Dagster what came of it."""

# no postponed annotations here: Dagster reads the types of an asset's arguments

import hashlib
from collections.abc import Iterator
from typing import Any

import dagster as dg

from corpus_pipeline.defs import checks
from corpus_pipeline.defs.metadata import PREVIEW_ROWS, stage_metadata
from corpus_pipeline.defs.partitions import dataset_files
from corpus_pipeline.defs.resources import CursorResource
from corpus_pipeline.errors import GateRefused, Interrupted, LeaseHeld, Paused, StopJob, UsageError
from corpus_pipeline.jobs.runner import Outcome
from corpus_pipeline.jobs.stop import StopSignal, on_signals
from corpus_pipeline.service.versions import code_version
from corpus_pipeline.states import Stage

LIMIT_TAG = "corpus/limit"
STAGE_OF = {name: stage for stage, name in checks.ASSETS.items()}
_KINDS = {
    Stage.INGEST: {"python", "sql"},
    Stage.CLEAN: {"python", "sql"},
    Stage.AUGMENT: {"python", "sql", "openai"},
    Stage.EXPORT: {"python", "jsonl"},
}
_POOLS = {Stage.CLEAN: "clean", Stage.AUGMENT: "augmentation", Stage.EXPORT: "export"}
_DESCRIPTIONS = {
    Stage.INGEST: "The conversations of a dataset file as turn rows, and its bad lines as rejects.",
    Stage.CLEAN: "The verdict on each row: kept, changed or dropped by a rule, or a duplicate of a lower row.",
    Stage.AUGMENT: "New rows made from kept ones by model calls; what failed waits in the failed-sample queue.",
    Stage.EXPORT: "The dataset file as JSONL for trainers, with its manifest, behind a gate.",
}

Events = Iterator[dg.MaterializeResult | dg.AssetObservation]


def _asset(stage: Stage) -> dg.AssetsDefinition:
    order = list(Stage)
    before = order[: order.index(stage)][-1:]

    @dg.asset(
        name=checks.ASSETS[stage],
        partitions_def=dataset_files,
        deps=[checks.ASSETS[earlier] for earlier in before],
        group_name="corpus",
        kinds=_KINDS[stage],
        owners=["team:corpus"],
        description=_DESCRIPTIONS[stage],
        code_version=code_version(stage),
        check_specs=checks.specs(stage),
        pool=_POOLS.get(stage),
        output_required=False,  # a paused partition is neither a success nor a failure: it yields an observation
        tags={"corpus/stage": stage.value},
    )
    def materialize(context: dg.AssetExecutionContext, cursor: CursorResource) -> Events:
        yield from _go_on(context, cursor, stage)

    return materialize


def _go_on(context: dg.AssetExecutionContext, cursor: CursorResource, stage: Stage) -> Events:
    name = context.partition_key
    stop = StopSignal()
    limit = context.run.tags.get(LIMIT_TAG)
    try:
        with on_signals(stop):
            outcome = cursor.go_on(
                name, stage, stop=stop, run_id=context.run_id, limit=int(limit) if limit is not None else None
            )
    except Paused as pause:
        context.log.info(f"{stage} of {name} is {pause}")
        yield _paused(context, cursor, stage, str(pause))
        return
    except Interrupted as interrupt:
        if not stop.is_set():  # a limit or a provider that is down: said by the job, not by a signal
            context.log.info(f"{stage} of {name} stopped: {interrupt}")
            yield _paused(context, cursor, stage, str(interrupt))
            return
        raise dg.DagsterExecutionInterruptedError(f"{stage} of {name}: {interrupt}") from interrupt
    except (LeaseHeld, GateRefused, StopJob, UsageError) as error:
        # nothing that another attempt could mend by itself
        raise dg.Failure(description=str(error), allow_retries=False) from error
    yield _materialized(context, cursor, stage, outcome)


def _paused(
    context: dg.AssetExecutionContext, cursor: CursorResource, stage: Stage, reason: str
) -> dg.AssetObservation:
    positions = cursor.positions(context.partition_key, stage)
    return dg.AssetObservation(
        asset_key=context.asset_key,
        partition=context.partition_key,
        description=reason,
        metadata={
            "status": positions[0].status.value if positions else "paused",
            "reason": reason,
            "offset": min((p.current_offset for p in positions), default=0),
            "total": max((p.total_rows or 0 for p in positions), default=0),
        },
        tags={"corpus/status": "paused"},
    )


def _materialized(
    context: dg.AssetExecutionContext, cursor: CursorResource, stage: Stage, outcome: Outcome
) -> dg.MaterializeResult:
    corpus, name = cursor.corpus, context.partition_key
    report = outcome.report
    link = f"{corpus.settings.web_url}/files/{name}"
    metadata: dict[str, Any] = stage_metadata(report, stage, corpus.preview(name, stage, PREVIEW_ROWS), link)
    metadata["was_complete"] = not outcome.worked
    return dg.MaterializeResult(
        metadata=metadata,
        data_version=dg.DataVersion(_data_version(corpus.data_version_parts(name, stage))),
        check_results=list(checks.results(corpus, name, stage)),
    )


def _data_version(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


ASSETS: tuple[dg.AssetsDefinition, ...] = tuple(_asset(stage) for stage in Stage)
