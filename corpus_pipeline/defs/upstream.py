"""What the stages are made from, as assets: the dataset file and, for each stage, its section of the recipe.

Their data versions make Dagster's staleness true: a recipe that changes the export alone makes the export stale, nothing else.
A run tells the versions that it works with before it begins; the `upstream` sensor tells what no run has told (`agreement`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import dagster as dg

from corpus_pipeline.defs.dagster_internals import DATA_VERSION_TAG
from corpus_pipeline.recipe import Recipe
from corpus_pipeline.states import Stage
from corpus_pipeline.store.dataset_files import DatasetFile

FILE = "dataset_file"
RECIPE = "recipe"


def file_key(prefix: list[str]) -> dg.AssetKey:
    """The asset that stands for the bytes of a dataset file."""
    return dg.AssetKey([*prefix, FILE])


def recipe_key(prefix: list[str], stage: Stage) -> dg.AssetKey:
    """The asset that stands for a stage's section of the recipe."""
    return dg.AssetKey([*prefix, RECIPE, stage.value])


def keys_of(prefix: list[str], stage: Stage) -> list[dg.AssetKey]:
    """What a stage depends on beside the stage before it."""
    return [*([file_key(prefix)] if stage is Stage.INGEST else []), recipe_key(prefix, stage)]


def specs(prefix: list[str], group: str, partitions: dg.PartitionsDefinition) -> list[dg.AssetSpec]:
    """The external assets of a corpus."""
    file = dg.AssetSpec(
        file_key(prefix),
        group_name=group,
        kinds={"file"},
        partitions_def=partitions,
        description="The bytes of a dataset file, as registered: its data version is their sha256.",
    )
    recipes = [
        dg.AssetSpec(
            recipe_key(prefix, stage),
            group_name=group,
            kinds={"yaml"},
            partitions_def=partitions,
            description=f"The {stage} section of the recipe that a dataset file is bound to.",
        )
        for stage in Stage
    ]
    return [file, *recipes]


def versions(prefix: list[str], file: DatasetFile, recipe: Recipe) -> dict[dg.AssetKey, str]:
    """The data versions of all that a dataset file is worked from."""
    found = {recipe_key(prefix, stage): recipe.section_hash(stage.value)[:32] for stage in Stage}
    return {file_key(prefix): file.sha256[:32]} | found


def observation(key: dg.AssetKey, name: str, version: str) -> dg.AssetObservation:
    """A data version, told to Dagster."""
    return dg.AssetObservation(asset_key=key, partition=name, tags={DATA_VERSION_TAG: version})


def told(instance: dg.DagsterInstance, key: dg.AssetKey, name: str) -> str | None:
    """The data version that Dagster knows, None when it knows none."""
    found = instance.fetch_observations(dg.AssetRecordsFilter(asset_key=key, asset_partitions=[name]), limit=1).records
    event = found[0].asset_observation if found else None
    return None if event is None else event.tags.get(DATA_VERSION_TAG)


def untold(
    instance: dg.DagsterInstance, name: str, current: dict[dg.AssetKey, str]
) -> Iterator[tuple[dg.AssetKey, str]]:
    """The versions that Dagster does not know yet."""
    for key, version in current.items():
        if told(instance, key, name) != version:
            yield key, version


def tell(context: dg.AssetExecutionContext, name: str, current: dict[dg.AssetKey, str]) -> None:
    """Tell the versions that a step works with; its materialization then names them as what it was made from."""
    step = context.op_execution_context.get_step_execution_context()
    for key, version in untold(context.instance, name, current):
        context.log_event(observation(key, name, version))
        step.wipe_input_asset_version_info(key)  # it was looked up before the step began


def digest(parts: Iterable[str]) -> str:
    """One short word for some texts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
