"""Requests to start what is unfinished: made once, refused below a flag, forgotten with the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.service import Corpus
from corpus_pipeline.service.commands import start
from corpus_pipeline.service.queries import progress
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline.store import audit_log, start_requests


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    found = Corpus.open(Settings.from_env({"CORPUS_HOME": str(tmp_path / "home")}))
    for name in ("barley", "millet"):
        path = tmp_path / f"{name}.jsonl"
        path.write_text(f'{{"prompt": "What is {name}?", "response": "A cereal that is called {name}."}}\n' * 3)
        found.add(path)
    return found


def test_a_request_is_made_once_and_noted(corpus: Corpus) -> None:
    assert start.start(corpus.store, ["barley"], Stage.CLEAN, "ann") == ["barley"]
    assert start.start(corpus.store, ["barley"], Stage.CLEAN, "bob") == []
    assert start.start(corpus.store, ["barley"], Stage.INGEST, "bob") == ["barley"]
    (wish, _) = corpus.store.fetch(progress.start_wishes, "barley")
    assert (wish["to"], wish["requested_by"]) == ("clean", "ann")
    notes = corpus.store.fetch(lambda c: audit_log.audit(c, action=start.ACTION))
    assert [(note.who, note.subject) for note in notes] == [("ann", "barley"), ("bob", "barley")]


def test_nothing_is_asked_for_below_a_flag_or_of_strangers(corpus: Corpus) -> None:
    corpus.pause(["barley"], None, False, "the harvest is late")
    with pytest.raises(UsageError, match="the harvest is late"):
        start.start(corpus.store, ["millet", "barley"], Stage.EXPORT, "ann")
    with pytest.raises(UnknownName):
        start.start(corpus.store, ["rice"], Stage.EXPORT, "ann")
    assert corpus.store.fetch(start_requests.waiting) == []


def test_startable_is_what_is_unfinished_and_free(corpus: Corpus) -> None:
    assert corpus.store.fetch(progress.startable, Stage.CLEAN) == ["barley", "millet"]
    for stage in (Stage.INGEST, Stage.CLEAN):
        corpus.run_stage("barley", stage)
    assert corpus.store.fetch(progress.startable, Stage.CLEAN) == ["millet"]
    assert corpus.store.fetch(progress.startable, Stage.EXPORT) == ["barley", "millet"]
    corpus.pause(["millet"], None, False, "not now")
    assert corpus.store.fetch(progress.startable, Stage.EXPORT) == ["barley"]


def test_a_taken_request_waits_no_longer(corpus: Corpus) -> None:
    start.start(corpus.store, ["millet"], Stage.EXPORT, "ann")
    (wish,) = corpus.store.fetch(start_requests.waiting)
    corpus.store.write(lambda c: start_requests.take(c, wish.id, "run-1"))
    assert corpus.store.fetch(start_requests.waiting) == []
    assert start.start(corpus.store, ["millet"], Stage.EXPORT, "ann") == ["millet"]
