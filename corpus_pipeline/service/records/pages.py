"""What the pages answer with as JSON, where it is more than one record."""

from __future__ import annotations

from typing_extensions import TypedDict

from corpus_pipeline.jobs.completion_report import CompletionReport
from corpus_pipeline.service.records.calls import FailedSample, Trial
from corpus_pipeline.service.records.exports import Export
from corpus_pipeline.service.records.progress import (
    AddedFile,
    FileProgress,
    FileStatus,
    Flag,
    SetFlag,
    StartWish,
    Totals,
    WorkerState,
)
from corpus_pipeline.service.records.rows import DuplicatePage, KeptRow, ListedRow, RejectedLine
from corpus_pipeline.service.records.statistics import FileStatistics


class StatusAnswer(TypedDict):
    """`corpus status --json`."""

    files: list[FileStatus]
    workers: list[WorkerState]


class AddAnswer(TypedDict):
    """`corpus add --json`."""

    files: list[AddedFile]


class RunAnswer(TypedDict):
    """`corpus run --json`."""

    reports: list[CompletionReport]


class FilesPage(TypedDict):
    """All dataset files, the pause flags that are set, and the backfills that are asked for."""

    files: list[FileProgress]
    flags: list[SetFlag]
    backfills: list[StartWish]
    totals: Totals


class FilePage(TypedDict):
    """One dataset file, the flags that cover it, what is asked for, and its newest exports."""

    file: FileProgress
    flags: list[SetFlag]
    start_requests: list[StartWish]
    exports: list[Export]


class RowsPage(TypedDict):
    """Rows of a stage. stopped_at: how far was looked when the time was over; last: the highest row number."""

    name: str
    stage: str
    rows: list[ListedRow]
    after: int
    next_after: int | None
    stopped_at: int | None
    last: int


class RejectsPage(TypedDict):
    """Lines of a dataset file that became no conversation."""

    name: str
    rejects: list[RejectedLine]
    next_after: int | None


class DuplicatesPage(DuplicatePage):
    """Duplicates, and the rows that a person keeps instead."""

    kept_anyway: list[KeptRow]


class StatisticsPage(FileStatistics):
    """counted_at: milliseconds UTC of an earlier count; counting: whether a newer one goes on."""

    counted_at: int | None
    counting: bool


class ReportsPage(TypedDict):
    """The completion reports of a dataset file, in the order of stages."""

    name: str
    reports: list[CompletionReport]
    counted_at: int | None
    counting: bool


class FailedPage(TypedDict):
    """The failed-sample queue."""

    samples: list[FailedSample]
    next_after: int | None


class PausesPage(TypedDict):
    """Pause flags that are set, and those that were."""

    flags: list[SetFlag]
    history: list[Flag]


class ExportsPage(TypedDict):
    """All exports, the newest first."""

    exports: list[Export]


class TryPage(TypedDict):
    """A strategy to be tried, or tried. templates: by step."""

    name: str
    strategies: list[str]
    strategy: str
    templates: dict[str, str]
    tried: Trial | None
    models: str
    rows: int
    numbers: str


class LoginPage(TypedDict):
    """The form to log in; error: what was wrong with the last try."""

    error: str | None


class Done(TypedDict):
    """What an action did, in a sentence."""

    done: str


class Problem(TypedDict):
    """Why there is no answer."""

    status: int
    error: str
