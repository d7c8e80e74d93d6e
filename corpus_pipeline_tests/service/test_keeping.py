"""Duplicates beside their keepers, and rows that a person keeps although cleaning drops or changes them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from corpus_pipeline.cli import cli
from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.service import Corpus
from corpus_pipeline.states import Stage
from corpus_pipeline.store.invariants import violations
from corpus_pipeline.web import Options, create_app
from corpus_pipeline_tests import small_corpus

RECIPE = """
clean:
  rules: [whitespace, {length_bounds: {min_response_characters: 4}}, personal_data]
  dedup: {scope: SCOPE}
augment: {model: corpus-stub, strategies: [paraphrase]}
"""
SHORT, REPEATED = 9, 10  # row numbers


def records() -> list[dict[str, str]]:
    rows = [small_corpus.pair(number) for number in range(1, 9)]
    rows.append({"question": "Which mail address does the mill have, and is it short?", "answer": "No"})
    rows.append({"question": rows[2]["question"] + "  ", "answer": rows[2]["answer"]})
    return rows


@pytest.fixture
def corpus(tmp_path: Path, database_url: str):
    recipe = tmp_path / "keep.yaml"
    # each scope on one database: what is kept is decided above both
    scope = "file" if database_url.startswith("sqlite") else "corpus"
    recipe.write_text(RECIPE.replace("SCOPE", scope))
    source = small_corpus.write_jsonl(tmp_path / "mill.jsonl", records())
    with small_corpus.opened(tmp_path / "home", CORPUS_DATABASE_URL=database_url) as opened:
        opened.add(source, recipe=str(recipe), format="question_answer")
        small_corpus.run_path(opened, "mill")
        yield opened


def exported(corpus: Corpus) -> list[str]:
    path = corpus.settings.home / "exports" / "mill" / "mill.jsonl"
    return [json.loads(line)["question"] for line in path.read_text().splitlines()]


def numbers(corpus: Corpus, **where: str) -> list[int]:
    return [row["number"] for row in corpus.rows("mill", Stage.CLEAN, where=where, limit=100).rows]


def calls(corpus: Corpus) -> int:
    return sum(group["calls"] for group in corpus.cost("file"))


def test_a_duplicate_stands_beside_its_keeper_with_what_differs(corpus: Corpus) -> None:
    (entry,) = corpus.duplicates("mill")["duplicates"]
    assert (entry["row"], entry["keeper"], entry["kind"]) == (f"mill:{REPEATED}", "mill:3", "exact")
    assert entry["differences"] == [] and entry["turns"] == entry["keeper_turns"]
    assert numbers(corpus, state="dropped", changed="whitespace") == [REPEATED]
    assert corpus.duplicates("mill", sort="difference")["duplicates"] == [entry]
    with pytest.raises(UnknownName):
        corpus.duplicates("mill", sort="colour")


def test_kept_rows_go_out_over_new_cleanings_until_it_is_undone(corpus: Corpus) -> None:
    before, paid = exported(corpus), calls(corpus)
    assert numbers(corpus, state="dropped") == [SHORT, REPEATED]
    kept = corpus.acting_as("ina").keep([f"mill:{SHORT}", f"mill:{REPEATED}"], "a person says so")
    assert kept.run == ["mill"] and [row["by"] for row in corpus.kept_anyway("mill")] == ["ina", "ina"]
    for _ in range(2):  # over a new cleaning, too
        small_corpus.run_path(corpus, "mill")
        assert numbers(corpus, state="dropped") == [] and numbers(corpus, tag="kept_anyway") == [SHORT]
        assert len(exported(corpus)) == len(before) + 4  # two rows and what was made of them
        assert numbers(corpus, changed="whitespace") == [REPEATED]  # what was dropped is kept as rules leave it
        assert corpus.store.fetch(violations) == []
        corpus.redo("mill", Stage.CLEAN)
    assert calls(corpus) == paid + 1  # the repeated row has the answer of its keeper
    small_corpus.run_path(corpus, "mill")
    corpus.keep([f"mill:{REPEATED}"], "it is one, after all", undo=True)
    small_corpus.run_path(corpus, "mill")
    assert numbers(corpus, state="dropped") == [REPEATED] and corpus.store.fetch(violations) == []
    assert [entry["action"] for entry in actions(corpus)] == ["keep", "keep undone"]


def test_what_the_next_run_decides_again_is_said(corpus: Corpus) -> None:
    assert corpus.duplicates("mill")["decided"]
    corpus.keep([f"mill:{SHORT}"], "a person says so")
    listed = corpus.duplicates("mill")
    assert not listed["decided"] and listed["duplicates"] == []
    with pytest.raises(UsageError, match="corpus run mill --to clean"):
        corpus.keep([f"mill:{REPEATED}"], "another voice")
    small_corpus.run_path(corpus, "mill")
    corpus.keep([f"mill:{REPEATED}"], "another voice")
    assert len(corpus.kept_anyway("mill")) == 2


def actions(corpus: Corpus) -> list[dict[str, Any]]:
    from corpus_pipeline.service.queries import progress

    page = corpus.store.fetch(progress.audit_page, who=None, action=None, before=None, limit=100)
    return [entry for entry in reversed(page["entries"]) if entry["action"].startswith("keep")]


@pytest.mark.parametrize(
    ("rows", "undo", "says"),
    [
        (["mill:1"], False, "nothing to keep it from"),
        (["mill:77"], False, "unknown row"),
        (["mill:10"], True, "is not kept by anybody"),
        (["mill"], False, "no row"),
    ],
)
def test_a_keeping_that_makes_no_sense_changes_nothing(corpus: Corpus, rows: list[str], undo: bool, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        corpus.keep([f"mill:{SHORT}", *rows], "because", undo=undo)
    assert corpus.kept_anyway("mill") == [] and not corpus.incomplete_stages("mill")


def test_a_purged_row_is_kept_by_nobody(corpus: Corpus) -> None:
    corpus.keep([f"mill:{REPEATED}"], "asked for Ms Orla Quint")
    small_corpus.run_path(corpus, "mill")
    corpus.purge("mill", [REPEATED], reason="on request")
    assert corpus.kept_anyway("mill") == []


def test_a_row_that_a_rule_changed_is_kept_as_its_source_brought_it(tmp_path: Path) -> None:
    brought = small_corpus.pair(2)["question"].replace("workshop", "work\x07shop\n\n\n\n\n") + "  "
    source = [small_corpus.pair(number) for number in (1, 2, 3)]
    source[1]["question"], source[2]["question"] = brought, source[2]["question"] + " Ask orla.quint@mill-works.net  "
    recipe = tmp_path / "keep.yaml"
    recipe.write_text("clean: {rules: [control_characters, whitespace, personal_data]}")
    with small_corpus.opened(tmp_path / "home") as corpus:
        corpus.add(
            small_corpus.write_jsonl(tmp_path / "mill.jsonl", source), recipe=str(recipe), format="question_answer"
        )
        small_corpus.run_path(corpus, "mill")
        client = TestClient(create_app(corpus, Options()), base_url="http://127.0.0.1:8787")
        assert (numbers(corpus, changed="control_characters"), numbers(corpus, changed="whitespace")) == ([2], [2, 3])
        assert "<option >whitespace</option>" in client.get("/files/mill/rows").text
        with pytest.raises(UsageError, match="mill:3 holds what personal_data masks"):
            corpus.keep(["mill:2", "mill:3"], "the bell is what it is about")
        assert corpus.kept_anyway("mill") == []

        page = client.get("/files/mill/rows/2").text
        assert "Keep unchanged from the source" in page
        assert "Keep unchanged from the source" not in client.get("/files/mill/rows/1").text
        (csrf,) = set(re.findall(r'name="csrf" value="([0-9a-f]+)"', page))
        fields = {"csrf": csrf, "row": "mill:2", "reason": "the bell is what it is about", "back": "/files"}
        done = client.post("/keep", data=fields, headers={"Origin": "http://127.0.0.1:8787"})
        assert done.status_code == 200 and "Unchanged from the source: mill:2" in done.text
        small_corpus.run_path(corpus, "mill")
        sources = exported(corpus)[::2]  # beside each, what a model made of it
        assert sources[1] == brought and "[EMAIL]" in sources[2]
        corpus.redo("mill", Stage.CLEAN)
        small_corpus.run_path(corpus, "mill", Stage.CLEAN)
        assert numbers(corpus, changed="control_characters") == [] and numbers(corpus, changed="whitespace") == [3]
        (report,) = corpus.report("mill", Stage.CLEAN)
        assert (report["changed"], report["tags"]) == (1, {"kept_unchanged": 1})
        assert corpus.store.fetch(violations) == []
        page = client.get("/files/mill/rows/2").text
        assert "kept unchanged from the source" in page and "Keep unchanged from the source" not in page
        environment = {"CORPUS_HOME": str(corpus.settings.home)}
        listed = CliRunner().invoke(cli, ["duplicates", "mill", "--kept-anyway"], env=environment)
        assert "mill:2  kept unchanged from the source by" in listed.stdout
        with pytest.raises(UsageError, match="nothing to keep it from"):
            corpus.keep(["mill:1"], "because")

        corpus.keep(["mill:2"], "mend it, after all", undo=True)
        small_corpus.run_path(corpus, "mill")
        mended = brought.replace("\x07", "").replace("\n" * 5, "\n" * 3).rstrip()
        assert numbers(corpus, changed="control_characters") == [2] and exported(corpus)[2] == mended
        assert [entry["action"] for entry in actions(corpus)] == ["keep", "keep undone"]
        assert actions(corpus)[0]["detail"]["unchanged_by"] == {"2": ["control_characters", "whitespace"]}


def test_the_commands_say_what_they_did(tmp_path: Path) -> None:
    source = small_corpus.write_jsonl(tmp_path / "mill.jsonl", records())
    environment = os.environ | {"CORPUS_HOME": str(tmp_path / "home"), "NO_COLOR": "1"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("corpus")), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    run("add", str(source), "--format", "question_answer")
    run("run", "mill", "--to", "clean")
    listed = run("duplicates", "mill", "--json")
    assert [json.loads(line)["row"] for line in listed.stdout.splitlines()] == [f"mill:{REPEATED}"]
    assert "repeats mill:3" in run("duplicates", "mill", "--sort", "difference").stdout
    kept = run("keep", f"mill:{REPEATED}", "--reason", "another voice")
    assert kept.returncode == 0 and "corpus run mill" in kept.stderr
    run("run", "mill", "--to", "clean")
    assert "no row of mill" in run("duplicates", "mill").stderr
    assert "another voice" in run("duplicates", "mill", "--kept-anyway").stdout
