"""Completion reports and the audit log: what came of each stage, and who did what."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection, insert, select

from corpus_pipeline.model import TaskId
from corpus_pipeline.states import Stage
from corpus_pipeline.store.schema import completion_reports


def save(connection: Connection, task_id: TaskId, stage: Stage, body: dict[str, Any], run_id: str | None) -> None:
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
