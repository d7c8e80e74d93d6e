"""Requests of people to start what is unfinished; a sensor answers each with a run, or with one backfill of all files."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from corpus_pipeline.states import Stage
from corpus_pipeline.store.schema import start_requests
from corpus_pipeline.store.types import now_ms

_S = start_requests.c
EVERY_FILE = "*"  # in the place of a name: all that has failed or is missing when the request is answered


class StartRequest(NamedTuple):
    """A wish to work a dataset file, or EVERY_FILE, up to `stage`. requested_at: milliseconds since 1970."""

    id: int
    file_name: str
    stage: Stage
    requested_by: str
    requested_at: int


def waiting(connection: Connection, file_name: str | None = None) -> list[StartRequest]:
    """Requests that no run has answered yet, oldest first."""
    query = select(_S.id, _S.file_name, _S.stage, _S.requested_by, _S.requested_at).where(_S.taken_at.is_(None))
    if file_name is not None:
        query = query.where(_S.file_name == file_name)
    return [
        StartRequest(row.id, row.file_name, Stage(row.stage), row.requested_by, row.requested_at)
        for row in connection.execute(query.order_by(_S.id))
    ]


def add(connection: Connection, file_name: str, stage: Stage, requested_by: str) -> bool:
    """Ask for a run, unless the same is asked for already; returns whether it was not."""
    if any(one.stage is stage for one in waiting(connection, file_name)):
        return False
    connection.execute(insert(start_requests).values(file_name=file_name, stage=stage.value, requested_by=requested_by))
    return True


def take(connection: Connection, identifier: int, run_id: str | None) -> None:
    """Note that a request was answered by a run or a backfill; by None when nothing was left to do."""
    connection.execute(
        update(start_requests)
        .where(_S.id == identifier, _S.taken_at.is_(None))
        .values(taken_at=now_ms(), run_id=run_id)
    )
