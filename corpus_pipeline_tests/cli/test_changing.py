"""Commands that change something: failed samples, pauses, recipes, doctor, upgrade."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from corpus_pipeline import llm_stub
from corpus_pipeline.cli.run import closing_lines
from corpus_pipeline.defs import instance, partitions
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline_tests.cli.conftest import lines, run
from corpus_pipeline_tests.small_corpus import pair, write_jsonl


def test_failed_samples_block_the_export_until_they_are_replayed_or_dismissed(
    fresh: dict[str, str], tmp_path: Path
) -> None:
    write_jsonl(tmp_path / "sums.jsonl", [pair(n) for n in range(1, 9)])
    with llm_stub.running(llm_stub.StubOptions()) as server:
        fresh["OPENAI_BASE_URL"] = server.base_url
        assert run(fresh, "add", str(tmp_path / "sums.jsonl")).returncode == 0
        server.meet(refusal=1.0)
        done = run(fresh, "run")
        assert done.returncode == 3 and "8 failed samples are open" in done.stderr
        assert not (tmp_path / "home" / "exports").exists()
        assert run(fresh, "run", "--to", "augment").returncode == 3, "nothing is left to do, and it is no success yet"
        server.meet()
        assert run(fresh, "failed", "replay").returncode == 2, "what to replay must be said"
        assert "3 samples" in run(fresh, "failed", "replay", "1", "2", "3").stderr
        assert (
            "5 samples dismissed"
            in run(fresh, "failed", "dismiss", "--where", "reason=refused", "--reason", "t").stderr
        )
        assert run(fresh, "run").returncode == 0
    samples = lines(run(fresh, "failed", "list", "--json"))
    assert [sample["state"] for sample in samples] == ["resolved"] * 3 + ["dismissed"] * 5
    exported = (tmp_path / "home" / "exports" / "sums" / "sums.jsonl").read_text().splitlines()
    assert len(exported) == 8 + 3


def test_a_pause_flag_stops_a_run_before_it_begins_and_resume_lets_it_go(fresh: dict[str, str], tmp_path: Path) -> None:
    write_jsonl(tmp_path / "sums.jsonl", [pair(1), pair(2)])
    run(fresh, "add", str(tmp_path / "sums.jsonl"))
    assert run(fresh, "pause", "sums").returncode == 2, "a reason must be given"
    assert run(fresh, "pause", "sums", "--stage", "clean", "--reason", "night").returncode == 0
    done = run(fresh, "run", "--to", "clean")
    assert done.returncode == 4 and "sums: paused by" in done.stderr and "night" in done.stderr
    (state,) = json.loads(run(fresh, "status", "--json").stdout)["files"]
    assert state["stages"]["ingest"]["status"] == "done" and state["stages"]["clean"]["status"] == "paused"
    assert "night" in state["stages"]["clean"]["reason"]
    assert run(fresh, "resume", "sums", "--stage", "clean").returncode == 0
    assert run(fresh, "run", "--to", "clean").returncode == 0


@pytest.mark.parametrize(("spans", "said"), [([(0, 60), (10, 70)], "1 min 10 s"), ([(0, 60), (3600, 3660)], "2 min")])
def test_what_was_worked_side_by_side_took_its_time_once(spans: list[tuple[int, int]], said: str) -> None:
    reports = [
        {"stage": "augment", "total": 5, "succeeded": 5, "wall_seconds": 60.0}
        | {"started_at": start * 1000, "finished_at": end * 1000}
        for start, end in spans
    ]
    (line,) = closing_lines(reports, [])
    assert line.endswith(said), line
    stopped = {"stages": {s: {"status": "interrupted", "processed": 10, "total": 400} for s in Stage}}
    assert "10 of 10 so far, from 10 of 400 rows" in next(closing_lines(reports, [stopped]))
    nothing = [report | {"total": 0, "succeeded": 0} for report in reports]
    stopped = {"stages": {s: {"status": "interrupted", "processed": 0, "total": 400} for s in Stage}}
    assert next(closing_lines(nothing, [stopped])).startswith("augment  nothing so far, from 0 of 400 rows;")


def test_without_a_model_only_the_stages_that_need_none_run(fresh: dict[str, str], tmp_path: Path) -> None:
    write_jsonl(tmp_path / "sums.jsonl", [pair(1), pair(2)])
    run(fresh, "add", str(tmp_path / "sums.jsonl"))
    refused = run(fresh, "run")
    assert refused.returncode == 2 and "OPENAI_API_KEY" in refused.stderr
    assert run(fresh, "run", "--to", "clean").returncode == 0


def test_a_recipe_is_written_checked_bound_and_its_faults_are_named(fresh: dict[str, str], tmp_path: Path) -> None:
    write_jsonl(tmp_path / "sums.jsonl", [pair(1)])
    run(fresh, "add", str(tmp_path / "sums.jsonl"))
    recipe = tmp_path / "mine.yaml"
    assert run(fresh, "recipe", "new", str(recipe)).returncode == 0
    assert run(fresh, "recipe", "check", str(recipe), "--bind", "sums").returncode == 0
    assert json.loads(run(fresh, "status", "--json").stdout)["files"][0]["recipe"] == "mine"
    again = run(fresh, "recipe", "new", str(recipe))
    assert again.returncode == 2 and "exists already" in again.stderr
    assert "nowhere" in run(fresh, "recipe", "new", str(tmp_path / "nowhere" / "r.yaml")).stderr
    recipe.write_text("clean: {rules: [whitespce]}")
    faulty = run(fresh, "recipe", "check", str(recipe))
    assert faulty.returncode == 2 and "did you mean 'whitespace'" in faulty.stderr


def test_the_doctor_names_the_next_step(fresh: dict[str, str]) -> None:
    done = run(fresh, "doctor", "--json")
    findings = {finding["subject"]: finding for finding in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    assert not findings["model"]["ok"] and "OPENAI_API_KEY" in findings["model"]["sentence"]
    assert all(findings[subject]["ok"] for subject in ("home", "database", "export target", "prices"))


def test_upgrade_makes_the_schema_and_says_when_there_is_nothing_to_do(fresh: dict[str, str]) -> None:
    assert "from nothing" in run(fresh, "upgrade").stderr
    assert "was so already" in run(fresh, "upgrade").stderr


def test_the_ui_is_not_opened_to_others_by_accident(fresh: dict[str, str]) -> None:
    done = run(fresh, "ui", "--host", "0.0.0.0")
    assert done.returncode == 2 and "--login" in done.stderr


def test_a_purge_asks_names_rows_and_ranges_and_prints_its_report(fresh: dict[str, str], tmp_path: Path) -> None:
    assert run(fresh, "add", str(write_jsonl(tmp_path / "sums.jsonl", [pair(n) for n in range(1, 9)]))).returncode == 0
    asked = run(fresh, "purge", "sums", "3", "--reason", "request 7")
    assert asked.returncode == 2 and "--yes" in asked.stderr
    wrong = run(fresh, "purge", "sums", "3-x", "--reason", "request 7", "--yes")
    assert wrong.returncode == 2 and "ranges such as 10-20" in wrong.stderr
    done = run(fresh, "purge", "sums", "3", "sums:5-6", "--reason", "request 7", "--yes", "--json")
    report = json.loads(done.stdout)
    assert [row["row"] for row in report["rows"]] == ["sums:3", "sums:5", "sums:6"]
    assert (report["reason"], report["removed"]) == ("request 7", {})
    told = run(fresh, "purge", "sums", "3", "--reason", "again", "--yes")
    assert told.returncode == 0 and "not removed: the source file" in told.stdout


def test_a_removal_asks_takes_the_partition_and_says_what_stays(fresh: dict[str, str], tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "sums.jsonl", [pair(n) for n in range(1, 9)])
    assert run(fresh, "add", str(path)).returncode == 0
    assert run(fresh, "run", "sums", "--to", "clean").returncode == 0
    asked = run(fresh, "remove", "sums")
    assert asked.returncode == 2 and "8 conversations" in asked.stderr and "--yes" in asked.stderr
    assert "did you mean 'sums'" in run(fresh, "remove", "sum").stderr
    done = run(fresh, "remove", "sums", "--reason", "wrong file", "--yes", "--json")
    report = json.loads(done.stdout)
    assert (report["reason"], report["counts"]["conversations"]) == ("wrong file", 8) and path.exists()
    again = run(fresh, "remove", "sums", "--yes")
    assert again.returncode == 0 and "looked again" in again.stdout and "not removed: the source file" in again.stdout
    assert json.loads(run(fresh, "status", "--json").stdout)["files"] == []
    with mock.patch.dict(os.environ, fresh):
        own = instance.instance(Settings.from_env())
        assert own.get_dynamic_partitions(partitions.PARTITIONS_NAME) == []


def test_a_file_that_is_refused_keeps_no_other_one_of_its_folder_out(fresh: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_jsonl(tmp_path / "in" / "a.jsonl", [pair(1)])
    write_jsonl(tmp_path / "in" / "b.jsonl", [{"x": 1}])
    write_jsonl(tmp_path / "in" / "c.jsonl", [pair(2)])
    refused = run(fresh, "add", str(tmp_path / "in"))
    assert refused.returncode == 2 and "registered nevertheless: a, c" in refused.stderr
    assert "b.jsonl: no known format fits" in refused.stderr
    with mock.patch.dict(os.environ, fresh):
        known = instance.instance(Settings.from_env(fresh)).get_dynamic_partitions(partitions.PARTITIONS_NAME)
    assert sorted(known) == ["a", "c"]


def test_first_commands_at_the_same_moment_set_up_one_dagster(fresh: dict[str, str]) -> None:
    """In processes of their own: two that made its databases at once left them unusable."""
    settings = Settings.from_env(fresh)
    settings.make_home()
    begin = multiprocessing.get_context("fork").Barrier(4)

    def first() -> None:
        begin.wait(30)
        instance.instance(settings).dispose()

    processes = [multiprocessing.get_context("fork").Process(target=first) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    with mock.patch.dict(os.environ, fresh):
        assert instance.instance(settings).get_dynamic_partitions(partitions.PARTITIONS_NAME) == []


def test_a_home_that_cannot_be_made_is_one_sentence(fresh: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in ("file", "file/below"):
        refused = run(fresh | {"CORPUS_HOME": str(tmp_path / place)}, "status")
        assert refused.returncode == 2 and "cannot be made" in refused.stderr


@pytest.mark.parametrize("rows", ["3-1", "1-9999999999"])
def test_a_range_of_no_or_of_all_rows_in_the_world_is_refused(fresh: dict[str, str], rows: str) -> None:
    refused = run(fresh, "purge", "sums", rows, "--reason", "request 7", "--yes")
    assert refused.returncode == 2 and "a range goes up" in refused.stderr


def test_output_that_cannot_be_written_is_one_sentence(fresh: dict[str, str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "corpus_pipeline", "status", "--json"],
            env=fresh,
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 1 and done.stderr.startswith(b"error: the output: No space left")
