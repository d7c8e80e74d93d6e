"""Exports, where their lines come from, removal requests, and the audit log."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict

from corpus_pipeline.service.records.base import JsonObject, Removal, TurnTexts
from corpus_pipeline.service.records.calls import AskedCall, FailedSample
from corpus_pipeline.service.records.rows import RuleChange, RuleTag


class Export(TypedDict):
    """An export without its manifest. Times in milliseconds UTC."""

    id: int
    name: str
    uri: str
    sha256: str
    bytes: int
    lines: int
    created_at: int
    superseded_at: int | None
    purged_at: int | None
    run_id: str | None


class ExportDetail(Export):
    """An export with its manifest, as it lies beside the data."""

    manifest: JsonObject
    newest: bool
    file_version: int | None


class ExportedRow(TypedDict):
    """What stands at a line of an export; turns: as the database has them now."""

    export_line: int
    row: str
    number: int
    strategy: str | None
    turns: list[TurnTexts]


class ExportLines(TypedDict):
    """Lines of an export, page by page."""

    export_id: int
    name: str
    file_version: int | None
    lines: int
    rows: list[ExportedRow]
    next_after: int | None


class LineSource(TypedDict):
    """Where a line came from. line, byte_offset, bytes: None while ingest was started over and has not come to it again."""

    file: str
    name: str
    version: int | None
    sha256: str
    row: int
    line: int | None
    byte_offset: int | None
    bytes: int | None
    registered_at: int
    ingested_at: int | None


class Repetition(TypedDict):
    """A row that was dropped because it repeats this one."""

    row: str
    kind: str
    distance: int | None
    question_similarity: float | None
    answer_similarity: float | None


class LineStep(TypedDict):
    """One stage on the way of a line; each stage has the keys that apply to it. runs: Dagster runs, oldest first; redone_at:
    when the stage was started over since."""

    stage: str
    runs: list[str]
    redone_at: int | None
    format: NotRequired[str]
    recipe: NotRequired[str]
    recipe_version: NotRequired[str]
    state: NotRequired[str | None]
    reason: NotRequired[str | None]
    changed: NotRequired[bool]
    changes: NotRequired[list[RuleChange]]
    tags: NotRequired[list[RuleTag]]
    duplicate_of: NotRequired[int]
    distance: NotRequired[int | None]
    question_similarity: NotRequired[float | None]
    answer_similarity: NotRequired[float | None]
    repeated_by: NotRequired[list[Repetition]]
    repeated_by_more: NotRequired[bool]
    strategy: NotRequired[str]
    sample: NotRequired[int | None]
    model: NotRequired[str | None]
    prompt_version: NotRequired[str | None]
    made_at: NotRequired[int | None]
    from_paid_answer: NotRequired[bool]
    cost_usd: NotRequired[float]
    calls: NotRequired[list[AskedCall]]
    failed: NotRequired[list[FailedSample]]


class LinePerson(TypedDict):
    """Who did what that bears on a line. entry: of the audit log."""

    at: int
    who: str
    action: str
    subject: str
    reason: str | None
    entry: int


class Lineage(TypedDict):
    """Where a line of an export comes from. manifest: the part of it that says how the export was made."""

    export: str
    export_id: int
    line: int
    lines: int
    export_sha256: str
    exported_at: int
    superseded: bool
    row: str
    purged: Removal | None
    source: LineSource
    steps: list[LineStep]
    people: list[LinePerson]
    manifest: JsonObject


class UnsignedFiles(TypedDict):
    """What lies in the folder of a signed export and nobody signed. shown: where tools that read a whole folder find it;
    hidden: under names that begin with a dot. names: the first of those that are shown."""

    shown: int
    hidden: int
    names: list[str]


class Verification(TypedDict):
    """What a signed export was found to be. line: what was signed of the line that was asked for."""

    name: str
    lines: int
    files: int
    root: str
    key: str
    source_bytes_known: int
    purged: int
    unsigned: UnsignedFiles
    line: JsonObject | None


class AuditEntry(TypedDict):
    """Who did what, when. detail: as the action wrote it."""

    id: int
    at: int
    who: str
    action: str
    subject: str
    detail: Any


class AuditPage(TypedDict):
    """The audit log, the newest first. next_before: None at the end."""

    entries: list[AuditEntry]
    next_before: int | None


class PurgedRow(TypedDict):
    """A row that was removed. line, byte_offset, bytes: where it stands in the source file, once it was read."""

    row: str
    was: str
    line: NotRequired[int]
    byte_offset: NotRequired[int]
    bytes: NotRequired[int]


class StoredObject(TypedDict):
    """A file or object of an export that holds purged rows, and what became of it."""

    uri: str
    state: str


class PurgedExport(TypedDict):
    """An export that holds purged rows, in these lines. objects: absent where the target could not be asked. files: what the
    manifest lists, in the audit log only."""

    export: int
    name: str
    uri: str
    target: str
    current: bool
    lines: list[int]
    objects: NotRequired[list[StoredObject]]
    files: NotRequired[list[JsonObject]]


class PurgedRecipe(TypedDict):
    """A stored recipe version that quotes purged rows. places: the keys and indexes that lead to each value that does.
    needed: files are worked by it, so that it stays as it is; else the values are removed."""

    name: str
    version: str
    places: list[list[str | int]]
    needed: bool


class PurgeReport(TypedDict):
    """What a removal request did. removed, kept: counts by what they held; again: files whose next run matters; left: what
    was not removed, one sentence each; next: the command to run. report: its entry of the audit log. recipes: those that
    quoted the rows; absent in reports of before."""

    file: str
    reason: str
    by: str
    rows: list[PurgedRow]
    removed: dict[str, int]
    kept: dict[str, int]
    exports: list[PurgedExport]
    copies: list[str]
    repeated_by: list[str]
    recipes: NotRequired[list[PurgedRecipe]]
    again: list[str]
    left: list[str]
    next: str | None
    report: NotRequired[int]


class LoggedPurge(PurgeReport):
    """A removal request as the audit log has it."""

    entry: int
    at: int


class RemovedExport(TypedDict):
    """An export of a dataset file that was taken out."""

    export: int
    uri: str
    target: str
    sha256: str


class KeptCalls(TypedDict):
    """What stays in the ledger of a dataset file that was taken out."""

    calls: int
    cost_usd: float


class RemovalReport(TypedDict):
    """What `corpus remove` did. ids: of all versions; counts: what went; again: files whose next run matters; left: what was
    not removed, one sentence each; next: the command to run. report: its entry of the audit log. before: it was removed
    earlier, and was looked after again. files_removed: of exports, where the target could be asked."""

    file: str
    reason: str
    by: str
    ids: list[int]
    versions: list[int]
    source: str
    keep_answers: bool
    counts: dict[str, int]
    kept: KeptCalls
    exports: list[RemovedExport]
    again: list[str]
    left: list[str]
    next: str | None
    report: NotRequired[int]
    before: NotRequired[bool]
    files_removed: NotRequired[list[str]]
