"""Money before it is spent and after: estimates from real rows, sums that are the ledger's, savings that are shown."""

from __future__ import annotations

import random
from typing import Any

import pytest

from corpus_pipeline.errors import Interrupted, UsageError
from corpus_pipeline.model import split_id
from corpus_pipeline.service.queries.cost_trial import Trial, rows_for
from corpus_pipeline.states import Stage
from corpus_pipeline_tests.augment.engine.conftest import NAME, prompt_of

STRATEGIES = ["paraphrase", "response_regeneration", "self_refine"]


def test_an_estimate_needs_no_model_and_is_near_what_it_comes_to(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(40, strategies=STRATEGIES)
    before = kit.corpus.estimate("rows")
    assert kit.invoice() == []
    report = kit.run().report
    cost = before["total"]["cost_usd"]
    assert cost["low"] < cost["expected"] < cost["high"]
    assert cost["low"] <= report["cost_usd"] <= cost["high"]
    assert before["total"]["calls"] == pytest.approx(report["calls"], rel=0.1)
    assert before["total"]["input_tokens"] == pytest.approx(report["input_tokens"], rel=0.25)
    after = kit.corpus.estimate("rows")["total"]
    assert (after["items"], after["calls"], after["cost_usd"]["high"]) == (0, 0, 0.0)


def test_an_estimate_learns_from_what_was_paid_and_leaves_out_what_is_answered(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(60, strategies=["paraphrase"])
    with pytest.raises(Interrupted):
        kit.run(limit=20)
    rest = kit.corpus.estimate("rows")
    (line,) = rest["strategies"]
    assert (line["finished"], line["items"], line["from_experience"]) == (20, 40, True)
    spent = kit.report()["cost_usd"]
    assert line["cost_usd"]["expected"] == pytest.approx(spent * 2, rel=0.1)

    kit.corpus.redo("rows", Stage.AUGMENT)
    (line,) = kit.corpus.estimate("rows")["strategies"]
    assert (line["finished"], line["items"], line["already_answered"], line["calls"]) == (0, 60, 20, 40)
    assert line["saved_by_reuse_usd"] == pytest.approx(spent)


def test_an_estimate_finds_every_answer_of_a_strategy_of_several_questions(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(6, strategies=["self_refine"])
    kit.run()
    kit.rebind(rules=["whitespace"], strategies=["self_refine"])
    found = kit.corpus.estimate("rows")["total"]
    assert (found["already_answered"], found["calls"]) == (6, 0)
    assert kit.run().report["calls"] == 0


def test_an_estimate_counts_the_price_of_provider_batches(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(10, strategies=["paraphrase", {"paraphrase": {"label": "later", "provider_batch": True}}])
    at_once, later = kit.corpus.estimate("rows")["strategies"]
    assert later["cost_usd"]["expected"] == pytest.approx(at_once["cost_usd"]["expected"] / 2, rel=0.01)
    assert later["saving_of_provider_batch_usd"] == pytest.approx(later["cost_usd"]["expected"], rel=0.01)


def test_an_estimate_says_what_it_lacks(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(5, strategies=["paraphrase"])
    kit.corpus.redo("rows", Stage.CLEAN)
    with pytest.raises(UsageError, match="corpus run rows --to clean"):
        kit.corpus.estimate("rows")


def test_every_grouping_of_the_costs_is_the_ledger(make_kit: Any) -> None:
    kit = make_kit(faults={"500": 0.1, "rst": 0.1, "empty": 0.1})
    kit.add(30, strategies=["paraphrase", "response_regeneration"])
    kit.run()
    kit.add(5, "second", consumer="others", strategies=[{"paraphrase": {"temperature": 0.1}}])
    kit.run("second")
    whole = tuple(kit.rows_of("SELECT COUNT(*), SUM(input_tokens), SUM(cost) FROM llm_attempts")[0])
    for by in ("consumer", "file", "strategy", "model", "day", "batch", "item"):
        found = kit.corpus.cost(by)
        micro = [round(row["cost_usd"] * 1_000_000_000) for row in found]
        sums = (sum(row["calls"] for row in found), sum(row["input_tokens"] for row in found), sum(micro))
        assert sums == whole, by
    assert micro[:20] == sorted(micro[:20], reverse=True)
    items, share = kit.corpus.dearest_share()
    assert items == 65 and 0.1 < share < 1


def test_only_rows_whose_request_changed_are_asked_again(make_kit: Any) -> None:
    """A cleaning rule that changes five rows, then a prompt that changes all of one strategy."""
    kit = make_kit()

    def prompt(row: int) -> str:
        gap = "  \n\n\n\n\n" if row <= 5 else " "
        return f"Please explain in your own words how bed {row} is watered.{gap}Say what may wait until the evening."

    both = ["paraphrase", "response_regeneration"]
    kit.add(30, prompt=prompt, strategies=both)
    kit.run()
    assert len(kit.invoice()) == 60

    kit.rebind(rules=["whitespace"], strategies=both)
    report = kit.run().report
    assert (report["total"], report["reused"], report["calls"]) == (60, 50, 10)
    assert len(kit.invoice()) == 70, "a row that did not change was paid again"
    assert report["saved_usd"] == pytest.approx(50 * report["cost_usd"] / 10, rel=0.2)

    template = "Say it in other words.\n=== user ===\n{{ source_prompt }}"
    kit.rebind(rules=["whitespace"], strategies=[{"paraphrase": {"template": template}}, "response_regeneration"])
    report = kit.run().report
    assert (report["total"], report["reused"], report["calls"]) == (60, 30, 30)
    assert report["saved_usd"] > 0


def test_the_ways_to_ask_are_ranked_by_money_with_their_hours(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(30, strategies=["paraphrase", "self_refine"])
    found = kit.corpus.estimate("rows")
    ways = {way["way"]: way for way in found["ways"]}
    assert set(ways) == {"live", "flex", "batch", "cached", "cascade"}
    costs = [way["cost_usd"] for way in found["ways"] if way["cost_usd"] is not None]
    assert costs == sorted(costs) and costs[0] > 0
    assert ways["batch"]["cost_usd"] == pytest.approx(ways["live"]["cost_usd"] / 2, rel=0.01)
    assert ways["flex"]["cost_usd"] == pytest.approx(ways["live"]["cost_usd"] / 2, rel=0.01)
    assert ways["batch"]["hours"] >= 24 > ways["live"]["hours"] > 0
    assert ways["cached"]["cost_usd"] == ways["live"]["cost_usd"] and "saves nothing" in ways["cached"]["note"]


def test_after_a_trial_the_rest_costs_what_is_said_within_its_margin_in_19_of_20_jobs(make_kit: Any) -> None:
    """One job with faults, whose rest is estimated after a trial; then, of what its rows cost, a hundred other trials."""
    kit = make_kit(faults={"500": 0.03, "429": 0.03, "no_usage": 0.02, "malformed": 0.03})
    longer = lambda row: prompt_of(row) + " And why?" * (row * 7 % 31)  # noqa: E731 - rows of many lengths
    kit.add(180, strategies=["response_regeneration"], prompt=longer, concurrency=40)
    with pytest.raises(Interrupted):
        kit.run(limit=60, spread=True)
    begun = kit.corpus.report(NAME, Stage.AUGMENT)[0]["cost_usd"]
    said = kit.corpus.estimate(NAME)["total"]
    rest = kit.run().report["cost_usd"] - begun
    assert said["cost_usd"]["expected"] == pytest.approx(rest, rel=said["margin"]) and said["margin"] < 0.2
    paid = kit.rows_of("SELECT conversation_id, SUM(cost) FROM llm_attempts WHERE state = 'answered' GROUP BY 1")
    rows = [(float(len(longer(split_id(row)[1]))), float(cost)) for row, cost in paid]
    assert len(rows) == 180
    chance, within = random.Random(7), 0
    for _ in range(100):
        chance.shuffle(rows)
        trial = Trial(rows[:60], [length for length, _ in rows[60:]])
        margin = trial.margin(120)
        assert margin is not None
        within += abs(120 * trial.mean_cost() / sum(cost for _, cost in rows[60:]) - 1) <= margin
        assert margin < 0.12  # one that always holds would say too little
    assert within >= 93


def test_a_larger_trial_is_asked_for_where_one_brings_the_margin() -> None:
    chance = random.Random(3)
    rows = [(length := chance.uniform(100, 900), length * chance.uniform(0.5, 1.5)) for _ in range(3000)]
    trial = Trial(rows[:100], [length for length, _ in rows[100:]])
    margin = trial.margin(2900)
    assert margin is not None and margin > 0.05
    wanted = rows_for(0.05, margin, 100, 2900)
    assert wanted is not None and 100 < wanted < 600
    larger = Trial(rows[:wanted], [length for length, _ in rows[wanted:]]).margin(3000 - wanted)
    assert larger == pytest.approx(0.05, rel=0.15)
    assert rows_for(0.001, margin, 100, 2900) is None  # of no trial of this file
    assert Trial(rows[:19], [1.0]).margin(1) is None and not Trial(rows[:30], []).is_enough
