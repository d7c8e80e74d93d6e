"""One dynamic partition per dataset file."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

PARTITIONS_NAME = "dataset_files"
dataset_files = dg.DynamicPartitionsDefinition(name=PARTITIONS_NAME)


def forget(instance: dg.DagsterInstance, name: str) -> None:
    """Take away the partition of a dataset file that was removed."""
    if name in instance.get_dynamic_partitions(PARTITIONS_NAME):
        instance.delete_dynamic_partition(PARTITIONS_NAME, name)


def register(instance: dg.DagsterInstance, names: Iterable[str]) -> list[str]:
    """Make partitions for dataset files that have none yet; returns the new ones."""
    known = set(instance.get_dynamic_partitions(PARTITIONS_NAME))
    new = [name for name in dict.fromkeys(names) if name not in known]
    if new:
        instance.add_dynamic_partitions(PARTITIONS_NAME, new)
    return new
