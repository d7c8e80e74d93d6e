"""The assets in this process, on a real instance below a temporary home."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import WILL_RETRY_TAG
from sqlalchemy import select, update

from corpus_pipeline import llm_stub
from corpus_pipeline.defs import assets as asset_module
from corpus_pipeline.defs import partitions, sensors
from corpus_pipeline.defs.assets import ASSETS
from corpus_pipeline.defs.checks import ASSETS as ASSET_OF
from corpus_pipeline.defs.names import DEFAULT
from corpus_pipeline.defs.resources import CursorResource
from corpus_pipeline.defs.sensors import inbox, pause_flags, retention, upstream_versions
from corpus_pipeline.jobs.lease import holding
from corpus_pipeline.service.commands import start
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline.store import failed_samples, schema, start_requests
from corpus_pipeline_tests.dagster.conftest import EVERYTHING, KEY, RECIPE, Home, stale, tick

NAMES = list(ASSET_OF.values())


def run(home: Home, name: str, stages: Sequence[Stage] = tuple(Stage), **tags: str) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        list(EVERYTHING),
        selection=[ASSET_OF[stage] for stage in stages],
        partition_key=name,
        instance=home.instance,
        resources={"cursor": CursorResource()},
        raise_on_error=False,
        tags=tags,
    )


def materialized(home: Home, asset: str) -> set[str]:
    return set(home.instance.get_materialized_partitions(dg.AssetKey(asset)))


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, object]:
    (event,) = result.asset_materializations_for_node(asset)
    return {key: value.value for key, value in event.metadata.items()}


@dg.asset
def settings_of_the_run(cursor: CursorResource) -> None:
    dg.get_dagster_logger().info("%s", cursor.corpus.settings.model)


def configured(home: Home, resource: CursorResource, config: object) -> str:
    """What a run with this configuration of its resource fails with; nothing when it does not."""
    result = dg.materialize(
        [settings_of_the_run],
        instance=home.instance,
        resources={"cursor": resource},
        run_config={"resources": {"cursor": config}},
        raise_on_error=False,
    )
    errors = [getattr(event.event_specific_data, "error", None) for event in result.all_events]
    told = "".join(error.to_string() for error in errors if error is not None)
    assert bool(told) is not result.success
    return told


BAKED = CursorResource(model="baked", openai_api_key=dg.EnvVar("KEY_OF_THIS"), key_prefix=["mine"])


@pytest.mark.parametrize(
    ("resource", "config"),
    [
        (CursorResource(), {"openai_base_url": "https://elsewhere.example/v1"}),
        (CursorResource(), {"model": {"env": "SECRET_OF_THE_HOST"}}),
        (CursorResource(), {"key_prefix": ["other"]}),
        (CursorResource(), {"model": None, "home": "/tmp/elsewhere"}),
        (BAKED, {"openai_api_key": {"env": "SECRET_OF_THE_HOST"}}),
        (BAKED, {"model": None}),  # it would be that of the environment
    ],
)
def test_a_run_changes_no_setting(home: Home, monkeypatch: pytest.MonkeyPatch, resource, config) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "sk-canary-0123456789")
    monkeypatch.setenv("KEY_OF_THIS", "sk-own-0123456789")
    told = configured(home, resource, {"config": config})
    assert "no part of a run's configuration" in told and "canary" not in told


@pytest.mark.parametrize("resource", [CursorResource(), BAKED])
def test_what_dagster_proposes_as_configuration_of_a_run_is_taken(home: Home, monkeypatch, resource) -> None:
    monkeypatch.setenv("KEY_OF_THIS", "sk-own-0123456789")
    definitions = dg.Definitions(assets=[settings_of_the_run], resources={"cursor": resource})
    schema = definitions.resolve_implicit_global_asset_job_def().run_config_schema.config_type.fields["resources"]
    assert configured(home, resource, schema.default_value["cursor"]) == ""
    assert configured(home, resource, {"config": {}}) == ""


def test_each_stage_tells_what_came_of_it_and_its_checks_pass(home: Home):
    home.add("whole", rows=6)
    result = run(home, "whole")
    assert result.success
    ingest, augment, export = (metadata(result, ASSET_OF[s]) for s in (Stage.INGEST, Stage.AUGMENT, Stage.EXPORT))
    assert (ingest["dagster/partition_row_count"], ingest["total"], ingest["dropped"]) == (6, 6, 0)
    assert (augment["calls"], augment["failed"], augment["dagster/partition_row_count"]) == (6, 0, 6)
    assert int(str(augment["input_tokens"])) > 0 and float(str(augment["cost_usd"])) >= 0
    assert export["dagster/partition_row_count"] == 12
    assert Path(str(export["dagster/uri"]).removeprefix("file://")).is_file()
    assert str(ingest["row_browser"]).endswith("/files/whole")
    assert str(ingest["preview"]).startswith("```text\n")
    evaluations = {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}
    assert set(evaluations) == {
        "lines_conserved",
        "rows_conserved",
        "no_duplicate_left",
        "nothing_empty",
        "gate",
        "rows_accounted",
        "export_is_current",
    }
    assert all(evaluation.passed for evaluation in evaluations.values())
    assert {evaluation.partition for evaluation in evaluations.values()} == {"whole"}


def test_a_complete_partition_is_materialized_again_without_a_call_and_with_the_same_data_version(home: Home):
    home.add("twice", rows=4)
    first, second = run(home, "twice"), run(home, "twice")
    for name in NAMES:
        versions = {
            result.asset_materializations_for_node(name)[0].tags["dagster/data_version"] for result in (first, second)
        }
        assert len(versions) == 1
    assert metadata(first, "augmented_rows")["was_complete"] is False
    assert metadata(second, "augmented_rows")["was_complete"] is True
    assert [row["calls"] for row in home.corpus.cost("file") if row["file"] == "twice"] == [4]


def test_row_text_cannot_leave_its_code_fence(home: Home):
    path = home.folder / "data" / "hostile.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        '{"question": "What do these marks mean: ```` and </pre><script>alert(1)</script>?", '
        '"answer": "They close a fence.\\n````\\n![x](http://evil.example/x.png) is then drawn."}\n'
    )
    home.corpus.add(path)

    partitions.register(home.instance, ["hostile"])
    text = str(metadata(run(home, "hostile", [Stage.INGEST]), "dataset_rows")["preview"])
    fence = text.split("text\n", 1)[0]
    assert set(fence) == {"`"} and text.endswith("\n" + fence)
    assert max(len(found) for found in re.findall("`+", text[len(fence) : -len(fence)])) < len(fence)


def test_a_failed_check_materializes_its_asset_and_stops_the_next(home: Home, model):
    home.add("spoilt", rows=4)
    model.meet(refusal=1.0)
    try:
        result = run(home, "spoilt")
    finally:
        model.meet()
    assert not result.success
    assert "spoilt" in materialized(home, "augmented_rows")
    assert "spoilt" not in materialized(home, "jsonl_export")
    (gate,) = [e for e in result.get_asset_check_evaluations() if e.check_name == "gate"]
    assert not gate.passed and gate.severity is dg.AssetCheckSeverity.ERROR
    assert "4" in str(gate.description)
    (state,) = home.corpus.status(["spoilt"])  # the export was never begun, and yet its state says what holds it
    assert (
        state["stages"]["export"]["status"] == "blocked" and "4 failed samples" in state["stages"]["export"]["reason"]
    )
    home.corpus.dismiss(failed_samples.Where(file_name="spoilt"), "the test")
    (state,) = home.corpus.status(["spoilt"])
    assert state["stages"]["export"]["status"] == "pending"


def test_the_gate_refuses_an_export_alone_and_nothing_tries_it_again(home: Home, model):
    home.add("refused", rows=4)
    model.meet(refusal=1.0)
    try:
        run(home, "refused", [Stage.INGEST, Stage.CLEAN, Stage.AUGMENT])
    finally:
        model.meet()
    result = run(home, "refused", [Stage.EXPORT])
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_failure_data.user_failure_data.description.startswith("the export of 'refused'")
    assert not any(event.is_step_up_for_retry for event in result.all_events)
    record = home.instance.get_run_by_id(result.run_id)
    assert record is not None and record.tags.get(WILL_RETRY_TAG, "false") == "false"
    assert home.corpus.status(["refused"])[0]["stages"]["export"]["status"] == "blocked"


def test_a_paused_partition_ends_as_an_observation_and_stays_what_it_was(home: Home, caplog):
    home.add("held", rows=4)
    home.corpus.pause(["held"], Stage.AUGMENT, False, "look at the prices first")
    result = run(home, "held")
    assert result.success
    said = result.asset_observations_for_node("augmented_rows")
    (observation,) = [o for o in said if o.asset_key.path == ["augmented_rows"]]
    assert observation.tags == {"corpus/status": "paused"}
    assert "look at the prices first" in str(observation.metadata["reason"].value)
    assert "held" in materialized(home, "cleaned_rows")
    assert "held" not in materialized(home, "augmented_rows")
    assert not any(event.is_step_failure for event in result.all_events)
    assert "gating" not in caplog.text, "the export was skipped: nothing went on without its checks"

    home.corpus.resume(["held"], Stage.AUGMENT, False)
    assert run(home, "held", [Stage.AUGMENT, Stage.EXPORT]).success
    home.corpus.pause(["held"], None, False, "again")
    home.corpus.redo("held", Stage.AUGMENT)
    assert run(home, "held", [Stage.AUGMENT, Stage.EXPORT]).success
    assert "held" in materialized(home, "jsonl_export")  # what was there before the pause is still there


def test_a_partition_that_somebody_else_works_on_is_left_alone_without_an_alarm(home: Home):
    home.add("busy", rows=4)
    task = home.corpus.work("busy", Stage.INGEST).task
    with holding(home.corpus.store, task.id, Stage.INGEST, 30), suppress(dg.DagsterExecutionInterruptedError):
        run(home, "busy")
    (refused,) = home.instance.get_runs(dg.RunsFilter(tags={"dagster/partition": "busy"}))
    assert (refused.status, refused.tags["corpus/end"]) == (dg.DagsterRunStatus.CANCELED, "held")
    assert "busy" not in materialized(home, "dataset_rows")
    assert run(home, "busy", [Stage.INGEST]).success


def test_a_changed_rule_or_recipe_makes_what_was_made_by_the_old_one_stale(home: Home, monkeypatch):
    home.add("old", rows=4)
    run(home, "old")
    assert {name: stale(home, ASSETS, name, "old")[0] for name in NAMES} == dict.fromkeys(NAMES, "FRESH")

    real = asset_module.code_version
    monkeypatch.setattr(
        asset_module, "code_version", lambda stage: "other rules" if stage is Stage.CLEAN else real(stage)
    )
    changed = asset_module.assets_of(DEFAULT, Settings.from_env)
    assert stale(home, changed, "cleaned_rows", "old") == ("STALE", ["has a new code version"])
    assert stale(home, changed, "dataset_rows", "old")[0] == "FRESH"


def test_a_new_recipe_makes_the_stages_behind_it_stale(home: Home):
    home.add("recipes", rows=4)
    run(home, "recipes")
    recipe = home.folder / "other.yaml"
    recipe.write_text(RECIPE.replace("name: slow", "name: other\nclean: {rules: [whitespace]}"), encoding="utf-8")
    home.corpus.bind_recipe("recipes", str(recipe))
    run(home, "recipes", [Stage.INGEST, Stage.CLEAN])
    assert stale(home, ASSETS, "cleaned_rows", "recipes")[0] == "FRESH"
    assert stale(home, ASSETS, "augmented_rows", "recipes") == ("STALE", ["has a new dependency data version"])


def test_what_a_recipe_changes_is_stale_before_anybody_runs_it_and_nothing_else(home: Home):
    home.add("sections", rows=4)
    run(home, "sections")
    seen = tick(home, upstream_versions).cursor
    for asset in NAMES:
        assert stale(home, ASSETS, asset, "sections")[0] == "FRESH", asset
    recipe = home.folder / "exports_otherwise.yaml"
    before = home.corpus.recipe_of(home.corpus.files(["sections"])[0]).to_yaml()
    # under a name of its own: the files of later tests take the stored recipe that is called "default"
    changed = before.replace("name: default", "name: exports_otherwise").replace("format: same", "format: sharegpt")
    recipe.write_text(changed, encoding="utf-8")
    home.corpus.bind_recipe("sections", str(recipe))
    tick(home, upstream_versions, seen)
    found = {asset: stale(home, ASSETS, asset, "sections") for asset in NAMES}
    assert {asset for asset, (word, _) in found.items() if word == "STALE"} == {"jsonl_export"}, found
    words = {stage: own["status"] for stage, own in home.corpus.status(["sections"])[0]["stages"].items()}
    assert words == {"ingest": "done", "clean": "done", "augment": "done", "export": "pending"}
    calls = home.corpus.cost("file")
    assert run(home, "sections", [Stage.EXPORT]).success
    assert stale(home, ASSETS, "jsonl_export", "sections")[0] == "FRESH"
    assert {stage["status"] for stage in home.corpus.status(["sections"])[0]["stages"].values()} == {"done"}
    assert home.corpus.cost("file") == calls


def test_a_stage_before_which_something_changed_is_not_begun(home: Home):
    home.add("changed_before", rows=4)
    assert run(home, "changed_before").success
    recipe = home.folder / "cleans_otherwise.yaml"
    before = home.corpus.recipe_of(home.corpus.files(["changed_before"])[0]).to_yaml()
    assert before.count("scope: file") == 1
    changed = before.replace("name: default", "name: other").replace("scope: file", "scope: corpus")
    recipe.write_text(changed, encoding="utf-8")
    home.corpus.bind_recipe("changed_before", str(recipe))
    assert home.corpus.to_catch_up("changed_before", Stage.CLEAN) == []  # ingest is done
    assert home.corpus.to_catch_up("changed_before", Stage.EXPORT) == []
    assert not run(home, "changed_before", [Stage.EXPORT]).success


def test_the_trace_of_a_line_agrees_with_the_lineage(home: Home):
    home.add("lineage", rows=4)
    assert run(home, "lineage", [Stage.INGEST, Stage.CLEAN]).success
    assert run(home, "lineage", [Stage.AUGMENT, Stage.EXPORT]).success
    steps = home.corpus.trace("lineage", 2)["steps"]
    assert [ASSET_OF[Stage(step["stage"])] for step in steps] == NAMES
    for step in steps:
        key = dg.AssetKey(ASSET_OF[Stage(step["stage"])])
        wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=["lineage"])
        assert [record.run_id for record in home.instance.fetch_materializations(wanted, limit=9).records] == step[
            "runs"
        ]


def test_neither_key_nor_password_is_in_the_dagster_home(home: Home):
    home.add("secret", rows=3)
    assert run(home, "secret").success
    home.corpus.pause(["secret"], None, False, "x")
    run(home, "secret")
    files = [path for path in (home.folder / "dagster").rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []


def test_no_io_manager_ever_pickles_a_row(home: Home):
    home.add("plain", rows=3)
    result = run(home, "plain")
    assert not any(event.is_handled_output or event.is_loaded_input for event in result.all_events)
    stored = home.folder / "dagster" / "storage"  # where the default one would put its pickles
    assert not stored.exists() or {path.name for path in stored.rglob("*") if path.is_file()} == set()


def test_the_asset_graph_is_what_it_was():
    from corpus_pipeline.definitions import defs

    graph = defs.resolve_asset_graph()
    trained_on = {key for key in graph.get_all_asset_keys() if key.path[0] == "training_data"}  # one for each consumer
    assert trained_on
    assert {key.to_user_string() for data in trained_on for key in graph.get(data).parent_keys} == {"jsonl_export"}
    consumers = sorted(f"team:{key.path[1]}" for key in trained_on)
    assert {
        key.to_user_string(): sorted(k.to_user_string() for k in graph.get(key).parent_keys)
        for key in graph.get_all_asset_keys() - trained_on
    } == {
        "dataset_file": [],
        **{f"recipe/{stage}": [] for stage in Stage},
        "dataset_rows": ["dataset_file", "recipe/ingest"],
        "cleaned_rows": ["dataset_rows", "recipe/clean"],
        "augmented_rows": ["cleaned_rows", "recipe/augment"],
        "jsonl_export": ["augmented_rows", "recipe/export"],
    }
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.partitions_def == dg.DynamicPartitionsDefinition(name="dataset_files")
        assert node.group_name == "corpus" and sorted(node.owners) == consumers and node.description and node.kinds
        assert node.code_version
    assert {(key.asset_key.to_user_string(), key.name, graph.get(key).blocking) for key in graph.asset_check_keys} == {
        ("dataset_rows", "lines_conserved", True),
        ("cleaned_rows", "rows_conserved", True),
        ("cleaned_rows", "no_duplicate_left", True),
        ("augmented_rows", "nothing_empty", True),
        ("augmented_rows", "gate", False),
        ("jsonl_export", "rows_accounted", False),
        ("jsonl_export", "export_is_current", False),
    }
    assert {asset.key.to_user_string(): asset.op.pool for asset in ASSETS} == {
        "dataset_rows": None,
        "cleaned_rows": "clean",
        "augmented_rows": "augmentation",
        "jsonl_export": "export",
    }
    assert {sensor.name for sensor in defs.sensors or ()} == {
        "inbox",
        "pause_flags",
        "webhooks",
        "retention",
        "training_data",
        "upstream",
    }
    assert all(
        s.default_status is dg.DefaultSensorStatus.RUNNING
        for s in defs.sensors or ()
        if isinstance(s, dg.SensorDefinition)
    )


# --- runs without a process ---


@dg.job
def _nothing() -> None:
    """A job without a step."""


def test_what_a_dead_worker_left_below_a_flag_becomes_paused(home: Home):
    name = home.add("left")
    assert run(home, name, [Stage.INGEST]).success
    dead = home.instance.create_run_for_job(_nothing, status=dg.DagsterRunStatus.STARTED).run_id
    home.corpus.mark_paused(name, [Stage.CLEAN], "makes the cursors", dead)
    task = home.corpus.work(name, Stage.CLEAN).task.id
    mine = update(schema.execution_cursors).where(schema.execution_cursors.c.task_id == task)
    home.corpus.store.write(
        lambda c: c.execute(mine.where(schema.execution_cursors.c.stage == "clean").values(status="running"))
    )
    home.corpus.pause([name], None, False, "while nobody works")
    try:
        tick(home, pause_flags)
        (state,) = home.corpus.status([name])
        assert state["stages"]["clean"]["status"] == "paused"
        found = home.instance.get_run_by_id(dead)
        assert found is not None and found.status is dg.DagsterRunStatus.FAILURE
    finally:
        home.corpus.resume([name], None, False)


def test_what_a_person_asked_to_start_is_requested_until_its_run_is_there_and_then_never_again(home: Home):
    name = home.add("wanted")
    start.start(home.corpus.store, [name], Stage.CLEAN, "Ann O'Hara <ann>")

    def asked() -> list[dg.RunRequest]:
        return [one for one in tick(home, pause_flags).run_requests or () if one.partition_key == name]

    home.corpus.pause([name], None, False, "set after the request")
    assert asked() == [], "its run would only be refused"
    home.corpus.resume([name], None, False)
    first, second = asked(), asked()
    assert [one.run_key for one in first] == [one.run_key for one in second]
    assert [key.path[-1] for key in first[0].asset_selection or ()] == ["dataset_rows", "cleaned_rows"]
    assert first[0].tags["corpus/started_for"] == "Ann_O_Hara__ann_"
    started = home.instance.create_run_for_job(_nothing, tags=first[0].tags, status=dg.DagsterRunStatus.SUCCESS)
    assert asked() == []
    assert home.corpus.store.fetch(start_requests.waiting, name) == []
    taken = home.corpus.store.fetch(lambda c: c.execute(select(schema.start_requests)).all())[-1]
    assert taken.run_id == started.run_id


def test_what_is_done_already_is_not_started(home: Home):
    name = home.add("done_already")
    assert run(home, name, [Stage.INGEST]).success
    start.start(home.corpus.store, [name], Stage.INGEST, "ann")
    tick(home, pause_flags)
    assert home.corpus.store.fetch(start_requests.waiting, name) == []


def test_a_replay_is_run_to_the_export(home: Home, model: llm_stub.RunningStub):
    name = home.add("replayed", rows=3)
    model.meet(refusal=1.0)
    try:
        assert not run(home, name).success
    finally:
        model.meet()
    assert home.corpus.status([name])[0]["stages"]["export"]["status"] == "blocked"
    ids = home.corpus.replay(failed_samples.Where(file_name=name))
    assert len(ids) == 3
    home.corpus.pause([name], Stage.EXPORT, False, "not yet")
    assert home.corpus.start_replayed(ids) == []
    home.corpus.resume([name], Stage.EXPORT, False)
    assert home.corpus.start_replayed(ids) == [name]
    (request,) = [r for r in tick(home, pause_flags).run_requests or () if r.partition_key == name]
    assert request.asset_selection == DEFAULT.keys[2:]
    assert run(home, name, [Stage.AUGMENT, Stage.EXPORT], **request.tags).success


def test_a_resume_begins_with_what_was_replayed_meanwhile(home: Home, model: llm_stub.RunningStub):
    """The stage that was paused is not the first one that has something to do any more."""
    recipe = home.folder / "tolerant.yaml"
    recipe.write_text(
        RECIPE.replace("name: slow", "name: tolerant") + "export: {gate: {max_failed: 100}}\n", encoding="utf-8"
    )
    name = home.add("replayed_while_paused", rows=3, recipe=str(recipe))
    home.corpus.pause([name], Stage.EXPORT, False, "the failed ones are looked at")
    model.meet(refusal=1.0)
    try:
        assert run(home, name).success
    finally:
        model.meet()
    assert words(home, name) == {"ingest": "done", "clean": "done", "augment": "done", "export": "paused"}
    assert len(home.corpus.replay(failed_samples.Where(file_name=name))) == 3
    home.corpus.pause([name], Stage.AUGMENT, False, "the budget")
    home.corpus.resume([name], Stage.EXPORT, False)
    assert asked_for(home, name) == [], "it would only be refused"
    home.corpus.resume([name], Stage.AUGMENT, False)
    assert asked_for(home, name) == [DEFAULT.keys[2:]]
    assert run(home, name, [Stage.AUGMENT, Stage.EXPORT]).success
    assert set(words(home, name).values()) == {"done"}


def test_a_resume_goes_on_under_the_recipe_that_was_bound_meanwhile(home: Home):
    name = home.add("bound_while_paused", rows=3)
    home.corpus.pause([name], None, False, "the recipe is looked at")
    assert run(home, name).success and words(home, name)["ingest"] == "paused"
    recipe = home.folder / "bound_while_paused.yaml"
    recipe.write_text(RECIPE.replace("name: slow", "name: bound_while_paused"), encoding="utf-8")
    home.corpus.bind_recipe(name, str(recipe))
    assert words(home, name)["ingest"] == "paused"
    assert asked_for(home, name) == []
    home.corpus.resume([name], None, False)
    assert asked_for(home, name) == [DEFAULT.keys]


def words(home: Home, name: str) -> dict[str, str]:
    (state,) = home.corpus.status([name])
    return {stage: own["status"] for stage, own in state["stages"].items()}


def asked_for(home: Home, name: str) -> list[list[dg.AssetKey]]:
    """The assets of the runs that a daemon is asked for."""
    requests = tick(home, pause_flags).run_requests or ()
    return [list(one.asset_selection or ()) for one in requests if one.partition_key == name]


# --- partitions and runs that nobody needs ---


def test_a_partition_without_a_file_is_refused_in_words_and_removed(home: Home):
    home.instance.add_dynamic_partitions("dataset_files", ["by_hand"])
    failed = run(home, "by_hand", [Stage.INGEST])
    (event,) = [event for event in failed.all_events if event.is_step_failure]
    assert "unknown dataset file 'by_hand'" in (event.step_failure_data.user_failure_data.description or "")
    heard = tick(home, inbox)
    removed = [r for r in heard.dynamic_partitions_requests or () if isinstance(r, dg.DeleteDynamicPartitionsRequest)]
    assert "by_hand" in removed[0].partition_keys
    assert not {file.name for file in home.corpus.files()} & set(removed[0].partition_keys)
    home.instance.delete_dynamic_partition("dataset_files", "by_hand")


@pytest.mark.parametrize("instead", ["nothing", "folder"])
def test_a_source_that_is_elsewhere_leaves_its_stage_pending(home: Home, instead: str):
    name = home.add(f"elsewhere_{instead}")
    (file,) = home.corpus.files([name])
    away = Path(file.path).rename(Path(file.path).with_suffix(".away"))
    if instead == "folder":
        Path(file.path).mkdir()
    assert not run(home, name).success
    (state,) = home.corpus.status([name])
    assert (state["stages"]["ingest"]["status"], state["stages"]["ingest"]["reason"]) == (
        "pending",
        f"not on this host: {file.path}",
    )
    if instead == "folder":
        Path(file.path).rmdir()
    away.rename(file.path)
    assert run(home, name, [Stage.INGEST]).success


def test_runs_tell_whose_they_are_and_how_they_ended(home: Home):
    name = home.add("tagged")
    home.corpus.pause([name], Stage.CLEAN, False, "a look")
    run(home, name)
    home.corpus.resume([name], Stage.CLEAN, False)
    run(home, name)
    ends = [r.tags["corpus/end"] for r in home.instance.get_runs(dg.RunsFilter(tags={"dagster/partition": name}))]
    assert sorted(ends) == ["done", "paused"]
    found = home.instance.get_runs(dg.RunsFilter(tags={"dagster/partition": name, "corpus/end": "done"}))
    assert {r.tags["corpus/recipe"] for r in found} == {"default"}


def test_runs_are_removed_after_their_time_and_not_before(home: Home, monkeypatch: pytest.MonkeyPatch):
    with dg.instance_for_test() as instance:
        instance.create_run_for_job(_nothing, status=dg.DagsterRunStatus.SUCCESS)
        alive = instance.create_run_for_job(_nothing, status=dg.DagsterRunStatus.STARTED).run_id
        for days, left in (("0", 2), ("1", 2)):
            monkeypatch.setenv("CORPUS_DAGSTER_RETENTION_DAYS", days)
            tick(home._replace(instance=instance), retention)
            assert len(instance.get_runs()) == left
        monkeypatch.setattr(sensors, "_days_ago", lambda days: datetime.now(UTC) + timedelta(days=days))
        tick(home._replace(instance=instance), retention)
        assert [r.run_id for r in instance.get_runs()] == [alive]


def test_an_unforeseen_error_is_kept_without_its_words(home: Home, monkeypatch):
    """Dagster keeps what an exception says, with all that led to it: it may quote a row."""
    secret = "Mrs Quillfeather owes 40 crowns"

    def fail(*_: object, **__: object) -> None:
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise ValueError(f"not this: {secret}") from error

    home.add("unforeseen", rows=2)
    monkeypatch.setattr(CursorResource, "go_on", fail)
    result = run(home, "unforeseen", [Stage.INGEST])
    assert not result.success
    kept = repr(home.instance.all_logs(result.run_id))
    assert "ValueError at corpus_pipeline/defs/assets.py:" in kept and secret not in kept
