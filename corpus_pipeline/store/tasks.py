"""Tasks: a dataset file under one recipe version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from corpus_pipeline.model import FileId, TaskId
from corpus_pipeline.store.dataset_files import DatasetFile, current_files
from corpus_pipeline.store.schema import dataset_files, tasks


class Task(NamedTuple):
    """One dataset file under one recipe version."""

    id: TaskId
    file_id: FileId
    recipe_id: int
    content_version: int


def known_task(connection: Connection, file_id: FileId, recipe_id: int) -> Task | None:
    """The task of a dataset file under a recipe version, None when there is none yet."""
    row = connection.execute(
        select(tasks.c.id, tasks.c.file_id, tasks.c.recipe_id, tasks.c.content_version).where(
            tasks.c.file_id == file_id, tasks.c.recipe_id == recipe_id
        )
    ).one_or_none()
    return None if row is None else Task(*row)


def task_for(connection: Connection, file_id: FileId, recipe_id: int) -> Task:
    """The task of a dataset file under a recipe version; made when it is new."""
    known = known_task(connection, file_id, recipe_id)
    if known is None:
        connection.execute(insert(tasks).values(file_id=file_id, recipe_id=recipe_id))
        known = known_task(connection, file_id, recipe_id)
        assert known is not None
    return known


def task_by_id(connection: Connection, task_id: TaskId) -> Task:
    """A task by its id."""
    columns = (tasks.c.id, tasks.c.file_id, tasks.c.recipe_id, tasks.c.content_version)
    return Task(*connection.execute(select(*columns).where(tasks.c.id == task_id)).one())


def current_tasks(connection: Connection, names: Sequence[str] = ()) -> list[tuple[DatasetFile, Task | None]]:
    """Each current dataset file with the task of its bound recipe version, None where no work began."""
    files = current_files(connection, names)
    rows = connection.execute(
        select(tasks.c.id, tasks.c.file_id, tasks.c.recipe_id, tasks.c.content_version).join(
            dataset_files,
            and_(dataset_files.c.id == tasks.c.file_id, dataset_files.c.recipe_id == tasks.c.recipe_id),
        )
    )
    by_file = {row.file_id: Task(*row) for row in rows}
    return [(file, by_file.get(file.id)) for file in files]


_TOUCH = update(tasks).where(tasks.c.id == bindparam("task")).values(content_version=tasks.c.content_version + 1)


def touch_content(connection: Connection, task_id: TaskId) -> None:
    """Something that an export of this task would hold has changed."""
    connection.execute(_TOUCH, {"task": task_id})


def tasks_of_file(connection: Connection, file_id: FileId) -> list[TaskId]:
    """All tasks of a dataset file version, whatever their recipe."""
    return [TaskId(i) for i in connection.execute(select(tasks.c.id).where(tasks.c.file_id == file_id)).scalars()]
