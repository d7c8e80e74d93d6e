"""Asset checks: what must hold before the next stage may build on a partition. They block it when they fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg

from corpus_pipeline.jobs import data_checks as facts
from corpus_pipeline.service.corpus import Corpus
from corpus_pipeline.states import Stage

ASSETS = {
    Stage.INGEST: "dataset_rows",
    Stage.CLEAN: "cleaned_rows",
    Stage.AUGMENT: "augmented_rows",
    Stage.EXPORT: "jsonl_export",
}
# the gate is none of them: the export asks it itself, and so writes down that it is held, and why
_BLOCKING = frozenset(
    check.name for check in facts.CHECKS if check.stage is not Stage.EXPORT and check.look is not facts.gate_holds
)


def specs(stage: Stage, key: dg.AssetKey, partitions: dg.PartitionsDefinition) -> list[dg.AssetCheckSpec]:
    """The checks of a stage's asset."""
    return [
        dg.AssetCheckSpec(
            name=check.name,
            asset=key,
            description=check.description,
            blocking=check.name in _BLOCKING,
            partitions_def=partitions,
        )
        for check in facts.CHECKS
        if check.stage is stage
    ]


def results(corpus: Corpus, partition_key: str, stage: Stage, key: dg.AssetKey) -> Iterator[dg.AssetCheckResult]:
    """The results of a stage's checks, counted from the rows."""
    for check in facts.CHECKS:
        if check.stage is stage:
            verdict = corpus.store.fetch(check.look, corpus.work(partition_key, stage))
            yield dg.AssetCheckResult(
                asset_key=key,
                check_name=check.name,
                passed=verdict.passed,
                severity=dg.AssetCheckSeverity.ERROR,
                description=verdict.sentence,
                metadata=_numbers(verdict.counts),
            )


def _numbers(counts: dict[str, int]) -> dict[str, Any]:
    return {name: int(count) for name, count in counts.items()}
