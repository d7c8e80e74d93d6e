"""Conversations, turns and rejects: what came in. Ingest writes them once; nothing else does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select, update

from corpus_pipeline.errors import KeylessWrite
from corpus_pipeline.model import (
    Conversation,
    ConversationId,
    FileId,
    Reject,
    Turn,
    conversation_id,
    id_range,
    split_id,
)
from corpus_pipeline.store.backends import Backend
from corpus_pipeline.store.schema import DATA_COLUMNS, conversations, rejects, turns
from corpus_pipeline.store.turn_columns import extra_value, grouped
from corpus_pipeline.store.types import tuples

_CONVERSATION_COLUMNS = ("id", "turns", "shape", "tools", "source_line", "source_offset", "source_bytes", "is_deleted")
EMPTY_SHAPE = "{}"  # of a conversation that was purged; it has one turn without any text
PURGED = "purged"  # what is left to say of a reject
_TURN_COLUMNS = ("conversation_id", "turn_taking", *DATA_COLUMNS)
_REJECT_COLUMNS = (
    "file_id",
    "row_identifier",
    "source_line",
    "source_offset",
    "source_bytes",
    "reason",
    "detail",
    "raw",
)
_TURNS_SELECT = select(turns.c.conversation_id, *(turns.c[name] for name in DATA_COLUMNS)).order_by(
    turns.c.conversation_id, turns.c.turn_taking
)


class StoredConversation(NamedTuple):
    """A conversation as ingest stored it."""

    id: ConversationId
    conversation: Conversation
    is_deleted: bool


def insert_batch(
    connection: Connection,
    backend: Backend,
    file_id: FileId,
    batch: Sequence[Conversation],
    bad: Sequence[Reject],
    purged: Collection[int] = (),
) -> None:
    """Insert whole conversations with their turns, and the rejects between them. Of the rows that are `purged` only their
    place is kept."""
    if purged:
        batch = [_emptied(c) if c.row_identifier in purged else c for c in batch]
        bad = [r._replace(detail=PURGED, raw=b"") if r.row_identifier in purged else r for r in bad]
    ids = [conversation_id(file_id, c.row_identifier) for c in batch]
    backend.insert(
        connection,
        conversations,
        _CONVERSATION_COLUMNS,
        [
            (
                i,
                len(c.turns),
                c.shape,
                c.tools,
                c.source_line,
                c.source_offset,
                c.source_bytes,
                int(c.row_identifier in purged),
            )
            for i, c in zip(ids, batch, strict=True)
        ],
    )
    backend.insert(
        connection,
        turns,
        _TURN_COLUMNS,
        [
            (i, number, *turn[:6], extra_value(turn))
            for i, c in zip(ids, batch, strict=True)
            for number, turn in enumerate(c.turns, 1)
        ],
    )
    backend.insert(
        connection,
        rejects,
        _REJECT_COLUMNS,
        [
            (
                file_id,
                r.row_identifier,
                r.source_line,
                r.source_offset,
                r.source_bytes,
                r.reason.value,
                r.detail,
                r.raw,
            )
            for r in bad
        ],
    )


def _emptied(conversation: Conversation) -> Conversation:
    return conversation._replace(turns=(Turn(),), shape=EMPTY_SHAPE, tools=None)


def last_id(connection: Connection, file_id: FileId) -> ConversationId | None:
    """The highest conversation id of a file: the fixed end of a read that starts now."""
    low, high = id_range(file_id)
    query = select(func.max(conversations.c.id)).where(conversations.c.id > low, conversations.c.id <= high)
    found = connection.execute(query).scalar()
    return None if found is None else ConversationId(found)


def page(connection: Connection, after: int, end: int, limit: int) -> list[StoredConversation]:
    """The next `limit` conversations with after < id <= end, in id order, deleted ones marked. Seeks by key."""
    heads = connection.execute(
        select(
            conversations.c.id,
            conversations.c.shape,
            conversations.c.tools,
            conversations.c.source_line,
            conversations.c.source_offset,
            conversations.c.source_bytes,
            conversations.c.is_deleted,
        )
        .where(conversations.c.id > after, conversations.c.id <= end)
        .order_by(conversations.c.id)
        .limit(limit)
    ).all()
    if not heads:
        return []
    texts = turns_between(connection, after, heads[-1].id)
    return [_stored(head, texts[head.id]) for head in heads]


def page_values(
    connection: Connection, after: int, end: int, limit: int
) -> tuple[Sequence[tuple[Any, ...]], Sequence[tuple[Any, ...]]]:
    """The same rows as `page`, as plain values: (id, tools, is_deleted, shape) of each, (id, DATA_COLUMNS) of their turns."""
    heads = tuples(
        connection,
        select(conversations.c.id, conversations.c.tools, conversations.c.is_deleted, conversations.c.shape)
        .where(conversations.c.id > after, conversations.c.id <= end)
        .order_by(conversations.c.id)
        .limit(limit),
    )
    if not heads:
        return heads, ()
    query = _TURNS_SELECT.where(turns.c.conversation_id > after, turns.c.conversation_id <= heads[-1][0])
    return heads, tuples(connection, query)


def turns_between(connection: Connection, after: int, last: int) -> dict[int, tuple[Turn, ...]]:
    """The turns of the conversations with after < id <= last."""
    query = _TURNS_SELECT.where(turns.c.conversation_id > after, turns.c.conversation_id <= last)
    return grouped(tuples(connection, query), 1)


def by_ids(connection: Connection, ids: Sequence[int]) -> dict[ConversationId, StoredConversation]:
    """Some conversations by id; ids that do not exist are left out."""
    if not ids:
        return {}
    heads = connection.execute(
        select(
            conversations.c.id,
            conversations.c.shape,
            conversations.c.tools,
            conversations.c.source_line,
            conversations.c.source_offset,
            conversations.c.source_bytes,
            conversations.c.is_deleted,
        ).where(conversations.c.id.in_(ids))
    ).all()
    texts = grouped(connection.execute(_TURNS_SELECT.where(turns.c.conversation_id.in_(ids))), 1)
    return {ConversationId(head.id): _stored(head, texts[head.id]) for head in heads}


def _stored(head: Row, its_turns: tuple[Turn, ...]) -> StoredConversation:
    identifier, shape, tools, line, offset, size, deleted = head
    return StoredConversation(
        ConversationId(identifier),
        Conversation(split_id(identifier)[1], its_turns, shape, tools, line, offset, size),
        bool(deleted),
    )


def soft_delete(connection: Connection, ids: Sequence[ConversationId]) -> None:
    """Mark conversations as deleted. Raises KeylessWrite unless exactly the named rows are touched."""
    touched = connection.execute(update(conversations).where(conversations.c.id.in_(ids)).values(is_deleted=True))
    if touched.rowcount != len(set(ids)):
        raise KeylessWrite(f"{len(set(ids))} rows were to be deleted, {touched.rowcount} exist; nothing was changed")


def reject_rows(connection: Connection, file_id: FileId, after: int, limit: int) -> list[Reject]:
    """Rejects of a file in row order, by key page."""
    query = (
        select(*(rejects.c[name] for name in _REJECT_COLUMNS[1:]))
        .where(rejects.c.file_id == file_id, rejects.c.row_identifier > after)
        .order_by(rejects.c.row_identifier)
        .limit(limit)
    )
    return [Reject(*row) for row in connection.execute(query)]


def reject_reasons(connection: Connection, file_id: FileId) -> dict[str, int]:
    """How many rejects of each reason."""
    query = select(rejects.c.reason, func.count()).where(rejects.c.file_id == file_id).group_by(rejects.c.reason)
    return {reason: count for reason, count in connection.execute(query)}


def remove_file_rows(connection: Connection, file_id: FileId) -> None:
    """Remove what an unfinished or repeated ingest stored of a file."""
    low, high = id_range(file_id)
    connection.execute(turns.delete().where(turns.c.conversation_id > low, turns.c.conversation_id <= high))
    connection.execute(conversations.delete().where(conversations.c.id > low, conversations.c.id <= high))
    connection.execute(rejects.delete().where(rejects.c.file_id == file_id))
