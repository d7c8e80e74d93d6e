"""How the definitions of one corpus are named in Dagster, so that two corpora live in one deployment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import dagster as dg

from corpus_pipeline.defs.checks import ASSETS
from corpus_pipeline.defs.partitions import PARTITIONS_NAME
from corpus_pipeline.states import Stage

POOLS = {Stage.CLEAN: "clean", Stage.AUGMENT: "augmentation", Stage.EXPORT: "export"}


@dataclass(frozen=True)
class Names:
    """The names of one corpus. name: '' for the only one of a deployment; else it is part of what must be unique."""

    name: str = ""
    key_prefix: tuple[str, ...] = ()
    group: str = "corpus"
    owners: tuple[str, ...] = ()  # none: the consumers
    pools: Mapping[Stage, str] = field(default_factory=lambda: POOLS)

    def key(self, stage: Stage) -> dg.AssetKey:
        """The asset of a stage."""
        return dg.AssetKey([*self.key_prefix, ASSETS[stage]])

    @property
    def keys(self) -> list[dg.AssetKey]:
        """The assets in the order of the stages."""
        return [self.key(stage) for stage in Stage]

    def unique(self, what: str) -> str:
        """A name for an op, a job, a sensor, a resource or the partitions of this corpus."""
        return f"{self.name}_{what}" if self.name else what

    @property
    def partitions(self) -> dg.DynamicPartitionsDefinition:
        """One dynamic partition per dataset file."""
        return dg.DynamicPartitionsDefinition(name=self.unique(PARTITIONS_NAME))

    def owns(self, run: dg.DagsterRun) -> bool:
        """Whether a run works assets of this corpus."""
        if run.asset_selection:
            return not run.asset_selection.isdisjoint(self.keys)
        return run.job_name == self.unique("corpus_path") or not self.name


DEFAULT = Names()
