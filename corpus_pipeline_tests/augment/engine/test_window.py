"""The window: across batch borders and strategies, answers committed as they arrive, the cursor behind them."""

from __future__ import annotations

from typing import Any

from corpus_pipeline.states import Status


def test_everything_asked_has_an_outcome_and_the_books_agree(make_kit: Any, database_url: str) -> None:
    kit = make_kit(
        faults={"429": 0.1, "500": 0.03, "rst": 0.02, "400": 0.02, "empty": 0.03},
        retry_after=0.05,
        database_url=database_url,
    )
    kit.add(120, strategies=["paraphrase", "response_regeneration"])
    outcome = kit.run()
    report = outcome.report
    assert outcome.status is Status.DONE
    assert report["succeeded"] + report["failed"] == report["total"] == 240
    assert report["failed"] == report["open_failed_samples"] > 0
    kit.books_agree()
