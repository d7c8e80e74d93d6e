"""`corpus run`: partitions through Dagster without a daemon, side by side when there are many."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import func, select

from corpus_pipeline import llm_stub
from corpus_pipeline.defs import instance as dagster_home
from corpus_pipeline.defs import partitions
from corpus_pipeline.llm_stub.latency import parse_latency
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline.store import schema
from corpus_pipeline_tests.dagster.conftest import KEY, RECIPE, environment, write_file
from corpus_pipeline_tests.dagster.graphql import wait_for

FILES = 9  # enough to be worked side by side


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A home with many tiny files and a model that takes a moment; (corpus, environment of a child)."""
    with llm_stub.running(llm_stub.StubOptions(latency=parse_latency("fixed:0.2"), api_key=KEY)) as server:
        child = environment(tmp_path / "home", server.base_url)
        recipe = tmp_path / "slow.yaml"
        recipe.write_text(RECIPE, encoding="utf-8")
        for name in ("DAGSTER_HOME", "CORPUS_DAGSTER_STORAGE", "CORPUS_HOME"):  # `prepare` sets them for this process
            monkeypatch.setenv(name, "unset")
            monkeypatch.delenv(name)
        with Corpus.open(Settings.from_env(child)) as corpus:
            for number in range(FILES):
                corpus.add(write_file(tmp_path / "data", f"many_{number}", 6), recipe=str(recipe))
            yield corpus, child


def words(corpus: Corpus, stage: str) -> list[str]:
    return [state["stages"][stage]["status"] for state in corpus.status()]


def test_many_files_go_side_by_side_each_in_a_run_of_its_own_and_then_cost_nothing(many):
    corpus, child = many
    run = [sys.executable, "-m", "corpus_pipeline", "run"]
    found = subprocess.run(run, env=child, capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stderr
    assert words(corpus, "export") == ["done"] * FILES
    with dagster_home.instance(corpus.settings) as instance:
        runs = instance.get_runs()
        assert sorted(run.tags["dagster/partition"] for run in runs) == [f"many_{n}" for n in range(FILES)]
        assert {run.status.value for run in runs} == {"SUCCESS"}
        assert len(instance.get_dynamic_partitions(partitions.PARTITIONS_NAME)) == FILES
    assert sum(int(row["answered"]) for row in corpus.cost("file")) == 6 * FILES
    assert corpus.workers() == [], "whose run is over is missed by nobody"

    program = "import sys; from corpus_pipeline.cli import _run; sys.exit(_run(['run']) or 'dagster' in sys.modules)"
    again = subprocess.run([sys.executable, "-c", program], env=child, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_stop_of_the_command_stops_its_workers_at_their_next_boundary(many, number):
    corpus, child = many
    process = subprocess.Popen(
        [sys.executable, "-m", "corpus_pipeline", "run"], env=child, stderr=subprocess.DEVNULL, text=True
    )
    wait_for(lambda: any(s["stages"]["augment"]["processed"] for s in corpus.status()), 120, "augmented rows")
    workers = _workers(corpus)
    os.kill(process.pid, number)
    assert process.wait(60) == (130 if number == signal.SIGINT else -signal.SIGKILL)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 60, "the end of the workers")
    assert "running" not in words(corpus, "augment")
    assert "pending" in words(corpus, "ingest")


def _workers(corpus: Corpus) -> set[int]:
    """The processes that hold a lease: its owner's name is host:process:number."""
    owners = [stage["worker"] for state in corpus.status() for stage in state["stages"].values() if stage["worker"]]
    return {int(owner.split(":")[1]) for owner in owners}


def test_after_a_kill_the_same_command_goes_on_at_once_and_the_dead_run_is_ended(many, tmp_path):
    corpus, child = many
    corpus.add(write_file(tmp_path / "data", "long", 300), recipe=str(tmp_path / "slow.yaml"))
    child = child | {"CORPUS_LEASE_SECONDS": "3000"}
    command = [sys.executable, "-m", "corpus_pipeline", "run", "long"]
    process = subprocess.Popen(command, env=child, stderr=subprocess.DEVNULL, text=True)
    wait_for(lambda: corpus.status(["long"])[0]["stages"]["augment"]["processed"], 120, "augmented rows")
    refused = subprocess.run(command, env=child, capture_output=True, text=True, timeout=120)
    assert (refused.returncode, "alive" in refused.stderr) == (1, True), refused.stderr
    process.kill()
    process.wait()
    (state,) = corpus.status(["long"])
    assert state["stages"]["augment"]["status"] == "interrupted", "a dead worker is seen at once"
    again = subprocess.run(command, env=child, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
    with dagster_home.instance(corpus.settings) as instance:
        ends = [(run.status.value, run.tags.get("corpus/end")) for run in reversed(instance.get_runs())]
    assert ends == [("FAILURE", None), ("CANCELED", "held"), ("SUCCESS", "done")]


RUN_WORKER = "asset materialize -m corpus_pipeline.definitions --select *jsonl_export --partition run_worker"
WAYS = {
    "command": ("corpus_pipeline", "run", "command"),
    "worker": ("corpus_pipeline", "worker", "--once", "--consumer", "worker"),
    "run_worker": ("dagster", *RUN_WORKER.split()),
}


def test_a_termination_waits_for_its_grace_and_gives_up_what_is_out(tmp_path, monkeypatch):
    """Calls that take ten minutes: whoever ends here ends because of the grace."""
    with llm_stub.running(llm_stub.StubOptions(latency=parse_latency("fixed:600"), api_key=KEY)) as server:
        child = environment(tmp_path / "home", server.base_url) | {"CORPUS_STOP_GRACE_SECONDS": "1"}
        recipe = tmp_path / "slow.yaml"
        recipe.write_text(RECIPE, encoding="utf-8")
        for name in ("DAGSTER_HOME", "CORPUS_DAGSTER_STORAGE", "CORPUS_HOME"):
            monkeypatch.setenv(name, "unset")
            monkeypatch.delenv(name)
        with Corpus.open(Settings.from_env(child)) as corpus, dagster_home.instance(corpus.settings) as instance:
            child |= {name: os.environ[name] for name in ("DAGSTER_HOME", "CORPUS_DAGSTER_STORAGE")}
            found = dict[str, subprocess.Popen[str]]()
            for name, words_of_it in WAYS.items():
                corpus.add(write_file(tmp_path / "data", name, 6), recipe=str(recipe), consumer=name)
                partitions.register(instance, [name])
                with (tmp_path / f"{name}.log").open("w") as log:
                    argv = [sys.executable, "-m", *words_of_it]
                    found[name] = subprocess.Popen(argv, env=child, stdout=log, stderr=log, text=True)
            try:
                for name, process in found.items():
                    log = tmp_path / f"{name}.log"
                    wait_for(
                        lambda name=name, p=process: begun(corpus, name) or p.poll() is not None,
                        180,
                        f"calls of {name}",
                    )
                    assert process.poll() is None, log.read_text()
                    process.send_signal(signal.SIGTERM)
                codes = {name: process.wait(120) for name, process in found.items()}
            finally:
                for process in found.values():
                    process.kill()
            said = {name: (tmp_path / f"{name}.log").read_text() for name in WAYS}
            assert codes["command"] == 130 and codes["worker"] == 0, said
            for name in WAYS:
                (state,) = corpus.status([name])
                augment = state["stages"]["augment"]
                assert (augment["status"], augment["processed"]) == ("interrupted", 0), (augment, said[name])
                (money,) = [row for row in corpus.cost("file") if row["file"] == name]
                assert money["unknown"] == money["calls"] == begun(corpus, name) > 0
                assert re.search(rf"{money['unknown']} calls? that w\w+ out", augment["reason"]), (
                    "what was given up is said"
                )
                (run,) = instance.get_runs(dg.RunsFilter(tags={"dagster/partition": name}))
                assert run.tags["corpus/end"] == "interrupted", said[name]
                # Dagster's own worker was not told by Dagster: run retries go on with it
                ended = dg.DagsterRunStatus.FAILURE if name == "run_worker" else dg.DagsterRunStatus.CANCELED
                assert run.status is ended, said[name]
            for name in ("command", "worker"):
                assert "is out" in said[name] or "are out" in said[name]
                assert "given up, booked as unknown at no more than $" in said[name]


def begun(corpus: Corpus, name: str) -> int:
    """How many calls of a dataset file were ever begun."""
    task = corpus.work(name, Stage.AUGMENT).task.id
    own = schema.llm_attempts.c.task_id == task
    return corpus.store.fetch(lambda c: c.execute(select(func.count()).where(own)).scalar_one())
