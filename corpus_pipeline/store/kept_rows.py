"""Rows that a person keeps although cleaning would drop or change them: under any recipe, over any number of cleanings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from corpus_pipeline.model import ConversationId, FileId, id_range
from corpus_pipeline.store.schema import kept_rows
from corpus_pipeline.store.statement_parts import parts


class KeptRow(NamedTuple):
    """A decision to keep a row; `kept_at` in milliseconds UTC. unchanged: as its source brought it."""

    conversation_id: ConversationId
    kept_by: str
    kept_at: int
    reason: str
    unchanged: bool


def add(
    connection: Connection,
    ids: Sequence[ConversationId],
    who: str,
    reason: str,
    *,
    unchanged: Collection[ConversationId] = (),
) -> None:
    """Record that rows are kept, some of them `unchanged`; a row that is kept already gets the new reason."""
    remove(connection, ids)
    if ids:
        connection.execute(
            insert(kept_rows),
            [
                {"conversation_id": one, "kept_by": who, "reason": reason, "unchanged": one in unchanged}
                for one in sorted(set(ids))
            ],
        )


def remove(connection: Connection, ids: Sequence[ConversationId]) -> int:
    """Forget that rows are kept; returns how many were."""
    removed = 0
    for part in parts(ids):
        removed += connection.execute(kept_rows.delete().where(kept_rows.c.conversation_id.in_(part))).rowcount
    return removed


def among(connection: Connection, ids: Sequence[int]) -> dict[ConversationId, KeptRow]:
    """Those of some rows that are kept."""
    found = {}
    for part in parts(ids):
        query = select(kept_rows).where(kept_rows.c.conversation_id.in_(part))
        found.update({ConversationId(row[0]): KeptRow(*row) for row in connection.execute(query)})
    return found


def of_file(connection: Connection, file_id: FileId) -> list[KeptRow]:
    """The kept rows of a dataset file, in row order."""
    low, high = id_range(file_id)
    key = kept_rows.c.conversation_id
    query = select(kept_rows).where(key > low, key <= high).order_by(key)
    return [KeptRow(*row) for row in connection.execute(query)]


def every_id(connection: Connection) -> frozenset[int]:
    """The ids of all kept rows of all files: they are few, a person named each."""
    return frozenset(connection.execute(select(kept_rows.c.conversation_id)).scalars())
