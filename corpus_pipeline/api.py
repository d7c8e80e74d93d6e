"""The Python interface, for scripts and notebooks: what the commands do, with records instead of text.

    import corpus_pipeline

    with corpus_pipeline.open("my-corpus") as corpus:
        chats = corpus.add("chats.jsonl")
        print(*corpus.run(chats.name, to="clean"))
        for row in corpus.rows(chats.name, "clean"):
            print(row["row"], row["turns"][0]["response"])

Everything below is the same corpus that `corpus`, its pages and Dagster see. See docs/python.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, NamedTuple

from corpus_pipeline import service
from corpus_pipeline.errors import CorpusError, UsageError
from corpus_pipeline.service.records.progress import FileStatus
from corpus_pipeline.service.records.rows import ListedReject, ListedRow
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage, Status

if TYPE_CHECKING:
    import pandas as pd

StageName = Literal["ingest", "clean", "augment", "export"]

_PAGE_ROWS = 500


class File(NamedTuple):
    """A registered dataset file. new: False when the same bytes were registered under this name before.

    rows: conversations in it, None before it is ingested; twins: names of files with the same bytes.
    """

    name: str
    path: str
    format: str
    consumer: str
    rows: int | None
    new: bool = False
    twins: tuple[str, ...] = ()


class StageState(NamedTuple):
    """How far a stage of a dataset file is; counts are rows. total: None while it is not known.

    status: a word of `corpus status` (pending, running, pausing, paused, interrupted, blocked, failed, done); reason: why it
    is not done, where something blocks it.
    """

    stage: str
    status: str
    reason: str | None
    total: int | None
    processed: int
    dropped: int
    failed: int


class FileState(NamedTuple):
    """A dataset file and its stages. open_failed_samples: those that a person must replay or dismiss."""

    name: str
    consumer: str
    recipe: str
    rows: int | None
    open_failed_samples: int
    stages: Mapping[str, StageState]

    @property
    def is_done(self) -> bool:
        """Whether every stage is done."""
        return all(stage.status == Status.DONE for stage in self.stages.values())


class RunResult(NamedTuple):
    """How a run of one dataset file ended. problem: the error that ended it, None when none did."""

    name: str
    is_done: bool
    problem: str | None
    state: FileState

    def __str__(self) -> str:
        if self.is_done:
            return f"{self.name}: done"
        for stage in self.state.stages.values():
            if stage.status != Status.DONE:
                return f"{self.name}: {stage.stage} is {stage.status}: {stage.reason or self.problem or 'not begun'}"
        return f"{self.name}: {self.problem}"


class Corpus:
    """An open corpus. Close it, or use it as a context manager. What goes wrong is a `CorpusError` with a sentence."""

    def __init__(self, corpus: service.Corpus, environment: Mapping[str, str]) -> None:
        self._corpus = corpus
        self._environment = dict(environment)

    def close(self) -> None:
        """Give the connections to the database back."""
        self._corpus.close()

    def __enter__(self) -> Corpus:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def home(self) -> Path:
        """The folder of the corpus."""
        return self._corpus.settings.home

    # --- dataset files -------------------------------------------------------------------------------------------------

    def add(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        recipe: str | Path | None = None,
        consumer: str | None = None,
        format: str | None = None,
        replace: bool = False,
    ) -> File:
        """Register a dataset file, as `corpus add` does; the same bytes under the same name again change nothing.

        recipe: a bundled or stored name, or a recipe file. replace: other bytes under a known name are a new version of it.
        Raises SourceChanged (other bytes under a known name), UsageError (no such file, no known format).
        """
        added = self._corpus.add(
            path,
            name=name,
            recipe=None if recipe is None else str(recipe),
            consumer=consumer,
            format=format,
            replace=replace,
        )
        file = added.file
        return File(file.name, file.path, file.format, file.consumer, file.conversations, added.new, added.twins)

    def files(self) -> list[File]:
        """The registered dataset files."""
        return [
            File(file.name, file.path, file.format, file.consumer, file.conversations) for file in self._corpus.files()
        ]

    # --- running -------------------------------------------------------------------------------------------------------

    def run(self, *names: str, to: StageName = "export", limit: int | None = None) -> list[RunResult]:
        """Materialize dataset files (all, unless some are named) through Dagster in this process, as `corpus run` does.

        What is complete is left alone; what is partial goes on where it stopped. limit: augment only this many rows of each.
        Raises KeyboardInterrupt after Ctrl-C, at a batch boundary; UnknownName; SettingMissing when a model is needed and
        none can be asked. What a stage ends with is in the result.
        """
        last = _stage(to)
        files = sorted(self._corpus.files(names), key=lambda file: file.id)
        todo = {file.name: self._corpus.incomplete_stages(file.name, last) for file in files}
        for file in files:
            if Stage.AUGMENT in todo[file.name]:
                self._corpus.require_models(file)
        problems = self._launch({name: stages for name, stages in todo.items() if stages}, limit)
        wanted = list(Stage)[: list(Stage).index(last) + 1]
        return [
            RunResult(
                state.name,
                all(state.stages[stage.value].status == Status.DONE for stage in wanted),
                problems.get(state.name),
                state,
            )
            for state in self.status(*(file.name for file in files))
        ]

    def _launch(self, todo: Mapping[str, Sequence[Stage]], limit: int | None) -> dict[str, str | None]:
        if not todo:
            return {}
        from corpus_pipeline.defs.launch import Launcher  # it brings Dagster, for which looking need not wait

        with _environment(self._environment):  # assets read their settings from it
            launcher = Launcher(self._corpus.settings)
            launcher.register(list(todo))
            return {name: launcher.run(name, stages, limit=limit).error for name, stages in todo.items()}

    def pause(self, *names: str, stage: StageName | None = None, reason: str) -> None:
        """Set pause flags: what runs below them stops at its next batch boundary. Without names: of everything."""
        self._corpus.pause(names, None if stage is None else _stage(stage), not names and stage is None, reason)

    def resume(self, *names: str, stage: StageName | None = None) -> None:
        """Clear pause flags; the next run goes on."""
        self._corpus.resume(names, None if stage is None else _stage(stage), not names and stage is None)

    # --- looking ---------------------------------------------------------------------------------------------------------

    def status(self, *names: str) -> list[FileState]:
        """How far dataset files are: all, or those named. Raises UnknownName."""
        return [_state_of(entry) for entry in self._corpus.status(names)]

    def rows(
        self,
        name: str,
        stage: StageName = "clean",
        *,
        search: str | None = None,
        where: Mapping[str, str] | None = None,
    ) -> Iterator[ListedRow | ListedReject]:
        """Rows of a stage in order, each as `corpus rows --json` prints it; read in pages, in bounded memory.

        search: words that all must occur; where: conditions by name, as `corpus rows --where NAME=VALUE`.
        Raises UnknownName, UsageError for a condition that has no meaning at the stage.
        """
        after: int | None = 0
        while after is not None:
            page = self._corpus.rows(
                name, _stage(stage), search=search, where=dict(where or {}), after=after, limit=_PAGE_ROWS
            )
            yield from page.rows
            after = page.after

    def frame(
        self,
        name: str,
        stage: StageName = "clean",
        *,
        search: str | None = None,
        where: Mapping[str, str] | None = None,
        limit: int = 100_000,
    ) -> pd.DataFrame:
        """The same rows as a pandas data frame, at most `limit` of them: index `row`, columns as the keys of a row."""
        return self._corpus.frame(name, _stage(stage), search=search, where=dict(where or {}), limit=limit)

    def exports(self, name: str) -> list[str]:
        """Where the current exports of a dataset file lie: paths of files, or URLs of an object store; [] before the first."""
        return self._corpus.export_places(name)


def open(home: str | Path | None = None, **environment: str) -> Corpus:
    """Open a corpus, or begin one: a fresh folder gets its database.

    home: its folder; CORPUS_HOME or `.corpus` unless it is given. environment: settings that are to hold for this corpus only,
    by the names of docs/reference.md, e.g. `CORPUS_DATABASE_URL="mysql+pymysql://..."`; all others are read from the
    environment. Raises UsageError, SchemaMismatch, StoreUnavailable.
    """
    own = dict(environment)
    if home is not None:
        own["CORPUS_HOME"] = str(home)
    corpus = service.Corpus.open(Settings.from_env(os.environ | own))
    return Corpus(corpus, own | {"CORPUS_HOME": str(corpus.settings.home)})


@contextmanager
def _environment(own: Mapping[str, str]) -> Iterator[None]:
    """The environment with these variables, and afterwards as it was."""
    before = dict(os.environ)
    os.environ.update(own)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _stage(name: str) -> Stage:
    try:
        return Stage(name)
    except ValueError:
        raise UsageError(f"no stage is called {name!r}: it is one of {', '.join(Stage)}") from None


def _state_of(entry: FileStatus) -> FileState:
    """A record from an entry of `corpus status --json`."""
    stages = {
        stage: StageState(
            stage, own["status"], own["reason"], own["total"], own["processed"], own["dropped"], own["failed"]
        )
        for stage, own in entry["stages"].items()
    }
    return FileState(
        entry["name"], entry["consumer"], entry["recipe"], entry["conversations"], entry["open_failed_samples"], stages
    )


__all__ = ["Corpus", "CorpusError", "File", "FileState", "RunResult", "StageState", "open"]
