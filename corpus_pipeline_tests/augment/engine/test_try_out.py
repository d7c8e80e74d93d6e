"""`corpus try`: what is asked and judged on a few rows, what it costs, and that nothing of it enters the corpus."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.recipe import parse
from corpus_pipeline.store import invariants
from corpus_pipeline.web import create_app
from corpus_pipeline_tests.augment.engine.test_tasks import ANSWER, QUALITY, TOPIC, tasks

STATE = ("augmented_rows", "row_values", "work_items", "failed_samples", "cursor_events")


def counts(kit: Any) -> dict[str, int]:
    return {table: kit.one(f"SELECT COUNT(*) FROM {table}") for table in STATE}


def test_several_models_are_asked_side_by_side_and_nothing_enters_the_corpus(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(5, strategies=["paraphrase"])
    before = counts(kit)
    tried = kit.corpus.try_out("rows", "paraphrase", rows=2, models=["corpus-stub", "corpus-stub-mini"])
    assert [(cell.row, cell.variant) for cell in tried.cells] == [
        (f"rows:{row}", model) for row in (1, 2) for model in ("corpus-stub", "corpus-stub-mini")
    ]
    for cell in tried.cells:
        assert cell.passed and cell.cost_usd > 0 and cell.input_tokens and cell.output_tokens
        assert cell.requests[0]["model"] == cell.variant and cell.requests[0]["messages"][0]["role"] == "system"
        assert {"finished", "not_refused", "numbers_kept"} <= {verdict.validator for verdict in cell.verdicts}
    assert counts(kit) == before
    assert kit.rows_of("SELECT DISTINCT strategy, state FROM llm_attempts") == [("try", "answered")]
    assert sum(cell.cost_usd for cell in tried.cells) == pytest.approx(
        sum(line["nano_dollars"] for line in kit.invoice()) / 1e9
    )
    assert {line["strategy"] for line in kit.corpus.cost("strategy")} == {"try"}
    assert kit.corpus.store.fetch(invariants.violations) == []
    kit.books_agree()


def test_what_was_tried_is_not_paid_again_by_a_run_or_by_another_try(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(4, strategies=["paraphrase"])
    kit.corpus.try_out("rows", "paraphrase", rows=3)
    again = kit.corpus.try_out("rows", "paraphrase", rows=3)
    assert [cell.calls for cell in again.cells] == [0, 0, 0] and all(cell.passed for cell in again.cells)
    kit.run()
    assert len(kit.invoice()) == 4
    kit.books_agree()


def test_what_is_named_twice_is_tried_once_and_what_several_ask_is_paid_once(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(2, strategies=["paraphrase"])
    tried = kit.corpus.try_out("rows", "paraphrase", rows=2, models=["corpus-stub", "corpus-stub", "corpus-stub"])
    assert tried.variants == ["corpus-stub"] and len(tried.cells) == 2 and len(kit.invoice()) == 2
    (file,) = kit.corpus.files(["rows"])
    same = kit.corpus.recipe_of(file)
    tried = kit.corpus.try_out(
        "rows", "paraphrase", rows=2, recipes=[("one", same), ("two", same)], models=["corpus-stub-mini"]
    )
    assert len(tried.cells) == 4 and all(cell.passed for cell in tried.cells)
    assert sum(cell.calls for cell in tried.cells) == 2 and len(kit.invoice()) == 4
    kit.books_agree()


def test_all_validators_say_what_they_find(make_kit: Any) -> None:
    kit = make_kit()
    checks = [
        {"field": "text", "max_characters": 3},
        {"field": "text", "matches": "^never"},
        {"field": "text", "min_characters": 1},
    ]
    kit.add(2, strategies=tasks(ANSWER | {"samples": 1, "validators": checks}))
    (cell,) = kit.corpus.try_out("rows", "short", numbers=[2]).cells
    found = {verdict.validator: verdict.passed for verdict in cell.verdicts}
    assert (
        found["text_max_characters"] is False
        and found["text_matches"] is False
        and found["text_min_characters"] is True
    )
    assert not cell.passed and kit.one("SELECT COUNT(*) FROM failed_samples") == 0


def test_a_bad_answer_and_a_provider_that_is_down_are_cells_not_errors(make_kit: Any) -> None:
    kit = make_kit(faults={"refusal": 1.0})
    kit.add(2, strategies=["paraphrase"])
    (cell,) = kit.corpus.try_out("rows", "paraphrase", rows=1).cells
    assert not cell.passed and any("refused" in verdict.detail for verdict in cell.verdicts)
    kit.books_agree()


def test_a_refused_key_is_a_cell_with_the_words_of_the_provider(make_kit: Any) -> None:
    kit = make_kit(faults={"401": 1.0})
    kit.add(2, strategies=["paraphrase"])
    (cell,) = kit.corpus.try_out("rows", "paraphrase", numbers=[2]).cells
    assert not cell.passed and cell.error is not None and "bad_key" in cell.error and cell.verdicts == []
    kit.books_agree()


def test_tasks_that_are_read_are_tried_as_well_and_edited_recipes_need_no_binding(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(3, strategies=["paraphrase"])
    section = {"augment": {"model": "corpus-stub", "strategies": tasks(TOPIC, ANSWER, QUALITY)}}
    edited = parse(yaml.safe_dump(section))
    (cell,) = kit.corpus.try_out("rows", "quality", rows=1, recipes=[("edited", edited)]).cells
    assert cell.passed and 1 <= (cell.values or {})["score"] <= 5 and cell.calls == 3
    assert cell.variant == "edited" and kit.one("SELECT COUNT(*) FROM row_values") == 0


def test_a_template_is_tried_beside_the_bound_one(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(2, strategies=tasks(TOPIC))
    louder = {"system": "Sort it LOUDLY.", "user": "{{ response }}"}
    tried = kit.corpus.try_out("rows", "topic", rows=1, templates=[("as bound", None), ("louder", louder)])
    asked = {cell.variant: cell.requests[0]["messages"] for cell in tried.cells}
    assert "LOUDLY" in asked["louder"][0]["content"] and "Sort it." in asked["as bound"][0]["content"]
    assert [total["rows"] for total in tried.totals] == [1, 1]


def test_rows_that_are_skipped_say_why_and_what_is_not_there_is_an_error(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(2, strategies=tasks(TOPIC | {"first": {"rule": {"matches": "nowhere"}}}))
    (cell,) = kit.corpus.try_out("rows", "topic", numbers=[1]).cells
    assert cell.skipped == "cascade" and cell.calls == 0
    with pytest.raises(UnknownName, match="topic"):
        kit.corpus.try_out("rows", "topics")
    with pytest.raises(UsageError, match="no row that cleaning kept"):
        kit.corpus.try_out("rows", "topic", numbers=[99])
    with pytest.raises(UsageError, match="at most"):
        kit.corpus.try_out("rows", "topic", rows=51)


def test_a_budget_holds_for_what_is_tried(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(2, strategies=["paraphrase"], budget={"task_usd": 0.0})
    with pytest.raises(UsageError, match="budget"):
        kit.corpus.try_out("rows", "paraphrase", rows=1)
    assert kit.invoice() == []


def test_the_page_shows_the_template_and_tries_an_edited_one_beside_it(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(2, strategies=tasks(TOPIC))
    client = TestClient(create_app(kit.corpus), base_url="http://127.0.0.1:8787")
    page = client.get("/files/rows/try").text
    assert "Sort it." in page
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert token is not None
    fields = {
        "csrf": token[1],
        "file": "rows",
        "strategy": "topic",
        "rows": "2",
        "models": "corpus-stub, corpus-stub-mini",
        "template.ask": "Sort it <b>LOUDLY</b>.\n=== user ===\n{{ prompt }}",
    }
    tried = client.post("/try", data=fields, headers={"Origin": "http://127.0.0.1:8787"})
    assert tried.status_code == 200 and "&lt;b&gt;LOUDLY&lt;/b&gt;" in tried.text and "<b>LOUDLY" not in tried.text
    assert tried.text.count("corpus-stub-mini, edited") == 3 and len(kit.invoice()) == 8
    wrong = fields | {"template.ask": "Sort it.\n=== user ===\n{{ promt }}"}
    refused = client.post("/try", data=wrong, headers={"Origin": "http://127.0.0.1:8787"})
    assert refused.status_code in (400, 404) and "promt" in refused.text and len(kit.invoice()) == 8
