"""Several partitions in one run: each is materialized, paused or failed by itself."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from corpus_pipeline.defs import multi_partition
from corpus_pipeline.defs.checks import ASSETS as ASSET_OF
from corpus_pipeline.defs.resources import CursorResource
from corpus_pipeline.states import Stage, Status
from corpus_pipeline_tests.dagster.conftest import EVERYTHING, Home

PLAIN = "name: plain\naugment: {strategies: []}\n"


@pytest.fixture
def plain(tmp_path: Path) -> str:
    path = tmp_path / "plain.yaml"
    path.write_text(PLAIN)
    return str(path)


def run(home: Home, first: str, last: str) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        list(EVERYTHING),
        instance=home.instance,
        resources={"cursor": CursorResource()},
        raise_on_error=False,
        tags={ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last},
    )


def materialized(home: Home, stage: Stage, names: list[str]) -> list[str]:
    found = home.instance.get_materialized_partitions(dg.AssetKey(ASSET_OF[stage]))
    return [name for name in names if name in found]


def observations(result: dg.ExecuteInProcessResult) -> set[tuple[str, str | None, str]]:
    events = [event.asset_observation_data.asset_observation for event in result.get_asset_observation_events()]
    return {
        (o.asset_key.path[-1], o.partition, str(o.metadata["status"].value)) for o in events if "status" in o.metadata
    }


def test_each_partition_of_a_run_has_its_own_state(home: Home, plain: str):
    names = [home.add(f"several{number}", rows=2 + number, recipe=plain) for number in range(4)]
    home.corpus.pause([names[1]], None, False, "a look")
    (home.folder / "data" / f"{names[2]}.jsonl").write_text("something else\n")
    result = run(home, names[0], names[3])
    assert not result.success
    assert names[2] in str(result.failure_data_for_node(ASSET_OF[Stage.INGEST]))
    for stage in Stage:
        assert materialized(home, stage, names) == [names[0], names[3]]
    assert observations(result) == {
        (ASSET_OF[Stage.INGEST], names[1], "paused"),
        (ASSET_OF[Stage.INGEST], names[2], "failed"),
    }
    events = result.asset_materializations_for_node(ASSET_OF[Stage.INGEST])
    counts = {e.partition: e.metadata["total"].value for e in events if e.asset_key.path[-1] == ASSET_OF[Stage.INGEST]}
    assert counts == {names[0]: 2, names[3]: 5}
    checked = {(e.partition, e.check_name) for e in result.get_asset_check_evaluations()}
    assert (names[0], "lines_conserved") in checked and (names[1], "lines_conserved") not in checked
    (state,) = home.corpus.status([names[1]])
    assert state["stages"]["ingest"]["status"] == Status.PAUSED


def test_a_run_of_several_makes_nothing_stale(home: Home, plain: str):
    """The same versions as a run of one partition writes."""
    names = [home.add(f"fresh{number}", rows=2, recipe=plain) for number in range(2)]
    assert run(home, names[0], names[1]).success

    def versions(name: str) -> list[dict[str, str]]:
        events = [
            home.instance.fetch_materializations(
                dg.AssetRecordsFilter(dg.AssetKey(ASSET_OF[stage]), asset_partitions=[name]), limit=1
            ).records[0]
            for stage in Stage
        ]
        kept = ("dagster/data_version", "dagster/code_version", "dagster/input_data_version/")
        return [
            {k: v for k, v in (e.asset_materialization.tags or {}).items() if k.startswith(kept)}  # type: ignore[union-attr]
            for e in events
        ]

    before = versions(names[0])
    one = dg.materialize(
        list(EVERYTHING),
        partition_key=names[0],
        instance=home.instance,
        resources={"cursor": CursorResource()},
    )
    assert one.success
    assert versions(names[0]) == before and all(len(tags) >= 2 for tags in before)


def test_a_backfill_has_runs_of_several_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch):
    assert multi_partition.policy() is None
    monkeypatch.setenv("CORPUS_PARTITIONS_PER_RUN", "20")
    asked = multi_partition.policy()
    assert asked is not None and asked.max_partitions_per_run == 20
