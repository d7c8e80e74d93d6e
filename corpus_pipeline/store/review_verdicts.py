"""What people say of new rows: one verdict a person and row; a row that anybody calls bad counts as bad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Row, and_, case, func, select

from corpus_pipeline.model import TaskId
from corpus_pipeline.states import ReviewVerdict
from corpus_pipeline.store import tasks
from corpus_pipeline.store.augmented import ROW, ItemKey
from corpus_pipeline.store.schema import augmented_rows, review_verdicts

_V = review_verdicts.c


class Counts(NamedTuple):
    """New rows of a task, those of the sample that were judged, and those that were found bad.

    The sample is the beginning of the new rows in the order of their requests' hashes, which is random: rows that
    were judged behind one that no one judged are no part of it, since somebody chose them.
    """

    rows: int
    judged: int
    bad: int


class Judged(NamedTuple):
    """A verdict of a person."""

    key: ItemKey
    who: str
    verdict: ReviewVerdict
    note: str | None
    at: int


def record(
    connection: Connection, task_id: TaskId, keys: Sequence[ItemKey], verdict: ReviewVerdict, who: str, note: str | None
) -> None:
    """Record a person's verdict on new rows, in the place of the one before. An export leaves out what is bad: it changes with
    the first such verdict on a row, and when the last one is taken back."""
    parents = sorted(key[0] for key in keys)
    within = (parents[0] - 1, parents[-1]) if parents else (0, 0)
    before = judged_bad(connection, task_id, *within)
    for conversation, strategy, sample in keys:
        own = {"task_id": task_id, "conversation_id": conversation, "strategy": strategy, "sample_index": sample}
        connection.execute(
            review_verdicts.delete().where(and_(_V.who == who, *(_V[name] == value for name, value in own.items())))
        )
        connection.execute(review_verdicts.insert().values(**own, who=who, verdict=verdict.value, note=note))
    if judged_bad(connection, task_id, *within) != before:
        tasks.touch_content(connection, task_id)


def of_task(connection: Connection, task_id: TaskId) -> list[Judged]:
    """Every verdict on new rows of a task."""
    query = select(review_verdicts).where(_V.task_id == task_id).order_by(_V.at)
    return [
        Judged(
            (row.conversation_id, row.strategy, row.sample_index), row.who, ReviewVerdict(row.verdict), row.note, row.at
        )
        for row in connection.execute(query)
    ]


def judged_bad(connection: Connection, task_id: TaskId, after: int, last: int) -> frozenset[ItemKey]:
    """The new rows of parents with after < id <= last that anybody calls bad."""
    query = select(_V.conversation_id, _V.strategy, _V.sample_index).where(
        _V.task_id == task_id,
        _V.conversation_id > after,
        _V.conversation_id <= last,
        _V.verdict == ReviewVerdict.BAD.value,
    )
    return frozenset((row[0], row[1], row[2]) for row in connection.execute(query))


def sample(connection: Connection, task_id: TaskId, limit: int) -> Sequence[Row]:
    """The first new rows in the order of the draw, with `verdict`: None, good or bad."""
    own = augmented_rows.c
    said = (
        select(
            _V.conversation_id,
            _V.strategy,
            _V.sample_index,
            func.max(case((_V.verdict == ReviewVerdict.BAD.value, 1), else_=0)).label("bad"),
        )
        .where(_V.task_id == task_id)
        .group_by(_V.conversation_id, _V.strategy, _V.sample_index)
        .subquery()
    )
    same = and_(*(said.c[name] == augmented_rows.c[name] for name in ("conversation_id", "strategy", "sample_index")))
    query = (
        select(own.conversation_id, own.strategy, own.sample_index, own.model, said.c.bad)
        .select_from(augmented_rows.outerjoin(said, same))
        .where(own.task_id == task_id, own.makes == ROW)
        .order_by(own.request_key, own.conversation_id, own.strategy, own.sample_index)
        .limit(limit)
    )
    return connection.execute(query).all()


def counts(connection: Connection, task_id: TaskId) -> Counts:
    """How far a review is."""
    own = augmented_rows.c
    rows = int(connection.execute(select(func.count()).where(own.task_id == task_id, own.makes == ROW)).scalar_one())
    verdicts = int(connection.execute(select(func.count()).where(_V.task_id == task_id)).scalar_one())
    if not verdicts:
        return Counts(rows, 0, 0)
    judged = bad = 0
    for row in sample(connection, task_id, verdicts + 1):
        if row.bad is None:
            break
        judged, bad = judged + 1, bad + int(row.bad)
    return Counts(rows, judged, bad)
