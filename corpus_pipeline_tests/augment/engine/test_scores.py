"""Scores of tasks as columns: how they are spread, and cleaning by them under the next recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from corpus_pipeline.errors import UsageError
from corpus_pipeline.service.queries.statistics import file_statistics
from corpus_pipeline.states import Stage
from corpus_pipeline.store import invariants

LABELS = {"label": "topic", "template": {"user": "{{ prompt }}"}, "output": {"labels": ["water", "plants"]}}
WEIGHT = {
    "label": "weight",
    "template": {"user": "{{ prompt }}"},
    "output": {"fields": {"grams": {"type": "number", "minimum": 0, "maximum": 500}}},
    "makes": "values",
}
QUALITY = {"label": "quality", "template": {"user": "{{ prompt }} {{ response }}"}, "output": "score"}


def scores(kit: Any, field: str = "score") -> dict[int, float]:
    rows = kit.rows_of("SELECT conversation_id, number FROM row_values WHERE name = :n", n=field)
    return {row[0] & 0xFFFFFFFF: row[1] for row in rows}


def cleaning_by(kit: Any, **score: Any) -> str:
    path = Path(kit.recipe(strategies=[{"prompt": LABELS}]))
    said = yaml.safe_load(path.read_text())
    said.setdefault("clean", {})["rules"] = [{"score": score}]
    path.write_text(yaml.safe_dump(said))
    return str(path)


def test_rows_are_dropped_by_the_scores_of_an_earlier_recipe_and_the_reason_is_told(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(24, strategies=[{"prompt": QUALITY}])
    kit.run()
    low = sorted(row for row, score in scores(kit).items() if score < 3)
    assert 0 < len(low) < 24
    recipe = cleaning_by(kit, value="quality.score", at_least=3, do="drop")
    previewed = kit.corpus.preview_rules("rows", recipe)
    assert previewed["dropped"] == len(low)
    kit.corpus.bind_recipe("rows", recipe)
    kit.corpus.run_stage("rows", Stage.INGEST)
    report = kit.corpus.run_stage("rows", Stage.CLEAN).report
    assert report["drop_reasons"] == {"score": len(low)}
    dropped = kit.corpus.rows("rows", Stage.CLEAN, where={"state": "dropped"}).rows
    assert [row["number"] for row in dropped] == low
    before = len(kit.invoice())
    kit.run()
    assert len(kit.invoice()) - before == 24 - len(low), "what is dropped costs nothing more"
    assert kit.corpus.store.fetch(invariants.violations) == []
    kit.corpus.redo("rows", Stage.CLEAN)
    assert kit.corpus.run_stage("rows", Stage.CLEAN).report["drop_reasons"] == {"score": len(low)}


def test_a_score_that_no_row_has_is_one_sentence_before_anything_is_dropped(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(3, strategies=[{"prompt": QUALITY}])
    kit.corpus.bind_recipe("rows", cleaning_by(kit, value="quality.score", at_least=3))
    kit.corpus.run_stage("rows", Stage.INGEST)
    with pytest.raises(UsageError, match=r"no row of rows has a value quality\.score yet"):
        kit.corpus.run_stage("rows", Stage.CLEAN)
    assert kit.one("SELECT COUNT(*) FROM cleaned_rows WHERE state = 'dropped'") == 0


def test_how_scores_and_labels_are_spread(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(40, strategies=[{"prompt": LABELS}, {"prompt": WEIGHT}, {"prompt": QUALITY}])
    kit.run()
    found = {one["value"]: one for one in file_statistics(kit.corpus.store, "rows")["values"] or ()}
    topics = found["topic.label"]["bins"]
    assert {one["word"] for one in topics} <= {"water", "plants"} and sum(one["rows"] for one in topics) == 40
    own = scores(kit)
    assert {one["low"]: one["rows"] for one in found["quality.score"]["bins"]} == {
        score: list(own.values()).count(score) for score in set(own.values())
    }
    grams, bins = sorted(scores(kit, "grams").values()), found["weight.grams"]["bins"]
    assert len(bins) == 10 and (bins[0]["low"], bins[-1]["high"]) == (grams[0], grams[-1])
    for number, one in enumerate(bins):
        inside = [g for g in grams if one["low"] <= g and (g < one["high"] or number == 9)]
        assert one["rows"] == len(inside)
    assert found["weight.grams"]["mean"] == pytest.approx(sum(grams) / 40)
