"""Inputs change under a job: the file, the recipe, the rows."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from corpus_pipeline.errors import CorpusError, Interrupted, SourceChanged, StopJob
from corpus_pipeline.model import ConversationId, conversation_id
from corpus_pipeline.stages.ingest.source import SourceBroken
from corpus_pipeline.states import FileState, Stage, Status
from corpus_pipeline.store import integrity_counts, schema
from corpus_pipeline_tests.jobs.conftest import Bench, StopAfter
from corpus_pipeline_tests.torture import small


def source(bench: Bench, name: str = "birds") -> Path:
    return Path(bench.corpus.files([name])[0].path)


def stop_after(bench: Bench, stage: Stage, boundaries: int = 1, name: str = "birds") -> None:
    with pytest.raises(Interrupted):
        bench.corpus.run_stage(name, stage, stop=StopAfter(boundaries - 1))


def replaced(path: Path) -> None:
    path.write_bytes(b"\n".join(small.lines("other")) + b"\n")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:900])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("change", [replaced, truncated, emptied])
@pytest.mark.parametrize("boundaries", [0, 1, 2])
def test_a_file_that_changed_since_it_was_registered_is_refused(
    sqlite_bench: Bench, change: Callable[[Path], None], boundaries: int
) -> None:
    bench, path = sqlite_bench, source(sqlite_bench)
    original = path.read_bytes()
    if boundaries:
        stop_after(bench, Stage.INGEST, boundaries)
    change(path)
    with pytest.raises(StopJob) as caught:
        bench.corpus.run_stage("birds", Stage.INGEST)
    assert isinstance(caught.value, SourceChanged | SourceBroken)
    (file,) = bench.corpus.files(["birds"])
    assert file.state is FileState.REGISTERED
    (state,) = bench.corpus.status(["birds"])
    assert state["stages"]["ingest"]["status"] == Status.FAILED
    path.write_bytes(original)  # put back, it is read to its end
    bench.run("birds")
    assert bench.problems() == []
    assert bench.corpus.store.fetch(integrity_counts.stored_rows, file.id) == (6, 1)


def test_a_replaced_file_is_a_new_version_that_begins_at_its_first_row(bench: Bench) -> None:
    stop_after(bench, Stage.INGEST, 2)
    (old,) = bench.corpus.files(["birds"])
    path = source(bench)
    replaced(path)
    with pytest.raises(SourceChanged, match="--replace"):
        bench.corpus.add(path)
    new = bench.corpus.add(path, replace=True, recipe="small").file
    assert (new.version, new.id != old.id) == (2, True)
    bench.run("birds")
    assert bench.corpus.store.fetch(integrity_counts.stored_rows, new.id) == (6, 1)
    assert bench.problems() == []


def test_a_file_that_is_cut_while_it_is_read_leaves_no_rows(sqlite_bench: Bench) -> None:
    bench, path = sqlite_bench, sqlite_bench.folder / "large.jsonl"
    path.write_bytes(
        b"".join(b'{"messages": [{"role": "user", "content": "%s"}]}\n' % (b"word " * 150_000) for _ in range(9))
    )
    bench.corpus.add(path, recipe="small")

    class CutMeanwhile(StopAfter):
        def is_set(self) -> bool:
            os.truncate(path, 4_000_000)
            return False

    with pytest.raises(StopJob):
        bench.corpus.run_stage("large", Stage.INGEST, stop=CutMeanwhile(9))
    (file,) = bench.corpus.files(["large"])
    assert file.state is FileState.REGISTERED
    with pytest.raises(CorpusError):
        bench.corpus.run_stage("large", Stage.CLEAN)


def test_a_recipe_that_is_edited_mid_job_is_for_new_work(bench: Bench) -> None:
    """The running task keeps its version, and what it had paid for is used by the new one where the question is the same."""
    bench.run("birds", Stage.CLEAN)
    running = bench.corpus.work("birds", Stage.AUGMENT, stop=StopAfter(1))
    edited = bench.folder.parent / "edited.yaml"
    edited.write_text(small.RECIPE.replace("[paraphrase, self_refine]", "[paraphrase]"))
    bench.corpus.bind_recipe("birds", str(edited))
    from corpus_pipeline.jobs import runner

    with pytest.raises(Interrupted):
        runner.run_stage(running)
    old_strategies = set(runner.stage_handlers.TASK_TYPES[Stage.AUGMENT](running))
    assert old_strategies == {"paraphrase", "self_refine"}
    bench.run("birds")
    new = bench.corpus.work("birds", Stage.AUGMENT)
    assert new.task.id != running.task.id
    items = schema.work_items.c
    with bench.corpus.store.read() as connection:
        strategies = set(connection.execute(select(items.strategy).where(items.task_id == new.task.id)).scalars())
    assert strategies == {"paraphrase"}
    keys = [
        line["request"] for line in small.invoice(bench.folder) if line["outcome"] == "answered" and not line["fault"]
    ]
    assert len(keys) == len(set(keys))  # no question that had a good answer was asked again
    bench.corpus.bind_recipe("birds", "small")  # the first version goes on where it stood
    bench.run("birds")


def test_a_file_that_is_half_read_under_one_recipe_is_read_once_under_another(bench: Bench) -> None:
    stop_after(bench, Stage.INGEST, 2)
    edited = bench.folder.parent / "edited.yaml"
    edited.write_text(small.RECIPE.replace("threshold: 3", "threshold: 2"))
    first = bench.corpus.files(["birds"])[0].recipe_id
    bench.corpus.bind_recipe("birds", str(edited))
    stop_after(bench, Stage.INGEST, 1)
    bench.corpus.store.write(lambda c: c.execute(schema.dataset_files.update().values(recipe_id=first)))
    bench.run("birds")
    assert bench.problems() == []
    (file,) = bench.corpus.files(["birds"])
    assert bench.corpus.store.fetch(integrity_counts.stored_rows, file.id) == (6, 1)


@pytest.mark.parametrize("stage", [Stage.CLEAN, Stage.AUGMENT, Stage.EXPORT])
def test_rows_deleted_during_a_run_are_in_no_export_and_leave_no_hole(bench: Bench, stage: Stage) -> None:
    bench.run("birds", list(Stage)[list(Stage).index(stage) - 1])
    (file,) = bench.corpus.files(["birds"])
    stop_after(bench, stage, 2 if stage is Stage.AUGMENT else 1)
    gone = [conversation_id(file.id, n) for n in (1, 7)]  # behind the cursor and ahead of it
    bench.corpus.delete_rows(gone, "a person asked for it")
    bench.run("birds")
    assert bench.problems() == []
    assert not set(exported_ids(bench)) & set(gone)
    assert exported_ids(bench)  # the others are there
    for stage_again in Stage:
        assert not bench.corpus.run_stage("birds", stage_again).worked


def test_rows_deleted_after_the_export_make_it_stale(bench: Bench) -> None:
    bench.run("birds")
    before = exported_ids(bench)
    bench.corpus.delete_rows([before[0]], "a person asked for it")
    assert bench.corpus.incomplete_stages("birds") == [Stage.EXPORT]
    bench.run("birds")
    assert exported_ids(bench) == [row for row in before if row != before[0]]


def exported_ids(bench: Bench) -> list[ConversationId]:
    """The source rows of the current export, by its line map; every line of the file is read."""
    task = bench.corpus.work("birds", Stage.EXPORT).task
    chunks = schema.export_chunks.c
    exports = schema.exports.c
    with bench.corpus.store.read() as connection:
        export = connection.execute(
            select(schema.exports).where(exports.task_id == task.id, exports.superseded_at.is_(None))
        ).one()
        rows = connection.execute(
            select(chunks.conversation_ids).where(chunks.export_id == export.id).order_by(chunks.first_line)
        ).scalars()
        found = [
            ConversationId(int.from_bytes(ids[at : at + 8], "little"))
            for ids in map(bytes, rows)
            for at in range(0, len(ids), 8)
        ]
    lines = (bench.corpus.settings.home / "exports" / "birds" / "birds.jsonl").read_bytes().splitlines()
    assert [type(json.loads(line)) for line in lines] == [dict] * len(found)
    return sorted(set(found))


def test_duplicates_across_files_do_not_depend_on_the_order_of_cleaning(
    quick_folder: Path, sqlite_bench: Bench, stub_folder: Path
) -> None:
    from corpus_pipeline_tests.jobs.conftest import make_bench

    found = set()
    for number, order in enumerate(itertools.permutations(small.NAMES)):
        bench = make_bench(quick_folder / str(number), sqlite_bench.stub, stub_folder, None)
        for name in order:
            bench.run(name, Stage.CLEAN)
        with bench.corpus.store.read() as connection:
            rows = connection.execute(select(schema.duplicates).order_by(schema.duplicates.c.conversation_id))
            found.add(tuple(tuple(row)[1:] for row in rows))  # tasks get their ids in the order of their start
        bench.corpus.close()
    assert len(found) == 1
    assert len(found.pop()) == 3 + 2  # one repetition in each file, and the row that all share
