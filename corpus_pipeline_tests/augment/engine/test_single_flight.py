"""The same question is paid once, also when two ask it at the same moment; and nobody waits for the dead."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from corpus_pipeline.jobs.runner import Outcome
from corpus_pipeline_tests.augment.engine.test_provider_batches import run_in_a_process


def few(row: int) -> str:
    return f"Please explain in your own words how a gardener plants {('peas', 'beans', 'corn')[row % 3]} in spring."


@pytest.mark.parametrize("concurrency", [1, 50])
def test_identical_rows_of_one_file_share_their_answer(make_kit: Any, concurrency: int) -> None:
    kit = make_kit(latency="fixed:0.05")
    kit.add(90, prompt=few, response=lambda row: "Early, and in rows.", concurrency=concurrency)
    report = kit.run().report
    assert (report["succeeded"], report["reused"], len(kit.invoice())) == (90, 87, 3)
    kit.books_agree()


def test_identical_rows_that_are_no_good_fail_each_on_its_own_account(make_kit: Any) -> None:
    kit = make_kit(faults={"refusal": 1.0})
    tolerant = {"tolerated_failures": 0.95}
    kit.add(30, prompt=few, response=lambda row: "Early, and in rows.", answer_retries=1, completion=tolerant)
    report = kit.run().report
    assert (report["succeeded"], report["failed"], len(kit.invoice())) == (0, 30, 6)
    kit.books_agree()


def test_two_files_that_are_worked_side_by_side_pay_once(make_kit: Any, database_url: str) -> None:
    kit = make_kit(latency="lognormal:median=0.1,p99=0.3", faults={"429": 0.1, "500": 0.05}, database_url=database_url)
    for name in ("left", "right"):
        kit.add(120, name, strategies=["self_refine"], concurrency=16)
    with kit.running("left") as left, kit.running("right") as right:
        ends = [side.wait(60) for side in (left, right)]
    assert all(isinstance(end, Outcome) and end.report["succeeded"] == 120 for end in ends), ends
    answered = [line for line in kit.invoice() if line["outcome"] == "answered"]
    assert len(answered) == 240, "a question was paid twice"
    assert sum(end.report["reused"] for end in ends) > 0
    kit.books_agree()
    assert kit.one("SELECT SUM(reserved) FROM budgets") == 0


def test_what_a_dead_worker_asked_is_asked_anew(make_kit: Any) -> None:
    kit = make_kit()
    for name in ("rows", "same"):
        kit.add(10, name)
    assert run_in_a_process(kit, "before call#5") == -signal.SIGKILL
    left = kit.one("SELECT COUNT(*) FROM llm_attempts WHERE state = 'intent'")
    assert left > 0
    assert kit.run("same").report["succeeded"] == 10
    assert kit.one("SELECT COUNT(*) FROM llm_attempts WHERE state = 'intent'") == left
    kit.run()
    kit.books_agree()
