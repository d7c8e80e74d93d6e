"""Messages to other systems, written in the transaction of what they tell and delivered after it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Row, insert, or_, select, update

from corpus_pipeline.model import TaskId
from corpus_pipeline.states import DeliveryState, Stage
from corpus_pipeline.store.schema import webhook_events
from corpus_pipeline.store.types import now_ms

_E = webhook_events.c


def add(connection: Connection, task_id: TaskId, stage: Stage, url: str, event: str, body: str) -> None:
    """To be delivered."""
    connection.execute(
        insert(webhook_events).values(
            task_id=task_id, stage=stage.value, url=url, event=event, body=body, state=DeliveryState.WAITING.value
        )
    )


def take(connection: Connection, hold_ms: int, limit: int, longest_ms: int) -> Sequence[Row]:
    """(id, event, url, body, attempts, created_at) of due deliveries, oldest first, held for `hold_ms`.

    longest_ms: no delivery waits for longer; one that should was put off before the clock was set back, and is due.
    """
    is_due = or_(_E.due_at <= now_ms(), _E.due_at > now_ms() + longest_ms, _E.created_at > now_ms())
    due = (
        select(_E.id, _E.event, _E.url, _E.body, _E.attempts, _E.created_at)
        .where(_E.state == DeliveryState.WAITING.value, is_due)
        .order_by(_E.id)
        .limit(limit)
        .with_for_update()
    )
    rows = connection.execute(due).all()
    if rows:
        connection.execute(
            update(webhook_events)
            .where(_E.id.in_([row.id for row in rows]))
            .values(due_at=now_ms() + hold_ms, attempts=_E.attempts + 1)
        )
    return rows


def settle(connection: Connection, event_id: int, state: DeliveryState, error: str | None, wait_ms: int = 0) -> None:
    """How an attempt at a delivery ended; a waiting one is due again in `wait_ms`."""
    connection.execute(
        update(webhook_events)
        .where(_E.id == event_id, _E.state == DeliveryState.WAITING.value)
        .values(state=state.value, error=error, due_at=now_ms() + wait_ms)
    )
