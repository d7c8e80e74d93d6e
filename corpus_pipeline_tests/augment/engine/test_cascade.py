"""A cheap first step decides which rows the dear strategy is asked about."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from corpus_pipeline.errors import Interrupted, UsageError
from corpus_pipeline.service import history

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
    story = kit.corpus.store.fetch(history.story, "rows", number)
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
    spent = kit.one("SELECT SUM(cost) FROM llm_attempts") / 1e6
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
