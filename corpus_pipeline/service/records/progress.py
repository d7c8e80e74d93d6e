"""How far dataset files are: status, rates, pause flags."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class StageStatus(TypedDict):
    """One stage of a dataset file. Counts are rows; total: None while it is not known. reason: why it is not done."""

    status: str
    total: int | None
    processed: int
    dropped: int
    failed: int
    reason: str | None
    flag: str | None
    worker: str | None
    held: str | None
    active_ms: int
    run_id: str | None
    warnings: list[str]
    skip_reasons: dict[str, int]
    troubles: list[str]


class FileFacts(TypedDict):
    """A dataset file. title: the name of the file as it was given, in whatever script. rejects, blanks: lines, None before it
    is ingested."""

    name: str
    title: str
    consumer: str
    recipe: str
    format: str
    lines: int | None
    conversations: int | None
    rejects: int | None
    blanks: int | None
    open_failed_samples: int


class FileStatus(FileFacts):
    """A dataset file and its stages by name."""

    stages: dict[str, StageStatus]


class StageProgress(StageStatus):
    """per_second: finished rows by second of work, None before the first. eta_seconds: None unless it runs."""

    per_second: float | None
    eta_seconds: float | None


class FileProgress(FileFacts):
    """A dataset file with its identity, its cost in US dollars, and the rate of its stages."""

    stages: dict[str, StageProgress]
    version: int
    bytes: int
    sha256: str
    path: str
    cost_usd: float


class Flag(TypedDict):
    """A pause flag. scope: in words; at, cleared_at: milliseconds UTC."""

    id: int
    scope: str
    stage: str | None
    file: str | None
    reason: str
    by: str
    at: int
    cleared_by: str | None
    cleared_at: int | None


class SetFlag(Flag):
    """A flag that is set. pausing: `file stage` of what has not stopped yet."""

    pausing: list[str]
    stopped: bool


class StartWish(TypedDict):
    """A request to start a file, or a backfill of all, that no run has answered yet. to: the last stage; requested_at:
    milliseconds since 1970."""

    to: str
    requested_by: str
    requested_at: int


class Totals(TypedDict):
    """All dataset files together."""

    files: int
    bytes: int
    conversations: int
    cost_usd: float
    open_failed_samples: int
    running: int


class AddedFile(TypedDict):
    """A dataset file that was registered. new: False when these bytes were registered under this name before."""

    name: str
    title: str
    format: str
    sha256: str
    bytes: int
    container: str
    compression: str
    consumer: str
    new: bool
    evidence: str | None


class IndexState(TypedDict):
    """How far the search index of a dataset file is, in rows; bytes on disk."""

    file: str
    rows: int
    indexed: int
    bytes: int
    purged: int


class WorkerState(TypedDict):
    """A process that works a run, on whatever host. run: of Dagster; `(daemon)` is Dagster's daemon. file, stage: what it works
    now. Seconds: since it began, and since its last sign of life. missing: whether that is longer ago than its lease."""

    host: str
    pid: int
    version: str
    run: str
    file: str | None
    stage: str | None
    seconds: int
    silent_seconds: int
    missing: bool


class Finding(TypedDict):
    """A finding of `corpus doctor`. The sentence of a bad one ends with the next step."""

    subject: str
    ok: bool
    sentence: str


class CatalogueEntry(TypedDict):
    """A rule, strategy, format or validator. default: whether a rule works where a recipe names none. problem: why a plugin
    cannot be used."""

    name: str
    summary: str
    package: str
    version: str
    built_in: bool
    problem: NotRequired[str]
    default: NotRequired[bool]
