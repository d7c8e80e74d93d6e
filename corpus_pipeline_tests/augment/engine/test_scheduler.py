"""The window: across batch borders and strategies, answers committed as they arrive, the cursor behind them."""

from __future__ import annotations

import time
from typing import Any

from corpus_pipeline.states import Status

MIX = {
    "429": 0.1,
    "500": 0.03,
    "rst": 0.02,
    "400": 0.01,
    "empty": 0.01,
    "cut": 0.01,
    "refusal": 0.01,
    "malformed": 0.01,
}


def test_everything_asked_has_an_outcome_and_the_books_agree(make_kit: Any, database_url: str) -> None:
    kit = make_kit(faults=MIX, retry_after=0.05, database_url=database_url)
    kit.add(60, strategies=["paraphrase", "response_regeneration"])
    outcome = kit.run()
    report = outcome.report
    assert outcome.status is Status.DONE
    assert report["succeeded"] + report["failed"] == report["total"] == 120
    assert report["failed"] == report["open_failed_samples"] == kit.one("SELECT COUNT(*) FROM failed_samples")
    assert kit.one("SELECT COUNT(*) FROM augmented_rows") == report["succeeded"]
    assert report["calls"] == len(kit.invoice())
    kit.books_agree()
    refused = [line["request"] for line in kit.invoice() if line["status"] == 400]
    assert len(refused) == len(set(refused)), "a 400 was asked again"


def test_no_row_is_made_of_a_bad_answer(make_kit: Any) -> None:
    bad = ("empty", "whitespace", "refusal", "sorry", "cut", "content_filter", "malformed", "echo", "loop")
    kit = make_kit(faults=dict.fromkeys(bad, 0.1))
    kit.add(80, strategies=["paraphrase"], answer_retries=0, completion={"tolerated_failures": 0.95})
    report = kit.run().report
    spoilt = {line["request"] for line in kit.invoice() if line["fault"]}
    assert report["failed"] == len(spoilt) > 20
    assert report["succeeded"] == 80 - len(spoilt)
    usable = "SELECT COUNT(*) FROM answers WHERE rejected IS NULL"
    assert kit.one(usable) == kit.one("SELECT COUNT(*) FROM augmented_rows") == report["succeeded"]
    empty = "SELECT COUNT(*) FROM augmented_turns WHERE COALESCE(TRIM(data_prompt), '') = ''"
    assert kit.one(empty) == 0
    assert len(report["fail_reasons"]) >= 6


def test_the_window_reaches_across_batches_and_strategies(make_kit: Any) -> None:
    kit = make_kit(latency="fixed:0.25")
    kit.add(20, strategies=["paraphrase", "response_regeneration"], batch_size=2, concurrency=40)
    kit.run()
    settled = kit.rows_of("SELECT created_at, settled_at FROM llm_attempts")
    moments = sorted([(row.created_at, 1) for row in settled] + [(row.settled_at, -1) for row in settled])
    most = under_way = 0
    for _, step in moments:
        under_way += step
        most = max(most, under_way)
    assert most > 30, "batches of 2 rows of 2 strategies were not asked side by side"


def test_answers_are_committed_as_they_arrive_and_the_cursor_is_the_finished_prefix(
    make_kit: Any, wait_until: Any
) -> None:
    kit = make_kit(latency="uniform:low=0.02,high=0.6")
    kit.add(40, strategies=["paraphrase"], batch_size=5, concurrency=10)
    with kit.running() as background:
        seen = 0
        while background.thread.is_alive():
            ahead = kit.one(
                "SELECT COUNT(*) FROM execution_cursors c WHERE c.stage = 'augment' AND c.last_id > 0 AND EXISTS"
                " (SELECT 1 FROM cleaned_rows r LEFT JOIN work_items w ON w.task_id = r.task_id"
                " AND w.conversation_id = r.conversation_id AND w.strategy = c.task_type"
                " WHERE r.task_id = c.task_id AND r.conversation_id <= c.last_id AND w.state IS NULL)"
            )
            assert ahead == 0, "the cursor passed a row without an outcome"
            arrived = kit.one("SELECT COUNT(*) FROM answers")
            finished = kit.one("SELECT COALESCE(MAX(current_offset), 0) FROM execution_cursors WHERE stage = 'augment'")
            assert finished % 5 == 0
            seen += arrived > finished
            time.sleep(0.02)
        background.wait()
    assert seen > 3, "no answer was ever committed before its batch was finished"


def test_a_finished_stage_asks_nothing_and_a_redone_one_pays_nothing(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(30, strategies=["paraphrase", {"response_regeneration": {"samples": 2}}])
    assert kit.run().report["calls"] == 90
    again = kit.run()
    assert not again.worked
    from corpus_pipeline.states import Stage

    kit.corpus.redo("rows", Stage.AUGMENT)
    report = kit.run().report
    assert (report["succeeded"], report["reused"]) == (90, 90)
    assert len(kit.invoice()) == 90


def test_a_limit_of_rows_stops_there_and_goes_on_without_it(make_kit: Any) -> None:
    import pytest

    from corpus_pipeline.errors import Interrupted

    kit = make_kit()
    kit.add(40, strategies=["paraphrase"])
    with pytest.raises(Interrupted, match="limit of 10"):
        kit.run(limit=10)
    assert len(kit.invoice()) == 10
    assert kit.run().report["succeeded"] == 40
    assert len(kit.invoice()) == 40


def test_waiting_items_leave_room_for_others(make_kit: Any, wait_until: Any) -> None:
    """Some calls are sent away for long; the others need not wait for them."""
    kit = make_kit(faults={"503": 0.15}, retry_after=600.0)
    kit.add(120, strategies=["paraphrase"], concurrency=4, batch_size=2)
    with kit.running() as background:
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM augmented_rows") >= 90, 60)
        background.stop.set("seen enough")
        background.wait()
    assert kit.one("SELECT COUNT(*) FROM llm_attempts WHERE http_status = 503") > 4, "more wait than there are slots"


def test_what_is_done_is_shown_before_the_cursor_moves(make_kit: Any, wait_until: Any) -> None:
    """A cursor moves by whole batches; a person sees each row that is done."""
    kit = make_kit(latency="fixed:0.2")
    kit.add(12, strategies=["paraphrase", {"paraphrase": {"label": "twice", "samples": 2}}], concurrency=2)
    with kit.running() as background:
        wait_until(lambda: kit.status()["processed"] >= 2)
        seen = kit.status()
        moved = kit.one("SELECT MIN(processed_rows) FROM execution_cursors WHERE stage = 'augment'")
        background.stop.set("seen")
    assert moved == 0 and 2 <= seen["processed"] < 12 == seen["total"]
    kit.run()
    assert kit.status()["processed"] == kit.status()["total"] == 12
