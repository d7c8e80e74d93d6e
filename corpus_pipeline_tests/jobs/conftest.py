"""A small corpus (see `torture.small`) that a test works stage by stage in this process."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from corpus_pipeline.cancellation import StopSignal
from corpus_pipeline.jobs.runner import Outcome
from corpus_pipeline.llm_stub.server import RunningStub
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline.store import invariants
from corpus_pipeline_tests.torture import small
from corpus_pipeline_tests.torture.digest import corpus_digest


class StopAfter(StopSignal):
    """Says stop at the n-th look; a stage looks once a batch boundary."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.reason = "the test"
        self._left = looks

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0


class StopAfterCalls(StopSignal):
    """Says stop when the stand-in was asked this often since it was made, however often the engine looks."""

    def __init__(self, bench: Bench, calls: int) -> None:
        super().__init__()
        self.reason = "the test"
        self._bench, self._at = bench, bench.calls() + calls

    def is_set(self) -> bool:
        return self._bench.calls() >= self._at


@dataclass
class Bench:
    """An open corpus with the small files registered; `folder` holds the sources, the recipe and the invoice."""

    corpus: Corpus
    folder: Path
    stub: RunningStub

    def run(self, name: str = "birds", to: Stage = Stage.EXPORT, **options: Any) -> Outcome:
        """Work a file up to a stage."""
        outcome = None
        for stage in list(Stage)[: list(Stage).index(to) + 1]:
            outcome = self.corpus.run_stage(name, stage, **options)
        assert outcome is not None
        return outcome

    def run_all(self) -> None:
        for name in small.NAMES:
            self.run(name)

    def calls(self) -> int:
        return len(small.invoice(self.folder))

    def digest(self) -> dict[str, str]:
        return self.corpus.store.fetch(corpus_digest, self.corpus.settings.home / "exports")

    def problems(self) -> list[str]:
        store = self.corpus.store
        found = store.fetch(invariants.violations)
        found += store.fetch(invariants.ledger_violations, small.invoice(self.folder))
        return found + store.fetch(invariants.paid_twice)

    def again(self) -> Corpus:
        """A second process on the same corpus, as far as the database can tell."""
        return Corpus.open(self.corpus.settings)


def make_bench(folder: Path, stub: RunningStub, stub_folder: Path, database_url: str | None) -> Bench:
    small.begin_anew(stub_folder, stub)
    env = {"CORPUS_HOME": str(folder / "home"), "OPENAI_BASE_URL": stub.base_url}
    if database_url:
        env["CORPUS_DATABASE_URL"] = database_url
    corpus = Corpus.open(Settings.from_env(env))
    for path in small.write_files(folder / "sources"):
        corpus.add(path, recipe=str(small.write_recipe(folder)))
    return Bench(corpus, stub_folder, stub)


@pytest.fixture(scope="session")
def stub_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stub")


@pytest.fixture(scope="session")
def stub(stub_folder: Path) -> Iterator[RunningStub]:
    with small.stand_in(stub_folder) as running:
        yield running


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="corpus-bench-", dir=small.fast_folder()) as folder:
        yield Path(folder)


@pytest.fixture
def bench(quick_folder: Path, stub: RunningStub, stub_folder: Path, database_url: str) -> Iterator[Bench]:
    """On both databases."""
    made = make_bench(quick_folder, stub, stub_folder, database_url)
    yield made
    made.corpus.close()


@pytest.fixture
def sqlite_bench(quick_folder: Path, stub: RunningStub, stub_folder: Path) -> Iterator[Bench]:
    """For what does not depend on the database."""
    made = make_bench(quick_folder, stub, stub_folder, None)
    yield made
    made.corpus.close()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, stub: RunningStub, stub_folder: Path) -> dict[str, str]:
    """The digest of the small corpus after a run that nothing disturbed."""
    made = make_bench(tmp_path_factory.mktemp("undisturbed"), stub, stub_folder, None)
    made.run_all()
    assert made.problems() == []
    found = made.digest()
    made.corpus.close()
    return found
