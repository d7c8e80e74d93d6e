"""Automation: a file that is dropped is worked by itself, as far as it was allowed, and money only under a budget."""

from __future__ import annotations

import dagster as dg
import pytest

from corpus_pipeline.defs import automation, partitions
from corpus_pipeline.defs.build import build
from corpus_pipeline.defs.names import DEFAULT
from corpus_pipeline.defs.resources import CursorResource
from corpus_pipeline.defs.sensors import upstream_versions
from corpus_pipeline.errors import UsageError
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline_tests.dagster.conftest import Home, tick


def test_stages_are_started_one_after_the_other_and_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUS_AUTOMATE", "ingest,clean")
    definitions = build(DEFAULT)
    assert "automation" in {sensor.name for sensor in definitions.sensors or ()}
    name, cursor, asked = "by_itself", None, []
    for step in range(6):
        if step == 1:
            home.add(name)
        found = dg.evaluate_automation_conditions(definitions, home.instance, cursor=cursor)
        cursor = found.cursor
        for key in (DEFAULT.keys[0], DEFAULT.keys[1], DEFAULT.keys[2]):
            if name in found.get_requested_partitions(key):
                asked.append(key.path[-1])
                assert dg.materialize(
                    list(definitions.assets or ()),
                    selection=[key],
                    partition_key=name,
                    instance=home.instance,
                    resources={"cursor": CursorResource()},
                ).success
    assert asked == ["dataset_rows", "cleaned_rows"]


def test_a_paused_file_gets_no_run_that_is_only_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUS_AUTOMATE", "ingest,clean")
    definitions, name, free = build(DEFAULT), "waits_for_its_flag", "waits_for_nothing"
    found = dg.evaluate_automation_conditions(definitions, home.instance)
    for one in (name, free):
        home.add(one)
    home.corpus.pause([name], Stage.INGEST, False, "not yet")
    asked = list[set[str]]()
    for step in range(4):
        if step == 2:
            home.corpus.resume([name], Stage.INGEST, False)
        found = dg.evaluate_automation_conditions(definitions, home.instance, cursor=found.cursor)
        asked.append(set(found.get_requested_partitions(DEFAULT.keys[0])) & {name, free})
    assert asked == [{free}, set(), {name}, set()]
    (sensor,) = automation.sensors(DEFAULT)
    assert sensor.sensor_type.value == "AUTOMATION", (
        "the conditions are asked where the database of the corpus is known"
    )


def test_a_file_that_comes_back_under_its_name_is_not_exported_before_its_stages_are_done(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster remembers that all of it was materialized."""
    monkeypatch.setenv("CORPUS_AUTOMATE", "ingest,clean,export")
    definitions, name, asked = build(DEFAULT), "comes_back", list[str]()
    found = dg.evaluate_automation_conditions(definitions, home.instance)

    def work(*keys: dg.AssetKey) -> None:
        resources = {"cursor": CursorResource()}
        stages = list(definitions.assets or ())
        assert dg.materialize(
            stages, selection=keys, partition_key=name, instance=home.instance, resources=resources
        ).success

    home.add(name)
    work(*DEFAULT.keys)
    found = dg.evaluate_automation_conditions(definitions, home.instance, cursor=found.cursor)
    home.corpus.remove(name, reason="other rows")
    home.instance.delete_dynamic_partition(partitions.PARTITIONS_NAME, name)
    found = dg.evaluate_automation_conditions(definitions, home.instance, cursor=found.cursor)
    home.add(name, rows=7)
    for step in range(6):
        if step == 4:
            work(DEFAULT.keys[2])
        found = dg.evaluate_automation_conditions(definitions, home.instance, cursor=found.cursor)
        for key in DEFAULT.keys:
            if name in found.get_requested_partitions(key):
                asked.append(key.path[-1])
                work(key)
        if step == 1:  # as the `upstream` sensor does, which tells Dagster what is pending
            work(*DEFAULT.keys[:2])
    assert home.corpus.status([name])[0]["stages"]["export"]["status"] == "done", asked
    assert asked[-1] == "jsonl_export" and asked.count("jsonl_export") == 1


def test_a_change_of_a_paused_file_starts_its_run_when_the_flag_is_cleared(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPUS_AUTOMATE", "ingest,clean,export")
    name, asked = home.add("changed_while_paused"), list[list[list[dg.AssetKey]]]()
    for stage in Stage:
        home.corpus.run_stage(name, stage)
    seen = tick(home, upstream_versions).cursor
    home.corpus.pause([name], None, False, "the recipe is looked at")
    home.corpus.redo(name, Stage.EXPORT)
    for step in range(5):
        if step == 2:
            home.corpus.resume([name], None, False)
        heard = tick(home, upstream_versions, seen)
        seen = heard.cursor
        asked.append([list(one.asset_selection or ()) for one in heard.run_requests or () if one.partition_key == name])
    assert asked == [[], [], [[DEFAULT.keys[-1]]], [], []]


def test_what_a_recipe_changes_is_started_and_nothing_else(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUS_AUTOMATE", "ingest,clean,export")
    definitions, name = build(DEFAULT), home.add("changes")
    stages = list(definitions.assets or ())

    def work(*keys: dg.AssetKey) -> None:
        assert dg.materialize(
            stages,
            selection=keys,
            partition_key=name,
            instance=home.instance,
            resources={"cursor": CursorResource()},
        ).success

    work(*DEFAULT.keys)
    seen = tick(home, upstream_versions).cursor
    recipe = home.folder / "another_export.yaml"
    before = home.corpus.recipe_of(home.corpus.files([name])[0]).to_yaml()
    assert before.count("format: same") == 1
    changed = before.replace("name: default", "name: another").replace("format: same", "format: sharegpt")
    recipe.write_text(changed, encoding="utf-8")
    home.corpus.bind_recipe(name, str(recipe))
    heard = tick(home, upstream_versions, seen)
    assert heard.cursor not in (None, seen)
    (request,) = [one for one in heard.run_requests or () if one.partition_key == name]
    assert (request.asset_selection, request.tags[automation.AUTOMATION_TAG]) == ([DEFAULT.keys[-1]], "true")
    work(*request.asset_selection)
    assert {stage["status"] for stage in home.corpus.status([name])[0]["stages"].values()} == {"done"}


def test_a_budget_that_was_missing_lets_the_stage_begin(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUS_AUTOMATE", "augment")
    name = home.add("budgeted_later", rows=2)
    for stage in ("ingest", "clean"):
        home.corpus.run_stage(name, Stage(stage))
    seen, asked = None, []
    recipe = home.folder / "with_budget.yaml"
    text = home.corpus.recipe_of(home.corpus.files([name])[0]).to_yaml().replace("name: default", "name: with_budget")
    for number, budget in enumerate(("null", "null", "5.0")):
        recipe.write_text(text.replace("task_usd: null", f"task_usd: {budget}"), encoding="utf-8")
        if number != 1:
            home.corpus.bind_recipe(name, str(recipe))
        heard = tick(home, upstream_versions, seen)
        seen = heard.cursor
        asked.append([one.asset_selection for one in heard.run_requests or () if one.partition_key == name])
    assert asked == [[], [], [[DEFAULT.keys[2]]]]


def test_nothing_is_started_unless_it_was_asked_for(home: Home) -> None:
    specs = {spec.key: spec for spec in build(DEFAULT).resolve_all_asset_specs()}
    assert {DEFAULT.key(stage) for stage in Stage} <= set(specs)
    assert all(spec.automation_condition is None for spec in specs.values())


def test_money_is_spent_by_itself_only_under_a_budget(home: Home) -> None:
    name = home.add("unbudgeted")
    stages = build(DEFAULT).assets or ()
    failed = dg.materialize(
        list(stages),
        selection=DEFAULT.keys[:3],
        partition_key=name,
        instance=home.instance,
        resources={"cursor": CursorResource()},
        raise_on_error=False,
        tags={automation.AUTOMATION_TAG: "true"},
    )
    (event,) = [event for event in failed.all_events if event.is_step_failure]
    assert "has no budget" in str(event.step_failure_data.user_failure_data.description)


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(UsageError, match="no stage 'wash'"):
        Settings.from_env({"CORPUS_AUTOMATE": "clean,wash"})
