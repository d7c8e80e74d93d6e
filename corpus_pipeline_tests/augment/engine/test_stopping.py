"""Pausing, resuming, and a provider that is down: nothing paid is lost, nothing is paid twice."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from corpus_pipeline.errors import Interrupted, Paused, ProviderRefused
from corpus_pipeline.states import Stage
from corpus_pipeline_tests.augment.engine.conftest import NAME, prompt_of, response_of


def test_no_call_begins_after_a_pause_and_the_answers_in_flight_are_kept(
    make_kit: Any, wait_until: Any, database_url: str
) -> None:
    kit = make_kit(latency="uniform:low=0.3,high=0.9", database_url=database_url)
    kit.add(120, strategies=["paraphrase"], concurrency=20)
    with kit.running() as background:
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM answers") > 10)
        kit.corpus.pause(["rows"], Stage.AUGMENT, False, "lunch")
        outcome = background.wait()
    assert isinstance(outcome, Paused), outcome
    flagged = kit.one("SELECT requested_at FROM pause_flags")
    late = kit.one("SELECT MAX(created_at) FROM llm_attempts") - flagged
    assert late <= 100, f"a call was begun {late} ms after the flag"
    status = kit.status()
    assert (status["status"], "lunch" in status["reason"]) == ("paused", True)
    paid = kit.one("SELECT COUNT(*) FROM answers")
    assert paid == len(kit.invoice()), "an answer in flight was lost"
    kit.books_agree()

    kit.corpus.resume(["rows"], Stage.AUGMENT, False)
    assert kit.run().report["succeeded"] == 120
    assert len(kit.invoice()) == 120, "a call was paid again"


def test_a_signal_stops_every_wait_at_once(make_kit: Any, wait_until: Any) -> None:
    kit = make_kit(faults={"429": 1.0}, retry_after=3600.0)
    kit.add(20, strategies=["paraphrase"], concurrency=5)
    with kit.running() as background:
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM llm_attempts WHERE state = 'error'") >= 5)
        background.stop.set("SIGTERM")
        background.wait()  # for a minute at most: a wait that goes on lasts an hour
    assert kit.status()["status"] == "interrupted"
    assert kit.one("SELECT COUNT(*) FROM failed_samples") == 0
    kit.books_agree()


def test_a_provider_that_is_down_pauses_the_task_with_the_reason(make_kit: Any) -> None:
    kit = make_kit(faults={"503": 1.0}, retry_after=0.0)
    kit.add(30, strategies=["paraphrase"], concurrency=10, provider_patience_seconds=1.5)
    with pytest.raises(Paused, match="has not answered one call"):
        kit.run()
    status = kit.status()
    assert status["status"] == "paused"
    assert "server_error" in status["reason"] and "corpus run" in status["reason"]
    assert kit.one("SELECT COUNT(*) FROM failed_samples") == 0, "samples were blamed for the provider"
    kit.books_agree()

    kit.stub.meet()
    assert kit.run().report["succeeded"] == 30


def test_a_long_retry_after_is_honoured(make_kit: Any) -> None:
    kit = make_kit(faults={"429": 0.3}, retry_after=1.2)
    kit.add(12, strategies=["paraphrase"], backoff_cap_seconds=0.1)
    kit.run()
    by_request: dict[str, list[float]] = {}
    for line in kit.invoice():
        by_request.setdefault(line["request"], []).append(line["time"])
    waits = [later - earlier for times in by_request.values() for earlier, later in itertools.pairwise(times)]
    assert waits and min(waits) >= 1.2


@pytest.mark.parametrize(
    ("fault", "words"),
    [("401", "OPENAI_API_KEY"), ("insufficient_quota", "Top up"), ("model_not_found", "Name a model")],
)
def test_what_no_call_can_pass_stops_the_job_at_once(make_kit: Any, fault: str, words: str) -> None:
    from corpus_pipeline.errors import ProviderRefused

    kit = make_kit(faults={fault: 1.0}, latency="fixed:0.05")
    kit.add(200, strategies=["paraphrase"], concurrency=10)
    with pytest.raises(ProviderRefused, match=words):
        kit.run()
    assert len(kit.invoice()) <= 20, "more was asked than was under way"
    assert kit.one("SELECT COUNT(*) FROM failed_samples") == 0
    assert kit.status()["status"] == "failed"
    kit.books_agree()

    kit.stub.meet()
    assert kit.run().report["succeeded"] == 200


def test_a_call_that_fails_for_an_unknown_reason_of_ours_ends_the_job_with_all_that_is_finished(make_kit: Any) -> None:
    """The engine's own faults stop it; nothing is swallowed."""
    kit = make_kit(latency="uniform:low=0.01,high=0.3")
    kit.add(40, strategies=["paraphrase"], concurrency=10)
    with kit.corpus.store.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON augmented_rows WHEN (SELECT COUNT(*) FROM augmented_rows) >= 15"
            " BEGIN SELECT RAISE(ABORT, 'no more rows'); END"
        )
    with pytest.raises(Exception, match="SQLITE_CONSTRAINT_TRIGGER"):
        kit.run()
    assert 1 <= kit.one("SELECT COUNT(*) FROM augmented_rows") <= 15
    with kit.corpus.store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    assert kit.run().report["succeeded"] == 40


def test_being_sent_away_spends_no_retry(make_kit: Any) -> None:
    kit = make_kit(faults={"429": 0.6}, retry_after=0.01)
    kit.add(30, strategies=["paraphrase"], max_retries=0)
    report = kit.run().report
    assert (report["succeeded"], report["failed"]) == (30, 0)


def test_a_broken_call_is_tried_again_so_often_and_then_its_sample_waits_in_the_queue(make_kit: Any) -> None:
    kit = make_kit(faults={"500": 0.5})
    kit.add(40, strategies=["paraphrase"], max_retries=1)
    report = kit.run().report
    assert report["failed"] > 0 and report["fail_reasons"] == {"server_error": report["failed"]}
    assert max(line["attempt"] for line in kit.invoice()) == 2
    kit.books_agree()


def test_a_second_signal_gives_up_what_is_out_books_it_and_says_so(make_kit: Any, wait_until: Any) -> None:
    kit = make_kit(latency="fixed:60")
    kit.add(40, concurrency=8, strategies=["paraphrase"])
    with kit.running() as background:
        wait_until(lambda: len(kit.invoice()) + kit.one("SELECT COUNT(*) FROM llm_attempts") >= 8)
        background.stop.set("SIGINT")
        background.thread.join(1.0)
        assert background.thread.is_alive(), "the first signal waits for the calls that are out"
        background.stop.hurry("SIGINT")
        outcome = background.wait(10)
    assert isinstance(outcome, Interrupted)
    states = kit.rows_of("SELECT state, outcome, cost = reserved FROM llm_attempts")
    assert states and {tuple(row) for row in states} == {("unknown", "given_up", 1)}
    assert f"{len(states)} calls" in str(outcome)
    assert kit.status()["reason"] == str(outcome)
    assert kit.one("SELECT COALESCE(SUM(reserved), 0) FROM budgets") == 0


def test_the_grace_of_a_termination_ends_the_wait(make_kit: Any, wait_until: Any) -> None:
    kit = make_kit(latency="fixed:60")
    kit.add(40, concurrency=8, strategies=["paraphrase"])
    with kit.running() as background:
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM llm_attempts") >= 8)
        background.stop.set("SIGTERM", grace_seconds=0.3)
        assert isinstance(background.wait(20), Interrupted)


@pytest.mark.parametrize("how", ["signal", "pause", "bad key"])
def test_every_stop_ends_those_who_wait_for_the_same_question(make_kit: Any, wait_until: Any, how: str) -> None:
    kit = make_kit(faults={"401": 1.0}, latency="fixed:0.5") if how == "bad key" else make_kit(faults={"503": 1.0})
    kit.add(
        60,
        concurrency=4,
        strategies=["paraphrase"],
        backoff_cap_seconds=300,
        prompt=lambda row: prompt_of(row // 3),
        response=lambda row: response_of(row // 3),
    )
    with kit.running() as background:
        if how != "bad key":
            wait_until(lambda: kit.one("SELECT COUNT(*) FROM llm_attempts WHERE state = 'error'") >= 4)
        if how == "signal":
            background.stop.set("SIGINT")
        elif how == "pause":
            kit.corpus.pause([NAME], None, False, "the test")
        outcome = background.wait(20)
    wanted = {"signal": Interrupted, "pause": Paused, "bad key": ProviderRefused}
    assert isinstance(outcome, wanted[how])


def test_a_flag_that_is_cleared_before_the_work_has_stopped_is_as_if_it_had_never_been(
    make_kit: Any, wait_until: Any
) -> None:
    kit = make_kit(latency="fixed:1.5")
    kit.add(30, concurrency=5, strategies=["paraphrase"])
    with kit.running() as background:
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM llm_attempts") >= 5)
        kit.corpus.pause([NAME], None, False, "a mistake")
        wait_until(lambda: kit.status()["status"] == "pausing")
        kit.corpus.resume([NAME], None, False)
        outcome = background.wait(60)
    assert not isinstance(outcome, BaseException), outcome
    assert kit.status()["status"] == "done"
    assert len(kit.invoice()) == 30
