"""The failed-sample queue: full context, replayable, and blocking the export until someone decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, Row, and_, func, select, update

from corpus_pipeline.model import ROW_BITS, TaskId
from corpus_pipeline.states import FailedState, Stage
from corpus_pipeline.store.backends import Backend
from corpus_pipeline.store.schema import dataset_files, failed_samples, tasks, work_items
from corpus_pipeline.store.statement_parts import parts
from corpus_pipeline.store.tasks import current_tasks
from corpus_pipeline.store.types import now_ms

if TYPE_CHECKING:
    from corpus_pipeline.store.augmented import ItemKey

_F = failed_samples.c


class Failure(NamedTuple):
    """One item that failed, with all that is needed to understand and replay it."""

    key: ItemKey
    request_key: str | None
    reason: str
    error: str
    prompt: str | None  # JSON: the messages as sent
    answer: str | None
    model: str | None
    attempts: int
    validator: str | None = None  # who refused the answer
    evidence: tuple[str, ...] = ()  # passages of the answer that show it


def record(
    connection: Connection, backend: Backend, task_id: TaskId, stage: Stage, failures: Sequence[Failure]
) -> None:
    """Put items into the queue; one that failed before (and was replayed) is open again, its attempts add up."""
    for failure in failures:
        conversation, strategy, sample = failure.key
        key = and_(
            _F.task_id == task_id,
            _F.stage == stage.value,
            _F.conversation_id == conversation,
            _F.strategy == strategy,
            _F.sample_index == sample,
        )
        values = {
            "request_key": failure.request_key,
            "reason": failure.reason,
            "error": failure.error,
            "prompt": failure.prompt,
            "answer": failure.answer,
            "model": failure.model,
            "state": FailedState.OPEN.value,
            "validator": failure.validator,
            "evidence": orjson.dumps(failure.evidence).decode() if failure.evidence else None,
        }
        touched = connection.execute(
            update(failed_samples)
            .where(key)
            .values(**values, attempts=_F.attempts + failure.attempts, last_at=now_ms(), state_by=None)
        )
        if touched.rowcount == 0:
            connection.execute(
                failed_samples.insert().values(
                    **values,
                    task_id=task_id,
                    stage=stage.value,
                    conversation_id=conversation,
                    strategy=strategy,
                    sample_index=sample,
                    attempts=failure.attempts,
                )
            )


def resolve(connection: Connection, task_id: TaskId, stage: Stage, keys: Sequence[ItemKey]) -> None:
    """Replays of these items succeeded."""
    for conversation, strategy, sample in keys:
        connection.execute(
            update(failed_samples)
            .where(
                _F.task_id == task_id,
                _F.stage == stage.value,
                _F.conversation_id == conversation,
                _F.strategy == strategy,
                _F.sample_index == sample,
                _F.state == FailedState.REPLAYED.value,
            )
            .values(state=FailedState.RESOLVED.value, last_at=now_ms())
        )


class Where(NamedTuple):
    """Which failed samples: every field that is set must match. Those of what is worked now: a file that was replaced, or the
    work under an earlier recipe, waits for no one; only an id or a task finds these."""

    ids: tuple[int, ...] = ()
    file_name: str | None = None
    stage: str | None = None
    strategy: str | None = None
    reason: str | None = None
    state: str | None = None
    task_id: int | None = None
    model: str | None = None
    conversation_id: int | None = None
    row: int | None = None  # of whatever file
    validator: str | None = None


_IS_CURRENT = and_(dataset_files.c.superseded_at.is_(None), dataset_files.c.recipe_id == tasks.c.recipe_id)


def _conditions(where: Where) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.ids:
        found.append(_F.id.in_(where.ids))
    elif where.task_id is None:
        found.append(_IS_CURRENT)
    if where.file_name is not None:
        found.append(dataset_files.c.name == where.file_name)
    if where.row is not None:
        found.append(_F.conversation_id % 2**ROW_BITS == where.row)
    for name in ("stage", "strategy", "reason", "state", "task_id", "model", "conversation_id", "validator"):
        value = getattr(where, name)
        if value is not None:
            found.append(_F[name] == value)
    return found


_FROM = failed_samples.join(tasks, tasks.c.id == _F.task_id).join(dataset_files, dataset_files.c.id == tasks.c.file_id)


def find(connection: Connection, where: Where, *, after: int = 0, limit: int = 100) -> Sequence[Row]:
    """Failed samples with the name of their dataset file, by key page."""
    query = (
        select(failed_samples, dataset_files.c.name.label("file_name"))
        .select_from(_FROM)
        .where(*_conditions(where), _F.id > after)
        .order_by(_F.id)
        .limit(limit)
    )
    return connection.execute(query).all()


def ids_by_row(connection: Connection, task_id: TaskId, rows: Sequence[int]) -> dict[int, frozenset[int]]:
    """The ids of the failed samples of some rows of a task, by row."""
    found: dict[int, frozenset[int]] = {}
    query = select(_F.conversation_id, _F.id).where(_F.task_id == task_id, _F.conversation_id.in_(rows))
    for row, identifier in connection.execute(query):
        found[row] = found.get(row, frozenset()) | {identifier}
    return found


def count(connection: Connection, where: Where) -> int:
    """How many match."""
    query = select(func.count()).select_from(_FROM).where(*_conditions(where))
    return int(connection.execute(query).scalar_one())


def reasons(connection: Connection, task_id: TaskId) -> dict[str, int]:
    """Open failed samples of a task by reason."""
    query = (
        select(_F.reason, func.count())
        .where(_F.task_id == task_id, _F.state == FailedState.OPEN.value)
        .group_by(_F.reason)
    )
    return {reason: int(number) for reason, number in connection.execute(query)}


def open_counts(connection: Connection, task_ids: Sequence[TaskId]) -> dict[TaskId, int]:
    """Open (or not yet replayed) failed samples per task: what blocks its export."""
    query = (
        select(_F.task_id, func.count())
        .where(_F.task_id.in_(task_ids), _F.state.in_((FailedState.OPEN.value, FailedState.REPLAYED.value)))
        .group_by(_F.task_id)
    )
    return {TaskId(task_id): int(number) for task_id, number in connection.execute(query)}


def unresolved(connection: Connection, task_ids: Sequence[TaskId]) -> dict[tuple[TaskId, Stage, FailedState], int]:
    """Failed samples that no answer has replaced, by task, stage and state."""
    query = (
        select(_F.task_id, _F.stage, _F.state, func.count())
        .where(_F.task_id.in_(task_ids), _F.state != FailedState.RESOLVED.value)
        .group_by(_F.task_id, _F.stage, _F.state)
    )
    return {(TaskId(task), Stage(stage), FailedState(state)): n for task, stage, state, n in connection.execute(query)}


def set_state(
    connection: Connection,
    where: Where,
    target: FailedState,
    *,
    who: str,
    reason: str | None = None,
    overrides: str | None = None,
) -> list[int]:
    """Replay or dismiss open samples that match. Returns the ids that changed; what is not open is left alone.

    A replayed sample's work item is removed in the same transaction: the next augment run finds it undone. One that waits for
    its replay already and is named by its id waits for it with these overrides.
    """
    movable = [FailedState.OPEN.value]
    if target is FailedState.REPLAYED and where.ids:
        movable.append(FailedState.REPLAYED.value)
    rows = _movable(connection, where, movable)
    for row in rows:
        values: dict[str, object] = {"state": target.value, "state_by": who, "state_reason": reason}
        if target is FailedState.REPLAYED:
            values["overrides"] = overrides
            connection.execute(
                work_items.delete().where(
                    work_items.c.task_id == row.task_id,
                    work_items.c.conversation_id == row.conversation_id,
                    work_items.c.strategy == row.strategy,
                    work_items.c.sample_index == row.sample_index,
                )
            )
        connection.execute(update(failed_samples).where(_F.id == row.id, _F.state.in_(movable)).values(values))
    return [row.id for row in rows]


def tasks_of(connection: Connection, ids: Sequence[int]) -> set[TaskId]:
    """The tasks whose samples these are."""
    found: set[TaskId] = set()
    for part in parts(ids):
        query = select(_F.task_id).where(_F.id.in_(part)).distinct()
        found |= {TaskId(task_id) for task_id in connection.execute(query).scalars()}
    return found


def files_of(connection: Connection, ids: Sequence[int]) -> list[str]:
    """The current dataset files, under the recipe of now, that these samples hold up."""
    touched = tasks_of(connection, ids)
    return [file.name for file, task in current_tasks(connection) if task is not None and task.id in touched]


def replayable(connection: Connection, where: Where) -> set[tuple[str, str]]:
    """(file name, strategy) of the samples that `set_state` would replay."""
    rows = _movable(connection, where, [FailedState.OPEN.value, FailedState.REPLAYED.value])
    return {(row.file_name, row.strategy) for row in rows if row.stage == Stage.AUGMENT.value}


def _movable(connection: Connection, where: Where, states: Sequence[str]) -> Sequence[Row]:
    query = (
        select(
            *(_F.id, _F.task_id, _F.stage, _F.conversation_id, _F.strategy, _F.sample_index),
            dataset_files.c.name.label("file_name"),
        )
        .select_from(_FROM)
        .where(*_conditions(where), _IS_CURRENT, _F.state.in_(states))
        .order_by(_F.id)
    )
    return connection.execute(query).all()


def to_replay(connection: Connection, task_id: TaskId, stage: Stage) -> Sequence[Row]:
    """(conversation_id, strategy, sample_index, overrides) of samples that wait for their replay, in row order."""
    query = (
        select(_F.conversation_id, _F.strategy, _F.sample_index, _F.overrides)
        .where(_F.task_id == task_id, _F.stage == stage.value, _F.state == FailedState.REPLAYED.value)
        .order_by(_F.conversation_id, _F.strategy, _F.sample_index)
    )
    return connection.execute(query).all()


def remove_task(connection: Connection, task_id: TaskId, stage: Stage) -> None:
    """Forget the queue of a stage that is started over."""
    connection.execute(failed_samples.delete().where(_F.task_id == task_id, _F.stage == stage.value))
