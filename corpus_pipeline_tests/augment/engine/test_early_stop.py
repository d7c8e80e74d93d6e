"""Early stop: the sequential test by simulation, and what a paused task says."""

from __future__ import annotations

import random
from typing import Any

import pytest

from corpus_pipeline.errors import Paused
from corpus_pipeline.jobs.augment.early_stop import DEFAULT_TOLERANCE, EarlyStop, SequentialTest, tolerance
from corpus_pipeline.recipe import Completion

JOBS = 1000


def stopped_at(rng: random.Random, tolerated: float, rate: float, samples: int) -> int | None:
    """The number of the sample at which a job with this rate of failures is stopped."""
    test = SequentialTest(tolerated)
    return next((n for n in range(1, samples + 1) if test.add(failed=rng.random() < rate)), None)


@pytest.mark.parametrize("tolerated", [0.02, 0.1, 0.3, 0.5, 0.7])
def test_a_job_that_fails_a_fifth_more_than_tolerated_is_stopped_within_300_samples(tolerated: float) -> None:
    rng = random.Random(f"bad {tolerated}")
    ends = [stopped_at(rng, tolerated, tolerated + 0.2, 300) for _ in range(JOBS)]
    assert sum(end is not None for end in ends) >= 0.98 * JOBS


@pytest.mark.parametrize("tolerated", [0.02, 0.1, 0.3, 0.5, 0.7, 0.95])
def test_a_job_that_fails_as_often_as_tolerated_is_let_run_in_99_of_100(tolerated: float) -> None:
    rng = random.Random(f"good {tolerated}")
    ends = [stopped_at(rng, tolerated, tolerated, 2000) for _ in range(JOBS)]
    assert sum(end is not None for end in ends) <= 0.01 * JOBS


def test_a_job_that_goes_bad_late_is_stopped_as_well() -> None:
    rng = random.Random("late")
    for _ in range(50):
        test = SequentialTest(0.5)
        for _ in range(5000):
            assert not test.add(failed=rng.random() < 0.02)
        assert any(test.add(failed=True) for _ in range(70))


def test_a_few_bad_samples_are_no_reason() -> None:
    early = EarlyStop("paraphrase", 0.1)
    assert not any(early.failed(f"row {row}", "empty", "the answer is empty") for row in range(19))
    assert early.failed("row 20", "empty", "the answer is empty")


def test_as_many_as_the_export_goes_out_with_stop_nothing() -> None:
    early = EarlyStop("paraphrase", 0.1, accepted=40)
    assert not any(early.failed(f"row {row}", "empty", "the answer is empty") for row in range(40))
    assert early.failed("row 41", "empty", "the answer is empty")


def test_the_tolerance_is_the_recipes_word_then_its_threshold_then_half() -> None:
    assert tolerance(Completion(tolerated_failures=0.3, min_success=0.9)) == 0.3
    assert tolerance(Completion(min_success=0.9)) == pytest.approx(0.1)
    assert tolerance(Completion()) == DEFAULT_TOLERANCE


def test_answers_that_are_all_bad_pause_the_task_before_the_money_is_spent(make_kit: Any) -> None:
    kit = make_kit(faults={"empty": 1.0})
    kit.add(400, strategies=["paraphrase"])
    with pytest.raises(Paused, match="early stop") as said:
        kit.run()
    assert len(kit.invoice()) <= 300  # what is promised; what is on the wire at the decision depends on the machine
    for wanted in ("'empty'", "tolerates 50%", "For example row", "tolerated_failures", "corpus resume rows"):
        assert wanted in str(said.value)
    assert kit.status()["status"] == "paused"
    kit.books_agree()


def test_one_strategy_that_fails_stops_its_task_and_says_which(make_kit: Any) -> None:
    kit = make_kit(faults={"refusal": 0.9})
    kit.add(300, strategies=[{"paraphrase": {"label": "plain"}}], answer_retries=0)
    with pytest.raises(Paused, match="samples of plain failed"):
        kit.run()


def test_a_share_that_the_recipe_tolerates_stops_nothing(make_kit: Any) -> None:
    kit = make_kit(faults={"refusal": 0.6})
    kit.add(120, strategies=["paraphrase"], answer_retries=0, completion={"tolerated_failures": 0.75})
    report = kit.run().report
    assert report["succeeded"] + report["failed"] == 120 and report["failed"] > 40
