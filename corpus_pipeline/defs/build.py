"""The definitions of one corpus: assets, checks, job, sensors and its resource under their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import dagster as dg

from corpus_pipeline.defs import automation, openlineage, training_data, upstream
from corpus_pipeline.defs.assets import assets_of
from corpus_pipeline.defs.names import DEFAULT, Names
from corpus_pipeline.defs.resources import RESOURCE, VARIABLES, CursorResource, settings_with
from corpus_pipeline.defs.sensors import sensors_of
from corpus_pipeline.errors import UsageError
from corpus_pipeline.service.commands.register import DEFAULT_CONSUMER
from corpus_pipeline.service.queries.training_data import known_consumers
from corpus_pipeline.settings import Settings

PATH_JOB = "corpus_path"
LOCATION = "corpus"  # the code location, as `corpus ui` and workspace.yaml call it


@cache
def own() -> dg.Definitions:
    """The definitions of the corpus of this environment."""
    alone = dg.Definitions(executor=dg.in_process_executor, sensors=openlineage.sensors())
    return dg.Definitions.merge(build(DEFAULT), alone)


def build(names: Names, given: Mapping[str, str | dg.EnvVar | None] | None = None) -> dg.Definitions:
    """The definitions of a corpus. given: fields of `CursorResource`; what is left out comes from the environment."""
    known = {name: value for name, value in (given or {}).items() if value is not None}
    by_variable = {VARIABLES[name]: value for name, value in known.items()}
    resource = CursorResource(**known, key_prefix=list(names.key_prefix))

    def settings() -> Settings:
        return settings_with(by_variable)

    consumers = _consumers(settings)
    names = replace(names, owners=names.owners or tuple(map(training_data.owner, consumers)))
    return dg.Definitions(
        assets=[
            *assets_of(names, settings),
            *upstream.specs(list(names.key_prefix), names.group, names.partitions),
            *training_data.specs(names, consumers, Settings.from_env().fresh_hours),
        ],
        jobs=[
            dg.define_asset_job(
                names.unique(PATH_JOB),
                selection=dg.AssetSelection.assets(*names.keys),
                description="The whole path of one dataset file: ingest, clean, augment, export.",
                # one process per run: a step process each would cost seconds and outlive a killed run
                executor_def=dg.in_process_executor,
            )
        ],
        sensors=[*sensors_of(names, settings), training_data.sensor(names, settings), *automation.sensors(names)],
        resources={names.unique(RESOURCE): resource},
    )


def _consumers(settings: Callable[[], Settings]) -> list[str]:
    """Whose data these are, as far as it is known where the definitions are loaded: nothing of it need be set there."""
    try:
        return known_consumers(settings()) or [DEFAULT_CONSUMER]
    except UsageError:
        return [DEFAULT_CONSUMER]
