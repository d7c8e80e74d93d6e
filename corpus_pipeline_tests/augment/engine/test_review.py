"""People judge new rows by command; what they find holds the export or lets it out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from click.testing import CliRunner

from corpus_pipeline.cli import cli
from corpus_pipeline.errors import GateRefused, UnknownName, UsageError
from corpus_pipeline.states import ReviewVerdict, Stage

ROWS = 30


def reviewed(kit: Any, **review: Any) -> None:
    """Rows that models made under a recipe that asks for a review."""
    kit.add(ROWS, strategies=["paraphrase"])
    path = Path(kit.recipe(strategies=["paraphrase"]))
    body = yaml.safe_load(path.read_text(encoding="utf-8")) | {"export": {"gate": {"review": review}}}
    path.write_text(yaml.safe_dump(body), encoding="utf-8")
    kit.corpus.bind_recipe("rows", str(path))
    for stage in (Stage.INGEST, Stage.CLEAN, Stage.AUGMENT):
        kit.corpus.run_stage("rows", stage)


def test_the_export_waits_for_people_and_goes_by_what_they_find(make_kit: Any, monkeypatch: Any) -> None:
    kit = make_kit()
    reviewed(kit, max_defects=0.2, confidence=0.8)
    with pytest.raises(GateRefused, match=r"people judged 0 of 30 new rows.*corpus review rows"):
        kit.corpus.run_stage("rows", Stage.EXPORT)
    monkeypatch.setenv("CORPUS_HOME", str(kit.settings.home))
    first = orjson.loads(CliRunner().invoke(cli, ["review", "rows", "--json", "--limit", "100"]).stdout)
    assert len(first["sample"]) == ROWS and first["decision"] == "look" and 0 < first["wanted"] < ROWS
    drawn = [row["row"] for row in first["sample"]]
    assert drawn != sorted(drawn, key=lambda row: int(row.split(":")[1].split("/")[0])), "drawn at random"
    for row in drawn[: first["wanted"]]:
        CliRunner().invoke(cli, ["review", "rows", "--good", row])
    assert kit.corpus.review("rows")["decision"] == "accept"
    kit.corpus.run_stage("rows", Stage.EXPORT)


def test_what_is_found_bad_holds_it(make_kit: Any) -> None:
    kit = make_kit()
    reviewed(kit, max_defects=0.1, confidence=0.9)
    drawn = [row["row"] for row in kit.corpus.review("rows", limit=ROWS)["sample"]]
    kit.corpus.judge_rows(drawn[:8], ReviewVerdict.BAD, "another meaning")
    said = kit.corpus.review("rows")
    assert (said["decision"], said["judged"], said["bad"]) == ("reject", 8, 8)
    with pytest.raises(GateRefused, match=r"are bad, and export.gate.review.max_defects allows 10"):
        kit.corpus.run_stage("rows", Stage.EXPORT)


def test_rows_that_somebody_chose_are_no_part_of_the_sample(make_kit: Any) -> None:
    kit = make_kit()
    reviewed(kit, max_defects=0.1)
    drawn = [row["row"] for row in kit.corpus.review("rows", limit=ROWS)["sample"]]
    kit.corpus.judge_rows(drawn[5:], ReviewVerdict.GOOD)
    assert kit.corpus.review("rows")["judged"] == 0
    kit.corpus.acting_as("ada").judge_rows(drawn[:5], ReviewVerdict.GOOD)
    kit.corpus.acting_as("ben").judge_rows(drawn[:1], ReviewVerdict.BAD)
    assert (kit.corpus.review("rows")["judged"], kit.corpus.review("rows")["bad"]) == (ROWS, 1)
    with pytest.raises(UsageError, match="FILE:ROW/STRATEGY/SAMPLE"):
        kit.corpus.judge_rows(["rows:1"], ReviewVerdict.GOOD)
    with pytest.raises(UnknownName):
        kit.corpus.judge_rows(["rows:1/other/0"], ReviewVerdict.GOOD)


def test_a_judge_model_is_held_against_people(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(3, strategies=["paraphrase"])
    found = kit.corpus.calibration("rows", "quality.score>=4")
    assert found["rows"] == 0 and found["kappa"] is None
    with pytest.raises(UsageError, match="no condition"):
        kit.corpus.calibration("rows", "nonsense")


def test_the_command_shows_the_texts_and_where_it_stands(make_kit: Any, monkeypatch: Any) -> None:
    kit = make_kit()
    reviewed(kit, max_defects=0.2)
    monkeypatch.setenv("CORPUS_HOME", str(kit.settings.home))
    said = CliRunner().invoke(cli, ["review", "rows", "--limit", "2"])
    assert "prompt was: " in said.output and "0 of 30 new rows judged" in said.output
    assert said.exit_code == 0 and "more that are good would show" in said.output


def test_a_row_that_somebody_calls_bad_is_in_no_export(make_kit: Any, monkeypatch: Any) -> None:
    kit = make_kit()
    kit.add(4, strategies=["paraphrase"])
    kit.run()
    whole = kit.corpus.run_stage("rows", Stage.EXPORT).report
    assert whole["account"]["exported"] == 8 and whole["left_behind"] == {}
    kit.corpus.acting_as("ada").judge_rows(["rows:2/paraphrase/0", "rows:3/paraphrase/0"], ReviewVerdict.BAD)
    kit.corpus.acting_as("ben").judge_rows(["rows:1/paraphrase/0", "rows:3/paraphrase/0"], ReviewVerdict.GOOD)
    assert kit.corpus.status(["rows"])[0]["stages"]["export"]["status"] == "pending", "the export is of older verdicts"
    report = kit.corpus.run_stage("rows", Stage.EXPORT).report
    account = report["account"]
    assert (account["rows_in"], account["exported"], account["left_out"], account["balanced"]) == (8, 6, 2, True)
    assert report["left_behind"] == {"judged_bad": 2} and report["not_exportable"] == 0
    manifest = orjson.loads(kit.one("SELECT manifest FROM exports WHERE superseded_at IS NULL"))
    assert manifest["left_behind"] == {"judged_bad": 2} and manifest["rows_by_origin"] == {
        "cleaned": 4,
        "paraphrase": 2,
    }
    monkeypatch.setenv("CORPUS_HOME", str(kit.settings.home))
    assert "left out, judged_bad: 2" in CliRunner().invoke(cli, ["report", "rows", "--stage", "export"]).output
    kit.corpus.acting_as("eve").judge_rows(["rows:1/paraphrase/0", "rows:3/paraphrase/0"], ReviewVerdict.GOOD)
    assert kit.corpus.status(["rows"])[0]["stages"]["export"]["status"] == "done", "that changes no export"
    kit.corpus.acting_as("ada").judge_rows(["rows:2/paraphrase/0"], ReviewVerdict.GOOD)
    report = kit.corpus.run_stage("rows", Stage.EXPORT).report
    assert report["account"]["exported"] == 7 and report["account"]["balanced"], "a verdict may be taken back"
