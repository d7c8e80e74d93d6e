"""The Dagster definitions: wiring only. Loads with no secret set."""

from __future__ import annotations

import dagster as dg

from corpus_pipeline.defs.assets import ASSETS
from corpus_pipeline.defs.resources import CursorResource
from corpus_pipeline.defs.sensors import SENSORS

PATH_JOB = "corpus_path"

defs = dg.Definitions(
    assets=list(ASSETS),
    jobs=[
        dg.define_asset_job(
            PATH_JOB,
            selection=dg.AssetSelection.assets(*(asset.key for asset in ASSETS)),
            description="The whole path of one dataset file: ingest, clean, augment, export.",
        )
    ],
    sensors=list(SENSORS),
    resources={"cursor": CursorResource()},
    # one process per run: a step process each would cost seconds and outlive a killed run
    executor=dg.in_process_executor,
)
