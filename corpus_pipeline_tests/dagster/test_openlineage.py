"""OpenLineage events arrive at the server that is set, by the package that makes them; without it nothing breaks."""

from __future__ import annotations

import importlib.util
import json
import sys
from typing import Any

import dagster as dg
import pytest

from corpus_pipeline.defs import openlineage
from corpus_pipeline.defs.checks import ASSETS
from corpus_pipeline.defs.resources import CursorResource
from corpus_pipeline.states import Stage
from corpus_pipeline_tests.dagster.conftest import EVERYTHING, Home
from corpus_pipeline_tests.servers.receiver import listening


def test_runs_and_assets_are_told_with_their_columns(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert openlineage.sensors() == []
    name = home.add("told_abroad", rows=3)
    made = dg.materialize(
        list(EVERYTHING),
        selection=[ASSETS[stage] for stage in Stage],
        partition_key=name,
        instance=home.instance,
        resources={"cursor": CursorResource()},
    )
    with listening() as receiver:
        monkeypatch.setenv(openlineage.URL_VARIABLE, receiver.url)
        for module in [name for name in sys.modules if name.startswith("dagster_openlineage")]:
            monkeypatch.delitem(sys.modules, module)  # it asks for the address when it is imported
        (sensor,) = openlineage.sensors()
        first = home.instance.get_records_for_run(made.run_id, limit=1).records[0].storage_id
        cursor = json.dumps({"last_storage_id": first - 1, "running_pipelines": {}})
        with dg.build_sensor_context(home.instance, cursor=cursor, repository_def=_repository()) as context:
            list(sensor(context))
        heard: list[dict[str, Any]] = [json.loads(raw) for _, raw in receiver.heard]
    outputs = {output["name"]: output for event in heard for output in event.get("outputs", [])}
    assert set(ASSETS.values()) <= set(outputs)
    (event,) = [
        output
        for event in heard
        for output in event.get("outputs", [])
        if output["name"] == "jsonl_export" and "schema" in output["facets"]
    ]
    assert {field["name"] for field in event["facets"]["schema"]["fields"]} == {
        column for column, _ in home.corpus.export_columns(name)
    }


def test_an_address_without_the_package_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(openlineage.URL_VARIABLE, "http://127.0.0.1:9")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert openlineage.sensors() == []
    assert "corpus-pipeline[openlineage]" in caplog.text


def _repository() -> dg.RepositoryDefinition:
    return dg.Definitions(assets=list(EVERYTHING), resources={"cursor": CursorResource()}).get_repository_def()
