"""Commands on the failed-sample queue: replay, dismiss, resolve."""

from __future__ import annotations

import orjson
from sqlalchemy import Connection

from corpus_pipeline.jobs.augment.plan import Overrides
from corpus_pipeline.model import TaskId
from corpus_pipeline.states import FailedState, Stage, Status
from corpus_pipeline.store import (
    Store,
    audit_log,
    cursors,
    failed_samples,
    tasks,
)


def replay(store: Store, where: failed_samples.Where, overrides: Overrides, who: str) -> list[int]:
    """Mark open failed samples for replay and open their augment stage again."""

    def write(connection: Connection) -> list[int]:
        ids = failed_samples.set_state(
            connection,
            where,
            FailedState.REPLAYED,
            who=who,
            overrides=orjson.dumps(overrides).decode() if overrides else None,
        )
        for task_id in failed_samples.tasks_of(connection, ids):
            cursors.set_status(connection, task_id, Stage.AUGMENT, Status.PENDING, reason="replay", who=who)
            tasks.touch_content(connection, task_id)
            # what held the export is being mended: its gate looks again when the samples are through
            _let_go(connection, task_id, who)
        if ids:
            audit_log.log(connection, who, "replay", f"{len(ids)} failed samples", {"ids": ids[:1000], **overrides})
        return ids

    return store.write(write)


def settle_failed(store: Store, where: failed_samples.Where, target: FailedState, reason: str, who: str) -> list[int]:
    """Move open failed samples to another state, with the reason in the audit log."""

    def write(connection: Connection) -> list[int]:
        ids = failed_samples.set_state(connection, where, target, who=who, reason=reason)
        open_now = failed_samples.open_counts(connection, touched := sorted(failed_samples.tasks_of(connection, ids)))
        for task_id in touched:
            if not open_now.get(task_id):
                _let_go(connection, task_id, who)
        if ids:
            audit_log.log(
                connection, who, target.value, f"{len(ids)} failed samples", {"ids": ids[:1000], "reason": reason}
            )
        return ids

    return store.write(write)


def _let_go(connection: Connection, task_id: TaskId, who: str) -> None:
    """The export of a task is no longer known to be held: its next run asks the gate."""
    own = cursors.stage_cursors(connection, task_id, Stage.EXPORT)
    if cursors.stage_status(own) is Status.BLOCKED:
        cursors.set_status(connection, task_id, Stage.EXPORT, Status.PENDING, who=who)
