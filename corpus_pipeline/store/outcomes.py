"""What became of every row under a task, as counts that add up."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, and_, func, or_, select

from corpus_pipeline.model import FileId, TaskId, id_range
from corpus_pipeline.states import DuplicateKind, ItemState, RowState
from corpus_pipeline.store import cleaned
from corpus_pipeline.store.schema import (
    augmented_rows,
    cleaned_rows,
    conversations,
    duplicates,
    work_items,
)


class SourceRows(NamedTuple):
    """The conversations of a file: kept + dropped + deleted + unseen. dropped: reason -> rows. deleted: on request,
    whatever the verdict. unseen: cleaning has not come to them."""

    kept: int
    dropped: dict[str, int]
    deleted: int
    unseen: int


class NewRows(NamedTuple):
    """What strategies made. withdrawn: part of `made` whose source row was deleted, dropped or changed since."""

    made: int
    failed: int
    withdrawn: int


def source_rows(connection: Connection, file_id: FileId, task_id: TaskId, total: int) -> SourceRows:
    """What became of the `total` conversations of a file."""
    deleted = _deleted(connection, file_id)
    if deleted:
        verdicts, dropped = _among_undeleted(connection, file_id, task_id)
    else:  # by far the common case, and much cheaper
        verdicts, dropped = cleaned.counts(connection, task_id)[0], cleaned.drop_reasons(connection, task_id)
    return SourceRows(verdicts - sum(dropped.values()), dropped, deleted, total - deleted - verdicts)


def near_with_another_answer(connection: Connection, task_id: TaskId) -> int:
    """Near-duplicates whose answer is not quite that of their keeper."""
    query = select(func.count()).where(
        duplicates.c.task_id == task_id,
        duplicates.c.kind == DuplicateKind.NEAR.value,
        duplicates.c.answer_similarity < 1,
    )
    return int(connection.execute(query).scalar_one())


def _deleted(connection: Connection, file_id: FileId) -> int:
    low, high = id_range(file_id)
    query = select(func.count()).where(
        conversations.c.id > low, conversations.c.id <= high, conversations.c.is_deleted.is_(True)
    )
    return int(connection.execute(query).scalar_one())


def _among_undeleted(connection: Connection, file_id: FileId, task_id: TaskId) -> tuple[int, dict[str, int]]:
    low, high = id_range(file_id)
    query = (
        select(cleaned_rows.c.state, cleaned_rows.c.reason, duplicates.c.kind, func.count())
        .select_from(
            conversations.join(
                cleaned_rows,
                and_(cleaned_rows.c.task_id == task_id, cleaned_rows.c.conversation_id == conversations.c.id),
            ).outerjoin(
                duplicates, and_(duplicates.c.task_id == task_id, duplicates.c.conversation_id == conversations.c.id)
            )
        )
        .where(conversations.c.id > low, conversations.c.id <= high, conversations.c.is_deleted.is_(False))
        .group_by(cleaned_rows.c.state, cleaned_rows.c.reason, duplicates.c.kind)
    )
    verdicts, dropped = 0, dict[str, int]()
    for state, reason, kind, count in connection.execute(query):
        verdicts += int(count)
        word = f"{kind}_duplicate" if kind is not None else reason if state == RowState.DROPPED.value else None
        if word is not None:
            dropped[word] = dropped.get(word, 0) + int(count)
    return verdicts, dropped


def new_rows(connection: Connection, task_id: TaskId) -> NewRows:
    """What strategies made of the rows of a task."""
    counts = {
        state: int(count)
        for state, count in connection.execute(
            select(work_items.c.state, func.count()).where(work_items.c.task_id == task_id).group_by(work_items.c.state)
        )
    }
    made = counts.get(ItemState.DONE.value, 0)
    if made:
        made -= _values_only(connection, task_id)
    return NewRows(made, counts.get(ItemState.FAILED.value, 0), _withdrawn(connection, task_id) if made else 0)


def _values_only(connection: Connection, task_id: TaskId) -> int:
    """Items that made values beside a row, and no new one."""
    query = select(func.count()).select_from(augmented_rows)
    is_beside = (augmented_rows.c.task_id == task_id, augmented_rows.c.makes != "row")
    return int(connection.execute(query.where(*is_beside)).scalar_one())


def _withdrawn(connection: Connection, task_id: TaskId) -> int:
    same = and_(
        cleaned_rows.c.task_id == augmented_rows.c.task_id,
        cleaned_rows.c.conversation_id == augmented_rows.c.conversation_id,
        cleaned_rows.c.content_hash == augmented_rows.c.source_hash,
        cleaned_rows.c.state == RowState.KEPT.value,
    )
    repeated = and_(
        duplicates.c.task_id == augmented_rows.c.task_id,
        duplicates.c.conversation_id == augmented_rows.c.conversation_id,
    )
    query = (
        select(func.count())
        .select_from(
            augmented_rows.join(conversations, conversations.c.id == augmented_rows.c.conversation_id)
            .outerjoin(cleaned_rows, same)
            .outerjoin(duplicates, repeated)
        )
        .where(
            augmented_rows.c.task_id == task_id,
            augmented_rows.c.makes == "row",
            or_(
                cleaned_rows.c.conversation_id.is_(None),
                duplicates.c.conversation_id.is_not(None),
                conversations.c.is_deleted.is_(True),
            ),
        )
    )
    return int(connection.execute(query).scalar_one())
