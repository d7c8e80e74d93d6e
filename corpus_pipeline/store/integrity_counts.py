"""Integrity counts of a dataset file and its tasks, for data checks and tests."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, and_, func, select

from corpus_pipeline.model import FileId, TaskId, id_range
from corpus_pipeline.states import RowState
from corpus_pipeline.store.schema import cleaned_rows, conversations, duplicates, kept_rows, rejects


class StoredRows(NamedTuple):
    """What the tables hold of a dataset file."""

    conversations: int
    rejects: int


def stored_rows(connection: Connection, file_id: FileId) -> StoredRows:
    """Count the rows of a file."""
    low, high = id_range(file_id)
    rows = connection.execute(
        select(func.count()).select_from(conversations).where(conversations.c.id > low, conversations.c.id <= high)
    ).scalar_one()
    bad = connection.execute(select(func.count()).select_from(rejects).where(rejects.c.file_id == file_id)).scalar_one()
    return StoredRows(int(rows), int(bad))


def rows_without_verdict(connection: Connection, file_id: FileId, task_id: TaskId) -> int:
    """Rows of the file, not deleted, on which the rule pass of the task decided nothing."""
    low, high = id_range(file_id)
    query = (
        select(func.count())
        .select_from(
            conversations.outerjoin(
                cleaned_rows,
                and_(cleaned_rows.c.task_id == task_id, cleaned_rows.c.conversation_id == conversations.c.id),
            )
        )
        .where(
            conversations.c.id > low,
            conversations.c.id <= high,
            conversations.c.is_deleted.is_(False),
            cleaned_rows.c.conversation_id.is_(None),
        )
    )
    return int(connection.execute(query).scalar_one())


def exact_duplicates_left(connection: Connection, task_id: TaskId) -> int:
    """Kept rows of a task that share their content hash with a lower kept row."""
    kept = (
        select(cleaned_rows.c.content_hash)
        .outerjoin(
            duplicates,
            and_(
                duplicates.c.task_id == cleaned_rows.c.task_id,
                duplicates.c.conversation_id == cleaned_rows.c.conversation_id,
            ),
        )
        .where(
            cleaned_rows.c.task_id == task_id,
            cleaned_rows.c.state == RowState.KEPT.value,
            duplicates.c.conversation_id.is_(None),
            cleaned_rows.c.conversation_id.not_in(select(kept_rows.c.conversation_id)),  # a person keeps those
        )
        .subquery()
    )
    counts = select((func.count() - func.count(kept.c.content_hash.distinct())).label("n")).select_from(kept)
    return int(connection.execute(counts).scalar_one())
