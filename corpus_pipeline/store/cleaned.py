"""Verdicts of the rule pass, cleaned turns and duplicates: written by clean, read by augment and export."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson
from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from corpus_pipeline.model import MAX_ROW, Change, Conversation, ConversationId, FileId, Tag, TaskId, Turn
from corpus_pipeline.states import DuplicateKind, RowState, Stage, Status
from corpus_pipeline.store import row_values
from corpus_pipeline.store.backends import Backend
from corpus_pipeline.store.rows import turns_between
from corpus_pipeline.store.schema import (
    DATA_COLUMNS,
    cleaned_rows,
    cleaned_turns,
    conversations,
    dataset_files,
    duplicates,
    execution_cursors,
    row_tags,
    tasks,
    turns,
)
from corpus_pipeline.store.schema import (
    row_values as row_values_table,
)
from corpus_pipeline.store.statement_parts import parts
from corpus_pipeline.store.turn_columns import grouped
from corpus_pipeline.store.types import tuples

ROW_COLUMNS = (
    "task_id",
    "conversation_id",
    "state",
    "reason",
    "changed",
    "changes",
    "content_hash",
    "fingerprint",
    "signature",
    "characters",
    "language",
    "tools",
    "shape",
)
TAG_COLUMNS = ("task_id", "tag", "conversation_id", "rule", "turn_taking", "field")
TURN_COLUMNS = ("task_id", "conversation_id", "turn_taking", *DATA_COLUMNS)
_DUPLICATE_COLUMNS = (
    "task_id",
    "conversation_id",
    "nearest",
    "duplicate_of",
    "kind",
    "distance",
    "question_similarity",
    "answer_similarity",
)
_PRINTS_PAGE = 20_000


class CleanRow(NamedTuple):
    """A row that cleaning kept, as augment and export read it."""

    id: ConversationId
    conversation: Conversation  # with the cleaned turns
    content_hash: bytes
    changed: bool


class Prints(NamedTuple):
    """What deduplication compares: parallel arrays over kept rows in id order."""

    ids: np.ndarray  # int64
    content_hashes: np.ndarray  # (n, 32) uint8
    fingerprints: np.ndarray  # uint64
    enough: np.ndarray  # bool: the fingerprint means something
    signatures: np.ndarray  # (n, columns) uint32; zeros where nothing is stored


class KnownDuplicate(NamedTuple):
    """A row of `duplicates` as it stands."""

    conversation_id: int
    nearest: int
    duplicate_of: int
    kind: DuplicateKind
    distance: int
    question_similarity: float | None = None
    answer_similarity: float | None = None


class ComparedTask(NamedTuple):
    """The task of a current dataset file whose rule pass is through. state: differs whenever its verdicts do."""

    file_id: FileId
    task_id: TaskId
    recipe_id: int
    state: str


def compared_tasks(connection: Connection, rule_pass: str, own: TaskId) -> list[ComparedTask]:
    """All of them by file, for its file the task `own`; `rule_pass` is the task type of the rule pass."""
    cursor, own_task = execution_cursors.c, tasks.alias()
    query = (
        select(dataset_files.c.id, tasks.c.id, tasks.c.recipe_id, tasks.c.created_at, cursor.finished_at)
        .join(tasks, tasks.c.file_id == dataset_files.c.id)
        .join(execution_cursors, cursor.task_id == tasks.c.id)
        .where(
            or_(
                tasks.c.id == own,
                and_(
                    dataset_files.c.superseded_at.is_(None),
                    tasks.c.recipe_id == dataset_files.c.recipe_id,
                    tasks.c.file_id != select(own_task.c.file_id).where(own_task.c.id == own).scalar_subquery(),
                ),
            ),
            cursor.stage == Stage.CLEAN.value,
            cursor.task_type == rule_pass,
            cursor.status == Status.DONE.value,
        )
        .order_by(dataset_files.c.id)
    )
    return [
        ComparedTask(FileId(file_id), TaskId(task_id), recipe_id, f"{task_id} {created} {finished}")
        for file_id, task_id, recipe_id, created, finished in connection.execute(query)
    ]


def insert_values(
    connection: Connection,
    backend: Backend,
    verdicts: Sequence[tuple[Any, ...]],
    changed: Sequence[tuple[Any, ...]],
    tags: Sequence[tuple[Any, ...]] = (),
) -> None:
    """Insert verdicts, values of ROW_COLUMNS, the turns of the rows that a rule changed, values of TURN_COLUMNS, and the
    tags, values of TAG_COLUMNS.
    """
    backend.insert(connection, cleaned_rows, ROW_COLUMNS, verdicts)
    backend.insert(connection, cleaned_turns, TURN_COLUMNS, changed)
    if tags:
        backend.insert(connection, row_tags, TAG_COLUMNS, tags)


def prints(connection: Connection, task_id: TaskId, columns: int) -> Prints:
    """The prints of all kept rows of a task; `columns` is the width of a signature."""
    number = connection.execute(select(func.count()).where(*_kept_rows(task_id))).scalar_one()
    shapes = number, (number, 32), number, number, (number, columns)
    kinds = np.int64, np.uint8, np.uint64, np.bool_, np.uint32
    found = Prints(*(np.zeros(shape, kind) for shape, kind in zip(shapes, kinds, strict=True)))
    start = 0
    for page in _prints_pages(connection, task_id, columns):  # into place: joining pages takes twice the memory
        for whole, part in zip(found, page, strict=True):
            whole[start : start + len(part)] = part
        start += len(page.ids)
    return Prints(*(whole[:start] for whole in found))  # rows may have been removed since they were counted


def _kept_rows(task_id: TaskId) -> tuple[ColumnElement[bool], ...]:
    return cleaned_rows.c.task_id == task_id, cleaned_rows.c.state == RowState.KEPT.value


def _prints_pages(connection: Connection, task_id: TaskId, columns: int) -> Iterator[Prints]:
    query = (
        select(
            cleaned_rows.c.conversation_id,
            cleaned_rows.c.content_hash,
            cleaned_rows.c.fingerprint,
            cleaned_rows.c.signature,
        )
        .where(*_kept_rows(task_id))
        .order_by(cleaned_rows.c.conversation_id)
        .limit(_PRINTS_PAGE)
    )
    nothing = bytes(4 * columns)
    after = 0
    while found := tuples(connection, query.where(cleaned_rows.c.conversation_id > after)):
        ids, hashes, marks, signatures = zip(*found, strict=True)
        after = ids[-1]
        width = 4 * columns  # what is 0 at the end of a signature is not stored
        shown = b"".join([mark.ljust(width, b"\0") if mark else nothing for mark in signatures]) if columns else b""
        yield Prints(
            np.array(ids, dtype=np.int64),
            np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(len(ids), 32),
            np.array([mark or 0 for mark in marks], dtype=np.int64).view(np.uint64),
            np.array([mark is not None for mark in marks], dtype=bool),
            np.frombuffer(shown, dtype="<u4").reshape(len(ids), columns),
        )


def turns_of(connection: Connection, task_id: TaskId, ids: Sequence[int]) -> dict[int, tuple[Turn, ...]]:
    """The cleaned turns of some rows of a task; rows that do not exist are left out."""
    found: dict[int, tuple[Turn, ...]] = {}
    for table, also in ((turns, ()), (cleaned_turns, (cleaned_turns.c.task_id == task_id,))):
        for part in parts(ids):
            query = (
                select(table.c.conversation_id, *(table.c[name] for name in DATA_COLUMNS))
                .where(table.c.conversation_id.in_(part), *also)
                .order_by(table.c.conversation_id, table.c.turn_taking)
            )
            found |= grouped(tuples(connection, query), 1)
    return found


def known_duplicates(connection: Connection, task_ids: Sequence[TaskId]) -> list[KnownDuplicate]:
    """The duplicates of some tasks, in id order."""
    query = (
        select(*(duplicates.c[name] for name in _DUPLICATE_COLUMNS[1:]))
        .where(duplicates.c.task_id.in_(task_ids))
        .order_by(duplicates.c.conversation_id)
    )
    return [KnownDuplicate(r[0], r[1], r[2], DuplicateKind(r[3]), *r[4:]) for r in connection.execute(query)]


def write_duplicates(connection: Connection, backend: Backend, found: Sequence[tuple[TaskId, KnownDuplicate]]) -> None:
    """Record duplicates; one that is recorded already is corrected."""
    backend.insert(
        connection,
        duplicates,
        _DUPLICATE_COLUMNS,
        [(task_id, *d[:3], d.kind.value, *d[4:]) for task_id, d in found],
        updates=dict.fromkeys(_DUPLICATE_COLUMNS[2:], "{new}"),
    )


def page_end(connection: Connection, task_id: TaskId, after: int, end: int, limit: int) -> tuple[int, int] | None:
    """(last id, number) of the next `limit` verdicts with after < id <= end; None when there are none."""
    page = (
        select(cleaned_rows.c.conversation_id)
        .where(
            cleaned_rows.c.task_id == task_id,
            cleaned_rows.c.conversation_id > after,
            cleaned_rows.c.conversation_id <= end,
        )
        .order_by(cleaned_rows.c.conversation_id)
        .limit(limit)
        .subquery()
    )
    last, number = connection.execute(select(func.max(page.c.conversation_id), func.count())).one()
    return None if last is None else (int(last), int(number))


def kept_page(connection: Connection, task_id: TaskId, after: int, end: int, limit: int) -> list[CleanRow]:
    """The next `limit` rows with after < id <= end that cleaning kept, that are no duplicate and not deleted."""
    heads = tuples(
        connection,
        select(
            cleaned_rows.c.conversation_id,
            cleaned_rows.c.changed,
            cleaned_rows.c.content_hash,
            func.coalesce(cleaned_rows.c.shape, conversations.c.shape),
            func.coalesce(cleaned_rows.c.tools, conversations.c.tools),
            conversations.c.source_line,
            conversations.c.source_offset,
            conversations.c.source_bytes,
        )
        .join(conversations, conversations.c.id == cleaned_rows.c.conversation_id)
        .outerjoin(
            duplicates,
            and_(
                duplicates.c.task_id == cleaned_rows.c.task_id,
                duplicates.c.conversation_id == cleaned_rows.c.conversation_id,
            ),
        )
        .where(
            cleaned_rows.c.task_id == task_id,
            cleaned_rows.c.conversation_id > after,
            cleaned_rows.c.conversation_id <= end,
            cleaned_rows.c.state == RowState.KEPT.value,
            duplicates.c.conversation_id.is_(None),
            conversations.c.is_deleted.is_(False),
        )
        .order_by(cleaned_rows.c.conversation_id)
        .limit(limit),
    )
    if not heads:
        return []
    last = heads[-1][0]
    texts = turns_between(connection, after, last) | changed_turns(connection, task_id, after, last)
    return [
        CleanRow(identifier, Conversation(identifier & MAX_ROW, texts[identifier], *rest), content_hash, changed == 1)
        for identifier, changed, content_hash, *rest in heads
    ]


def changed_turns(
    connection: Connection, task_id: TaskId, after: int, last: int
) -> dict[ConversationId, tuple[Turn, ...]]:
    """The cleaned turns of the changed rows with after < id <= last."""
    query = (
        select(cleaned_turns.c.conversation_id, *(cleaned_turns.c[name] for name in DATA_COLUMNS))
        .where(
            cleaned_turns.c.task_id == task_id,
            cleaned_turns.c.conversation_id > after,
            cleaned_turns.c.conversation_id <= last,
        )
        .order_by(cleaned_turns.c.conversation_id, cleaned_turns.c.turn_taking)
    )
    return grouped(tuples(connection, query), 1)


def drop_reasons(connection: Connection, task_id: TaskId) -> dict[str, int]:
    """How many rows each reason dropped, duplicates included as exact_duplicate and near_duplicate."""
    by_rule = (
        select(cleaned_rows.c.reason, func.count())
        .where(cleaned_rows.c.task_id == task_id, cleaned_rows.c.state == RowState.DROPPED.value)
        .group_by(cleaned_rows.c.reason)
    )
    by_kind = select(duplicates.c.kind, func.count()).where(duplicates.c.task_id == task_id).group_by(duplicates.c.kind)
    reasons = {reason: count for reason, count in connection.execute(by_rule)}
    return reasons | {f"{kind}_duplicate": count for kind, count in connection.execute(by_kind)}


def counts(connection: Connection, task_id: TaskId) -> tuple[int, int, int]:
    """(rows with a verdict, dropped by a rule, duplicates)."""
    total, dropped = connection.execute(
        select(func.count(), func.sum(case((cleaned_rows.c.state == RowState.DROPPED.value, 1), else_=0))).where(
            cleaned_rows.c.task_id == task_id
        )
    ).one()
    repeated = connection.execute(
        select(func.count()).select_from(duplicates).where(duplicates.c.task_id == task_id)
    ).scalar_one()
    return int(total), int(dropped or 0), int(repeated)


def changed_count(connection: Connection, task_id: TaskId) -> int:
    """How many rows a rule changed."""
    changed = or_(
        cleaned_rows.c.changed.is_(True), cleaned_rows.c.tools.is_not(None), cleaned_rows.c.shape.is_not(None)
    )
    query = select(func.count()).where(cleaned_rows.c.task_id == task_id, changed)
    return int(connection.execute(query).scalar_one())


def rule_counts(connection: Connection, task_id: TaskId) -> dict[str, int]:
    """How many rows each rule changed or dropped."""
    query = select(cleaned_rows.c.changes).where(cleaned_rows.c.task_id == task_id, cleaned_rows.c.changes.is_not(None))
    found: Counter[str] = Counter()
    for changes in connection.execute(query.execution_options(yield_per=10_000)).scalars():
        found.update({change[0] for change in orjson.loads(changes)})
    return dict(found)


def found_counts(connection: Connection, task_id: TaskId, rules: Collection[str]) -> dict[str, dict[str, int]]:
    """What some rules found in the rows that were kept and are no duplicate: detail -> field -> places."""
    query = select(cleaned_rows.c.changes).where(
        *_kept_rows(task_id),
        cleaned_rows.c.changes.is_not(None),
        cleaned_rows.c.conversation_id.not_in(
            select(duplicates.c.conversation_id).where(duplicates.c.task_id == task_id)
        ),
    )
    found: dict[str, Counter[str]] = {}
    for changes in connection.execute(query.execution_options(yield_per=10_000)).scalars():
        for change in map(Change._make, orjson.loads(changes)):
            if change.rule in rules:
                found.setdefault(change.detail, Counter())[change.field] += change.count
    return {detail: dict(sorted(fields.items())) for detail, fields in sorted(found.items())}


def tag_counts(connection: Connection, task_id: TaskId) -> dict[str, int]:
    """How many rows have each tag, of a rule or of a task; dropped ones included."""
    query = select(row_tags.c.tag, func.count()).where(row_tags.c.task_id == task_id).group_by(row_tags.c.tag)
    found = {tag: count for tag, count in connection.execute(query)}
    for tag, count in row_values.tag_counts(connection, task_id).items():
        found[tag] = found.get(tag, 0) + count
    return found


def left_behind(connection: Connection, task_id: TaskId, only: Sequence[str], without: Sequence[str]) -> int:
    """How many rows that cleaning kept stay behind because of their tags: none of `only`, or one of `without`."""
    if not only and not without:
        return 0

    def tagged(words: Sequence[str]) -> ColumnElement[bool]:
        return or_(
            *(
                select(table.c.tag)
                .where(
                    table.c.task_id == task_id,
                    table.c.conversation_id == cleaned_rows.c.conversation_id,
                    table.c.tag.in_(words),
                )
                .exists()
                for table in (row_tags, row_values_table)
            )
        )

    stays = or_(*([~tagged(only)] if only else []), *([tagged(without)] if without else []))
    query = (
        select(func.count())
        .select_from(cleaned_rows)
        .where(
            *_kept_rows(task_id),
            stays,
            cleaned_rows.c.conversation_id.not_in(
                select(duplicates.c.conversation_id).where(duplicates.c.task_id == task_id)
            ),
        )
    )
    return int(connection.execute(query).scalar_one())


def tags_between(connection: Connection, task_id: TaskId, after: int, last: int) -> dict[ConversationId, set[str]]:
    """The tags of the rows with after < id <= last that have any, of rules and of tasks."""
    query = select(row_tags.c.conversation_id, row_tags.c.tag).where(
        row_tags.c.task_id == task_id, row_tags.c.conversation_id > after, row_tags.c.conversation_id <= last
    )
    found = row_values.tags_between(connection, task_id, after, last)
    for identifier, tag in connection.execute(query):
        found.setdefault(ConversationId(identifier), set()).add(tag)
    return found


class Verdict(NamedTuple):
    """What cleaning decided about one row, for people."""

    state: RowState
    reason: str | None
    changes: tuple[Change, ...]
    duplicate_of: ConversationId | None
    kind: DuplicateKind | None
    distance: int | None
    question_similarity: float | None = None
    answer_similarity: float | None = None
    tags: tuple[Tag, ...] = ()


def verdicts(connection: Connection, task_id: TaskId, ids: Sequence[int]) -> dict[ConversationId, Verdict]:
    """The verdicts on some rows; rows without one are left out."""
    query = (
        select(
            cleaned_rows.c.conversation_id,
            cleaned_rows.c.state,
            cleaned_rows.c.reason,
            cleaned_rows.c.changes,
            duplicates.c.duplicate_of,
            duplicates.c.kind,
            duplicates.c.distance,
            duplicates.c.question_similarity,
            duplicates.c.answer_similarity,
        )
        .outerjoin(
            duplicates,
            and_(
                duplicates.c.task_id == cleaned_rows.c.task_id,
                duplicates.c.conversation_id == cleaned_rows.c.conversation_id,
            ),
        )
        .where(cleaned_rows.c.task_id == task_id, cleaned_rows.c.conversation_id.in_(ids))
    )
    tags = tags_of(connection, task_id, ids)
    return {
        ConversationId(row.conversation_id): Verdict(
            RowState(row.state),
            row.reason,
            tuple(Change(*change) for change in orjson.loads(row.changes)) if row.changes else (),
            row.duplicate_of,
            None if row.kind is None else DuplicateKind(row.kind),
            row.distance,
            row.question_similarity,
            row.answer_similarity,
            tuple(tags.get(row.conversation_id, ())),
        )
        for row in connection.execute(query)
    }


def tags_of(connection: Connection, task_id: TaskId, ids: Sequence[int]) -> dict[int, list[Tag]]:
    """The tags of some rows, by row, in the order of their words."""
    own = row_tags.c
    query = (
        select(own.conversation_id, own.tag, own.rule, own.turn_taking, own.field)
        .where(own.task_id == task_id, own.conversation_id.in_(ids))
        .order_by(own.conversation_id, own.tag)
    )
    found: dict[int, list[Tag]] = {}
    for identifier, *rest in connection.execute(query):
        found.setdefault(identifier, []).append(Tag(*rest))
    return found


def remove_rule_pass(connection: Connection, task_id: TaskId) -> None:
    """Remove all that the rule pass wrote for a task."""
    connection.execute(row_tags.delete().where(row_tags.c.task_id == task_id))
    connection.execute(cleaned_turns.delete().where(cleaned_turns.c.task_id == task_id))
    connection.execute(cleaned_rows.delete().where(cleaned_rows.c.task_id == task_id))


def remove_duplicates(connection: Connection, task_id: TaskId) -> None:
    """Remove all that the dedup pass wrote for a task."""
    connection.execute(duplicates.delete().where(duplicates.c.task_id == task_id))
