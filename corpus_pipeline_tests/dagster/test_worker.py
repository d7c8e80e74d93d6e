"""`corpus worker`: several on one database, each on a host of its own name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import pytest

from corpus_pipeline import llm_stub, process_identity
from corpus_pipeline.defs import instance as dagster_home
from corpus_pipeline.llm_stub.latency import parse_latency
from corpus_pipeline.model import conversation_id
from corpus_pipeline.service import Corpus
from corpus_pipeline.service.commands import start
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import leases, run_workers
from corpus_pipeline_tests.dagster.conftest import KEY, RECIPE, environment, write_file
from corpus_pipeline_tests.dagster.graphql import wait_for

NAMES = [f"w{number}" for number in range(6)]


@pytest.fixture
def kept_environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def host(child: dict[str, str], name: str, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
    """A worker on a host of this name."""
    with log.open("ab") as file:
        command = [sys.executable, "-m", "corpus_pipeline", "worker", *arguments]
        return subprocess.Popen(command, env=child | {"CORPUS_HOST": name}, stdout=file, stderr=file)


def test_workers_of_several_hosts_share_what_is_due_and_lost_and_stopped_ones_are_followed(
    tmp_path: Path, kept_environment: None
) -> None:
    log = tmp_path / "log"
    invoice = tmp_path / "invoice.jsonl"
    options = llm_stub.StubOptions(api_key=KEY, request_log=invoice, latency=parse_latency("fixed:0.1"))
    with llm_stub.running(options) as model:
        child = environment(tmp_path / "home", model.base_url) | {"CORPUS_LEASE_SECONDS": "3"}
        settings = Settings.from_env(child)
        (tmp_path / "slow.yaml").write_text(RECIPE, encoding="utf-8")
        with Corpus.open(settings) as corpus, ExitStack() as stack:
            for number, name in enumerate(NAMES):
                path = write_file(tmp_path / "data", name, 60 if number < 2 else 4)
                corpus.add(path, recipe=str(tmp_path / "slow.yaml"), consumer=("one", "two")[number % 2])
            corpus.pause([NAMES[-1]], None, False, "not yet")

            def begin(*names: str) -> list[subprocess.Popen[bytes]]:
                found = [host(child, name, log=log) for name in names]
                for process in found:
                    stack.callback(process.kill)
                return found

            first, second = begin("a", "b")
            wait_for(lambda: _at_work(corpus, "a") and _at_work(corpus, "b"), 120, "the workers of hosts a and b")
            first.kill()  # the host is lost, with a run under way
            second.send_signal(signal.SIGTERM)  # the service is stopped
            assert second.wait(60) == 0, log.read_text()
            others = begin("c", "d")
            wait_for(
                lambda: _all_done(corpus, NAMES[:-1]) or any(one.poll() is not None for one in others), 240, "the rest"
            )
            for process in others:
                process.send_signal(signal.SIGTERM)
            assert [process.wait(60) for process in others] == [0, 0], log.read_text()
            assert {state["stages"]["ingest"]["status"] for state in corpus.status(NAMES[-1:])} == {"pending"}
            rows = corpus.cost("file")
            answered, unknown = (sum(int(row[key]) for row in rows) for key in ("answered", "unknown"))
            asked = len(invoice.read_text().splitlines())
            assert unknown <= 4 and answered <= asked <= answered + unknown, "nothing but what was on the wire"
            with dagster_home.instance(settings) as instance:
                runs = instance.get_runs()
        assert {run.tags["corpus/started_by"] for run in runs} == {"corpus worker"}
        assert {run.tags["corpus/host"] for run in runs} == {"a", "b", "c", "d"}
        assert {run.status for run in runs if run.tags["corpus/host"] == "a"} == {dg.DagsterRunStatus.FAILURE}
        assert all(run.is_finished for run in runs)


def _all_done(corpus: Corpus, names: Sequence[str]) -> bool:
    return all(state["stages"]["export"]["status"] == "done" for state in corpus.status(names))


def _at_work(corpus: Corpus, name: str) -> bool:
    found = corpus.store.fetch(run_workers.listed)
    return any(one.host == name and one.stage is Stage.AUGMENT for one in found) or any(
        lease.owner.startswith(f"{name}:") and lease.stage is Stage.AUGMENT for lease in corpus.store.fetch(leases.live)
    )


def test_the_fairest_comes_first_and_is_claimed_once(tmp_path: Path) -> None:
    settings = Settings.from_env({"CORPUS_HOME": str(tmp_path)})
    with Corpus.open(settings) as corpus:
        for name, consumer in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")):
            corpus.add(write_file(tmp_path / "data", name, 2), consumer=consumer)

        def due() -> list[str]:
            return [one.file.name for one in corpus.due(Stage.EXPORT)]

        assert due() == ["a1", "a2", "a3", "b1"]
        (first,) = corpus.files(["a1"])
        won = list[bool]()
        threads = [threading.Thread(target=lambda n=n: won.append(corpus.claim(first, f"run-{n}"))) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(won) == [False] * 7 + [True]
        assert due() == ["b1", "a2", "a3"], "of a consumer for whom nothing is worked yet"
        assert [one.file.name for one in corpus.due(Stage.EXPORT, ["a"])] == ["a2", "a3"]
        start.start(corpus.store, ["a3"], Stage.CLEAN, "ann")
        assert due() == ["a3", "b1", "a2"], "somebody asked for it"
        corpus.pause(["b1"], None, False, "later")
        assert due() == ["a3", "a2"]


def test_an_export_of_rows_that_have_changed_is_due_again(tmp_path: Path) -> None:
    with Corpus.open(Settings.from_env({"CORPUS_HOME": str(tmp_path)})) as corpus:
        recipe = tmp_path / "no_calls.yaml"
        recipe.write_text("name: no_calls\naugment: {strategies: []}\n", encoding="utf-8")
        corpus.add(write_file(tmp_path / "data", "one", 3), recipe=str(recipe))
        for stage in Stage:
            corpus.run_stage("one", stage)
        assert corpus.due(Stage.EXPORT) == []
        (file,) = corpus.files(["one"])
        corpus.delete_rows([conversation_id(file.id, 2)], "the test")
        assert corpus.status(["one"])[0]["stages"]["export"]["status"] == "pending"
        (due,) = corpus.due(Stage.EXPORT)
        assert (due.file.name, due.stage, due.status) == ("one", Stage.EXPORT, Status.PENDING)
        assert corpus.due(Stage.AUGMENT) == []
        corpus.run_stage("one", Stage.EXPORT)
        (place,) = corpus.export_places("one")
        Path(place).unlink()
        assert [one.stage for one in corpus.due(Stage.EXPORT)] == [Stage.EXPORT], "what status calls pending"


def test_one_daemon_at_a_time(tmp_path: Path) -> None:
    with Corpus.open(Settings.from_env({"CORPUS_HOME": str(tmp_path)})) as corpus:
        here, there = (
            process_identity.own(),
            process_identity.own().replace(process_identity.own().split(":")[2], "far"),
        )

        def sit(owner: str) -> str | None:
            other = corpus.store.write(lambda c: run_workers.sit(c, "(daemon)", owner, "1", 600))
            return None if other is None else other.owner

        assert sit(there) is None and sit(here) == there and sit(there) is None
        time.sleep(0.7)
        assert sit(here) is None and sit(there) == here
