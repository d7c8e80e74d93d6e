"""What a task takes over from another one of the same dataset file: rows, cursors, failed samples, copied by the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, insert, literal, select, true, update

from corpus_pipeline.model import TaskId
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import augmented, cleaned, cursors, failed_samples
from corpus_pipeline.store.cursors import Cursor
from corpus_pipeline.store.schema import (
    augmented_rows,
    augmented_turns,
    cleaned_rows,
    cleaned_turns,
    duplicates,
    execution_cursors,
    review_verdicts,
    row_tags,
    row_values,
    tasks,
    work_items,
)
from corpus_pipeline.store.schema import failed_samples as failed_samples_table

# what a stage writes for a task; the rows of ingest belong to the dataset file
_TABLES: dict[Stage, tuple[Table, ...]] = {
    Stage.INGEST: (),
    Stage.CLEAN: (cleaned_rows, cleaned_turns, row_tags, duplicates),
    Stage.AUGMENT: (
        work_items,
        augmented_rows,
        augmented_turns,
        row_values,
        review_verdicts,
        failed_samples_table,
    ),
}
_GIVEN: dict[str, ColumnElement[Any]] = {"reused": true()}  # what a copied work item cost was paid under the other task
_OWN = (
    "task_id",
    "stage",
    "task_type",
    "status",
    "status_reason",
)  # of a cursor; the rest says what was done, and when


def is_copied(connection: Connection, source: TaskId, target: TaskId, stage: Stage) -> bool:
    """Whether a stage of two tasks is one piece of work: it stands in one as it was taken over from the other."""
    theirs, ours = (cursors.stage_cursors(connection, task, stage) for task in (source, target))
    if [_work_of(cursor) for cursor in theirs] != [_work_of(cursor) for cursor in ours]:
        return False
    versions = select(func.count(tasks.c.content_version.distinct())).where(tasks.c.id.in_([source, target]))
    return stage is not Stage.AUGMENT or connection.execute(versions).scalar_one() == 1


def copy_stage(connection: Connection, source: TaskId, target: TaskId, stage: Stage, *, who: str, reason: str) -> None:
    """Give a task the rows and the cursors of a stage that is done in another; what it had of its own is removed."""
    empty_stage(connection, target, stage)
    for table in _TABLES[stage]:
        names = [column.name for column in table.columns if column.name != "id"]
        given = {**_GIVEN, "task_id": literal(int(target))}
        rows = select(*[given.get(name, table.c[name]) for name in names]).where(table.c.task_id == source)
        connection.execute(insert(table).from_select(names, rows))
    _copy_cursors(connection, source, target, stage, who, reason)


def empty_stage(connection: Connection, task_id: TaskId, stage: Stage) -> None:
    """Remove what a stage before the export wrote for a task."""
    if stage is Stage.CLEAN:
        cleaned.remove_duplicates(connection, task_id)
        cleaned.remove_rule_pass(connection, task_id)
    elif stage is Stage.AUGMENT:
        augmented.remove_augmented(connection, task_id)
        failed_samples.remove_task(connection, task_id, Stage.AUGMENT)


def take_version(connection: Connection, source: TaskId, target: TaskId, *, replaced: bool) -> None:
    """Give a task the content version of another, or, where it had contents of its own, one that neither had."""
    query = select(func.max(tasks.c.content_version)).where(tasks.c.id.in_([source, target]))
    version = connection.execute(query).scalar_one() + (1 if replaced else 0)
    connection.execute(update(tasks).where(tasks.c.id == target).values(content_version=version))


def _copy_cursors(connection: Connection, source: TaskId, target: TaskId, stage: Stage, who: str, reason: str) -> None:
    theirs = cursors.stage_cursors(connection, source, stage)
    names = [cursor.task_type for cursor in theirs]
    cursors.open_cursors(connection, target, stage, names, theirs[0].current_file_id)
    for status in (
        Status.PENDING,
        Status.RUNNING,
        Status.DONE,
    ):  # the way that is allowed; one that is done goes it again
        cursors.set_status(connection, target, stage, status, who=who, reason=reason)
    for cursor in theirs:
        key = (execution_cursors.c.stage == stage.value) & (execution_cursors.c.task_type == cursor.task_type)
        columns = [column for column in execution_cursors.columns if column.name not in _OWN]
        found = connection.execute(select(*columns).where(key, execution_cursors.c.task_id == source)).one()
        connection.execute(
            update(execution_cursors)
            .where(key, execution_cursors.c.task_id == target)
            .values({**found._asdict(), "status_reason": None})
        )


def _work_of(cursor: Cursor) -> tuple[object, ...]:
    return tuple(value for name, value in cursor._asdict().items() if name not in ("task_id", "status_reason"))
