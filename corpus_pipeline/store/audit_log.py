"""The audit log: who did what to which subject, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson
from sqlalchemy import Connection, Row, insert, select

from corpus_pipeline.store.schema import audit_log
from corpus_pipeline.store.types import inserted_id


def log(connection: Connection, who: str, action: str, subject: str, detail: Mapping[str, object] | None = None) -> int:
    """Write one line of the audit log, in the transaction of what it tells; returns its id."""
    body = orjson.dumps(detail or {}).decode()
    return inserted_id(
        connection.execute(insert(audit_log).values(who=who, action=action, subject=subject, detail=body))
    )


def entry(connection: Connection, identifier: int) -> Row | None:
    """One line of the audit log."""
    return connection.execute(select(audit_log).where(audit_log.c.id == identifier)).one_or_none()


def audit(
    connection: Connection,
    *,
    subject: str | None = None,
    who: str | None = None,
    action: str | None = None,
    before: int | None = None,
    limit: int = 1000,
) -> Sequence[Row]:
    """The newest entries of the audit log (those with an id below `before`), oldest first."""
    query = select(audit_log).order_by(audit_log.c.id.desc()).limit(limit)
    for column, value in (
        (audit_log.c.subject, subject),
        (audit_log.c.who, who),
        (audit_log.c.action, action),
    ):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(audit_log.c.id < before)
    return connection.execute(query).all()[::-1]


def actions(connection: Connection, names: Sequence[str], *, since: int) -> Sequence[Row]:
    """The entries of some kinds of action from a moment on, oldest first."""
    own = audit_log.c
    return connection.execute(select(audit_log).where(own.action.in_(names), own.at >= since).order_by(own.id)).all()
