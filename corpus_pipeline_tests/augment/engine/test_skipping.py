"""What no strategy may touch is counted with its reason wherever people look, before and after a run."""

from __future__ import annotations

from typing import Any

import orjson
from click.testing import CliRunner

from corpus_pipeline.cli import cli
from corpus_pipeline.cli.estimate import closing_lines
from corpus_pipeline.cli.run import closing_lines as run_lines
from corpus_pipeline.states import Stage

TOOL = {"type": "function", "function": {"name": "tide", "parameters": {"type": "object", "properties": {}}}}


def called(row: int) -> dict[str, Any]:
    call = {"id": "a", "type": "function", "function": {"name": "tide", "arguments": "{}"}}
    return {
        "tools": [TOOL],
        "messages": [
            {"role": "user", "content": f"When does the tide come in at pier {row}?"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a", "content": "at noon"},
            {"role": "assistant", "content": f"At noon, at pier {row}."},
        ],
    }


def test_rows_that_are_skipped_are_told_with_their_reason(make_kit: Any, monkeypatch: Any) -> None:
    kit = make_kit()
    path = kit.folder / "calls.jsonl"
    path.write_bytes(b"".join(orjson.dumps(called(row)) + b"\n" for row in range(7)))
    kit.corpus.add(path, name="calls", recipe=kit.recipe(strategies=["paraphrase", "self_refine"]))
    for stage in (Stage.INGEST, Stage.CLEAN):
        kit.corpus.run_stage("calls", stage)
    before = kit.corpus.estimate("calls")
    assert [line["skip_reasons"] for line in before["strategies"]] == [{"tools": 7}, {"tools": 7}]
    assert any("skip 7: tool calls 7" in line for line in closing_lines(before))
    kit.run("calls")
    report, status = kit.report("calls"), kit.corpus.status(["calls"])
    assert report["skip_reasons"] == status[0]["stages"]["augment"]["skip_reasons"] == {"tools": 14}
    assert report["warnings"] == ["14 of 14 samples of calls were skipped: tool calls 14"]
    assert status[0]["stages"]["augment"]["warnings"] == report["warnings"]
    assert any("skipped 14 (tool calls 14)" in line for line in run_lines([report], status))
    monkeypatch.setenv("CORPUS_HOME", str(kit.settings.home))
    for command, words in (("report", "skipped: 14 (tool calls 14)"), ("status", "14 samples skipped: tool calls 14")):
        assert words in CliRunner().invoke(cli, [command, "calls"]).output


def test_a_few_skipped_rows_are_counted_and_warn_nobody(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(6, prompt=lambda row: "Why?" if row == 1 else f"How many boats lie at pier {row} of the harbour?",
            strategies=["paraphrase"])  # fmt: skip
    kit.run()
    assert kit.report()["skip_reasons"] == {"too_short": 1} and kit.report()["warnings"] == []


def test_a_list_for_programs_has_every_failed_sample(make_kit: Any, monkeypatch: Any) -> None:
    kit = make_kit(faults={"empty": 1.0})
    kit.add(70, strategies=["paraphrase"], answer_retries=0, completion={"tolerated_failures": 0.985})
    kit.run()
    monkeypatch.setenv("CORPUS_HOME", str(kit.settings.home))
    everyone = CliRunner().invoke(cli, ["failed", "list", "--json"]).stdout.splitlines()
    assert len({orjson.loads(line)["id"] for line in everyone}) == kit.report()["failed"] > 50
    assert len(CliRunner().invoke(cli, ["failed", "list", "--json", "--limit", "60"]).stdout.splitlines()) == 60
