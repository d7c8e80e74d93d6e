"""What is trained on, as assets that others depend on: for each consumer one, materialized when all of its files are exported.

A training run that depends on `training_data/CONSUMER` has its lineage to the source files, and is stale when what it was
trained on has changed. The asset's freshness policy tells when files have stood unfinished for too long.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from corpus_pipeline.defs.dagster_internals import DATA_VERSION_TAG, is_valid_email
from corpus_pipeline.defs.names import Names
from corpus_pipeline.defs.resources import opened
from corpus_pipeline.service.queries.training_data import TrainingData, training_data
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage

KEY = "training_data"
_SCHEMA = dg.TableSchema(
    columns=[
        dg.TableColumn("file", "string"),
        dg.TableColumn("rows", "int"),
        dg.TableColumn("sha256", "string"),
        dg.TableColumn("uri", "string"),
    ]
)
_LISTED = 100  # exports in the table of a materialization
_NAMED = 5  # unfinished files in a message


def key_of(prefix: Sequence[str], consumer: str) -> dg.AssetKey:
    """The asset of a consumer's training data."""
    return dg.AssetKey([*prefix, KEY, consumer])


def owner(consumer: str) -> str:
    """A consumer as the owner of assets: an address, or a team."""
    return consumer if is_valid_email(consumer) else f"team:{consumer}"


def specs(names: Names, consumers: Sequence[str], hours: int) -> list[dg.AssetSpec]:
    """The assets of these consumers; none of them is made here: the sensor tells when there is something new. hours: after
    which they are overdue, 0 for never."""
    policy = dg.FreshnessPolicy.time_window(timedelta(hours=hours), timedelta(hours=hours / 2)) if hours else None
    return [
        dg.AssetSpec(
            key_of(names.key_prefix, consumer),
            deps=[names.key(Stage.EXPORT)],
            group_name=names.group,
            owners=[owner(consumer)],
            kinds={"jsonl"},
            freshness_policy=policy,
            description=f"All exports of {consumer}, told of when every dataset file of this consumer is exported.",
        )
        for consumer in consumers
    ]


def sensor(names: Names, settings: Callable[[], Settings]) -> dg.SensorDefinition:
    """Tells when the training data of a consumer are complete, for the first time or again."""

    @dg.sensor(
        name=names.unique(KEY),
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Materializes the training data of a consumer when all of its dataset files are exported.",
    )
    def tell(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """One tick: what is complete and new is reported; what is still complete, once in a quarter of its time."""
        told: dict[str, list[Any]] = json.loads(context.cursor or "{}")
        with opened(settings()) as corpus:
            found = corpus.store.fetch(training_data)
            again = corpus.settings.fresh_hours * 3600 / 4
        events, waiting = list[dg.AssetMaterialization](), list[str]()
        moment = time.time()
        for consumer, data in found.items():
            if data.missing:
                waiting.append(_missing(consumer, data))
                continue
            version, at = told.get(consumer, ["", 0.0])
            if version != data.version or (again and moment - at >= again):
                events.append(_materialization(names, consumer, data))
                told[consumer] = [data.version, moment]
        cursor = json.dumps({consumer: one for consumer, one in told.items() if consumer in found})
        if not events:
            context.update_cursor(cursor)
            return dg.SkipReason("; ".join(waiting) or "all is told")
        return dg.SensorResult(asset_events=events, cursor=cursor)

    return tell


def _materialization(names: Names, consumer: str, data: TrainingData) -> dg.AssetMaterialization:
    rows = [
        dg.TableRecord({"file": name, "rows": lines, "sha256": sha256, "uri": uri})
        for name, uri, sha256, lines in data.exports[:_LISTED]
    ]
    return dg.AssetMaterialization(
        key_of(names.key_prefix, consumer),
        metadata={
            "dagster/row_count": data.rows,
            "files": len(data.exports),
            "cost_usd": data.cost_usd,
            "exports": dg.MetadataValue.table(rows, _SCHEMA),
        },
        tags={DATA_VERSION_TAG: data.version},
    )


def _missing(consumer: str, data: TrainingData) -> str:
    named = ", ".join(data.missing[:_NAMED]) + (" and others" if len(data.missing) > _NAMED else "")
    return f"{consumer}: {len(data.missing)} of {len(data.missing) + len(data.exports)} files are not exported: {named}"
