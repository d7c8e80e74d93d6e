"""The Python interface does what docs/python.md says, on a corpus that the commands see, too."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

import corpus_pipeline
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline_tests import small_corpus

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
RECIPE = "name: plain\naugment: {strategies: []}\nexport: {include: [cleaned]}\n"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.yaml").write_text(RECIPE)
    pairs = [small_corpus.pair(number) for number in range(12)]
    return small_corpus.write_jsonl(tmp_path / "chats.jsonl", [*pairs, pairs[3], b"{broken"])


def test_the_example_of_the_page_runs(
    source: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CORPUS_HOME", raising=False)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    example = example.replace('consumer="search-team"', 'consumer="search-team", recipe="plain.yaml"')
    source.write_bytes(source.read_bytes().replace(b"{broken\n", b""))
    before = dict(os.environ)
    exec(compile(example, str(PAGE), "exec"), {})
    assert dict(os.environ) == before
    said = capsys.readouterr().out
    assert "chats: done" in said and "exact_duplicate" in said
    assert "my-corpus" in said.splitlines()[-1]


def test_a_run_is_the_commands_run(source: Path, tmp_path: Path) -> None:
    home = tmp_path / "elsewhere"
    gate = tmp_path / "open.yaml"
    gate.write_text(RECIPE.replace("[cleaned]", "[cleaned], gate: {max_rejected: 1}"))
    with corpus_pipeline.open(home) as corpus:
        file = corpus.add(source, recipe=gate, name="talks")
        assert (file.name, file.new, file.rows) == ("talks", True, None)
        (result,) = corpus.run()
        assert result.is_done and result.problem is None and str(result) == "talks: done"
        assert corpus.run("talks")[0].is_done, "what is complete is left alone"
        assert [file.rows for file in corpus.files()] == [13]
        rows = list(corpus.rows("talks", where={"state": "kept"}))
        assert len(rows) == 12 and rows[0]["row"] == "talks:1"
        frame = corpus.frame("talks", where={"state": "dropped"})
        assert list(frame.index) == ["talks:13"]
        (export,) = corpus.exports("talks")
        assert len(Path(export).read_text().splitlines()) == 12
    with Corpus.open(Settings.from_env({"CORPUS_HOME": str(home)})) as seen:
        (status,) = seen.status()
        assert status["stages"]["export"]["status"] == "done"


def test_how_a_run_ends_is_in_its_result(source: Path, tmp_path: Path) -> None:
    with corpus_pipeline.open(tmp_path / "home") as corpus:
        corpus.add(source, recipe="plain.yaml")
        (result,) = corpus.run()  # one line of fourteen is broken
        assert not result.is_done and result.state.stages["export"].status == "blocked"
        assert "export is blocked" in str(result) and "max_rejected" in str(result)
        corpus.pause("chats", stage="clean", reason="wait")
        assert corpus.status("chats")[0].stages["clean"].status == "done"
        corpus.resume("chats", stage="clean")
        assert corpus.exports("chats") == []


def test_what_is_asked_wrongly_is_one_sentence(source: Path, tmp_path: Path) -> None:
    with corpus_pipeline.open(tmp_path / "home") as corpus:
        with pytest.raises(corpus_pipeline.CorpusError, match="chat"):
            corpus.add(tmp_path / "chat.jsonl")
        with pytest.raises(corpus_pipeline.CorpusError, match="unknown dataset file 'chats'"):
            corpus.exports("chats")
        with pytest.raises(corpus_pipeline.CorpusError, match="one of ingest, clean"):
            corpus.run(to="cleaned")  # type: ignore[arg-type]
        corpus.add(source, recipe="plain.yaml")
        with pytest.raises(corpus_pipeline.CorpusError, match="no_such"):
            list(corpus.rows("chats", where={"no_such": "1"}))


def test_names_of_the_package_are_listed() -> None:
    assert {"open", "Corpus", "CorpusError", "CorpusComponent"} <= set(dir(corpus_pipeline))
    assert json.dumps(corpus_pipeline.__version__)
