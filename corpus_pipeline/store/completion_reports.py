"""Completion reports and the audit log: what came of each stage, and who did what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, select

from corpus_pipeline.model import TaskId
from corpus_pipeline.states import Stage
from corpus_pipeline.store.schema import completion_reports


def save(connection: Connection, task_id: TaskId, stage: Stage, body: Mapping[str, object], run_id: str | None) -> None:
    """Keep a completion report; earlier ones stay."""
    connection.execute(
        insert(completion_reports).values(
            task_id=task_id, stage=stage.value, body=orjson.dumps(body).decode(), run_id=run_id
        )
    )


def latest(connection: Connection, task_id: TaskId) -> dict[Stage, dict[str, Any]]:
    """The newest report of each stage of a task."""
    query = (
        select(completion_reports.c.stage, completion_reports.c.body)
        .where(completion_reports.c.task_id == task_id)
        .order_by(completion_reports.c.id)
    )
    return {Stage(stage): orjson.loads(body) for stage, body in connection.execute(query)}


def warnings(connection: Connection, task_ids: Sequence[TaskId]) -> dict[tuple[TaskId, Stage], list[str]]:
    """What the newest report of each stage of some tasks warns of; stages without a warning are left out."""
    return _said(connection, task_ids, "warnings", '%"warnings":[]%')


def skip_reasons(connection: Connection, task_ids: Sequence[TaskId]) -> dict[tuple[TaskId, Stage], dict[str, int]]:
    """Why samples were skipped, by the newest report of each stage of some tasks, and how many."""
    return _said(connection, task_ids, "skip_reasons", '%"skip_reasons":{}%')


def _said(
    connection: Connection, task_ids: Sequence[TaskId], key: str, nothing: str
) -> dict[tuple[TaskId, Stage], Any]:
    """What the newest report of each stage of some tasks says at a key, where it says something."""
    if not task_ids:
        return {}
    own = completion_reports.c
    newest = select(func.max(own.id)).where(own.task_id.in_(task_ids)).group_by(own.task_id, own.stage)
    query = select(own.task_id, own.stage, own.body).where(own.id.in_(newest), own.body.not_like(nothing))
    found = {}
    for task_id, stage, body in connection.execute(query):
        if told := orjson.loads(body).get(key):
            found[TaskId(task_id), Stage(stage)] = told
    return found
