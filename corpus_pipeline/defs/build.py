"""The definitions of one corpus: assets, checks, job, sensors and its resource under their names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import dagster as dg

from corpus_pipeline.defs import automation, upstream
from corpus_pipeline.defs.assets import assets_of
from corpus_pipeline.defs.names import DEFAULT, Names
from corpus_pipeline.defs.resources import RESOURCE, VARIABLES, CursorResource, settings_with
from corpus_pipeline.defs.sensors import sensors_of

PATH_JOB = "corpus_path"
LOCATION = "corpus"  # the code location, as `corpus ui` and workspace.yaml call it


@cache
def own() -> dg.Definitions:
    """The definitions of the corpus of this environment."""
    return dg.Definitions.merge(build(DEFAULT), dg.Definitions(executor=dg.in_process_executor))


def build(names: Names, given: Mapping[str, str | dg.EnvVar | None] | None = None) -> dg.Definitions:
    """The definitions of a corpus. given: fields of `CursorResource`; what is left out comes from the environment."""
    known = {name: value for name, value in (given or {}).items() if value is not None}
    by_variable = {VARIABLES[name]: value for name, value in known.items()}
    resource = CursorResource(**known, key_prefix=list(names.key_prefix))
    return dg.Definitions(
        assets=[*assets_of(names), *upstream.specs(list(names.key_prefix), names.group, names.partitions)],
        jobs=[
            dg.define_asset_job(
                names.unique(PATH_JOB),
                selection=dg.AssetSelection.assets(*names.keys),
                description="The whole path of one dataset file: ingest, clean, augment, export.",
                # one process per run: a step process each would cost seconds and outlive a killed run
                executor_def=dg.in_process_executor,
            )
        ],
        sensors=[*sensors_of(names, lambda: settings_with(by_variable)), *automation.sensors(names)],
        resources={names.unique(RESOURCE): resource},
    )
