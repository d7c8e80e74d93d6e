"""A cheap first step decides which rows the dear strategy is asked about."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from corpus_pipeline.errors import Interrupted, UsageError
from corpus_pipeline.service.queries import row_detail

JUDGED = {"model": "corpus-stub-mini", "criterion": "The answer leaves something out.", "at_least": 4}
ROWS = 40


def dear(**params: Any) -> list[Any]:
    return [{"paraphrase": {"label": "dear", "first": JUDGED, **params}}]


def scores(kit: Any) -> dict[int, int]:
    """What the judge said of each conversation."""
    rows = kit.rows_of(
        "SELECT l.conversation_id, a.text FROM answers a JOIN llm_attempts l ON l.id = a.attempt_id"
        " WHERE l.strategy = 'dear.first' AND a.rejected IS NULL"
    )
    assert len({row[0] for row in rows}) == len(rows), "a row was judged twice"
    return {row[0]: int(orjson.loads(row[1])["score"]) for row in rows}


def test_only_rows_with_a_high_score_go_on_and_each_call_is_booked_as_its_own(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(ROWS, strategies=dear(samples=3))
    before = kit.corpus.estimate("rows")
    report = kit.run().report
    judged = scores(kit)
    passed = {row for row, score in judged.items() if score >= 4}
    assert len(judged) == ROWS and 0 < len(passed) < ROWS
    assert {row[0] for row in kit.rows_of("SELECT conversation_id FROM augmented_rows")} == passed
    assert kit.rows_of("SELECT reason, COUNT(*) FROM work_items WHERE state = 'skipped' GROUP BY reason") == [
        ("cascade", 3 * (ROWS - len(passed)))
    ]
    assert report["succeeded"] == 3 * len(passed) and report["failed"] == 0
    assert report["skip_reasons"] == {"cascade": 3 * (ROWS - len(passed))}
    (row, *_) = passed
    number = row % 2**32
    story = kit.corpus.store.fetch(row_detail.story, "rows", number)
    judged_call = next(call for call in story["calls"] if call["strategy"] == "dear.first")
    assert judged_call["prompt"]["same"] and "leaves something out" in judged_call["prompt"]["messages"][0]["content"]
    booked = kit.rows_of(
        "SELECT strategy, model, COUNT(*) FROM llm_attempts GROUP BY strategy, model ORDER BY strategy"
    )
    assert booked == [("dear", "corpus-stub", 3 * len(passed)), ("dear.first", "corpus-stub-mini", ROWS)]
    kit.books_agree()
    gate, own = before["strategies"]
    assert (gate["strategy"], gate["model"], gate["items"]) == ("dear.first", "corpus-stub-mini", ROWS)
    assert own["items"] == 3 * ROWS // 2, "half of the rows, until something is known of the judge"
    spent = kit.one("SELECT SUM(cost) FROM llm_attempts") / 1e9
    low, high = (before["total"]["cost_usd"][word] for word in ("low", "high"))
    assert low < spent < high


def test_a_verdict_is_paid_once_and_kept_through_stops_and_new_recipes(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(ROWS, strategies=dear())
    with pytest.raises(Interrupted):
        kit.run(limit=10)
    kit.run()
    judged = scores(kit)
    assert len(judged) == ROWS
    kit.rebind(strategies=[{"paraphrase": {"label": "dear", "first": JUDGED | {"at_least": 3}}}])
    known = kit.corpus.estimate("rows")["strategies"]
    assert known[0]["calls"] == 0 and known[0]["already_answered"] == ROWS
    kit.run()
    assert scores(kit) == judged, "rows were judged anew although the question is the same"
    calls = kit.one("SELECT COUNT(*) FROM llm_attempts WHERE strategy = 'dear'")
    assert calls == sum(score >= 3 for score in judged.values())
    kit.books_agree()


def test_providers_without_json_schemas_are_asked_for_the_same_object_in_words(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(4, strategies=dear(structured_output=False))
    assert kit.run().report["failed"] == 0
    assert len(scores(kit)) == 4


def test_a_rule_decides_without_a_call(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(12, strategies=[{"paraphrase": {"first": {"rule": {"field": "prompt", "matches": "bed 1[0-2]"}}}}])
    assert kit.run().report["succeeded"] == 3
    assert len(kit.invoice()) == 3


def test_a_judge_that_gives_no_score_makes_a_failed_sample(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(3, strategies=dear())
    kit.stub.meet(malformed=1.0)
    assert kit.run().report["failed"] == 3
    failures = kit.rows_of("SELECT DISTINCT reason, model FROM failed_samples")
    assert failures == [("malformed", "corpus-stub-mini")]


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ({}, "say `rule`, or `criterion`"),
        ({"rule": {"matches": "("}}, "not a regular expression"),
        ({"criterion": "x", "template": "no parts"}, "between system part and user part"),
    ],
)
def test_a_first_step_that_is_no_good_is_said_before_anything_is_asked(
    make_kit: Any, first: dict[str, Any], said: str
) -> None:
    kit = make_kit()
    with pytest.raises(UsageError, match=said):
        kit.add(1, strategies=[{"paraphrase": {"first": first}}])
        kit.run()


@pytest.mark.parametrize(
    ("judge_by_batch", "dear_by_batch", "batches"), [(False, True, 1), (True, False, 1), (True, True, 2)]
)
def test_judge_and_strategy_each_go_by_batch_or_live(
    make_kit: Any, judge_by_batch: bool, dear_by_batch: bool, batches: int
) -> None:
    kit = make_kit(batch=0.2)
    first = JUDGED | {"provider_batch": judge_by_batch}
    kit.add(ROWS, strategies=dear(first=first, provider_batch=dear_by_batch, samples=2), batch_poll_seconds=0.1)
    judge, own = kit.corpus.estimate("rows")["strategies"]
    assert (judge["provider_batch"], own["provider_batch"]) == (judge_by_batch, dear_by_batch)
    report = kit.run().report
    passed = {row for row, score in scores(kit).items() if score >= 4}
    assert report["succeeded"] == 2 * len(passed) and report["skipped"] == 2 * (ROWS - len(passed))
    ways = kit.rows_of(
        "SELECT strategy, batch_id IS NOT NULL AS batched, COUNT(*) FROM llm_attempts GROUP BY 1, 2 ORDER BY 1"
    )
    assert ways == [("dear", dear_by_batch, 2 * len(passed)), ("dear.first", judge_by_batch, ROWS)]
    assert kit.one("SELECT COUNT(*) FROM provider_batches") == batches
    assert not kit.run().worked
    kit.books_agree()


def test_verdicts_that_a_batch_did_not_give_are_asked_by_batch_again_and_so_is_the_dear_step(make_kit: Any) -> None:
    kit = make_kit(batch=0.2, faults={"500": 0.1, "malformed": 0.1})
    first = JUDGED | {"provider_batch": True}
    kit.add(ROWS, strategies=[*dear(first=first, provider_batch=True), "translation"], batch_poll_seconds=0.1)
    with pytest.raises(Interrupted, match="limit of 20 rows"):
        kit.run(limit=20)
    assert kit.status()["processed"] == 20
    report = kit.run().report
    assert report["succeeded"] + report["skipped"] + report["failed"] == 2 * ROWS
    assert kit.one("SELECT COUNT(*) FROM llm_attempts WHERE strategy = 'dear.first' AND batch_id IS NULL") == 0
    by_batch, live = (
        kit.one(f"SELECT COUNT(*) FROM llm_attempts WHERE strategy = 'dear' AND batch_id IS {word} NULL")
        for word in ("NOT", "")
    )
    assert by_batch > live
    kit.books_agree()


def test_a_rule_alone_has_no_batch_of_its_own(make_kit: Any) -> None:
    kit = make_kit()
    with pytest.raises(UsageError, match="a rule asks nobody"):
        kit.add(1, strategies=[{"paraphrase": {"first": {"rule": {"matches": "a"}, "provider_batch": True}}}])
        kit.run()
