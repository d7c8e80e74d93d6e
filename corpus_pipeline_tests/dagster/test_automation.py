"""Automation: a file that is dropped is worked by itself, as far as it was allowed, and money only under a budget."""

from __future__ import annotations

import dagster as dg
import pytest

from corpus_pipeline.defs import automation
from corpus_pipeline.defs.build import build
from corpus_pipeline.defs.names import DEFAULT
from corpus_pipeline.defs.resources import CursorResource
from corpus_pipeline.errors import UsageError
from corpus_pipeline.settings import Settings
from corpus_pipeline_tests.dagster.conftest import Home


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


def test_nothing_is_started_unless_it_was_asked_for(home: Home) -> None:
    definitions = build(DEFAULT)
    assert all(spec.automation_condition is None for spec in definitions.resolve_all_asset_specs())


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
