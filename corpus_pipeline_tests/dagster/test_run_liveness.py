"""Which runs count as lost, on whatever host they were worked: by the rows of their workers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack

import dagster as dg
import pytest
from sqlalchemy import update

from corpus_pipeline import process_identity
from corpus_pipeline.defs import run_liveness
from corpus_pipeline.errors import StopJob
from corpus_pipeline.store import run_workers, schema
from corpus_pipeline_tests.dagster.conftest import Home

_TTL = 3.0
_WORKER = f"""
import sys
from corpus_pipeline.jobs.run_heartbeat import RunHeartbeat
from corpus_pipeline.store import Store
RunHeartbeat(Store(sys.argv[1]), {_TTL}).begin(sys.argv[2])
print("held", flush=True)
input()
"""


@dg.job
def _nothing() -> None:
    """A job without a step."""


def test_a_run_whose_process_is_gone_is_ended_and_one_that_lives_is_not(home: Home):
    """Each worker is a process on the host of its name; only those of our own host can be seen to be gone."""
    store = home.corpus.store
    lives = {("here", "dead"): False, ("here", "alive"): True, ("there", "dead"): False, ("there", "alive"): True}
    found: dict[tuple[str, str], dg.DagsterRunStatus] = {}
    with dg.instance_for_test() as instance, ExitStack() as stack:
        runs = dict[tuple[str, str], str]()
        for (host, how), alive in lives.items():
            runs[host, how] = instance.create_run_for_job(_nothing, status=dg.DagsterRunStatus.STARTED).run_id
            command = [sys.executable, "-c", _WORKER, store.url, runs[host, how]]
            environment = {**os.environ} | ({"CORPUS_HOST": host} if host == "there" else {})
            worker = stack.enter_context(
                subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            )
            stack.callback(worker.kill)
            assert worker.stdout is not None and worker.stdout.readline() == b"held\n"
            if not alive:
                worker.kill()
                worker.wait()
        silent = instance.create_run_for_job(_nothing, status=dg.DagsterRunStatus.STARTED).run_id
        began = time.monotonic()
        while time.monotonic() - began < _TTL + 15:
            run_liveness.end_lost(instance, store, _TTL, lambda run: True)
            found = {key: instance.get_run_by_id(run_id).status for key, run_id in runs.items()}  # type: ignore[union-attr]
            if found["here", "dead"] is dg.DagsterRunStatus.FAILURE and time.monotonic() - began < _TTL / 2:
                assert found["there", "dead"] is dg.DagsterRunStatus.STARTED, "nobody can know that yet"
            last = instance.get_run_by_id(silent)
            if last is not None and last.is_finished and found["there", "dead"] is dg.DagsterRunStatus.FAILURE:
                break
            time.sleep(0.5)
        left = {worker.run_id for worker in store.fetch(run_workers.listed)}
    ended = dg.DagsterRunStatus.FAILURE
    assert found == {key: dg.DagsterRunStatus.STARTED if alive else ended for key, alive in lives.items()}
    assert last is not None and last.status is ended, "a run whose process never said its name"
    assert {run_id for run_id in runs.values() if run_id in left} == {runs["here", "alive"], runs["there", "alive"]}


def test_workers_whose_database_was_away_are_not_ended_when_it_is_back(home: Home):
    """Everybody is missing then: whoever gives a sign before the second look lives."""
    store = home.corpus.store
    with dg.instance_for_test() as instance:
        run_id = instance.create_run_for_job(_nothing, status=dg.DagsterRunStatus.STARTED).run_id
        owner = str(process_identity.parsed(process_identity.own())._replace(host="far", place="far"))  # type: ignore[union-attr]
        store.write(lambda c: run_workers.enter(c, run_id, owner, "1", 1, None))
        time.sleep(0.1)

        def ended() -> list[str]:
            return run_liveness.end_lost(instance, store, _TTL, lambda run: False)

        assert ended() == []
        assert store.write(lambda c: run_workers.beat(c, run_id, owner, None, None))
        time.sleep(0.1)
        late = update(schema.run_workers).where(schema.run_workers.c.run_id == run_id)
        assert ended() == [], "its note was taken away by the beat"
        store.write(lambda c: c.execute(late.values(missed_at=schema.run_workers.c.missed_at - 5000)))
        assert ended() == [run_id]
        assert not store.write(lambda c: run_workers.beat(c, run_id, owner, None, None)), "it came back too late"


def test_a_run_that_was_ended_while_its_worker_began_is_not_worked(home: Home):
    with dg.instance_for_test() as instance:
        run = instance.create_run_for_job(_nothing, status=dg.DagsterRunStatus.STARTED)
        instance.report_run_failed(run, "ended by a sensor")
        with pytest.raises(StopJob, match="another run goes on"):
            run_liveness.hold(home.corpus.store, 30, run, instance)
        run_liveness.let_go(home.corpus.store)
