"""What Dagster shows of tables, code and consumers, and the training data that other people's assets depend on."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import create_engine, inspect

from corpus_pipeline.defs import training_data
from corpus_pipeline.defs.build import build
from corpus_pipeline.defs.checks import ASSETS
from corpus_pipeline.defs.names import DEFAULT
from corpus_pipeline.defs.resources import CursorResource
from corpus_pipeline.defs.tables import TABLES
from corpus_pipeline.errors import UsageError
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline_tests.dagster.conftest import EVERYTHING, Home, write_file
from corpus_pipeline_tests.dagster.conftest import tick as a_tick

SENSOR = training_data.sensor(DEFAULT, Settings.from_env)


def made(home: Home, name: str, *stages: Stage) -> dg.ExecuteInProcessResult:
    found = dg.materialize(
        list(EVERYTHING),
        selection=[ASSETS[stage] for stage in stages or tuple(Stage)],
        partition_key=name,
        instance=home.instance,
        resources={"cursor": CursorResource()},
    )
    assert found.success
    return found


def add(home: Home, name: str, consumer: str) -> str:
    home.corpus.add(write_file(home.folder / "data", name, 4), consumer=consumer)
    home.instance.add_dynamic_partitions("dataset_files", [name])
    return name


def tick(home: Home, cursor: str | None) -> tuple[list[dg.AssetMaterialization], str, str | None]:
    """(what was told, why nothing was, cursor) of one tick of the sensor."""
    heard = a_tick(home, SENSOR, cursor)
    events = [one for one in heard.asset_events if isinstance(one, dg.AssetMaterialization)]
    return events, "" if events else heard.skip_message or "", heard.cursor


def test_an_asset_has_the_columns_of_its_table_and_a_place_of_its_code(home: Home) -> None:
    columns = inspect(create_engine(home.corpus.settings.database_url))
    specs = {spec.key: spec for spec in build(DEFAULT).resolve_all_asset_specs()}
    for stage in Stage:
        metadata = specs[DEFAULT.key(stage)].metadata
        (place,) = metadata["dagster/code_references"].code_references
        lines = Path(place.file_path).read_text().splitlines()[place.line_number - 1 :]
        assert next(line for line in lines if not line.startswith("@")).startswith("def work(")
        if stage in TABLES:
            schema = metadata["dagster/column_schema"]
            assert metadata["dagster/table_name"] == TABLES[stage].name
            assert [column.name for column in schema.columns] == [
                column["name"] for column in columns.get_columns(TABLES[stage].name)
            ]


def test_an_export_tells_the_columns_of_its_lines(home: Home) -> None:
    name = add(home, "with_columns", "columns-team")
    (event,) = made(home, name).asset_materializations_for_node("jsonl_export")
    (place,) = home.corpus.export_places(name)
    lines = [json.loads(line) for line in Path(place).read_text().splitlines()]
    schema = event.metadata["dagster/column_schema"].value
    assert {column.name for column in schema.columns} == {key for line in lines for key in line}
    assert all(column.type and "{" not in column.type for column in schema.columns)


def test_a_consumer_owns_its_data(home: Home) -> None:
    add(home, "owned", "search")
    add(home, "owned_by_mail", "ann@example.org")
    specs = {spec.key: spec for spec in build(DEFAULT).resolve_all_asset_specs()}
    assert list(specs[training_data.key_of((), "search")].owners) == ["team:search"]
    assert list(specs[training_data.key_of((), "ann@example.org")].owners) == ["ann@example.org"]
    assert {"team:search", "ann@example.org"} <= set(specs[DEFAULT.key(Stage.CLEAN)].owners)


def test_training_data_are_told_when_complete_and_a_training_run_follows(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = add(home, "train_one", "trainers"), add(home, "train_two", "trainers")
    key = training_data.key_of((), "trainers")

    @dg.asset(deps=[key], automation_condition=dg.AutomationCondition.any_deps_updated())
    def fine_tuned() -> None: ...

    definitions = dg.Definitions.merge(build(DEFAULT), dg.Definitions(assets=[fine_tuned]))
    looked = dg.evaluate_automation_conditions(definitions, home.instance, cursor=None)
    made(home, one)
    events, why, cursor = tick(home, None)
    assert key not in {event.asset_key for event in events}
    assert not why or "trainers: 1 of 2 files are not exported: train_two" in why

    made(home, two)
    events, _, cursor = tick(home, cursor)
    (event,) = [event for event in events if event.asset_key == key]
    lines = sum(
        len(Path(place).read_text().splitlines()) for name in (one, two) for place in home.corpus.export_places(name)
    )
    assert (event.metadata["dagster/row_count"].value, event.metadata["files"].value) == (lines, 2)
    home.instance.report_runless_asset_event(event)
    looked = dg.evaluate_automation_conditions(definitions, home.instance, cursor=looked.cursor)
    assert looked.get_num_requested(fine_tuned.key) == 1

    assert tick(home, cursor)[0] == [], "told once"
    monkeypatch.setenv("CORPUS_FRESH_HOURS", "0")
    old = json.dumps({consumer: [version, 0.0] for consumer, (version, _) in json.loads(cursor or "").items()})
    assert tick(home, old)[0] == []
    monkeypatch.setenv("CORPUS_FRESH_HOURS", "24")
    assert [event.asset_key for event in tick(home, old)[0] if event.asset_key == key] == [key], "still complete"


def test_how_long_is_a_setting(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    add(home, "dated", "dated-team")
    key = training_data.key_of((), "dated-team")
    for hours, expected in (("48", 48 * 3600), ("0", None)):
        monkeypatch.setenv("CORPUS_FRESH_HOURS", hours)
        policy = {spec.key: spec for spec in build(DEFAULT).resolve_all_asset_specs()}[key].freshness_policy
        window = policy.fail_window.to_timedelta().total_seconds() if policy is not None else None  # type: ignore[attr-defined]
        assert window == expected
    with pytest.raises(UsageError, match="CORPUS_FRESH_HOURS must be a whole number of hours"):
        Settings.from_env({"CORPUS_FRESH_HOURS": "soon"})


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "mysql+pymysql://nobody:x@127.0.0.1:1/none"])
def test_definitions_load_where_the_database_does_not_answer(
    home: Home, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("CORPUS_DATABASE_URL", url)
    keys = {spec.key for spec in build(DEFAULT).resolve_all_asset_specs()}
    assert training_data.key_of((), "default") in keys
