"""The Dagster definitions: wiring only. Loads with no secret set."""

from __future__ import annotations

import warnings

import dagster as dg

# partitions_def on checks is a preview in this version of Dagster; the tests run it for real
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
warnings.filterwarnings("ignore", category=dg.BetaWarning)

from corpus_pipeline.defs.assets import ASSETS  # noqa: E402
from corpus_pipeline.defs.partitions import dataset_files  # noqa: E402
from corpus_pipeline.defs.resources import CursorResource  # noqa: E402
from corpus_pipeline.defs.sensors import SENSORS  # noqa: E402

PATH_JOB = "corpus_path"

defs = dg.Definitions(
    assets=list(ASSETS),
    jobs=[
        dg.define_asset_job(
            PATH_JOB,
            selection=dg.AssetSelection.assets(*(asset.key for asset in ASSETS)),
            partitions_def=dataset_files,
            description="The whole path of one dataset file: ingest, clean, augment, export.",
        )
    ],
    sensors=list(SENSORS),
    resources={"cursor": CursorResource()},
    # one process per run: a step process each would cost seconds and outlive a killed run
    executor=dg.in_process_executor,
)
