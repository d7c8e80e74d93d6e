"""Exports: which row stands at which line of which file, now and in every past export that is still listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Row, insert, select, update

from corpus_pipeline.errors import UnknownName
from corpus_pipeline.model import ConversationId, TaskId, split_id
from corpus_pipeline.store.schema import dataset_files, export_chunks, exports, tasks
from corpus_pipeline.store.types import inserted_id, now_ms

_C = export_chunks.c
WRITING = 0  # the id of an export that is being written


def start(connection: Connection, task_id: TaskId) -> None:
    """Begin to write an export: forget the line map of one that was never published."""
    connection.execute(export_chunks.delete().where(_C.task_id == task_id, _C.export_id == WRITING))


def insert_chunk(
    connection: Connection, task_id: TaskId, first_line: int, ids: Sequence[int], variants: Sequence[int]
) -> None:
    """The rows of the lines from `first_line` (1-based) on; variant 0 is the cleaned row."""
    import numpy as np  # late: `corpus status` needs none of it

    if ids:
        connection.execute(
            insert(export_chunks).values(
                task_id=task_id,
                export_id=WRITING,
                first_line=first_line,
                lines=len(ids),
                first_id=min(ids),
                last_id=max(ids),
                conversation_ids=np.asarray(ids, dtype="<i8").tobytes(),
                variants=np.asarray(variants, dtype="<i2").tobytes(),
            )
        )


def publish(connection: Connection, task_id: TaskId, values: dict[str, Any]) -> int:
    """Record a published export as the current one of its task and target; returns its id."""
    connection.execute(
        update(exports)
        .where(exports.c.task_id == task_id, exports.c.target == values["target"], exports.c.superseded_at.is_(None))
        .values(superseded_at=now_ms())
    )
    export_id = inserted_id(connection.execute(insert(exports).values(task_id=task_id, **values)))
    connection.execute(
        update(export_chunks).where(_C.task_id == task_id, _C.export_id == WRITING).values(export_id=export_id)
    )
    return export_id


def current(connection: Connection, task_id: TaskId) -> Row | None:
    """The newest export of a task, or None."""
    query = select(exports).where(exports.c.task_id == task_id).order_by(exports.c.id.desc()).limit(1)
    return connection.execute(query).one_or_none()


class Place(NamedTuple):
    """The newest export of a task. version: the content version of the task that it holds; replaced: another one, with other
    bytes, was written over it."""

    uri: str
    version: int
    replaced: bool


def places(connection: Connection, task_ids: Sequence[TaskId]) -> dict[TaskId, Place]:
    """Where the data file of the newest export of each task lies, and what became of it."""
    if not task_ids:
        return {}
    files = select(tasks.c.file_id).where(tasks.c.id.in_(task_ids))
    query = (
        select(exports.c.task_id, exports.c.uri, exports.c.sha256, exports.c.content_version)
        .join(tasks, tasks.c.id == exports.c.task_id)
        .where(tasks.c.file_id.in_(files))
        .order_by(exports.c.id)
    )
    rows = connection.execute(query).all()
    lies = {row.uri: row.sha256 for row in rows}  # the last one
    wanted = set(task_ids)
    return {
        TaskId(row.task_id): Place(row.uri, row.content_version, lies[row.uri] != row.sha256)
        for row in rows
        if row.task_id in wanted
    }


def listed(connection: Connection, *, target: str | None = None, only_current: bool = False) -> Sequence[Row]:
    """Exports with the name of their dataset file, oldest first."""
    query = (
        select(exports, dataset_files.c.name.label("file_name"))
        .join(tasks, tasks.c.id == exports.c.task_id)
        .join(dataset_files, dataset_files.c.id == tasks.c.file_id)
        .order_by(exports.c.id)
    )
    if target is not None:
        query = query.where(exports.c.target == target)
    if only_current:
        query = query.where(exports.c.superseded_at.is_(None), dataset_files.c.superseded_at.is_(None))
    return connection.execute(query).all()


def of_file(connection: Connection, name: str) -> Sequence[Row]:
    """(id, sha256) of every export of a dataset file, of all its versions and recipes, oldest first."""
    query = (
        select(exports.c.id, exports.c.sha256)
        .join(tasks, tasks.c.id == exports.c.task_id)
        .join(dataset_files, dataset_files.c.id == tasks.c.file_id)
        .where(dataset_files.c.name == name)
        .order_by(exports.c.id)
    )
    return connection.execute(query).all()


def by_id(connection: Connection, export_id: int) -> Row:
    """Any listed export. Raises UnknownName."""
    row = connection.execute(select(exports).where(exports.c.id == export_id)).one_or_none()
    if row is None:
        known = connection.execute(select(exports.c.id).order_by(exports.c.id.desc()).limit(20)).scalars()
        raise UnknownName("export", str(export_id), map(str, known))
    return row


class ExportedLine(NamedTuple):
    """The row at a line: the cleaned row itself, or one made from it by (strategy, sample)."""

    conversation_id: ConversationId
    strategy: str | None
    sample_index: int | None


def line(connection: Connection, export: Row, number: int) -> ExportedLine | None:
    """What stands at a line (1-based) of an export; None when it has no such line."""
    chunk = connection.execute(
        select(export_chunks)
        .where(_C.task_id == export.task_id, _C.export_id == export.id, _C.first_line <= number)
        .order_by(_C.first_line.desc())
        .limit(1)
    ).one_or_none()
    if chunk is None or number >= chunk.first_line + chunk.lines:
        return None
    return _placed(chunk, orjson.loads(export.variants), number - chunk.first_line)


def _placed(chunk: Row, variants: list[list[Any]], at: int) -> ExportedLine:
    import numpy as np

    identifier = ConversationId(int(np.frombuffer(chunk.conversation_ids, dtype="<i8")[at]))
    return _exported(identifier, int(np.frombuffer(chunk.variants, dtype="<i2")[at]), variants)


def _exported(identifier: ConversationId, variant: int, variants: Sequence[Sequence[Any]]) -> ExportedLine:
    strategy, sample = variants[variant - 1] if variant else (None, None)
    return ExportedLine(identifier, strategy, sample)


def lines_between(connection: Connection, export: Row, first: int, last: int) -> list[tuple[int, ExportedLine]]:
    """(line number, what stands there) for the lines first..last (1-based, both included) of an export."""
    return lines_of_task(connection, export.task_id, export.id, orjson.loads(export.variants), first, last)


def lines_of_task(
    connection: Connection, task_id: TaskId, export_id: int, variants: Sequence[Sequence[Any]], first: int, last: int
) -> list[tuple[int, ExportedLine]]:
    """As `lines_between`, also for the export of a task that is being written (`WRITING`)."""
    import numpy as np

    chunks = connection.execute(
        select(export_chunks)
        .where(
            _C.task_id == task_id,
            _C.export_id == export_id,
            _C.first_line <= last,
            _C.first_line + _C.lines > first,
        )
        .order_by(_C.first_line)
    ).all()
    found = []
    for chunk in chunks:
        ids = np.frombuffer(chunk.conversation_ids, dtype="<i8").tolist()
        own = np.frombuffer(chunk.variants, dtype="<i2").tolist()
        for number in range(max(first, chunk.first_line), min(last, chunk.first_line + chunk.lines - 1) + 1):
            at = number - chunk.first_line
            found.append((number, _exported(ConversationId(ids[at]), own[at], variants)))
    return found


def lines_of(connection: Connection, conversation_id: ConversationId) -> list[tuple[Row, int, ExportedLine]]:
    """(export, line number, what stands there) for everything that was exported of one source row."""
    import numpy as np

    found = []
    own = select(tasks.c.id).where(tasks.c.file_id == split_id(conversation_id)[0])
    chunks = connection.execute(
        select(export_chunks)
        .where(
            _C.task_id.in_(own),
            _C.first_id <= conversation_id,
            _C.last_id >= conversation_id,
            _C.export_id != WRITING,
        )
        .order_by(_C.export_id, _C.first_line)
    ).all()
    for chunk in chunks:
        export = connection.execute(select(exports).where(exports.c.id == chunk.export_id)).one()
        variants = orjson.loads(export.variants)
        ids = np.frombuffer(chunk.conversation_ids, dtype="<i8")
        for at in np.flatnonzero(ids == conversation_id).tolist():
            found.append((export, chunk.first_line + at, _placed(chunk, variants, at)))
    return found


def lines_holding(connection: Connection, task_ids: Sequence[TaskId], ids: Sequence[int]) -> dict[int, list[int]]:
    """{export id: line numbers} of everything that was exported of some source rows under some tasks."""
    import numpy as np

    found: dict[int, list[int]] = {}
    if not ids:
        return found
    query = (
        select(_C.export_id, _C.first_line, _C.conversation_ids)
        .where(
            _C.task_id.in_(task_ids),
            _C.first_id <= max(ids),
            _C.last_id >= min(ids),
            _C.export_id != WRITING,
        )
        .order_by(_C.export_id, _C.first_line)
    )
    wanted = np.asarray(ids, dtype="<i8")
    for export_id, first_line, packed in connection.execute(query.execution_options(yield_per=100)):
        at = np.flatnonzero(np.isin(np.frombuffer(packed, dtype="<i8"), wanted))
        if at.size:
            found.setdefault(export_id, []).extend((at + first_line).tolist())
    return found


def mark_purged(connection: Connection, export_ids: Sequence[int]) -> None:
    """These exports hold rows that were purged; the first time stays."""
    connection.execute(
        update(exports).where(exports.c.id.in_(export_ids), exports.c.purged_at.is_(None)).values(purged_at=now_ms())
    )
