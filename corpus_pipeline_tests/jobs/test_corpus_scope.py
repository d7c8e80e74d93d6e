"""Duplicates across files: the same whatever the order of the files, two at once included, and what a lower file changes."""

from __future__ import annotations

import random
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus_pipeline.errors import LeaseHeld
from corpus_pipeline.jobs.clean import stage as clean_stage
from corpus_pipeline.jobs.clean.corpus_scope import texts_of
from corpus_pipeline.model import TaskId
from corpus_pipeline.service import Corpus
from corpus_pipeline.stages.clean.dedup.duplicates import Rows, Rule, find
from corpus_pipeline.stages.clean.dedup.signatures import SIGNATURE_COLUMNS
from corpus_pipeline.states import Stage
from corpus_pipeline.store import Store, cleaned, cursors, leases, tasks
from corpus_pipeline.store.cleaned import KnownDuplicate
from corpus_pipeline.store.invariants import violations
from corpus_pipeline_tests.small_corpus import pair, run_path, write_jsonl
from corpus_pipeline_tests.small_corpus import settings as settings_of
from corpus_pipeline_tests.torture import small

RECIPE = "name: wide\nclean: {batch_size: 4, dedup: {scope: corpus}}\naugment: {strategies: []}\n"
NAMES = ("a", "b", "c", "d")


def write_sources(folder: Path) -> list[Path]:
    """Four files of rows that repeat each other, word by word or with up to two words of the answer left out or doubled, and
    copies of copies."""
    chance = random.Random(3)
    words = [
        f"w{a}{b}{c}" for a in "bdfglm" for b in "aeiou" for c in ("st", "rn", "lk", "mp", "nd", "sh", "t", "k", "p")
    ]
    known = [chance.choices(words, k=78) for _ in range(5)]
    paths = []
    for name in NAMES:
        rows = []
        for _ in range(9):
            row = list(chance.choice(known))
            for _ in range(chance.choice((0, 0, 1, 2))):
                at = chance.randrange(8, len(row))
                row[at : at + 1] = chance.choice(([], [row[at], row[at]]))
            known.append(row)
            rows.append({"question": " ".join(row[:8]), "answer": " ".join(row[8:])})
        paths.append(write_jsonl(folder / f"{name}.jsonl", rows))
    return paths


@contextmanager
def cleaned_corpus(folder: Path, **more: str) -> Iterator[Corpus]:
    """A corpus whose files have their rule pass behind them and were never compared."""
    (folder / "wide.yaml").write_text(RECIPE)
    with Corpus.open(settings_of(folder / "home", **more)) as corpus:
        for path in write_sources(folder):
            corpus.add(path, recipe=str(folder / "wide.yaml"))
        for name in NAMES:
            corpus.run_stage(name, Stage.INGEST)
            corpus.run_stage(name, Stage.CLEAN)
        for task_id in tasks_of(corpus.store).values():
            compare_again(corpus.store, task_id)
        yield corpus


def tasks_of(store: Store) -> dict[str, TaskId]:
    return {file.name: task.id for file, task in store.fetch(tasks.current_tasks) if task is not None}


def compare_again(store: Store, task_id: TaskId) -> None:
    store.write(lambda connection: cleaned.remove_duplicates(connection, task_id))
    store.write(lambda c: cursors.start_over(c, task_id, Stage.CLEAN, who="test", task_type=clean_stage.DEDUP))


def recorded(store: Store) -> list[KnownDuplicate]:
    return store.fetch(cleaned.known_duplicates, list(tasks_of(store).values()))


def expected(store: Store) -> list[KnownDuplicate]:
    """One search over all rows at once."""
    current = sorted((task.file_id, task.id) for _, task in store.fetch(tasks.current_tasks) if task is not None)
    parts = [store.fetch(cleaned.prints, task_id, SIGNATURE_COLUMNS) for _, task_id in current]
    rows = Rows(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return clean_stage.entries(find(rows, Rule(), texts_of(store, dict(current))))  # type: ignore[arg-type]


def clean_at_once(corpora: Sequence[Corpus], names: Sequence[str]) -> None:
    """Each file in a thread of its own; none writes before all have searched."""
    searched, failed = threading.Barrier(len(names)), list[BaseException]()
    search = clean_stage.in_corpus

    def search_and_wait(*args):  # type: ignore[no-untyped-def]
        found = search(*args)
        searched.wait(30)
        return found

    def run(corpus: Corpus, name: str) -> None:
        try:
            corpus.run_stage(name, Stage.CLEAN)
        except BaseException as error:
            failed.append(error)
            searched.abort()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clean_stage, "in_corpus", search_and_wait)
        threads = [threading.Thread(target=run, args=pair) for pair in zip(corpora, names, strict=False)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failed == []


def test_two_files_at_once_find_what_one_search_finds(tmp_path: Path, database_url: str) -> None:
    with cleaned_corpus(tmp_path, CORPUS_DATABASE_URL=database_url) as one, Corpus.open(one.settings) as other:
        assert recorded(one.store) == []
        clean_at_once((one, other), ("c", "a"))
        clean_at_once((one, other), ("d", "b"))
        assert recorded(one.store) == expected(one.store)
        assert len({d.kind for d in recorded(one.store)}) == 2


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=small.fast_folder()) as folder:
        with cleaned_corpus(Path(folder)) as corpus:
            assert corpus.settings.home == Path(folder) / "home"
        shutil.rmtree(Path(folder) / "home" / "work", ignore_errors=True)
        yield Path(folder) / "home"


@given(order=st.permutations(NAMES), together=st.sampled_from([(1, 1, 1, 1), (2, 1, 1), (1, 2, 1), (2, 2), (4,)]))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_the_files_does_not_matter(template: Path, order: list[str], together: tuple[int, ...]) -> None:
    with tempfile.TemporaryDirectory(dir=small.fast_folder()) as folder:
        home = Path(folder) / "home"
        shutil.copytree(template, home)
        corpora = [Corpus.open(settings_of(home)) for _ in range(max(together))]
        try:
            left = list(order)
            for number in together:
                clean_at_once(corpora[:number], left[:number])
                del left[:number]
            assert recorded(corpora[0].store) == expected(corpora[0].store)
        finally:
            for corpus in corpora:
                corpus.close()


def test_a_file_that_is_compared_again_changes_nothing(template: Path, tmp_path: Path) -> None:
    shutil.copytree(template, tmp_path / "home")
    with Corpus.open(settings_of(tmp_path / "home")) as corpus:
        for name in NAMES:
            corpus.run_stage(name, Stage.CLEAN)
        before = recorded(corpus.store)
        versions = corpus.store.fetch(tasks.current_tasks)
        compare_again(corpus.store, tasks_of(corpus.store)["a"])
        shutil.rmtree(corpus.settings.work_folder / "compared")
        corpus.run_stage("a", Stage.CLEAN)
        assert recorded(corpus.store) == before == expected(corpus.store)
        changed = [new[1] != old[1] for old, new in zip(versions, corpus.store.fetch(tasks.current_tasks), strict=True)]
        assert changed == [True, False, False, False]  # the exports of the other files are still right


def clean_all(corpus: Corpus) -> None:
    for name in NAMES:
        corpus.run_stage(name, Stage.INGEST)
        corpus.run_stage(name, Stage.CLEAN)


def replace(corpus: Corpus, folder: Path, name: str) -> tuple[str, ...]:
    """Half of the rows of a file go."""
    lines = Path(corpus.files([name])[0].path).read_bytes().splitlines(keepends=True)
    path = folder / "other.jsonl"
    path.write_bytes(b"".join(lines[1::2]))
    return corpus.add(path, name=name, replace=True).again


def bind_what_drops(corpus: Corpus, folder: Path, name: str) -> tuple[str, ...]:
    path = folder / "drops.yaml"
    path.write_text(RECIPE.replace("{batch", "{rules: [length_bounds: {max_characters: 20}], batch"))
    return corpus.bind_recipe(name, str(path)).again


def bind_and_bind_back(corpus: Corpus, folder: Path, name: str) -> tuple[str, ...]:
    bind_what_drops(corpus, folder, name)
    clean_all(corpus)
    return corpus.bind_recipe(name, str(folder.parent / "wide.yaml")).again


def redo(corpus: Corpus, folder: Path, name: str) -> list[str]:
    return corpus.redo(name, Stage.CLEAN)


@pytest.mark.parametrize("change", [replace, bind_what_drops, bind_and_bind_back, redo])
def test_what_repeats_rows_that_count_no_longer_is_compared_anew(
    template: Path, tmp_path: Path, change: Callable[[Corpus, Path, str], Sequence[str]]
) -> None:
    shutil.copytree(template, tmp_path / "home")
    (tmp_path / "wide.yaml").write_text(RECIPE)
    (tmp_path / "new").mkdir()
    with Corpus.open(settings_of(tmp_path / "home")) as corpus:
        clean_all(corpus)
        before = recorded(corpus.store)
        again = change(corpus, tmp_path / "new", "b")
        assert set(again) == (
            set() if change is bind_and_bind_back else {"c", "d"}
        )  # bound, it drops all: nothing repeats it
        clean_all(corpus)
        assert recorded(corpus.store) == expected(corpus.store) != []
        assert (recorded(corpus.store) == before) == (change in (redo, bind_and_bind_back))


def test_a_row_that_repeats_one_of_a_replaced_file_is_exported(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "wide.yaml").write_text(RECIPE)
    with Corpus.open(settings_of(tmp_path / "home", CORPUS_DATABASE_URL=database_url)) as corpus:
        for name, numbers in (("a", [1, 2]), ("b", [2, 3])):
            path = write_jsonl(tmp_path / f"{name}.jsonl", [pair(number) for number in numbers])
            corpus.add(path, recipe=str(tmp_path / "wide.yaml"), consumer="team")
            run_path(corpus, name)
        target = tmp_path / "home" / "exports" / "b" / "b.jsonl"
        assert len(target.read_bytes().splitlines()) == 1
        added = corpus.add(write_jsonl(tmp_path / "a.jsonl", [pair(1)]), replace=True)
        assert added.again == ("b",)
        assert (added.file.consumer, corpus.recipe_of(added.file).name) == ("team", "wide")
        run_path(corpus, "a")
        run_path(corpus, "b")
        assert len(target.read_bytes().splitlines()) == 2
        assert corpus.store.fetch(violations) == []


@pytest.mark.parametrize("stage", [Stage.CLEAN, Stage.AUGMENT, Stage.EXPORT])
def test_nothing_is_compared_anew_below_a_worker(template: Path, tmp_path: Path, stage: Stage) -> None:
    shutil.copytree(template, tmp_path / "home")
    with Corpus.open(settings_of(tmp_path / "home")) as corpus:
        clean_all(corpus)
        before = recorded(corpus.store)
        corpus.store.write(lambda c: leases.acquire(c, tasks_of(corpus.store)["c"], stage, "somebody", 60_000))
        with pytest.raises(LeaseHeld, match="pause it first: corpus pause c"):
            replace(corpus, tmp_path, "a")
        with pytest.raises(LeaseHeld, match="pause it first: corpus pause c"):
            corpus.purge("a", [1, 2, 3, 4, 5, 6, 7, 8, 9], reason="request 7")
        assert recorded(corpus.store) == before and corpus.files(["a"])[0].version == 1
