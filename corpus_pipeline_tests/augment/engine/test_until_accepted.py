"""`until_accepted`: exactly so many rows go out, little more is paid, a stop changes nothing, and want is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from corpus_pipeline.errors import Interrupted, Paused
from corpus_pipeline.recipe import Recipe
from corpus_pipeline.states import Stage
from corpus_pipeline.store import invariants

ANSWER = {"prompt": {"label": "short", "template": {"user": "{{ prompt }}"}, "makes": "answer"}}
QUALITY = {
    "prompt": {
        "label": "quality",
        "inputs": {"answer": "short.response"},
        "template": {"user": "{{ prompt }} {{ answer }}"},
        "output": "score",
    }
}
GOOD = [{"rows": "short", "value": "quality.score", "at_least": 4}]


def recipe(kit: Any, wanted: int, *, include: str = "augmented", select: Any = GOOD, **augment: Any) -> str:
    strategies = augment.pop("strategies", [ANSWER, QUALITY])
    path = Path(kit.recipe(strategies=strategies, until_accepted=wanted, **augment))
    body = yaml.safe_load(path.read_text())
    body["export"] = {"include": [include], "select": select}
    path.write_text(yaml.safe_dump(body))
    return str(path)


def add(kit: Any, rows: int, said: str) -> None:
    path = kit.folder / "rows.jsonl"
    with path.open("wb") as out:
        for row in range(1, rows + 1):
            turn = {"prompt": f"What is the use of bed {row}?", "response": f"Bed {row} is for beans."}
            out.write(orjson.dumps(turn, option=orjson.OPT_APPEND_NEWLINE))
    kit.corpus.add(path, name="rows", consumer="team", recipe=said)
    for stage in (Stage.INGEST, Stage.CLEAN):
        kit.corpus.run_stage("rows", stage)


def exported(kit: Any) -> dict[str, Any]:
    return dict(kit.corpus.run_stage("rows", Stage.EXPORT).report)


def good_scores(kit: Any) -> int:
    return int(kit.one("SELECT COUNT(*) FROM row_values WHERE name = 'score' AND number >= 4"))


def test_exactly_so_many_rows_go_out_and_the_rest_of_the_file_costs_nothing(make_kit: Any) -> None:
    kit = make_kit()
    add(kit, 120, recipe(kit, 20))
    report = kit.run().report
    accepted, calls = good_scores(kit), len(kit.invoice())
    assert 20 <= accepted <= 26 and calls < 2 * 110
    left = report["skip_reasons"]["enough"]
    assert report["warnings"] == [] and left == 240 - report["succeeded"] and calls == report["succeeded"]
    out = exported(kit)
    assert out["export_rows"] == 20 and out["account"]["balanced"]
    assert kit.corpus.store.fetch(invariants.violations) == []
    assert not kit.run().worked and len(kit.invoice()) == calls
    kit.books_agree()


def test_a_file_that_is_exhausted_is_said_to_be(make_kit: Any) -> None:
    kit = make_kit()
    add(kit, 15, recipe(kit, 40))
    report = kit.run().report
    accepted = good_scores(kit)
    assert report["succeeded"] == 30 and "enough" not in report["skip_reasons"]
    assert report["warnings"] == [
        f"{accepted} of 40 rows are accepted, and the rows of rows are exhausted (augment.until_accepted)."
        " Give it more rows or more `samples`, mend what fails, or ask for fewer"
    ]
    assert exported(kit)["export_rows"] == accepted


def test_a_run_that_is_stopped_goes_on_and_the_first_rows_go_out(make_kit: Any) -> None:
    kit = make_kit()
    add(kit, 90, recipe(kit, 12))
    with pytest.raises(Interrupted, match=r"the limit of 8 rows is reached, with \d+ of 12 rows accepted"):
        kit.run(limit=8)
    with pytest.raises(Interrupted):
        kit.run(limit=15)
    kit.run()
    exported(kit)
    good = kit.rows_of("SELECT conversation_id FROM row_values WHERE name = 'score' AND number >= 4 ORDER BY 1")
    sources = [kit.corpus.trace("rows", line)["source"]["line"] for line in range(1, 13)]
    assert sources == [row[0] & 0xFFFFFFFF for row in good[:12]]
    kit.books_agree()


def test_a_budget_stops_it_with_what_is_accepted_kept(make_kit: Any) -> None:
    kit = make_kit()
    add(kit, 60, recipe(kit, 50, budget={"task_usd": 0.004}, concurrency=2))
    with pytest.raises(Paused, match="budget"):
        kit.run()
    spent = kit.report()["cost_usd"]
    assert 0 < spent <= 0.004
    kit.books_agree()


def test_source_rows_are_counted_where_no_new_ones_go_out(make_kit: Any) -> None:
    kit = make_kit()
    judge = {"prompt": {"label": "quality", "template": {"user": "{{ prompt }} {{ response }}"}, "output": "score"}}
    select = [{"value": "quality.score", "at_least": 3}]
    said = recipe(kit, 10, include="cleaned", select=select, strategies=[judge])
    add(kit, 80, said)
    report = kit.run().report
    assert 10 <= report["succeeded"] < 60
    assert exported(kit)["export_rows"] == 10


def test_several_samples_of_a_row_count_each(make_kit: Any) -> None:
    kit = make_kit()
    many = {"prompt": ANSWER["prompt"] | {"samples": 4}}
    add(kit, 30, recipe(kit, 10, select=[], strategies=[many]))
    assert kit.run().report["succeeded"] == 12, "three rows of four samples each"
    out = exported(kit)
    assert out["export_rows"] == 10 and out["account"]["left_out"] >= 2


def test_a_failed_sample_is_made_up_for_by_another_row(make_kit: Any) -> None:
    kit = make_kit(faults={"refusal": 0.4})
    add(
        kit,
        60,
        recipe(kit, 10, select=[], strategies=[ANSWER], answer_retries=0, completion={"tolerated_failures": 0.95}),
    )
    report = kit.run().report
    assert report["failed"] > 0 and 10 <= report["succeeded"] <= 14


def test_a_recipe_without_it_keeps_its_version() -> None:
    plain = Recipe()
    asked = Recipe.model_validate({"augment": {"until_accepted": 5}})
    assert asked.version != plain.version
    assert plain.version == Recipe.model_validate({"augment": {"until_accepted": None}}).version
