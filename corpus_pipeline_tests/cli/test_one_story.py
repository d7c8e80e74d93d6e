"""Random mixed files: run, report, rejects, rows, status, pages, manifest, exported files and exit code tell one story.

What must come out is known from what went in, not from the program. `TEST_STORIES=200` tries more of them.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import time
from base64 import b64decode
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from corpus_pipeline.jobs.conservation import account_line
from corpus_pipeline_tests import small_corpus
from corpus_pipeline_tests.cli.conftest import lines, run
from corpus_pipeline_tests.web.conftest import browser

STORIES = int(os.environ.get("TEST_STORIES", "4"))
FORMATS = ("same", "sharegpt", "alpaca", "openai_sft", "trl_messages", "trl_preference_chat", "llama_factory_openai")
BROKEN = (
    b'{"question": "cut',
    b"[1, 2]",
    b"nonsense",
    b'{"question": 1, "answer": NaN}',
    b'{"a": "\xff"}',
    b"null",
    b"{}",
)
BLANK = (b"", b" ", b"\t", b"  \r")


class Story(NamedTuple):
    """A file and what is in it. bad: the bytes of the lines that are no rows, in their order."""

    path: Path
    good: int
    bad: list[bytes]
    blanks: int


def asked(number: int) -> str:
    return f"Which harbour is number {number}, seen from the {small_corpus.THINGS[number % 10]} of {number * 31}?"


def some_row(chance: random.Random, number: int) -> dict[str, Any]:
    """A row that some formats can hold and others cannot; some are dropped by cleaning, some repeat."""
    user = {"role": "user", "content": asked(chance.choice((number, number, number, 1)))}
    answer = {
        "role": "assistant",
        "content": f"Harbour {number} lies {number * 17} miles behind the cape, as far as is known.",
    }
    messages = [user, answer]
    kind = chance.randrange(8)
    if kind == 0:
        messages = [user, {"role": "user", "content": f"I mean number {number}."}, answer]
    elif kind == 1:
        messages = [user, answer, {"role": "user", "content": "Are you sure?"}]
    elif kind == 2:
        messages = [user, {**answer, "content": ""}]
    elif kind == 3:
        messages = [{"role": "system", "content": "Be brief."}, user, answer]
    elif kind == 4:
        call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"n": 1}'}}
        messages = [user, {"role": "assistant", "content": None, "tool_calls": [call]}]
    return {"messages": messages, **({"topic": number} if kind == 5 else {})}


def written(folder: Path, chance: random.Random) -> Story:
    rows = [json.dumps(some_row(chance, number)).encode() for number in range(1, chance.randrange(12, 60))]
    bad = [chance.choice(BROKEN) for _ in range(chance.choice((0, 0, 1, 3, 8)))]
    empty = [chance.choice(BLANK) for _ in range(chance.choice((0, 1, 5)))]
    every = [*((row, "good") for row in rows), *((one, "bad") for one in bad), *((one, "blank") for one in empty)]
    head, rest = every[:10], every[10:]  # what a file is must be seen from its first lines
    chance.shuffle(rest)
    content = b"".join(line + chance.choice((b"\n", b"\r\n")) for line, _ in (*head, *rest))
    path = folder / ("story.jsonl.gz" if chance.random() < 0.3 else "story.jsonl")
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return Story(path, len(rows), [line for line, kind in rest if kind == "bad"], len(empty))


@pytest.mark.parametrize("seed", range(STORIES))
def test_all_tell_the_same_story(fresh: dict[str, str], tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    story, format = written(tmp_path, chance), chance.choice(FORMATS)
    gate = chance.choice(("{}", "{max_rejected: 1.0}", "{max_rejected: 1.0, max_not_exportable: 1000}"))
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"name: story\naugment: {{strategies: []}}\nexport: {{format: {format}, gate: {gate}}}\n")
    assert run(fresh, "add", str(story.path), "--name", "story", "--recipe", str(recipe)).returncode == 0
    done = run(fresh, "run", "story")
    code = done.returncode

    (status,) = json.loads(run(fresh, "status", "story", "--json").stdout)["files"]
    counts = {key: status[key] for key in ("lines", "conversations", "rejects", "blanks")}
    whole = {
        "lines": story.good + len(story.bad) + story.blanks,
        "conversations": story.good,
        "rejects": len(story.bad),
        "blanks": story.blanks,
    }
    assert counts == whole

    reports = {report["stage"]: report for report in lines(run(fresh, "report", "story", "--json"))}
    account = reports["export"]["account"]
    assert account["balanced"] and account["rows_in"] == story.good
    assert {**account["lines"], "rejects": sum(account["lines"]["rejects"].values())} == whole
    assert all(report["account"] == account for report in reports.values() if "account" in report)
    assert account_line(account) in run(fresh, "report", "story").stdout

    listed = lines(run(fresh, "rejects", "story", "--json"))
    assert [b64decode(row["raw_base64"]) if "raw_base64" in row else row["raw"].encode() for row in listed] == story.bad
    withheld = lines(
        run(fresh, "rows", "story", "--stage", "export", "--where", "exportable=false", "--limit", "1000", "--json")
    )
    assert len(withheld) == sum(account["not_exportable"].values())

    folder = Path(fresh["CORPUS_HOME"]) / "exports" / "story"
    over_rejects = gate == "{}" and len(story.bad) > 0.01 * (story.good + len(story.bad))
    over_withheld = "max_not_exportable" not in gate and withheld
    ready = account["exported"] + account["held"]
    refused = bool(over_rejects or over_withheld or not ready)
    assert code == (3 if refused else 0), done.stderr
    assert (status["stages"]["export"]["status"] == "blocked") is refused
    assert folder.exists() is not refused and (account["exported"] == 0) is refused
    with small_corpus.opened(Path(fresh["CORPUS_HOME"])) as corpus:
        client = browser(corpus)
        while (page := client.get("/files/story/reports.json").json())["counting"]:
            time.sleep(0.05)
        told = next(report for report in page["reports"] if report["stage"] == "export")
        assert told["account"] == account
        own = client.get("/files/story.json").json()["file"]
        assert {key: own[key] for key in whole} == whole
        assert (own["stages"]["export"]["status"] == "blocked") is refused
        assert account_line(account) in client.get("/files/story/reports").text
    if refused:
        assert "max_rejected" in done.stderr or "max_not_exportable" in done.stderr or "min_rows" in done.stderr
        return
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["account"] == account and manifest["not_exportable"] == account["not_exportable"]
    assert manifest["stages"]["ingest"] == whole
    for role, number in (("data", account["exported"]), ("not_exportable", len(withheld))):
        held = [file for file in manifest["files"] if file["role"] == role]
        assert sum(file["lines"] for file in held) == number
        assert sum(len((folder / file["path"]).read_bytes().splitlines()) for file in held) == number
