"""Execution cursors: how far each task type of a stage is, and the one status. Each change of status is one guarded UPDATE
with its event row in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, Row, func, insert, or_, select, update

from corpus_pipeline import process_identity
from corpus_pipeline.errors import KeylessWrite
from corpus_pipeline.model import FileId, TaskId
from corpus_pipeline.states import Stage, Status, combined, sources_of
from corpus_pipeline.store.schema import cursor_events, execution_cursors
from corpus_pipeline.store.types import now_ms

_C = execution_cursors.c
STARTED_OVER = "started over"  # the reason of that event
ROWS_REPLACED = "started over: its rows were replaced"  # by those of another task, not because it was asked for


class Cursor(NamedTuple):
    """One row of execution_cursors, without its times."""

    task_id: TaskId
    stage: Stage
    task_type: str
    current_file_id: FileId
    current_offset: int
    last_id: int
    end_id: int | None
    total_rows: int | None
    processed_rows: int
    dropped_rows: int
    failed_rows: int
    position: dict[str, Any] | None
    status: Status
    status_reason: str | None
    run_id: str | None
    active_ms: int
    started_at: int | None
    updated_at: int
    finished_at: int | None


def _cursor(row: Row) -> Cursor:
    values = row._asdict()
    values["stage"] = Stage(values["stage"])
    values["status"] = Status(values["status"])
    values["position"] = None if values["position"] is None else orjson.loads(values["position"])
    return Cursor(**values)


def open_cursors(
    connection: Connection, task_id: TaskId, stage: Stage, task_types: Sequence[str], file_id: FileId
) -> list[Cursor]:
    """The cursors of a stage, one a task type in the given order; missing ones begin at 0 of this file."""
    known = {c.task_type: c for c in stage_cursors(connection, task_id, stage)}
    for task_type in task_types:
        if task_type not in known:
            connection.execute(
                insert(execution_cursors).values(
                    task_id=task_id,
                    stage=stage.value,
                    task_type=task_type,
                    current_file_id=file_id,
                    status=Status.PENDING.value,
                )
            )
    known = {c.task_type: c for c in stage_cursors(connection, task_id, stage)}
    return [known[task_type] for task_type in task_types]


def stage_cursors(connection: Connection, task_id: TaskId, stage: Stage) -> list[Cursor]:
    """The cursors of one stage of a task."""
    query = select(execution_cursors).where(_C.task_id == task_id, _C.stage == stage.value).order_by(_C.task_type)
    return [_cursor(row) for row in connection.execute(query)]


def positions(connection: Connection, stage: Stage) -> list[Cursor]:
    """The cursors of one stage of all tasks that stand somewhere inside their read."""
    query = select(execution_cursors).where(_C.stage == stage.value, _C.position.is_not(None))
    return [_cursor(row) for row in connection.execute(query)]


def task_cursors(connection: Connection, task_ids: Sequence[TaskId]) -> dict[tuple[TaskId, Stage], list[Cursor]]:
    """The cursors of some tasks by (task, stage)."""
    found: dict[tuple[TaskId, Stage], list[Cursor]] = {}
    query = select(execution_cursors).where(_C.task_id.in_(task_ids)).order_by(_C.task_id, _C.task_type)
    for row in connection.execute(query):
        cursor = _cursor(row)
        found.setdefault((cursor.task_id, cursor.stage), []).append(cursor)
    return found


def stage_status(cursors: Sequence[Cursor]) -> Status:
    """The status of a stage: a view of its cursors."""
    return combined([cursor.status for cursor in cursors])


def is_done(connection: Connection, task_id: TaskId, stage: Stage) -> bool:
    """Whether a stage of a task is finished."""
    return stage_status(stage_cursors(connection, task_id, stage)) is Status.DONE


def fix_end(
    connection: Connection, task_id: TaskId, stage: Stage, task_type: str, *, end_id: int, total_rows: int
) -> None:
    """Fix where the read of this task type ends. Once only: a stage never reads what comes later."""
    touched = connection.execute(
        update(execution_cursors)
        .where(_key(task_id, stage, task_type), _C.end_id.is_(None))
        .values(end_id=end_id, total_rows=total_rows, updated_at=now_ms())
    )
    _exactly_one(touched.rowcount, task_id, stage, task_type, "fix the end of")


def advance(
    connection: Connection,
    task_id: TaskId,
    stage: Stage,
    task_type: str,
    *,
    last_id: int,
    rows: int,
    processed: int | None = None,
    dropped: int = 0,
    failed: int = 0,
    position: dict[str, Any] | None = None,
    active_ms: int = 0,
) -> None:
    """Move the low-water mark by `rows` finished rows, in the transaction that holds them. It never moves backwards."""
    values: dict[str, Any] = {
        "current_offset": _C.current_offset + rows,
        "last_id": last_id,
        "processed_rows": _C.processed_rows + (rows if processed is None else processed),
        "dropped_rows": _C.dropped_rows + dropped,
        "failed_rows": _C.failed_rows + failed,
        "active_ms": _C.active_ms + active_ms,
        "updated_at": now_ms(),
    }
    if position is not None:
        values["position"] = orjson.dumps(position).decode()
    touched = connection.execute(
        update(execution_cursors).where(_key(task_id, stage, task_type), _C.last_id <= last_id).values(values)
    )
    _exactly_one(touched.rowcount, task_id, stage, task_type, "advance")


def set_status(
    connection: Connection,
    task_id: TaskId,
    stage: Stage,
    target: Status,
    *,
    task_type: str | None = None,
    reason: str | None = None,
    who: str | None = None,
    run_id: str | None = None,
    epoch: int | None = None,
) -> bool:
    """Change the status of a stage's cursors (or of one) in one guarded statement, with its event row.

    Returns whether anything changed: False when no cursor was in a status from which `target` may be reached.
    """
    where = [_C.task_id == task_id, _C.stage == stage.value]
    if task_type is not None:
        where.append(_C.task_type == task_type)
    return _transition(connection, where, target, reason, who, run_id, epoch)


def _transition(
    connection: Connection,
    where: Sequence[ColumnElement[bool]],
    target: Status,
    reason: str | None,
    who: str | None,
    run_id: str | None,
    epoch: int | None,
) -> bool:
    guard = [*where, _C.status.in_([status.value for status in sources_of(target)])]
    if target is Status.PAUSED and reason is not None:  # the same flag met again is no news
        guard.append(or_(_C.status != target.value, _C.status_reason.is_distinct_from(reason)))
    before = connection.execute(
        select(_C.task_id, _C.stage, _C.task_type, _C.status, _C.current_offset).where(*guard).with_for_update()
    ).all()
    if not before:
        return False
    values: dict[str, Any] = {"status": target.value, "status_reason": reason, "updated_at": now_ms()}
    if run_id is not None:
        values["run_id"] = run_id
    if target is Status.DONE:
        values["finished_at"] = now_ms()
    if target is Status.RUNNING:
        values["finished_at"] = None
    connection.execute(update(execution_cursors).where(*guard).values(values))
    if target is Status.RUNNING:
        connection.execute(update(execution_cursors).where(*where, _C.started_at.is_(None)).values(started_at=now_ms()))
    connection.execute(
        insert(cursor_events),
        [
            {
                "task_id": row.task_id,
                "stage": row.stage,
                "task_type": row.task_type,
                "epoch": epoch,
                "from_status": row.status,
                "to_status": target.value,
                "current_offset": row.current_offset,
                "who": who,
                "reason": reason,
                "run_id": run_id,
                "worker": None if epoch is None else process_identity.words(),
            }
            for row in before
        ],
    )
    return True


def start_over(
    connection: Connection,
    task_id: TaskId,
    stage: Stage,
    *,
    who: str,
    task_type: str | None = None,
    reason: str = STARTED_OVER,
) -> None:
    """Forget the position of a stage's cursors: the stage will be worked from its first row."""
    where = [_C.task_id == task_id, _C.stage == stage.value]
    if task_type is not None:
        where.append(_C.task_type == task_type)
    _transition(connection, where, Status.PENDING, reason, who, None, None)
    connection.execute(
        update(execution_cursors)
        .where(*where)
        .values(
            current_offset=0,
            last_id=0,
            end_id=None,
            total_rows=None,
            processed_rows=0,
            dropped_rows=0,
            failed_rows=0,
            position=None,
            active_ms=0,
            started_at=None,
            finished_at=None,
            status=Status.PENDING.value,
        )
    )


def rewind(connection: Connection, task_id: TaskId, stage: Stage, task_type: str) -> None:
    """Put a cursor back to its first row while the stage is being worked; its end and its status stay."""
    touched = connection.execute(
        update(execution_cursors)
        .where(_key(task_id, stage, task_type))
        .values(
            current_offset=0,
            last_id=0,
            processed_rows=0,
            dropped_rows=0,
            failed_rows=0,
            position=None,
            updated_at=now_ms(),
        )
    )
    _exactly_one(touched.rowcount, task_id, stage, task_type, "rewind")


def last_event(connection: Connection, task_id: TaskId, stage: Stage, *where: ColumnElement[bool]) -> int:
    """The id of the last transition of a stage (for which this holds), 0 when there was none."""
    query = select(func.coalesce(func.max(cursor_events.c.id), 0)).where(
        cursor_events.c.task_id == task_id, cursor_events.c.stage == stage.value, *where
    )
    return int(connection.execute(query).scalar_one())


def worked_by(connection: Connection, task_id: TaskId, stage: Stage, until: int) -> tuple[list[str], int | None]:
    """(the Dagster runs that worked on a stage up to a moment, oldest first; when it was first started over after it)."""
    own = cursor_events.c
    of_stage = (own.task_id == task_id) & (own.stage == stage.value)
    runs = (
        select(own.run_id)
        .where(of_stage, own.at <= until, own.run_id.is_not(None))
        .group_by(own.run_id)
        .order_by(func.min(own.id))
    )
    again = select(func.min(own.at)).where(of_stage, own.at > until, own.reason.in_((STARTED_OVER, ROWS_REPLACED)))
    return list(connection.execute(runs).scalars()), connection.execute(again).scalar()


def last_worked(connection: Connection, task_id: TaskId, stage: Stage) -> int:
    """The id of the last transition by which a stage was begun or a part of it done, 0 when there was none."""
    worked = cursor_events.c.to_status.in_((Status.RUNNING.value, Status.DONE.value))
    return last_event(connection, task_id, stage, worked)


def started_over(connection: Connection, task_id: TaskId, stage: Stage) -> int:
    """The id of the last transition by which a stage was started over, 0 when there was none."""
    return last_event(connection, task_id, stage, cursor_events.c.reason == STARTED_OVER)


def workers(connection: Connection, task_id: TaskId, stage: Stage) -> list[str]:
    """Who worked a stage (see `process_identity.words`), in the order in which each began."""
    own = cursor_events.c
    query = (
        select(own.worker)
        .where(own.task_id == task_id, own.stage == stage.value, own.worker.is_not(None))
        .group_by(own.worker)
        .order_by(func.min(own.id))
    )
    return list(connection.execute(query).scalars())


def events(connection: Connection, task_ids: Sequence[TaskId], *, limit: int = 1000) -> Sequence[Row]:
    """The transitions of some tasks, oldest first."""
    query = select(cursor_events).where(cursor_events.c.task_id.in_(task_ids)).order_by(cursor_events.c.id).limit(limit)
    return connection.execute(query).all()


def _key(task_id: TaskId, stage: Stage, task_type: str) -> ColumnElement[bool]:
    return (_C.task_id == task_id) & (_C.stage == stage.value) & (_C.task_type == task_type)


def _exactly_one(touched: int, task_id: TaskId, stage: Stage, task_type: str, what: str) -> None:
    if touched != 1:
        raise KeylessWrite(
            f"could not {what} the cursor ({task_id}, {stage}, {task_type}): {touched} rows matched instead of one"
        )
