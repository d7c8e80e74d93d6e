"""Stopped at every batch boundary and resumed, a corpus is what it would have been; what is complete is left alone."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from sqlalchemy import select, text

from corpus_pipeline.errors import Interrupted, LeaseHeld, Paused, StopJob
from corpus_pipeline.jobs.lease import holding
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import schema
from corpus_pipeline_tests.jobs.conftest import Bench, StopAfter, StopAfterCalls
from corpus_pipeline_tests.torture import small
from corpus_pipeline_tests.torture.digest import differences


def status(bench: Bench, stage: Stage, name: str = "birds") -> dict[str, Any]:
    (state,) = bench.corpus.status([name])
    return state["stages"][stage.value]


def test_a_stop_at_every_boundary_changes_nothing(bench: Bench, undisturbed: dict[str, str]) -> None:
    stops = 0
    for name in small.NAMES:
        for stage in Stage:
            for _ in range(30):
                stop = StopAfterCalls(bench, 1) if stage is Stage.AUGMENT else StopAfter(0)
                try:
                    bench.corpus.run_stage(name, stage, stop=stop)
                    break
                except Interrupted:
                    stops += 1
                    assert status(bench, stage, name)["status"] == Status.INTERRUPTED
            else:
                pytest.fail(f"{stage} of {name} makes no progress")
    assert stops >= 3 * (3 + 2 + 2 + 1)
    assert differences(bench.digest(), undisturbed) == []
    assert bench.problems() == []


def test_what_is_complete_makes_no_call_and_writes_nothing(bench: Bench) -> None:
    bench.run("birds")

    def everything() -> dict[str, list[Any]]:
        with bench.corpus.store.read() as connection:
            return {t.name: [tuple(r) for r in connection.execute(select(t))] for t in schema.metadata.sorted_tables}

    before, calls = everything(), bench.calls()
    for stage in Stage:
        assert not bench.corpus.run_stage("birds", stage).worked
    assert everything() == before
    assert bench.calls() == calls


def test_a_stage_needs_the_one_before_it(sqlite_bench: Bench) -> None:
    with pytest.raises(StopJob, match=r"augment of birds needs clean to be complete.*corpus run birds --to augment"):
        sqlite_bench.corpus.run_stage("birds", Stage.AUGMENT)


def test_a_second_start_is_refused_and_makes_no_call(bench: Bench) -> None:
    bench.run("birds", Stage.CLEAN)
    work = bench.corpus.work("birds", Stage.AUGMENT)
    refused = pytest.raises(LeaseHeld, match=r"is being worked on by .*lease for another")
    with holding(bench.corpus.store, work.task.id, Stage.AUGMENT, 30), bench.again() as second, refused:
        second.run_stage("birds", Stage.AUGMENT)
    assert bench.calls() == 0
    bench.corpus.run_stage("birds", Stage.AUGMENT)


def test_of_two_starts_in_the_same_moment_one_works(bench: Bench, undisturbed: dict[str, str]) -> None:
    said = []

    def start() -> None:
        with bench.again() as own:
            for stage in Stage:
                while True:
                    try:
                        own.run_stage("birds", stage)
                        break
                    except LeaseHeld:
                        said.append("held")
                        time.sleep(0.05)

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in small.NAMES[1:]:
        bench.run(name)
    bench.run("birds")
    assert differences(bench.digest(), undisturbed) == []
    assert bench.problems() == []


def test_a_flag_by_any_client_pauses_at_a_boundary_and_clearing_it_goes_on(
    bench: Bench, undisturbed: dict[str, str]
) -> None:
    insert = (
        "INSERT INTO pause_flags (file_name, stage, reason, requested_by) VALUES ('birds', 'augment', 'lunch', 'dba')"
    )
    bench.corpus.store.write(lambda c: c.execute(text(insert)))
    bench.run("birds", Stage.CLEAN)
    with pytest.raises(Paused, match="paused by dba: lunch"):
        bench.corpus.run_stage("birds", Stage.AUGMENT)
    assert bench.calls() == 0
    assert status(bench, Stage.AUGMENT)["status"] == Status.PAUSED
    bench.corpus.store.write(lambda c: c.execute(text("UPDATE pause_flags SET cleared_at = 1, cleared_by = 'dba'")))
    worker = threading.Thread(target=bench.corpus.run_stage, args=("birds", Stage.AUGMENT), daemon=True)
    problem: list[BaseException] = []
    threading.excepthook, before = lambda args: problem.append(args.exc_value), threading.excepthook
    try:
        worker.start()
        while bench.calls() < 3:
            time.sleep(0.01)
        bench.corpus.store.write(lambda c: c.execute(text(insert)))
        worker.join(20)
    finally:
        threading.excepthook = before
    if problem:  # it may have been through before it looked
        assert isinstance(problem[0], Paused)
        assert status(bench, Stage.AUGMENT)["status"] == Status.PAUSED
    bench.corpus.resume(["birds"], Stage.AUGMENT, everything=False)
    bench.run_all()
    assert differences(bench.digest(), undisturbed) == []
    assert bench.problems() == []
