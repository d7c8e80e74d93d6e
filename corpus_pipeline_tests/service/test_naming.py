"""Names of files that are registered together: none meet, and they are the same ones the next time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus_pipeline.cli import cli
from corpus_pipeline.errors import SourceChanged
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings


@pytest.fixture
def corpus(tmp_path: Path) -> Iterator[Corpus]:
    with Corpus.open(Settings.from_env({"CORPUS_HOME": str(tmp_path / "home")})) as opened:
        yield opened


def rows(path: Path, word: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"question": word, "answer": word}) + "\n")
    return path


def test_names_that_meet_get_the_kind_or_a_number_and_stay(corpus: Corpus, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    paths = [rows(folder / name, name) for name in ("a b.jsonl", "a_b.jsonl", "c.json", "c.jsonl", "d.jsonl")]
    names = corpus.names_for(paths)
    assert names == ["a_b_jsonl", "a_b_jsonl-2", "c_json", "c_jsonl", "d"]
    for path, name in zip(paths, names, strict=True):
        assert corpus.add(path, name=name).new
    assert corpus.names_for(paths) == names and corpus.names_for(paths[::-1]) == names[::-1]
    more = rows(folder / "c.ndjson", "more")
    assert corpus.names_for([*paths, more]) == [*names, "c_ndjson"]


def test_a_name_of_another_file_is_not_taken_and_one_that_moved_keeps_its_own(corpus: Corpus, tmp_path: Path) -> None:
    first = rows(tmp_path / "one" / "c.jsonl", "first")
    corpus.add(first)
    other, fresh = rows(tmp_path / "two" / "c.jsonl", "other!"), rows(tmp_path / "two" / "e.jsonl", "e")
    assert corpus.names_for([other, fresh]) == ["c-2", "e"]
    moved = first.rename(tmp_path / "two" / "c.jsonl")
    assert corpus.names_for([moved, fresh]) == ["c", "e"]


def test_printed_commands_can_be_pasted(corpus: Corpus, tmp_path: Path) -> None:
    path = rows(tmp_path / "in" / "it's; rm.jsonl", "first")
    corpus.add(path)
    rows(path, "another")
    with pytest.raises(SourceChanged, match=r"corpus add '.*it'\"'\"'s; rm\.jsonl' --name"):
        corpus.add(path)


def test_which_names_met_is_said_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CORPUS_HOME", str(tmp_path / "home"))
    for name in ("a b.jsonl", "a_b.jsonl", "d.jsonl"):
        rows(tmp_path / "in" / name, name)
    for said in ("a_b would be the name of several files: a b.jsonl is a_b_jsonl, a_b.jsonl is a_b_jsonl-2", None):
        cli.main(["add", str(tmp_path / "in")], standalone_mode=False)
        words = capsys.readouterr().err
        assert (said in words) if said else ("several files" not in words), "what is known already has its name"
