"""Pause flags: requests to stop. A request is a flag; the state it leads to is in the cursors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, insert, not_, or_, select, true, update

from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store.cursors import _transition
from corpus_pipeline.store.schema import dataset_files, execution_cursors, pause_flags, tasks
from corpus_pipeline.store.types import now_ms

_F = pause_flags.c
_C = execution_cursors.c


class PauseFlag(NamedTuple):
    """A pause flag; None as stage or file_name means all of them."""

    id: int
    stage: Stage | None
    file_name: str | None
    reason: str
    requested_by: str
    requested_at: int
    cleared_by: str | None
    cleared_at: int | None

    def covers(self, file_name: str, stage: Stage) -> bool:
        """Whether work on this stage of this file is to stop."""
        return self.cleared_at is None and self.file_name in (None, file_name) and self.stage in (None, stage)

    def __str__(self) -> str:
        return f"paused by {self.requested_by}: {self.reason}"


def _flags(connection: Connection, *where: ColumnElement[bool]) -> list[PauseFlag]:
    return [_flag(row) for row in connection.execute(select(pause_flags).where(*where).order_by(_F.id))]


def _flag(row: Row) -> PauseFlag:
    return PauseFlag(**(row._asdict() | {"stage": row.stage and Stage(row.stage)}))


def active(connection: Connection) -> list[PauseFlag]:
    """Flags that are set, oldest first."""
    return _flags(connection, _F.cleared_at.is_(None))


def history(connection: Connection, limit: int = 100) -> list[PauseFlag]:
    """All flags, set and cleared, oldest first."""
    return _flags(connection)[-limit:]


# asked many times a second while models are called: built once
_COVERING = (
    select(pause_flags)
    .where(
        _F.cleared_at.is_(None),
        or_(_F.file_name.is_(None), _F.file_name == bindparam("file")),
        or_(_F.stage.is_(None), _F.stage == bindparam("of_stage")),
    )
    .order_by(_F.id)
)


def covering(connection: Connection, file_name: str, stage: Stage) -> PauseFlag | None:
    """The oldest set flag that covers a stage of a file, or None: go on."""
    row = connection.execute(_COVERING, {"file": file_name, "of_stage": stage.value}).first()
    return None if row is None else _flag(row)


def last_cleared(connection: Connection, file_name: str, stage: Stage) -> str:
    """A name for the last clearing of a flag over a stage of a file; it changes with each of them."""
    scope = (
        _F.cleared_at.is_not(None),
        or_(_F.file_name.is_(None), _F.file_name == file_name),
        or_(_F.stage.is_(None), _F.stage == stage.value),
    )
    query = select(_F.id, _F.cleared_at).where(*scope).order_by(_F.cleared_at.desc(), _F.id.desc()).limit(1)
    newest = connection.execute(select(func.max(_F.id)).where(*scope)).scalar()
    row = connection.execute(query).first()
    return "never" if row is None else f"{newest}.{row.id}.{row.cleared_at}"


def set_flag(
    connection: Connection, *, stage: Stage | None, file_name: str | None, reason: str, requested_by: str
) -> PauseFlag:
    """Set a flag (once: the same scope is not flagged twice) and mark what runs below it as pausing."""
    scope = (
        _F.cleared_at.is_(None),
        _F.stage.is_(None) if stage is None else _F.stage == stage.value,
        _F.file_name.is_(None) if file_name is None else _F.file_name == file_name,
    )
    if not _flags(connection, *scope):
        connection.execute(
            insert(pause_flags).values(
                stage=None if stage is None else stage.value,
                file_name=file_name,
                reason=reason,
                requested_by=requested_by,
            )
        )
    flag = _flags(connection, *scope)[0]
    mark_pausing(connection, flag)
    return flag


def mark_pausing(connection: Connection, flag: PauseFlag) -> bool:
    """Mark running cursors below the flag as pausing; the workers finish at their next batch boundary."""
    return _transition(
        connection,
        [*_scope(flag), execution_cursors.c.status == Status.RUNNING.value],
        Status.PAUSING,
        str(flag),
        flag.requested_by,
        None,
        None,
    )


def unmark(connection: Connection) -> bool:
    """Mark cursors that are pausing, but that no flag covers any more, as running: their worker goes on."""
    flags = active(connection)
    return _transition(
        connection,
        [_C.status == Status.PAUSING.value, *(not_(and_(true(), *_scope(flag))) for flag in flags)],
        Status.RUNNING,
        None,
        None,
        None,
        None,
    )


def _scope(flag: PauseFlag) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if flag.stage is not None:
        where.append(execution_cursors.c.stage == flag.stage.value)
    if flag.file_name is not None:
        its_tasks = (
            select(tasks.c.id)
            .join(dataset_files, dataset_files.c.id == tasks.c.file_id)
            .where(dataset_files.c.name == flag.file_name)
        )
        where.append(execution_cursors.c.task_id.in_(its_tasks))
    return where


def clear(
    connection: Connection, *, stage: Stage | None, file_names: Sequence[str], everything: bool, cleared_by: str
) -> list[PauseFlag]:
    """Clear the flags of exactly this scope (`everything`: all flags there are). Returns those cleared.

    A worker that has not yet met the flag at a batch boundary goes on as if there had been none.
    """
    where: list[ColumnElement[bool]] = [_F.cleared_at.is_(None)]
    if not everything:
        where.append(_F.stage.is_(None) if stage is None else _F.stage == stage.value)
        where.append(_F.file_name.in_(file_names) if file_names else _F.file_name.is_(None))
    flags = _flags(connection, and_(*where))
    if flags:
        connection.execute(
            update(pause_flags)
            .where(_F.id.in_([flag.id for flag in flags]), _F.cleared_at.is_(None))
            .values(cleared_at=now_ms(), cleared_by=cleared_by)
        )
        unmark(connection)
    return flags
