"""A row that somebody asked us to remove: it goes with all that was made from it, stays out, and is reported."""

from __future__ import annotations

import dataclasses

import orjson
import pytest
from sqlalchemy import select

from corpus_pipeline.errors import LeaseHeld, UnknownName, UsageError
from corpus_pipeline.jobs import remote
from corpus_pipeline.model import conversation_id
from corpus_pipeline.states import Stage
from corpus_pipeline.store import audit_log, failed_samples, leases
from corpus_pipeline.store.invariants import violations
from corpus_pipeline.store.schema import metadata
from corpus_pipeline_tests import small_corpus
from corpus_pipeline_tests.servers import files

RECIPE = """
name: purge
clean: {gate: {max_dropped: 1}}
augment:
  model: corpus-stub
  strategies: [paraphrase, self_refine]
export:
  gate: {max_failed: 10, max_rejected: 1, min_rows: 0}
"""
SECRET = "Zacharias Quux of Nowhere"  # its letters stand nowhere else


def rows(number: int) -> list[object]:
    secret = {
        "question": f"What did {SECRET} lend to the mill in the year of the flood?",
        "answer": f"A boat of {SECRET}.",
    }
    plain = [small_corpus.pair(n) for n in range(1, number)]
    return [*plain[:4], secret, *plain[4:], secret, b'{"question": "cut off by ' + SECRET.encode()]


@pytest.fixture
def corpus(tmp_path, database_url):
    recipe = tmp_path / "purge.yaml"
    recipe.write_text(RECIPE)
    with small_corpus.opened(tmp_path / "home", CORPUS_DATABASE_URL=database_url) as opened:
        opened.add(
            small_corpus.write_jsonl(tmp_path / "a.jsonl", rows(12)), recipe=str(recipe), format="question_answer"
        )
        yield opened


def found(corpus, text: str) -> list[str]:
    """Where a text stands in the database: table and column."""
    hits = []
    for table in metadata.sorted_tables:
        for row in corpus.store.fetch(lambda c, table=table: c.execute(select(table)).mappings().all()):
            hits += [f"{table.name}.{key}" for key, value in row.items() if text in _text(value)]
    return sorted(set(hits))


def _text(value) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def fail_with_the_secret(corpus) -> None:
    task = corpus.work("a", Stage.AUGMENT).task
    key = (conversation_id(corpus.files(["a"])[0].id, 5), "paraphrase", 7)
    sample = failed_samples.Failure(
        key, None, "refused", f"no: {SECRET}", orjson.dumps([SECRET]).decode(), SECRET, "m", 1
    )
    corpus.store.write(lambda c: failed_samples.record(c, corpus.store.backend, task.id, Stage.AUGMENT, [sample]))


def sound(corpus) -> None:
    assert corpus.store.fetch(violations) == []


def test_what_is_purged_is_nowhere_and_the_next_run_exports_without_it(corpus, tmp_path):
    small_corpus.run_path(corpus, "a")
    fail_with_the_secret(corpus)
    assert corpus.show("a:5")["exported"] and found(corpus, SECRET)
    report = corpus.purge("a", [5, 13, 14], reason="request 7")
    sound(corpus)
    assert found(corpus, SECRET) == []
    assert [row["was"] for row in report["rows"]] == ["a conversation", "a conversation", "a rejected line"]
    assert report["removed"]["answers"] >= 3 and report["removed"]["augmented_rows"] >= 2
    assert report["removed"]["failed_samples"] == 1 and report["removed"]["reviews"] >= 1
    (export,) = report["exports"]
    lines = corpus.target.open("a").read().splitlines()
    assert {number for number, line in enumerate(lines, 1) if SECRET.encode() in line} <= set(export["lines"])
    assert [entry["state"] for entry in export["objects"]] == ["current"]
    assert str(tmp_path / "a.jsonl") in " ".join(report["left"]) and "line 5 " in " ".join(report["left"])
    assert report["next"] == "corpus run a"
    small_corpus.run_path(corpus, "a")
    sound(corpus)
    assert SECRET.encode() not in corpus.target.open("a").read()
    again = corpus.purge("a", [5], reason="request 7")
    assert again["rows"][0]["was"] == "purged before" and again["removed"] == {}
    assert [entry["state"] for entry in again["exports"][0]["objects"]] == ["removed"]
    files = [path for path in (tmp_path / "home" / "exports").rglob("*") if path.is_file()]
    assert files and not any(SECRET.encode() in path.read_bytes() for path in files)


def test_an_export_at_another_place_is_said_to_be_left(corpus, tmp_path):
    small_corpus.run_path(corpus, "a")
    (tmp_path / "elsewhere").mkdir()
    moved = dataclasses.replace(corpus.settings, export_url=str(tmp_path / "elsewhere"))
    with type(corpus).open(moved) as there:
        small_corpus.run_path(there, "a")
        report = there.purge("a", [5], reason="request 7")
        old = [line for line in report["left"] if line.startswith(str(corpus.settings.home / "exports"))]
        assert len(old) == 1 and "if it is still there" in old[0] and report["next"] == "corpus run a"
        small_corpus.run_path(there, "a")
        again = there.purge("a", [5], reason="request 7")
        assert again["next"] is None and old[0] in again["left"]


def test_the_copy_of_a_file_from_elsewhere_goes_and_a_later_run_makes_it_again(tmp_path):
    source = small_corpus.write_jsonl(tmp_path / "a.jsonl", rows(12)).read_bytes()
    with files.running() as server, small_corpus.opened(tmp_path / "home") as corpus:
        server.files["/a.jsonl"] = source
        address = f"{server.url}/a.jsonl"
        corpus.add(address, format="question_answer")
        corpus.run_stage("a", Stage.INGEST)
        downloads = remote.Copies(corpus.settings.downloads_folder)
        (one,) = remote.listed(address, corpus.settings)
        with downloads.copying(one) as copy:
            copy.part.write_bytes(source[:1000])  # of a newer version, whose copying broke off
            busy = corpus.purge("a", [5], reason="request 7")
        assert [line for line in busy["left"] if line.startswith(str(copy.part))]
        report = corpus.purge("a", [5, 13, 14], reason="request 7")
        held = [path for path in corpus.settings.downloads_folder.rglob("*") if path.is_file()]
        assert [path for path in held if SECRET.encode() in path.read_bytes()] == []
        assert not copy.part.exists() and str(copy.part) not in " ".join(report["left"])
        assert (busy["removed"]["downloads"], report["removed"]["downloads"]) == (1, 1)  # the copy, then what was begun
        kept = corpus.store.fetch(lambda c: audit_log.actions(c, ["purge files"], since=0))
        assert [orjson.loads(one.detail)["downloads"] for one in kept] == [1, 1]
        assert [orjson.loads(one.detail)["report"] for one in kept] == [busy["report"], report["report"]]
        assert any("other hosts" in line and address in line for line in report["left"])
        corpus.redo("a", Stage.INGEST)
        corpus.run_stage("a", Stage.INGEST)
        sound(corpus)
        assert found(corpus, SECRET) == []
        assert corpus.files(["a"])[0].conversations == 13


def test_reading_the_same_file_again_keeps_it_out(corpus, tmp_path):
    small_corpus.run_path(corpus, "a", Stage.CLEAN)
    corpus.purge("a", [5, 13, 14], reason="request 7")
    corpus.redo("a", Stage.INGEST)
    small_corpus.run_path(corpus, "a", Stage.CLEAN)
    twin = tmp_path / "b.jsonl"
    twin.write_bytes((tmp_path / "a.jsonl").read_bytes())
    corpus.add(twin, format="question_answer")
    corpus.run_stage("b", Stage.INGEST)
    sound(corpus)
    assert found(corpus, SECRET) == []
    assert corpus.files(["a"])[0].conversations == 13  # its line stays counted


def test_a_row_that_is_not_ingested_yet_never_comes_in(corpus):
    report = corpus.purge("a", [5, 13, 14], reason="request 7")
    assert {row["was"] for row in report["rows"]} == {"not ingested yet"}
    small_corpus.run_path(corpus, "a", Stage.CLEAN)
    sound(corpus)
    assert found(corpus, SECRET) == []


def test_a_duplicate_of_a_purged_row_comes_back_and_is_augmented(corpus):
    small_corpus.run_path(corpus, "a")
    assert corpus.show("a:13")["cleaned"]["reason"] == "exact_duplicate"
    report = corpus.purge("a", [5], reason="request 7")
    assert report["repeated_by"] == ["a:13"] and report["copies"] == ["a:13"] and report["again"] == ["a"]
    sound(corpus)
    small_corpus.run_path(corpus, "a")
    sound(corpus)
    back = corpus.show("a:13")
    assert back["cleaned"]["state"] == "kept" and len(back["augmented"]) == 2
    assert {place["superseded"] for place in back["exported"]} == {False}
    assert corpus.incomplete_stages("a") == []


def test_copies_go_with_it_when_they_are_asked_for(corpus):
    small_corpus.run_path(corpus, "a", Stage.CLEAN)
    report = corpus.purge("a", [5], reason="request 7", copies=True)
    assert [row["row"] for row in report["rows"]] == ["a:5", "a:13"] and report["copies"] == []
    sound(corpus)


def test_an_answer_that_a_row_of_the_same_content_is_made_of_stays(corpus, tmp_path):
    small_corpus.run_path(corpus, "a")
    recipe = tmp_path / "purge.yaml"
    corpus.add(small_corpus.write_jsonl(tmp_path / "c.jsonl", rows(3)), recipe=str(recipe), format="question_answer")
    small_corpus.run_path(corpus, "c")
    report = corpus.purge("a", [5, 13], reason="request 7")
    assert report["kept"]["shared_answers"] >= 1 and report["copies"] == ["c:3", "c:4"]
    sound(corpus)


def test_nothing_is_purged_without_a_reason_or_while_somebody_works_on_it(corpus):
    corpus.run_stage("a", Stage.INGEST)
    for numbers, reason, error in (([5], " ", UsageError), ([], "x", UsageError), ([99], "x", UnknownName)):
        with pytest.raises(error):
            corpus.purge("a", numbers, reason=reason)
    task = corpus.work("a", Stage.CLEAN).task
    corpus.store.write(lambda c: leases.acquire(c, task.id, Stage.CLEAN, "somebody", 60_000))
    with pytest.raises(LeaseHeld, match="corpus pause a"):
        corpus.purge("a", [5], reason="request 7")
    assert found(corpus, SECRET)


def test_duplicates_in_other_files_come_back_too(tmp_path):
    recipe = tmp_path / "purge.yaml"
    recipe.write_text(
        "name: wide\nclean:\n  dedup: {scope: corpus}\n  gate: {max_dropped: 1}\naugment: {strategies: []}\n"
        "export: {gate: {max_rejected: 1, min_rows: 0}}\n"
    )
    with small_corpus.opened(tmp_path / "home") as corpus:
        for name, content in (("a", rows(12)), ("b", rows(3)), ("c", rows(2))):
            source = small_corpus.write_jsonl(tmp_path / f"{name}.jsonl", content)
            corpus.add(source, recipe=str(recipe), format="question_answer")
            small_corpus.run_path(corpus, name, Stage.CLEAN)
        report = corpus.purge("a", [5, 13], reason="request 7")
        assert report["repeated_by"] == ["b:3", "b:4", "c:2", "c:3"] and report["again"] == ["b", "c"]
        sound(corpus)
        for name in ("c", "b"):
            small_corpus.run_path(corpus, name)
        sound(corpus)
        states = {row: corpus.show(row)["cleaned"]["state"] for row in report["repeated_by"]}
        assert list(states.values()) == ["kept", "dropped", "dropped", "dropped"]


def test_a_row_of_a_file_that_was_replaced_is_purged_by_its_version(tmp_path):
    with small_corpus.opened(tmp_path / "home") as corpus:
        path = small_corpus.write_jsonl(tmp_path / "a.jsonl", rows(5))
        recipe = tmp_path / "r.yaml"
        recipe.write_text("name: r\naugment: {strategies: []}\nexport: {gate: {max_rejected: 1}}\n")
        corpus.add(path, recipe=str(recipe), format="question_answer")
        small_corpus.run_path(corpus, "a")
        small_corpus.write_jsonl(path, rows(5)[:4])
        corpus.add(path, recipe=str(recipe), format="question_answer", replace=True)
        small_corpus.run_path(corpus, "a")
        report = corpus.purge("a@1", [5, 6, 7], reason="request 7")
        assert [row["row"] for row in report["rows"]] == ["a@1:5", "a@1:6", "a@1:7"]
        assert found(corpus, SECRET) == [] and report["next"] is None
        assert corpus.show("a:4")["turns"] and corpus.show("a@1:5")["purged"]["reason"] == "request 7"
        sound(corpus)


@pytest.mark.sqlite
def test_the_database_file_does_not_hold_it_either(tmp_path):
    recipe = tmp_path / "purge.yaml"
    recipe.write_text(RECIPE)
    home = tmp_path / "home"
    with small_corpus.opened(home) as corpus:
        corpus.add(
            small_corpus.write_jsonl(tmp_path / "a.jsonl", rows(40)), recipe=str(recipe), format="question_answer"
        )
        small_corpus.run_path(corpus, "a")
        corpus.purge("a", [5, 41, 42], reason="request 7")
        small_corpus.run_path(corpus, "a")
        corpus.purge("a", [5, 41, 42], reason="request 7")
        files = [path for path in home.rglob("*") if path.is_file()]
        assert home / "corpus.db" in files
        assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
