"""New rows that repeat a row of their file or each other are found, told, and left out where the recipe says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import yaml

from corpus_pipeline.states import Stage

TWICE = [{"paraphrase": {"label": "first"}}, {"paraphrase": {"label": "again"}}]
ROWS = 6


def comparing(kit: Any, strategies: list[Any], **export: Any) -> None:
    """Bind a recipe that compares rows, and work all stages but the export."""
    path = Path(kit.recipe(name=f"comparing{len(export)}", strategies=strategies))
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    body["clean"]["dedup"], body["export"] = {"exact": True, "near": True}, export
    path.write_text(yaml.safe_dump(body), encoding="utf-8")
    kit.corpus.bind_recipe("rows", str(path))
    for stage in (Stage.INGEST, Stage.CLEAN, Stage.AUGMENT):
        kit.corpus.run_stage("rows", stage)


def exported(kit: Any) -> list[dict[str, Any]]:
    kit.corpus.run_stage("rows", Stage.EXPORT)
    (path,) = (kit.settings.home / "exports" / "rows").glob("*.jsonl")
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_rows_of_two_strategies_that_say_the_same_are_told_and_may_be_left_out(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(ROWS, strategies=TWICE)
    comparing(kit, TWICE)
    report = kit.report()
    assert report["succeeded"] == 2 * ROWS and report["repeats"] == {"exact_new_row": ROWS}
    query = "SELECT repeats FROM augmented_rows WHERE repeats IS NOT NULL ORDER BY conversation_id"
    found = [orjson.loads(row[0]) for row in kit.rows_of(query)]
    assert [told["row"] for told in found] == list(range(1, ROWS + 1))
    assert len(exported(kit)) == 3 * ROWS
    comparing(kit, TWICE, repeats="drop")
    rows = exported(kit)
    assert len(rows) == len({orjson.dumps(row) for row in rows}) == 2 * ROWS
    manifest = orjson.loads(kit.rows_of("SELECT manifest FROM exports ORDER BY id DESC")[0][0])
    assert manifest["left_behind"] == {"repeats": ROWS}


def test_what_repeats_nothing_is_not_told(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(ROWS, strategies=["paraphrase"])
    comparing(kit, ["paraphrase"])
    assert kit.report()["succeeded"] == ROWS and kit.report()["repeats"] == {}
