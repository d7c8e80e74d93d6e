"""A dataset file that is taken out again: nothing of it is left but its money, and other files take its place."""

from __future__ import annotations

import json
import os
import signal

import pytest
from sqlalchemy import func, select

from corpus_pipeline import failpoints
from corpus_pipeline.errors import LeaseHeld, StopJob, UnknownName, UsageError
from corpus_pipeline.jobs import runner
from corpus_pipeline.service.commands import inbox, remove
from corpus_pipeline.states import Stage
from corpus_pipeline.store import leases, provider_batches, removals
from corpus_pipeline.store.invariants import violations
from corpus_pipeline.store.schema import answers, cleaned_rows, llm_attempts, metadata, turns
from corpus_pipeline_tests import small_corpus
from corpus_pipeline_tests.store import making
from corpus_pipeline_tests.store.test_purges import intent

RECIPE = """
name: remove
clean: {{gate: {{max_dropped: 1}}, dedup: {{scope: {scope}}}}}
augment:
  model: corpus-stub
  strategies: [paraphrase]
export:
  gate: {{max_failed: 10, max_rejected: 1, min_rows: 0}}
"""
# what may name a file that was removed, or count what was paid for it
STAYS = {
    "dataset_files",
    "tasks",
    "recipes",
    "leases",
    "audit_log",
    "llm_attempts",
    "spending",
    "budgets",
    "pause_flags",
}


@pytest.fixture
def corpus(tmp_path, database_url):
    with small_corpus.opened(tmp_path / "home", CORPUS_DATABASE_URL=database_url) as opened:
        yield opened


def add(corpus, tmp_path, name: str, rows, scope: str = "file"):
    recipe = tmp_path / f"{scope}.yaml"
    recipe.write_text(RECIPE.format(scope=scope))
    path = small_corpus.write_jsonl(tmp_path / f"{name}.jsonl", rows)
    return corpus.add(path, recipe=str(recipe), format="question_answer")


def some_rows(first: int, last: int) -> list[object]:
    return [small_corpus.pair(n) for n in range(first, last)]


def sizes(corpus) -> dict[str, int]:
    """Rows of every table."""
    return {
        table.name: corpus.store.fetch(lambda c, t=table: c.execute(select(func.count()).select_from(t)).scalar_one())
        for table in metadata.sorted_tables
    }


def sound(corpus) -> None:
    assert corpus.store.fetch(violations) == []


def money(corpus) -> float:
    return sum(entry["cost_usd"] for entry in corpus.cost("file"))


def published(corpus) -> list[str]:
    root = corpus.settings.home / "exports"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.name[0] != ".")


def test_nothing_is_left_of_it_but_its_money_and_the_other_file_is_as_it_was(corpus, tmp_path):
    add(corpus, tmp_path, "stays", some_rows(1, 8))
    small_corpus.run_path(corpus, "stays")
    before, files_before = sizes(corpus), published(corpus)
    add(corpus, tmp_path, "goes", [*some_rows(20, 32), small_corpus.pair(20), b'{"question": "cut'])
    small_corpus.run_path(corpus, "goes")
    corpus.pause(["goes"], Stage.AUGMENT, False, "wait")
    paid = money(corpus)
    calls = corpus.store.fetch(lambda c: c.execute(select(func.count()).select_from(llm_attempts)).scalar_one())
    report = corpus.remove("goes", reason="the wrong file")
    sound(corpus)
    after = sizes(corpus)
    assert {name: count for name, count in after.items() if name not in STAYS} == {
        name: count for name, count in before.items() if name not in STAYS
    }
    assert report["counts"] == {"conversations": 13, "rejects": 1, "verdicts": 13, "new_rows": 12, "exports": 1}
    assert money(corpus) == paid and after["llm_attempts"] == calls and report["kept"]["calls"] == 12
    assert published(corpus) == files_before
    assert "goes" not in json.loads((corpus.settings.home / "exports" / "dataset_info.json").read_text())
    assert [file.name for file in corpus.files()] == ["stays"] and (tmp_path / "goes.jsonl").exists()
    assert not [
        flag
        for flag in corpus.store.fetch(lambda c: c.execute(select(metadata.tables["pause_flags"])).all())
        if flag.cleared_at is None
    ]
    assert corpus.incomplete_stages("stays") == []
    with pytest.raises(UnknownName, match="stays"):
        corpus.files(["goes"])


def test_removing_it_again_looks_again_and_a_name_that_never_was_is_unknown(corpus, tmp_path):
    add(corpus, tmp_path, "goes", some_rows(1, 5))
    small_corpus.run_path(corpus, "goes")
    first = corpus.remove("goes")
    again = corpus.remove("goes")
    assert again["before"] and again["report"] == first["report"] and again["files_removed"] == []
    with pytest.raises(UnknownName):
        corpus.remove("never")


def test_it_can_come_again_under_its_name_and_is_read_anew(corpus, tmp_path):
    add(corpus, tmp_path, "goes", some_rows(1, 6))
    small_corpus.run_path(corpus, "goes")
    corpus.remove("goes")
    found = add(corpus, tmp_path, "goes", some_rows(1, 6))
    assert found.new and found.file.version == 2
    small_corpus.run_path(corpus, "goes")
    sound(corpus)
    assert corpus.status(["goes"])[0]["stages"]["export"]["processed"] == 5
    with pytest.raises(UnknownName, match="goes@2"):
        corpus.show("goes@1:1")
    removed = corpus.remove("goes")
    assert removed["versions"] == [2] and removed["counts"]["conversations"] == 5
    assert corpus.store.fetch(lambda c: c.execute(select(func.count()).select_from(turns)).scalar_one()) == 0


def test_answers_that_are_kept_are_not_paid_for_again(corpus, tmp_path):
    add(corpus, tmp_path, "goes", some_rows(1, 6))
    small_corpus.run_path(corpus, "goes")
    paid = money(corpus)
    corpus.remove("goes", keep_answers=True)
    corpus.add(tmp_path / "goes.jsonl", name="better", recipe=str(tmp_path / "file.yaml"), format="question_answer")
    small_corpus.run_path(corpus, "better")
    sound(corpus)
    assert money(corpus) == paid
    assert sizes(corpus)["augmented_rows"] == 5


def test_answers_of_a_twin_stay_with_it(corpus, tmp_path):
    add(corpus, tmp_path, "goes", some_rows(1, 6))
    small_corpus.run_path(corpus, "goes")
    corpus.add(tmp_path / "goes.jsonl", name="twin", recipe=str(tmp_path / "file.yaml"), format="question_answer")
    small_corpus.run_path(corpus, "twin")
    corpus.remove("goes")
    sound(corpus)
    assert corpus.store.fetch(lambda c: c.execute(select(func.count()).select_from(answers)).scalar_one()) == 5


def test_all_versions_go(corpus, tmp_path):
    add(corpus, tmp_path, "goes", some_rows(1, 6))
    small_corpus.run_path(corpus, "goes")
    path = small_corpus.write_jsonl(tmp_path / "goes.jsonl", some_rows(3, 9))
    corpus.add(path, replace=True, format="question_answer")
    corpus.run_stage("goes", Stage.INGEST)
    report = corpus.remove("goes")
    assert report["versions"] == [1, 2] and report["counts"]["conversations"] == 11
    sound(corpus)
    assert sizes(corpus)["conversations"] == sizes(corpus)["cleaned_rows"] == 0


def test_rows_of_other_files_that_repeated_it_come_back(corpus, tmp_path):
    add(corpus, tmp_path, "first", some_rows(1, 6), "corpus")
    add(corpus, tmp_path, "second", some_rows(3, 9), "corpus")
    small_corpus.run_path(corpus, "first")
    small_corpus.run_path(corpus, "second")
    assert corpus.status(["second"])[0]["stages"]["export"]["processed"] == 3
    report = corpus.remove("first")
    assert report["again"] == ["second"] and report["next"] == "corpus run second"
    sound(corpus)
    small_corpus.run_path(corpus, "second")
    sound(corpus)
    assert corpus.status(["second"])[0]["stages"]["export"]["processed"] == 6


def test_it_is_refused_while_somebody_works_and_nothing_is_touched(corpus, tmp_path):
    add(corpus, tmp_path, "busy", some_rows(1, 6))
    small_corpus.run_path(corpus, "busy", Stage.CLEAN)
    task = corpus.work("busy", Stage.AUGMENT).task
    corpus.store.write(lambda c: leases.acquire(c, task.id, Stage.AUGMENT, "somebody", 60_000), name="take")
    before = sizes(corpus)
    with pytest.raises(LeaseHeld, match="corpus pause busy"):
        corpus.remove("busy")
    assert sizes(corpus) == before and corpus.files(["busy"])


def test_work_that_was_about_to_begin_does_not(corpus, tmp_path):
    add(corpus, tmp_path, "goes", some_rows(1, 6))
    work = corpus.work("goes", Stage.INGEST)
    corpus.remove("goes")
    with pytest.raises(StopJob, match="was removed"):
        runner.run_stage(work)
    sound(corpus)


def test_open_provider_batches_are_settled_first(corpus, tmp_path):
    add(corpus, tmp_path, "goes", some_rows(1, 6))
    small_corpus.run_path(corpus, "goes", Stage.CLEAN)
    work = corpus.work("goes", Stage.AUGMENT)
    made = making.Made(work.file.id, work.file.recipe_id, work.task.id)
    row = corpus.store.fetch(lambda c: c.execute(select(cleaned_rows.c.conversation_id)).scalars().first())
    corpus.store.write(
        lambda c: provider_batches.plan(c, corpus.store.backend, work.task.id, "k" * 64, [intent(made, row)], {}),
        name="plan",
    )
    with pytest.raises(UsageError, match="corpus batches forget goes"):
        corpus.remove("goes")
    corpus.forget_batches(["goes"], "test")
    corpus.remove("goes")
    sound(corpus)
    assert sizes(corpus)["llm_attempts"] == 1


def test_the_inbox_does_not_bring_it_back(corpus, tmp_path):
    box = tmp_path / "inbox"
    box.mkdir()
    path = small_corpus.write_jsonl(box / "goes.jsonl", some_rows(1, 6))
    os.utime(path, (1_000_000, 1_000_000))
    assert inbox.scan(corpus.store, box, who="inbox") == (["goes"], [])
    corpus.remove("goes")
    assert inbox.scan(corpus.store, box, who="inbox") == ([], [])
    path = small_corpus.write_jsonl(box / "goes.jsonl", some_rows(1, 9))  # somebody puts another one there
    os.utime(path, (1_000_000, 1_000_000))
    assert inbox.scan(corpus.store, box, who="inbox") == (["goes"], [])


def test_an_export_of_somebody_else_under_its_name_stays(corpus, tmp_path):
    add(corpus, tmp_path, "goes", some_rows(1, 6))
    small_corpus.run_path(corpus, "goes")
    manifest = corpus.settings.home / "exports" / "goes" / "manifest.json"
    body = json.loads(manifest.read_text())
    for file in body["files"]:
        file["sha256"] = "0" * 64
    manifest.write_text(json.dumps(body))
    report = corpus.remove("goes")
    assert manifest.exists() and any("not one of this corpus" in sentence for sentence in report["left"])


def test_what_others_put_beside_the_export_stays(corpus, tmp_path):
    add(corpus, tmp_path, "goes", some_rows(1, 6))
    small_corpus.run_path(corpus, "goes")
    folder = corpus.settings.home / "exports" / "goes"
    (folder / "notes.txt").write_text("mine")
    report = corpus.remove("goes")
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    assert any("not ours" in sentence for sentence in report["left"])


@pytest.mark.parametrize(
    "point",
    [
        "before commit: remove#1",
        "after commit: remove#1",
        "before commit: take out#2",
        "after commit: take out#3",
        "remove: rows are gone#1",
        "remove: exports are gone#1",
    ],
)
def test_whoever_dies_while_it_goes_leaves_what_the_next_one_ends(corpus, tmp_path, monkeypatch, point):
    """Killed at each of the points that a removal passes; the command is repeated."""
    monkeypatch.setattr(removals, "AT_ONCE", 4)
    add(corpus, tmp_path, "goes", [*some_rows(20, 32), b'{"question": "cut'])
    small_corpus.run_path(corpus, "goes")
    pid = os.fork()
    if pid == 0:
        try:
            corpus.store.engine.dispose(close=False)
            failpoints.arm(point)
            corpus.remove("goes")
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    sound(corpus)
    report = corpus.remove("goes")
    sound(corpus)
    assert report["counts"]["conversations"] == 12
    assert sizes(corpus)["conversations"] == sizes(corpus)["rejects"] == sizes(corpus)["augmented_rows"] == 0
    assert [name for name in published(corpus) if name.startswith("goes")] == []
    assert corpus.store.fetch(removals.unfinished) == []


def test_another_removal_ends_what_was_begun(corpus, tmp_path):
    add(corpus, tmp_path, "goes", some_rows(1, 6))
    add(corpus, tmp_path, "other", some_rows(11, 16))
    for name in ("goes", "other"):
        small_corpus.run_path(corpus, name, Stage.CLEAN)
    corpus.store.write(lambda c: remove._count_no_longer(c, "goes", "", "me", False), name="half")
    assert len(corpus.store.fetch(removals.unfinished)) == 1
    sound(corpus)
    corpus.remove("other")
    assert sizes(corpus)["conversations"] == 0
