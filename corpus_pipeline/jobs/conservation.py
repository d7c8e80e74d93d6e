"""The account of a dataset file: where every line and every row went. Run, report, pages, checks and manifest tell it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import orjson
from sqlalchemy import Connection, Row
from typing_extensions import TypedDict

from corpus_pipeline.recipe import ExportSection
from corpus_pipeline.states import Stage
from corpus_pipeline.store import cursors, dataset_files, exports, outcomes, rows, tasks
from corpus_pipeline.store.dataset_files import DatasetFile
from corpus_pipeline.store.outcomes import NewRows, SourceRows
from corpus_pipeline.store.tasks import Task


class Lines(NamedTuple):
    """lines = conversations + rejects + blanks. rejects: reason -> lines."""

    lines: int
    conversations: int
    rejects: dict[str, int]
    blanks: int

    @property
    def balanced(self) -> bool:
        return self.lines == self.conversations + sum(self.rejects.values()) + self.blanks


class WrittenRows(NamedTuple):
    """What an export wrote, or would have: rows by origin, and the reasons of those that the format cannot hold."""

    rows: Mapping[str, int]
    not_exportable: Mapping[str, int]
    format: str = ""
    held: bool = False  # by the gate
    left_behind: Mapping[str, int] = MappingProxyType({})  # why rows stayed that the recipe chose not to export


class LinesRecord(TypedDict):
    """`Lines` as JSON."""

    lines: int
    conversations: int
    rejects: dict[str, int]
    blanks: int


class AccountRecord(TypedDict):
    """`Account` as JSON. balanced: whether the sum holds."""

    lines: LinesRecord
    rows_in: int
    exported: int
    held: int
    waiting: int
    dropped: dict[str, int]
    not_exportable: dict[str, int]
    failed: int
    deleted: int
    withdrawn: int
    left_out: int
    unseen: int
    balanced: bool


class Account(NamedTuple):
    """rows_in = exported + held + waiting + dropped + not_exportable + failed + deleted + withdrawn + left_out + unseen.

    rows_in: the conversations of the file, and the new rows that strategies were asked for.
    held: rows that lie ready and that the gate holds back. waiting: no export of the rows as they are now was written.
    dropped, not_exportable: reason -> rows. failed: new rows that failed. deleted: on request.
    withdrawn: new rows whose source row was deleted, dropped or changed since. left_out: by `export.include`, tags, `select`
    or the verdict of a person. unseen: cleaning has not come to them.
    """

    lines: Lines
    rows_in: int
    exported: int
    held: int
    waiting: int
    dropped: dict[str, int]
    not_exportable: dict[str, int]
    failed: int
    deleted: int
    withdrawn: int
    left_out: int
    unseen: int

    @property
    def accounted(self) -> int:
        """The sum of everything that rows can have become."""
        plain = self.exported + self.held + self.waiting + self.failed
        gone = self.deleted + self.withdrawn + self.left_out + self.unseen
        return plain + gone + sum(self.dropped.values()) + sum(self.not_exportable.values())

    @property
    def balanced(self) -> bool:
        return self.lines.balanced and self.rows_in == self.accounted

    def to_dict(self) -> AccountRecord:
        """The same as JSON."""
        told = {**self._asdict(), "lines": self.lines._asdict(), "balanced": self.balanced}
        return cast(AccountRecord, told)


_REST = ("held", "waiting", "dropped", "not_exportable", "failed", "deleted", "withdrawn", "left_out", "unseen")


def account_line(account: Mapping[str, Any]) -> str:
    """Where every row went, as a sum: `30 rows in = 20 exported + 10 not exportable`."""
    parts = [f"{account['exported']:,} exported"]
    for key in _REST:
        value = account[key]
        count = sum(value.values()) if isinstance(value, dict) else value
        if count:
            parts.append(f"{count:,} {key.replace('_', ' ')}")
    return f"{account['rows_in']:,} rows in = {' + '.join(parts)}"


def account(
    connection: Connection,
    file: DatasetFile,
    task: Task,
    section: ExportSection,
    written: WrittenRows | None = None,
) -> Account:
    """The account as the database has it now. written: of an export that is about to be published."""
    now = dataset_files.file_by_id(connection, file.id)
    source = outcomes.source_rows(connection, file.id, task.id, now.conversations or 0)
    new = outcomes.new_rows(connection, task.id)
    written = written or written_rows(connection, task)
    out = 0 if written is None else sum(written.rows.values())
    held = written is not None and written.held
    chosen_against = 0 if written is None else sum(written.left_behind.values())
    return Account(
        lines=lines_of(connection, now),
        rows_in=(now.conversations or 0) + new.made + new.failed,
        exported=0 if held else out,
        held=out if held else 0,
        waiting=_offered(source, new, section) if written is None else 0,
        dropped=source.dropped,
        not_exportable={} if written is None else dict(written.not_exportable),
        failed=new.failed,
        deleted=source.deleted,
        withdrawn=new.withdrawn,
        left_out=source.kept + new.made - new.withdrawn - _offered(source, new, section) + chosen_against,
        unseen=source.unseen,
    )


def lines_of(connection: Connection, file: DatasetFile) -> Lines:
    """What became of the lines of a file."""
    return Lines(file.lines or 0, file.conversations or 0, rows.reject_reasons(connection, file.id), file.blanks or 0)


def _offered(source: SourceRows, new: NewRows, section: ExportSection) -> int:
    """Rows that the recipe wants exported."""
    cleaned = source.kept if "cleaned" in section.include else 0
    return cleaned + (new.made - new.withdrawn if "augmented" in section.include else 0)


def written_rows(connection: Connection, task: Task) -> WrittenRows | None:
    """What the newest export of a task holds, published or held; None when its rows changed since."""
    version = tasks.task_by_id(connection, task.id).content_version
    export = exports.current(connection, task.id)
    if export is not None and export.content_version == version:
        return of_manifest(export)
    for cursor in cursors.stage_cursors(connection, task.id, Stage.EXPORT):
        position = cursor.position or {}
        if position.get("version") == version and "held" in position:
            told = position["held"]
            left_behind = told.get("left_behind", {})
            return WrittenRows(told["rows"], told["not_exportable"], told["format"], True, left_behind)
    return None


def of_manifest(export: Row) -> WrittenRows:
    """What the manifest of a published export says."""
    manifest = orjson.loads(export.manifest)
    if not manifest:  # of before manifests were kept
        return WrittenRows({"all": export.lines}, {})
    return WrittenRows(
        manifest["rows_by_origin"],
        manifest["not_exportable"],
        manifest["format"],
        left_behind=manifest.get("left_behind", {}),
    )
