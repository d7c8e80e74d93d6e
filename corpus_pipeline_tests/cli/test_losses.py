"""Nothing is lost in silence: run, report, status, manifest and exit code tell the same story of every line and row."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from corpus_pipeline_tests.cli.conftest import lines, pair, run, write_jsonl

PLAIN = "clean: {dedup: {exact: false, near: false}, rules: []}\naugment: {strategies: []}\n"
TWO_IN_A_ROW = [{"role": "assistant", "content": "Who is there?"}, {"role": "user", "content": "Nobody."}]


def talk(number: int) -> dict[str, Any]:
    asked = {"role": "user", "content": f"Which is harbour {number}?"}
    return {"messages": [asked, {"role": "assistant", "content": f"Harbour {number} is by the sea."}]}


def recipe(folder: Path, text: str, name: str = "plain") -> str:
    path = folder / f"{name}.yaml"
    path.write_text(f"name: {name}\n{text}")
    return str(path)


def export_status(env: dict[str, str], name: str) -> dict[str, Any]:
    (file,) = json.loads(run(env, "status", name, "--json").stdout)["files"]
    return file["stages"]["export"]


def reports(env: dict[str, str], name: str) -> dict[str, dict[str, Any]]:
    return {report["stage"]: report for report in lines(run(env, "report", name, "--json"))}


def exported(folder: Path, name: str) -> list[Any]:
    path = folder / "home" / "exports" / name / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_rejected_lines_hold_the_export_and_are_listed_with_place_reason_and_bytes(
    fresh: dict[str, str], tmp_path: Path
) -> None:
    good = [pair(n) for n in range(1, 9)]
    write_jsonl(tmp_path / "sums.jsonl", [*good[:4], b'{"question": "cut', b"", *good[4:], b'{"a": "\xff"}'])
    plain = recipe(tmp_path, PLAIN)
    run(fresh, "add", str(tmp_path / "sums.jsonl"), "--recipe", plain)
    done = run(fresh, "run")
    assert done.returncode == 3 and "2 of 10 records" in done.stderr and "corpus rejects sums" in done.stderr
    assert export_status(fresh, "sums")["status"] == "blocked"
    assert "max_rejected" in export_status(fresh, "sums")["reason"]
    listed = lines(run(fresh, "rejects", "sums", "--json"))
    assert [(row["row"], row["line"], row["reason"]) for row in listed] == [
        ("sums:5", 5, "broken_json"),
        ("sums:11", 11, "invalid_utf8"),
    ]
    assert listed[0]["raw"] == '{"question": "cut' and "raw_base64" in listed[1]
    assert lines(run(fresh, "rows", "sums", "--where", "state=rejected", "--json")) == listed
    (only,) = lines(run(fresh, "rejects", "sums", "--where", "reason=invalid_utf8", "--json"))
    assert only == listed[1]
    told = reports(fresh, "sums")
    assert told["ingest"]["blank_lines"] == 1 and told["ingest"]["total"] == 8 + 2 + 1
    assert "blank" in run(fresh, "report", "sums").stdout
    allowed = recipe(tmp_path, PLAIN + "export: {gate: {max_rejected: 0.2}}\n")
    assert run(fresh, "recipe", "check", allowed, "--bind", "sums").returncode == 0
    assert run(fresh, "run").returncode == 0, "a raised gate is the same task: nothing is worked again"
    assert exported(tmp_path, "sums") == good


def test_rows_that_a_format_cannot_hold_are_told_before_and_hold_the_export(
    fresh: dict[str, str], tmp_path: Path
) -> None:
    odd = {"messages": [{"role": "user", "content": "Hello?"}]}
    write_jsonl(tmp_path / "talks.jsonl", [*map(talk, range(1, 7)), odd])
    run(fresh, "add", str(tmp_path / "talks.jsonl"), "--recipe", recipe(tmp_path, PLAIN))
    assert run(fresh, "run").returncode == 0
    before = exported(tmp_path, "talks")
    other = recipe(tmp_path, PLAIN + "export: {format: sharegpt}\n", "other")
    told = run(fresh, "recipe", "check", other, "--bind", "talks").stderr
    assert "1 of all 7 rows of talks cannot be written as sharegpt" in told
    done = run(fresh, "run")
    assert done.returncode == 3 and "1 of 7 rows cannot be written as sharegpt" in done.stderr
    assert exported(tmp_path, "talks") == before
    report = reports(fresh, "talks")["export"]
    assert (report["total"], report["succeeded"], report["not_exportable"], report["held"]) == (7, 0, 1, 6)
    assert report["account"]["balanced"] and report["account"]["rows_in"] == 7
    state = export_status(fresh, "talks")
    assert (state["status"], state["dropped"]) == ("blocked", 1)
    (row,) = lines(run(fresh, "rows", "talks", "--stage", "export", "--where", "exportable=false", "--json"))
    assert row["row"] == "talks:7" and row["reason"]
    allowed = recipe(tmp_path, PLAIN + "export: {format: sharegpt, gate: {max_not_exportable: 1}}\n", "other")
    run(fresh, "recipe", "check", allowed, "--bind", "talks")
    assert run(fresh, "run").returncode == 0
    assert len(exported(tmp_path, "talks")) == 6
    manifest = json.loads((tmp_path / "home" / "exports" / "talks" / "manifest.json").read_text())
    assert manifest["account"]["exported"] == 6 and sum(manifest["account"]["not_exportable"].values()) == 1
    assert manifest["tolerated"]["not_exportable"] == {"count": 1, "limit": 1}


def test_an_export_without_rows_never_takes_the_place_of_a_good_one(fresh: dict[str, str], tmp_path: Path) -> None:
    write_jsonl(tmp_path / "talks.jsonl", map(talk, range(1, 5)))
    run(fresh, "add", str(tmp_path / "talks.jsonl"), "--recipe", recipe(tmp_path, PLAIN))
    run(fresh, "run")
    other = recipe(tmp_path, PLAIN + "export: {format: trl_preference, gate: {max_not_exportable: 9}}\n", "other")
    run(fresh, "recipe", "check", other, "--bind", "talks", "--anyway")
    done = run(fresh, "run")
    assert done.returncode == 3 and "min_rows" in done.stderr
    assert len(exported(tmp_path, "talks")) == 4


@pytest.mark.parametrize("gone", ["everything", "the file alone", "cut"])
def test_an_export_is_complete_only_where_its_file_is(fresh: dict[str, str], tmp_path: Path, gone: str) -> None:
    write_jsonl(tmp_path / "talks.jsonl", map(talk, range(1, 5)))
    run(fresh, "add", str(tmp_path / "talks.jsonl"), "--recipe", recipe(tmp_path, PLAIN))
    run(fresh, "run")
    place = tmp_path / "home" / "exports" / "talks" / "talks.jsonl"
    content = place.read_bytes()
    if gone == "everything":
        shutil.rmtree(tmp_path / "home" / "exports")
    elif gone == "the file alone":
        place.unlink()
    else:
        place.unlink()
        place.write_bytes(content[:10])
    if gone != "cut":
        state = export_status(fresh, "talks")
        assert state["status"] == "pending" and str(place) in state["reason"]
    assert run(fresh, "run").returncode == 0
    assert place.read_bytes() == content
    assert export_status(fresh, "talks")["status"] == "done"


def test_many_near_duplicates_are_warned_of_and_too_many_dropped_rows_hold_the_export(
    fresh: dict[str, str], tmp_path: Path
) -> None:
    once = [pair(n) for n in range(1, 4)]
    marked = [row | {"question": mark.format(row["question"])} for mark in ("**{}**", "# {}", "> {}") for row in once]
    write_jsonl(tmp_path / "sums.jsonl", [*once, *marked])
    exact = recipe(tmp_path, "clean: {rules: []}\naugment: {strategies: []}\n")
    run(fresh, "add", str(tmp_path / "sums.jsonl"), "--recipe", exact)
    done = run(fresh, "run")
    assert done.returncode == 3 and "9 of 12 rows were dropped by cleaning" in done.stderr
    assert "corpus duplicates sums" in done.stderr and "warning:" in done.stderr
    (file,) = json.loads(run(fresh, "status", "--json").stdout)["files"]
    assert any("75%" in warning for warning in file["stages"]["clean"]["warnings"])
    assert reports(fresh, "sums")["clean"]["drop_shares"] == {"near_duplicate": 0.75}


def test_a_binding_says_how_many_rows_fit_and_that_none_does(fresh, tmp_path: Path) -> None:
    rows = [
        *(talk(n) for n in range(150)),
        *({"messages": [*talk(n)["messages"], TWO_IN_A_ROW[1]]} for n in range(250)),
    ]
    run(fresh, "add", str(write_jsonl(tmp_path / "talks.jsonl", rows)))
    pairs = recipe(tmp_path, PLAIN + "export: {format: trl_preference_chat}\n", "pairs")
    plain = recipe(tmp_path, PLAIN + "export: {format: alpaca}\n", "flat")
    for read in (False, True):
        if read:
            run(fresh, "run", "talks", "--to", "ingest")
        which = "all 400" if read else "the first 400"
        none = run(fresh, "recipe", "check", pairs, "--bind", "talks")
        assert f"400 of {which} rows of talks cannot be written as trl_preference_chat" in none.stderr
        assert "no_preference 150" in none.stderr and "nothing of talks could be exported" in none.stderr
        assert none.returncode == 2 and "is bound" not in none.stderr
        some = run(fresh, "recipe", "check", plain, "--bind", "talks")
        assert f"250 of {which} rows" in some.stderr and "no_answer 250" in some.stderr
    assert "talks is bound to it" in run(fresh, "recipe", "check", pairs, "--bind", "talks", "--anyway").stderr
    added = run(fresh, "add", str(write_jsonl(tmp_path / "more.jsonl", rows[:20])), "--recipe", pairs)
    assert added.returncode == 0 and "20 of the first 20 rows of more cannot be written" in added.stderr
    # what a strategy makes of a row may fit where the row does not
    new = recipe(
        tmp_path,
        "augment: {model: m, strategies: [best_and_worst]}\nexport: {format: trl_preference_chat, include: [augmented]}\n",
        "new",
    )
    bound = run(fresh, "recipe", "check", new, "--bind", "talks")
    assert bound.returncode == 0 and "talks is bound to it" in bound.stderr and "cannot be written" not in bound.stderr
