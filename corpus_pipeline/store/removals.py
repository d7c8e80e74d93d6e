"""Taking a dataset file out again: first it counts no longer, in one transaction; then what was made of it goes, in parts.

What stays of it is its line in the register, the tasks and the ledger that hangs on them, and the audit log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, and_, func, select, update

from corpus_pipeline.model import FileId, NanoDollars, TaskId, Usage, id_range
from corpus_pipeline.states import AttemptState, FileState
from corpus_pipeline.store import dataset_files as store_dataset_files
from corpus_pipeline.store import ledger, purges
from corpus_pipeline.store.dataset_files import DatasetFile
from corpus_pipeline.store.ledger import Settlement
from corpus_pipeline.store.schema import (
    augmented_rows,
    cleaned_rows,
    completion_reports,
    conversations,
    cursor_events,
    dataset_files,
    execution_cursors,
    export_chunks,
    exports,
    kept_rows,
    llm_attempts,
    pause_flags,
    rejects,
    spending,
    start_requests,
    turns,
    webhook_events,
)
from corpus_pipeline.store.types import now_ms

AT_ONCE = 5_000  # rows of a transaction
_REMOVED = "file_removed"  # how calls end whose file was taken out while they were under way
_F = dataset_files.c
# what belongs to the tasks and is small: it goes with the first transaction
_OF_TASKS: tuple[Table, ...] = (
    execution_cursors,
    cursor_events,
    completion_reports,
    webhook_events,
    export_chunks,
    exports,
)


def counts(connection: Connection, file_ids: Sequence[int], task_ids: Sequence[TaskId]) -> dict[str, int]:
    """How much there is of some dataset files: what goes, and what the ledger keeps (`calls`, `spent` in nano-dollars)."""
    ranges = [id_range(FileId(file_id)) for file_id in file_ids]

    def rows(table: Table, column: Any) -> int:
        return sum(
            connection.execute(select(func.count()).select_from(table).where(column > low, column <= high)).scalar_one()
            for low, high in ranges
        )

    def of_tasks(table: Table) -> int:
        query = select(func.count()).select_from(table).where(table.c.task_id.in_(task_ids))
        return connection.execute(query).scalar_one()

    money = select(func.coalesce(func.sum(spending.c.cost), 0)).where(spending.c.task_id.in_(task_ids))
    bad = select(func.count()).select_from(rejects).where(rejects.c.file_id.in_(file_ids))
    return {
        "conversations": rows(conversations, conversations.c.id),
        "rejects": connection.execute(bad).scalar_one(),
        "verdicts": of_tasks(cleaned_rows),
        "new_rows": of_tasks(augmented_rows),
        "exports": of_tasks(exports),
        "calls": of_tasks(llm_attempts),
        "spent": int(connection.execute(money).scalar_one()),
    }


def versions(connection: Connection, name: str) -> list[DatasetFile]:
    """Every version of a dataset file that was not removed, oldest first."""
    query = select(_F.id).where(_F.name == name, _F.removed_at.is_(None)).order_by(_F.version)
    return [store_dataset_files.file_by_id(connection, FileId(i)) for i in connection.execute(query).scalars()]


def removed(connection: Connection, name: str) -> list[DatasetFile]:
    """The versions of a dataset file that were removed, oldest first."""
    query = select(_F.id).where(_F.name == name, _F.removed_at.is_not(None)).order_by(_F.version)
    return [store_dataset_files.file_by_id(connection, FileId(i)) for i in connection.execute(query).scalars()]


def places(connection: Connection) -> dict[tuple[str, int], int]:
    """{(path, bytes): when} of the dataset files that were removed."""
    query = select(_F.path, _F.bytes, func.max(_F.removed_at)).where(_F.removed_at.is_not(None))
    return {(path, size): at for path, size, at in connection.execute(query.group_by(_F.path, _F.bytes))}


def unfinished(connection: Connection) -> list[FileId]:
    """The dataset files that count no longer and of which something may be left: anyone who removed them died."""
    query = select(_F.id).where(_F.removed_at.is_not(None), _F.emptied_at.is_(None)).order_by(_F.id)
    return [FileId(i) for i in connection.execute(query).scalars()]


def mark(connection: Connection, name: str, file_ids: Sequence[int], who: str) -> None:
    """From now on these versions count no longer: their name is free, no export of them is known, and no flag waits for them.
    Calls that were under way are booked at their upper bound."""
    own_tasks = purges.tasks_of(connection, file_ids)
    _settle(connection, own_tasks)
    for table in _OF_TASKS:
        connection.execute(table.delete().where(table.c.task_id.in_(own_tasks)))
    flags = pause_flags.c
    connection.execute(
        update(pause_flags)
        .where(flags.file_name == name, flags.cleared_at.is_(None))
        .values(cleared_by=who[:128], cleared_at=now_ms())
    )
    connection.execute(start_requests.delete().where(start_requests.c.file_name == name))
    for file_id in file_ids:
        store_dataset_files.reopen_ingest(connection, FileId(file_id))
    connection.execute(
        update(dataset_files)
        .where(_F.id.in_(file_ids))
        .values(
            removed_at=now_ms(),
            superseded_at=func.coalesce(_F.superseded_at, now_ms()),
            state=FileState.REGISTERED.value,
        )
    )


def _settle(connection: Connection, own_tasks: Sequence[TaskId]) -> None:
    a = llm_attempts.c
    query = select(a.id, a.reserved).where(a.task_id.in_(own_tasks), a.state == AttemptState.INTENT.value)
    under_way = connection.execute(query).all()
    ledger.settle(
        connection,
        [
            Settlement(row.id, AttemptState.UNKNOWN, _REMOVED, Usage(0, 0), NanoDollars(row.reserved), 0)
            for row in under_way
        ],
    )


def take_out(connection: Connection, file_id: FileId, *, keep_answers: bool) -> int:
    """Delete the next AT_ONCE rows of a dataset file and what was made from them; returns how many there were, 0 once nothing
    is left, which is noted. Answers that rows of other files are made of stay."""
    low, high = id_range(file_id)
    own_tasks = purges.tasks_of(connection, [file_id])
    query = (
        select(conversations.c.id)
        .where(conversations.c.id > low, conversations.c.id <= high)
        .order_by(conversations.c.id)
    )
    ids = list(connection.execute(query.limit(AT_ONCE)).scalars())
    if ids:
        _take_out(connection, own_tasks, low, ids[-1], keep_answers)
        return len(ids)
    query = select(rejects.c.row_identifier).where(rejects.c.file_id == file_id).order_by(rejects.c.row_identifier)
    bad = list(connection.execute(query.limit(AT_ONCE)).scalars())
    if bad:
        own = and_(rejects.c.file_id == file_id, rejects.c.row_identifier <= bad[-1])
        connection.execute(rejects.delete().where(own))
        return len(bad)
    _take_out(connection, own_tasks, low, high, keep_answers)
    connection.execute(update(dataset_files).where(_F.id == file_id).values(emptied_at=now_ms()))
    return 0


def _take_out(connection: Connection, own_tasks: Sequence[TaskId], low: int, last: int, keep_answers: bool) -> None:
    """Everything of the rows above `low`, up to `last`."""
    if not keep_answers:
        purges.forget_answers(connection, own_tasks, low, last)
    for _, table in purges.MADE:
        own = and_(table.c.task_id.in_(own_tasks), table.c.conversation_id > low, table.c.conversation_id <= last)
        connection.execute(table.delete().where(own))
    connection.execute(kept_rows.delete().where(kept_rows.c.conversation_id > low, kept_rows.c.conversation_id <= last))
    connection.execute(turns.delete().where(turns.c.conversation_id > low, turns.c.conversation_id <= last))
    connection.execute(conversations.delete().where(conversations.c.id > low, conversations.c.id <= last))


def is_removed(connection: Connection, file_id: FileId) -> bool:
    """Whether a dataset file was taken out: work on it that was about to begin must not."""
    return connection.execute(select(_F.removed_at).where(_F.id == file_id)).scalar() is not None
