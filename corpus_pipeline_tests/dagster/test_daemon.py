"""The assets and sensors under a real webserver and daemon, driven as a person would: by GraphQL, flags and signals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from corpus_pipeline.defs import instance
from corpus_pipeline.jobs.webhooks import signature
from corpus_pipeline.service.commands import start
from corpus_pipeline.settings import host_name
from corpus_pipeline.states import Stage
from corpus_pipeline.store import start_requests
from corpus_pipeline_tests.dagster.conftest import KEY, SECRET, UI, unknown, write_file
from corpus_pipeline_tests.dagster.graphql import wait_for
from corpus_pipeline_tests.servers.receiver import Receiver, listening
from corpus_pipeline_tests.torture.flag_changes import Result, change_at_random, hold_to_it

ROWS = 36  # some five seconds of calls: time to do something in their midst, on a busy machine too
AHEAD = 4  # two calls on the wire, and as many that were booked for the next free place


def working(ui: UI, name: str, rows: int = 2) -> None:
    """Waits until a file's augment stage has some rows behind it."""
    wait_for(lambda: ui.stage(name, "augment")[1] >= rows, 120, f"augmented rows of {name}")


def worker_pid(ui: UI, run_id: str) -> int:
    """The process of a run."""
    texts = " ".join(str(message) for _, _, message in ui.graphql.run(run_id)["events"])
    found = re.search(r"pid: (\d+)", texts)
    assert found, texts
    return int(found[1])


@pytest.fixture(scope="module")
def backfill(ui: UI) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A backfill of four partitions, two of which are paused; it goes on while the other tests run."""
    names = tuple(ui.add(name, rows=24) for name in ("b_held", "b_one", "b_two", "b_last"))
    ui.corpus.pause(["b_held"], None, False, "wait for the other two")
    ui.corpus.pause(["b_last"], Stage.AUGMENT, False, "wait until everybody else is through")
    identifier = ui.graphql.backfill(names)
    yield identifier, names


@pytest.fixture(scope="module")
def told(ui: UI) -> Iterator[Receiver]:
    """A receiver that is away while the run that it wants to hear of ends; the other tests go on meanwhile."""
    with listening() as receiver:
        receiver.refuse = 3
        ui.graphql.launch(ui.add("told", rows=4, notify=receiver.url))
        yield receiver


def test_a_partition_goes_the_whole_path(ui: UI, backfill, told):
    run = ui.graphql.launch(ui.add("path", rows=6))
    assert ui.graphql.finished(run)["status"] == "SUCCESS"
    found = ui.graphql.last_materialization("jsonl_export", "path")
    assert found is not None and found["runId"] == run
    assert found["metadata"]["dagster/partition_row_count"] == 12
    assert found["metadata"]["dagster/uri"].endswith(".jsonl")
    assert ui.calls("path") == 6


def test_a_pause_ends_the_run_as_a_success_and_a_resume_goes_on_by_itself(ui: UI):
    name = ui.add("pause", rows=ROWS)
    run = ui.graphql.launch(name)
    working(ui, name)
    ui.corpus.pause([name], None, False, "look first")
    wait_for(lambda: ui.stage(name, "augment")[0] == "paused", 10, "the pause")
    assert ui.graphql.finished(run)["status"] == "SUCCESS"
    (observation,) = ui.graphql.observations("augmented_rows", name)
    assert observation["status"] == "paused" and "look first" in observation["reason"]
    for asset, expected in (("cleaned_rows", True), ("augmented_rows", False), ("jsonl_export", False)):
        states = ui.graphql.partitions(asset)
        assert (name in states["materialized"], name in states["failed"]) == (expected, False)
    assert len(ui.graphql.runs_of(name)) == 1

    ui.corpus.resume([name], None, False)
    wait_for(lambda: ui.stage(name, "export")[0] == "done", 240, "the export after the resume")
    resumed, first = ui.graphql.runs_of(name)
    assert (resumed["tags"]["corpus/resume"], first["runId"]) == ("resume", run)
    assert ui.calls(name) == ROWS  # no answer was lost or paid for twice


def test_a_paused_partition_of_a_backfill_is_resumed_as_a_part_of_it(ui: UI, backfill):
    identifier, _ = backfill
    wait_for(lambda: ui.stage("b_held", "ingest")[0] == "paused", 240, "the pause of b_held")
    assert ui.graphql.backfill_status(identifier) == "REQUESTED"
    ui.corpus.resume(["b_held"], None, False)
    resumed = wait_for(lambda: ui.graphql.runs(dagster__partition="b_held", corpus__resume="resume"), 240, "the resume")
    assert resumed[0]["tags"]["dagster/backfill"] == identifier


def test_a_terminated_run_keeps_its_answers_and_the_re_execution_continues(ui: UI):
    name = ui.add("terminate", rows=ROWS)
    run = ui.graphql.launch(name)
    working(ui, name)
    ui.graphql.terminate(run)
    assert ui.graphql.finished(run)["status"] == "CANCELED"
    status, done = ui.stage(name, "augment")
    assert status == "interrupted" and 2 <= done < ROWS
    instance.instance(ui.corpus.settings).add_run_tags(run, {"corpus/host": "elsewhere"})
    again = ui.graphql.reexecute(run)
    assert ui.graphql.finished(again)["status"] == "SUCCESS"
    assert ui.graphql.run(again)["tags"]["corpus/host"] == host_name(), (
        "the host that worked it, not that of the first run"
    )
    assert ui.stage(name, "export")[0] == "done"
    assert ui.calls(name) == ROWS


def test_what_failed_under_corpus_run_is_re_executed_here(ui: UI):
    name = ui.add("by_hand", rows=4)
    path = ui.folder / "data" / f"{name}.jsonl"
    right = path.read_bytes()
    path.write_bytes(right + b"{}\n")
    command = [sys.executable, "-m", "corpus_pipeline", "run", name]
    assert subprocess.run(command, env=dict(ui.environment), capture_output=True, timeout=120).returncode == 1
    path.write_bytes(right)
    (run,) = ui.graphql.runs_of(name)
    again = ui.graphql.reexecute(run["runId"])
    assert ui.graphql.finished(again)["status"] == "SUCCESS"
    assert ui.stage(name, "export")[0] == "done"
    assert len(ui.graphql.runs_of(name)) == 2, "nothing began by itself"


@pytest.mark.parametrize("presses", [1, 2])
def test_what_a_person_stops_at_corpus_run_is_not_begun_again(ui: UI, presses: int):
    name = ui.add(f"stopped_{presses}", rows=ROWS)
    command = [sys.executable, "-m", "corpus_pipeline", "run", name]
    process = subprocess.Popen(command, env=dict(ui.environment), stderr=subprocess.DEVNULL)
    working(ui, name)
    for _ in range(presses):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    assert process.wait(60) == 130
    time.sleep(10)  # two looks of the daemon
    (run,) = ui.graphql.runs_of(name)
    assert (run["status"], ui.stage(name, "augment")[0]) == ("CANCELED", "interrupted")


def test_a_killed_worker_is_taken_over_without_a_person(ui: UI):
    name = ui.add("killed", rows=ROWS)
    run = ui.graphql.launch(name)
    working(ui, name)
    os.kill(worker_pid(ui, run), signal.SIGKILL)
    assert ui.graphql.finished(run)["status"] == "FAILURE"
    wait_for(lambda: ui.stage(name, "export")[0] == "done", 240, "the take-over")
    assert name not in ui.graphql.partitions("augmented_rows")["failed"]
    assert (ui.calls(name), unknown(ui.corpus, name) <= AHEAD) == (ROWS, True)


def test_a_worker_that_gives_no_sign_of_life_is_declared_dead_and_refused_when_it_returns(ui: UI):
    name = ui.add("frozen", rows=ROWS)
    run = ui.graphql.launch(name)
    working(ui, name)
    pid = worker_pid(ui, run)
    ui.freeze(pid)  # Dagster goes on to say that this run is started
    try:
        wait_for(lambda: ui.stage(name, "export")[0] == "done", 240, "the take-over")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert ui.graphql.run(run)["status"] == "FAILURE"
    wait_for(lambda: not ui.alive(pid), 30, "the end of the refused worker")
    assert (ui.calls(name), unknown(ui.corpus, name) <= AHEAD) == (ROWS, True)
    assert name in ui.graphql.partitions("jsonl_export")["materialized"]


def test_a_queued_run_below_a_flag_is_cancelled_and_comes_back(ui: UI):
    set_limit = 'mutation($n: Int!) { setConcurrencyLimit(concurrencyKey: "export", limit: $n) }'
    name = ui.add("queued", rows=4)
    ui.graphql.ask(set_limit, n=0)  # no run gets a place
    try:
        waiting = ui.graphql.launch(name)
        wait_for(lambda: ui.graphql.status(waiting) == "QUEUED", 240, "the queue")
        ui.corpus.pause([name], None, False, "not yet")
        assert ui.graphql.finished(waiting)["status"] == "CANCELED"
        assert ui.stage(name, "ingest")[0] == "paused"
    finally:
        ui.graphql.ask(set_limit, n=4)
    ui.corpus.resume([name], None, False)
    wait_for(lambda: ui.stage(name, "export")[0] == "done", 240, "the export")


def test_a_backfill_waits_for_the_partition_that_is_still_paused(ui: UI, backfill):
    identifier, names = backfill
    for name in names[:-1]:
        wait_for(lambda name=name: ui.stage(name, "export")[0] == "done", 240, f"the export of {name}")
    # nothing of it has moved for a while, and the run that will go on waits in the queue
    (held, ended) = ui.graphql.runs_of("b_last")
    assert (held["status"], held["tags"]["corpus/hold"], ended["tags"]["corpus/end"]) == ("QUEUED", "paused", "paused")
    assert (ui.graphql.backfill_status(identifier), ui.stage("b_last", "augment")[0]) == ("REQUESTED", "paused")
    ui.corpus.resume(["b_last"], Stage.AUGMENT, False)
    wait_for(lambda: ui.stage("b_last", "export")[0] == "done", 240, "the export of b_last")


def test_what_was_asked_last_holds_whoever_asked_before_and_how_fast(ui: UI):
    names = [ui.add(f"flags_{number}", rows=60) for number in range(4)]
    for name in names:
        ui.graphql.launch(name)
    working(ui, names[0])
    result = Result(change_at_random(ui.corpus.settings, names, changes=24, seed=1, longest=2.0))
    hold_to_it(ui.corpus, ui.graphql, names, result)
    assert (result.problems, result.changes) == ([], 24)
    assert [ui.calls(name) for name in names] == [60] * 4


def test_a_pause_needs_no_daemon(ui: UI):
    name = ui.add("alone", rows=ROWS)
    run = ui.graphql.launch(name)
    working(ui, name)
    daemon = ui.child("dagster._daemon")
    ui.freeze(daemon)
    try:
        ui.corpus.pause([name], None, False, "nobody at the wheel")
        wait_for(lambda: ui.stage(name, "augment")[0] == "paused", 10, "the pause")
    finally:
        os.kill(daemon, signal.SIGCONT)
    assert ui.graphql.finished(run)["status"] == "SUCCESS"


def test_what_a_person_starts_in_the_row_browser_runs_to_its_end(ui: UI):
    name = ui.add("started_by_hand", rows=4)
    start.start(ui.corpus.store, [name], Stage.EXPORT, "ann")
    wait_for(lambda: ui.stage(name, "export")[0] == "done", 120, "the export of what was started")
    wait_for(lambda: not ui.corpus.store.fetch(start_requests.waiting, name), 30, "the sensor to note the run")


def test_what_has_failed_or_is_missing_is_one_backfill(ui: UI):
    """Two files that nobody began, one whose export alone is missing, and one that is paused, which is left as it is."""
    names = [ui.add(f"missing{number}", rows=3) for number in range(2)]
    begun, paused = ui.add("half_way", rows=3), ui.add("left_paused", rows=3)
    for stage in (Stage.INGEST, Stage.CLEAN, Stage.AUGMENT):
        ui.corpus.run_stage(begun, stage)
    ui.corpus.pause([paused], None, False, "not this one")
    try:
        assert ui.corpus.backfill(Stage.EXPORT) and not ui.corpus.backfill(Stage.EXPORT)
        (wish,) = ui.corpus.store.fetch(start_requests.waiting, start_requests.EVERY_FILE)
        wait_for(lambda: {ui.stage(name, "export")[0] for name in (*names, begun)} == {"done"}, 300, "their exports")
        wait_for(lambda: not ui.corpus.store.fetch(start_requests.waiting), 60, "the sensor to note the backfill")
        runs = [run for name in (*names, begun) for run in ui.graphql.runs_of(name)]
        (identifier,) = {run["tags"]["dagster/backfill"] for run in runs if "dagster/backfill" in run["tags"]}
        assert {run["tags"]["corpus/request"] for run in runs if run["tags"].get("dagster/backfill")} == {
            f"backfill:{wish.id}"
        }
        # its end is not waited for: it has what other tests of this home left failed, too
        mine = [run["runId"] for run in runs if run["tags"].get("dagster/backfill") == identifier]
        assert {ui.graphql.finished(run)["status"] for run in mine} == {"SUCCESS"}
        assert ui.stage(paused, "ingest")[0] in ("pending", "paused") and not ui.graphql.runs_of(paused)
    finally:
        ui.corpus.resume([paused], None, False)


def test_a_file_in_the_inbox_becomes_a_partition(ui: UI):
    path = write_file(ui.folder / "home" / "inbox", "dropped", 3)
    long_ago = path.stat().st_mtime - 60
    os.utime(path, (long_ago, long_ago))
    wait_for(lambda: "dropped" in {file.name for file in ui.corpus.files()}, 240, "the registration")
    run = wait_for(lambda: _launched(ui, "dropped"), 30, "the partition")
    assert ui.graphql.finished(run)["status"] == "SUCCESS"


def _launched(ui: UI, name: str) -> str | None:
    try:
        return ui.graphql.launch(name, ["dataset_rows"])
    except AssertionError:
        return None


def test_a_paused_partition_did_not_spoil_its_backfill(ui: UI, backfill):
    identifier, names = backfill
    wait_for(lambda: ui.graphql.backfill_status(identifier) != "REQUESTED", 240, "the end of the backfill")
    assert ui.graphql.backfill_status(identifier) == "COMPLETED_SUCCESS"
    assert {ui.stage(name, "export")[0] for name in names} == {"done"}
    # the newest first; on a machine so busy that a run does not start in time, Dagster starts it a second time
    held = [run["tags"].get("corpus/resume") for run in ui.graphql.runs_of("b_held")]
    assert (held[0], set(held[1:])) == ("resume", {None})
    assert ui.calls("b_held") == 24


def test_a_complete_partition_is_run_again_without_a_call(ui: UI):
    run = ui.graphql.launch("path")
    assert ui.graphql.finished(run)["status"] == "SUCCESS"
    found = ui.graphql.last_materialization("augmented_rows", "path")
    assert found is not None and (found["runId"], found["metadata"]["was_complete"]) == (run, True)
    assert ui.calls("path") == 6


def test_two_runs_of_a_partition_at_once_make_each_call_once(ui: UI):
    name = ui.add("together", rows=ROWS)
    runs: list[str] = []
    both = [threading.Thread(target=lambda: runs.append(ui.graphql.launch(name))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    # the one that came second did nothing, or found everything done: a run that is refused is no success
    assert sorted(ui.graphql.finished(run)["status"] for run in runs) in (["CANCELED", "SUCCESS"], ["SUCCESS"] * 2)
    wait_for(lambda: ui.stage(name, "export")[0] == "done", 240, "the export")
    assert ui.calls(name) == ROWS
    assert name in ui.graphql.partitions("jsonl_export")["materialized"]


def test_the_daemon_tells_what_the_run_could_not(ui: UI, told: Receiver):
    wait_for(lambda: len(told.heard) == 2, 240, "the webhooks")
    assert sorted(told.events()) == [("augment", "completed"), ("export", "completed")]
    assert set(told.refused) <= {headers["x-corpus-delivery"] for headers, _ in told.heard}
    for headers, raw in told.heard:
        moment = int(headers["x-corpus-signature"].partition(",")[0].removeprefix("t="))
        assert headers["x-corpus-signature"] == signature(SECRET, raw, moment)
        assert json.loads(raw)["report"]["succeeded"] > 0


def test_no_key_is_anywhere_below_the_dagster_home(ui: UI):
    files = [path for path in (ui.folder / "home" / "dagster").rglob("*") if path.is_file()]
    assert len(files) > 3
    assert [path for path in files if any(key.encode() in path.read_bytes() for key in (KEY, SECRET))] == []


def test_no_tick_of_a_sensor_failed(ui: UI):
    for name in ("pause_flags", "inbox", "webhooks"):
        assert [tick["error"] for tick in ui.graphql.sensor_state(name)["ticks"] if tick["error"]] == []
