"""What augment writes: work items, new rows with their parent's key, prompts. It never writes what it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import Column, ColumnElement, Connection, Row, and_, case, func, insert, select, update

from corpus_pipeline.model import AugmentedRow, ConversationId, TaskId, Turn, split_id
from corpus_pipeline.states import ItemState, Stage
from corpus_pipeline.store import row_values
from corpus_pipeline.store.backends import Backend
from corpus_pipeline.store.cursors import Cursor
from corpus_pipeline.store.schema import (
    DATA_COLUMNS,
    augmented_rows,
    augmented_turns,
    cleaned_rows,
    cleaned_turns,
    prompts,
    review_verdicts,
    work_items,
)
from corpus_pipeline.store.schema import (
    row_values as row_values_table,
)
from corpus_pipeline.store.schema import (
    turns as source_turns,
)
from corpus_pipeline.store.statement_parts import parts
from corpus_pipeline.store.turn_columns import grouped, numbered

ROW, VALUES = "row", "values"  # what an item made
_MADE = (row_values_table, augmented_turns, augmented_rows, review_verdicts, work_items)
ItemKey = tuple[int, str, int]  # conversation id, strategy label, sample index


class Provenance(NamedTuple):
    """Where an augmented row comes from."""

    prompt_version: str
    request_key: str
    model: str
    source_hash: bytes
    notes: str | None = None  # JSON: {"tags", "changes"}


def item_states(connection: Connection, task_id: TaskId, after: int, last: int) -> dict[ItemKey, ItemState]:
    """The items with after < conversation id <= last that have an outcome."""
    query = select(
        work_items.c.conversation_id, work_items.c.strategy, work_items.c.sample_index, work_items.c.state
    ).where(work_items.c.task_id == task_id, work_items.c.conversation_id > after, work_items.c.conversation_id <= last)
    return {(r[0], r[1], r[2]): ItemState(r[3]) for r in connection.execute(query)}


def processed_rows(connection: Connection, stage: Stage, own: Sequence[Cursor]) -> int:
    """How many rows a stage is through with, by its cursors; of augment see `done_rows`."""
    if stage is Stage.AUGMENT:
        return done_rows(connection, own)
    return min((cursor.processed_rows for cursor in own), default=0)


def done_rows(connection: Connection, own: Sequence[Cursor]) -> int:
    """Rows with all their outcomes under every strategy: those behind the cursors, and those that are finished ahead of them.

    A cursor moves by whole batches, calls end in any order: a person wants to see what is done. own: the cursors of an
    augment stage.
    """
    return min((cursor.processed_rows + _ahead(connection, cursor) for cursor in own), default=0)


def _ahead(connection: Connection, cursor: Cursor) -> int:
    if cursor.total_rows is None or cursor.processed_rows >= cursor.total_rows:
        return 0
    items = select(func.count(), func.max(work_items.c.sample_index)).where(
        work_items.c.task_id == cursor.task_id,
        work_items.c.conversation_id > cursor.last_id,
        work_items.c.strategy == cursor.task_type,
    )
    count, last_sample = connection.execute(items).one()
    ahead = int(count) // (int(last_sample or 0) + 1)
    return min(ahead, cursor.total_rows - cursor.processed_rows)


def insert_items(
    connection: Connection,
    backend: Backend,
    task_id: TaskId,
    outcomes: Sequence[tuple[ItemKey, ItemState, str | None, bool]],
) -> None:
    """(key, state, reason, reused) of items that have an outcome now; a failed one that is replayed gets its new one."""
    backend.insert(
        connection,
        work_items,
        ("task_id", "conversation_id", "strategy", "sample_index", "state", "reason", "reused"),
        [(task_id, *key, state.value, reason, int(reused)) for key, state, reason, reused in outcomes],
        updates={"state": "{new}", "reason": "{new}", "reused": "{new}"},
    )


def insert_rows(
    connection: Connection, backend: Backend, task_id: TaskId, rows: Sequence[tuple[AugmentedRow, Provenance]]
) -> None:
    """Insert new rows with their turns, and values beside rows. The primary key refuses a second one for the same item."""
    backend.insert(
        connection,
        augmented_rows,
        (
            "task_id",
            "conversation_id",
            "strategy",
            "sample_index",
            "prompt_version",
            "request_key",
            "model",
            "source_hash",
            "notes",
            "makes",
        ),
        [
            (task_id, row.parent_id, row.strategy, row.sample_index, *provenance, ROW if row.turns else VALUES)
            for row, provenance in rows
        ],
    )
    row_values.insert(connection, backend, task_id, (row for row, _ in rows))
    backend.insert(
        connection,
        augmented_turns,
        ("task_id", "conversation_id", "strategy", "sample_index", "turn_taking", *DATA_COLUMNS),
        [
            values
            for row, _ in rows
            for values in numbered(row.turns, task_id, row.parent_id, row.strategy, row.sample_index)
        ],
    )


def rows_between(
    connection: Connection, task_id: TaskId, after: int, last: int
) -> dict[ConversationId, list[tuple[str, int, tuple[Turn, ...]]]]:
    """The fresh augmented rows (strategy, sample, turns) of parents with after < id <= last, in a fixed order.

    A row whose parent was cleaned to another content since is stale and left out.
    """
    key = (
        augmented_turns.c.conversation_id,
        augmented_turns.c.strategy,
        augmented_turns.c.sample_index,
    )
    query = (
        select(*key, *(augmented_turns.c[name] for name in DATA_COLUMNS))
        .join(
            augmented_rows,
            and_(
                *(
                    augmented_rows.c[name] == augmented_turns.c[name]
                    for name in ("task_id", "conversation_id", "strategy", "sample_index")
                )
            ),
        )
        .join(cleaned_rows, _parent_is_fresh())
        .where(
            augmented_turns.c.task_id == task_id,
            augmented_turns.c.conversation_id > after,
            augmented_turns.c.conversation_id <= last,
        )
        .order_by(*key, augmented_turns.c.turn_taking)
    )
    found: dict[ConversationId, list[tuple[str, int, tuple[Turn, ...]]]] = {}
    for (parent, strategy, sample), turns in grouped(connection.execute(query), 3).items():
        found.setdefault(ConversationId(parent), []).append((strategy, sample, turns))
    return found


def _parent_is_fresh() -> ColumnElement[bool]:
    return and_(
        cleaned_rows.c.task_id == augmented_rows.c.task_id,
        cleaned_rows.c.conversation_id == augmented_rows.c.conversation_id,
        cleaned_rows.c.content_hash == augmented_rows.c.source_hash,
    )


def stale_rows(connection: Connection, task_id: TaskId) -> int:
    """Augmented rows whose parent's content is another one now."""
    query = (
        select(func.count())
        .select_from(augmented_rows.outerjoin(cleaned_rows, _parent_is_fresh()))
        .where(augmented_rows.c.task_id == task_id, cleaned_rows.c.conversation_id.is_(None))
    )
    return int(connection.execute(query).scalar_one())


def empty_rows(connection: Connection, task_id: TaskId) -> int:
    """Augmented rows whose last response holds nothing: the validators should never let one through."""
    blank = func.coalesce(func.trim(augmented_turns.c.data_response), "") == ""
    full = (
        select(augmented_turns.c.conversation_id)
        .where(
            augmented_turns.c.task_id == augmented_rows.c.task_id,
            augmented_turns.c.conversation_id == augmented_rows.c.conversation_id,
            augmented_turns.c.strategy == augmented_rows.c.strategy,
            augmented_turns.c.sample_index == augmented_rows.c.sample_index,
            ~blank,
        )
        .exists()
    )
    query = (
        select(func.count())
        .select_from(augmented_rows)
        .where(augmented_rows.c.task_id == task_id, augmented_rows.c.makes == ROW, ~full)
    )
    return int(connection.execute(query).scalar_one())


def item_counts(connection: Connection, task_id: TaskId) -> dict[str, dict[str, int]]:
    """Outcomes per strategy: {strategy: {done, failed, skipped, reused}}."""
    query = (
        select(
            work_items.c.strategy,
            work_items.c.state,
            func.count(),
            func.sum(case((work_items.c.reused.is_(True), 1), else_=0)),
        )
        .where(work_items.c.task_id == task_id)
        .group_by(work_items.c.strategy, work_items.c.state)
    )
    found: dict[str, dict[str, int]] = {}
    for strategy, state, count, reused in connection.execute(query):
        counts = found.setdefault(strategy, {"done": 0, "failed": 0, "skipped": 0, "reused": 0})
        counts[state] += int(count)
        counts["reused"] += int(reused or 0)
    return found


def skip_reasons(connection: Connection, task_id: TaskId) -> dict[str, int]:
    """Why strategies left rows alone, and how often."""
    query = (
        select(work_items.c.reason, func.count())
        .where(work_items.c.task_id == task_id, work_items.c.state == ItemState.SKIPPED.value)
        .group_by(work_items.c.reason)
        .order_by(work_items.c.reason)
    )
    return {str(reason): int(count) for reason, count in connection.execute(query)}


class Repeat(NamedTuple):
    """A new row and the row that it repeats: the source row `row`, or what a strategy made of it."""

    key: ItemKey
    kind: str  # exact or near
    row: int
    strategy: str | None = None
    sample: int | None = None


def set_repeats(connection: Connection, task_id: TaskId, found: Sequence[Repeat]) -> None:
    """Record which new rows of a task repeat another row, in the place of what was recorded before."""
    own = augmented_rows.c
    connection.execute(
        update(augmented_rows).where(own.task_id == task_id, own.repeats.is_not(None)).values(repeats=None)
    )
    for repeat in found:
        told = {name: value for name, value in repeat._asdict().items() if name != "key" and value is not None}
        conversation, strategy, sample = repeat.key
        connection.execute(
            update(augmented_rows)
            .where(
                own.task_id == task_id,
                own.conversation_id == conversation,
                own.strategy == strategy,
                own.sample_index == sample,
            )
            .values(repeats=orjson.dumps(told).decode())
        )


def repeats_between(connection: Connection, task_id: TaskId, after: int, last: int) -> frozenset[ItemKey]:
    """The new rows of parents with after < id <= last that repeat another row."""
    own = augmented_rows.c
    query = select(own.conversation_id, own.strategy, own.sample_index).where(
        own.task_id == task_id, own.conversation_id > after, own.conversation_id <= last, own.repeats.is_not(None)
    )
    return frozenset((row[0], row[1], row[2]) for row in connection.execute(query))


def repeat_counts(connection: Connection, task_id: TaskId) -> dict[str, int]:
    """How many new rows repeat their own source, another source row or another new row, by these words."""
    own = augmented_rows.c
    query = select(own.conversation_id, own.repeats).where(own.task_id == task_id, own.repeats.is_not(None))
    found = Counter[str]()
    for parent, text in connection.execute(query):
        told = orjson.loads(text)
        whom = "new_row" if "strategy" in told else "source" if told["row"] == split_id(parent)[1] else "other_row"
        found[f"{told['kind']}_{whom}"] += 1
    return dict(found)


def turns_of_rows(connection: Connection, task_id: TaskId, keys: Sequence[ItemKey]) -> dict[ItemKey, tuple[Turn, ...]]:
    """The turns of some new rows."""
    found: dict[ItemKey, tuple[Turn, ...]] = {}
    wanted = set(keys)
    own = augmented_turns.c
    columns = (own.conversation_id, own.strategy, own.sample_index)
    parents = sorted({key[0] for key in wanted})
    for part in parts(parents):
        query = (
            select(*columns, *(own[name] for name in DATA_COLUMNS))
            .where(own.task_id == task_id, own.conversation_id.in_(part))
            .order_by(*columns, own.turn_taking)
        )
        for (parent, strategy, sample), turns in grouped(connection.execute(query), 3).items():
            if (parent, strategy, sample) in wanted:
                found[parent, strategy, sample] = turns
    return found


def notes(connection: Connection, task_id: TaskId) -> tuple[dict[str, int], dict[str, int]]:
    """(rows changed by cleaning rule, rows by tag): what is remarkable of the new rows of a task."""
    query = select(augmented_rows.c.notes).where(
        augmented_rows.c.task_id == task_id, augmented_rows.c.notes.is_not(None)
    )
    changed, tagged = Counter[str](), Counter[str]()
    for text in connection.execute(query).scalars():
        said = orjson.loads(text)
        changed.update(said.get("changes", {}).keys())
        tagged.update(said.get("tags", ()))
    return dict(changed), dict(tagged)


def augmented_of(connection: Connection, task_id: TaskId, parent_id: ConversationId) -> Sequence[Row]:
    """Provenance of the rows made from one parent."""
    query = select(augmented_rows).where(
        augmented_rows.c.task_id == task_id, augmented_rows.c.conversation_id == parent_id
    )
    return connection.execute(query.order_by(augmented_rows.c.strategy, augmented_rows.c.sample_index)).all()


def provenance(connection: Connection, task_id: TaskId, parents: Sequence[int]) -> Sequence[Row]:
    """As `augmented_of`, for some parents."""
    own = augmented_rows.c
    return connection.execute(
        select(augmented_rows).where(own.task_id == task_id, own.conversation_id.in_(parents))
    ).all()


_EXCHANGE = ("data_prompt", "data_reasoning", "data_response")


def review_sample(
    connection: Connection, task_id: TaskId, size: int
) -> list[tuple[Row, dict[str, str | None], dict[str, str | None]]]:
    """(provenance, texts before, texts after) of some new rows and their last turn. Deterministic sample: ordered by
    request hash."""
    query = select(augmented_rows).where(augmented_rows.c.task_id == task_id, augmented_rows.c.makes == ROW)
    rows = connection.execute(query.order_by(augmented_rows.c.request_key).limit(size)).all()
    shown = exchanges(connection, task_id, [(row.conversation_id, row.strategy, row.sample_index) for row in rows])
    return [(row, *texts) for row, texts in zip(rows, shown, strict=True)]


def exchanges(
    connection: Connection, task_id: TaskId, keys: Sequence[ItemKey]
) -> list[tuple[dict[str, str | None], dict[str, str | None]]]:
    """(texts before, texts after) of the last turn of some new rows."""
    found = []
    mine = augmented_turns.c
    for conversation, strategy, sample in keys:
        after = connection.execute(
            select(mine.turn_taking, *(mine[name] for name in _EXCHANGE))
            .where(
                mine.task_id == task_id,
                mine.conversation_id == conversation,
                mine.strategy == strategy,
                mine.sample_index == sample,
            )
            .order_by(mine.turn_taking.desc())
            .limit(1)
        ).one()
        found.append((_texts(_turn_before(connection, task_id, conversation, after.turn_taking)), _texts(after)))
    return found


def existing(connection: Connection, task_id: TaskId, keys: Sequence[ItemKey]) -> frozenset[ItemKey]:
    """Those of some keys that are new rows of a task."""
    own = augmented_rows.c
    query = select(own.conversation_id, own.strategy, own.sample_index).where(
        own.task_id == task_id, own.makes == ROW, own.conversation_id.in_(sorted({key[0] for key in keys}))
    )
    return frozenset((row[0], row[1], row[2]) for row in connection.execute(query)) & frozenset(keys)


def _turn_before(connection: Connection, task_id: TaskId, conversation_id: int, turn: int) -> Row | None:
    """The turn that a new one was made from: the cleaned one where a rule changed the row, else the raw one."""
    for table, where in ((cleaned_turns, [cleaned_turns.c.task_id == task_id]), (source_turns, [])):
        found = connection.execute(
            select(*(table.c[name] for name in _EXCHANGE)).where(
                *where, table.c.conversation_id == conversation_id, table.c.turn_taking == turn
            )
        ).first()
        if found is not None:
            return found
    return None


def _texts(row: Row | None) -> dict[str, str | None]:
    return {} if row is None else {name.removeprefix("data_"): getattr(row, name) for name in _EXCHANGE}


def models(connection: Connection, task_id: TaskId) -> dict[str, str]:
    """Which models answered, by strategy; several are joined with a comma."""
    return _distinct(connection, task_id, augmented_rows.c.model)


def prompt_versions(connection: Connection, task_id: TaskId) -> dict[str, str]:
    """Which prompt versions the rows were made with, by strategy; several are joined with a comma."""
    return _distinct(connection, task_id, augmented_rows.c.prompt_version)


def _distinct(connection: Connection, task_id: TaskId, column: Column[str]) -> dict[str, str]:
    query = (
        select(augmented_rows.c.strategy, column)
        .where(augmented_rows.c.task_id == task_id)
        .distinct()
        .order_by(augmented_rows.c.strategy, column)
    )
    found: dict[str, list[str]] = {}
    for strategy, value in connection.execute(query):
        found.setdefault(strategy, []).append(value)
    return {strategy: ",".join(values) for strategy, values in found.items()}


def save_prompt(connection: Connection, version: str, strategy: str, body: str) -> None:
    """Keep the text behind a prompt version; a known version is never changed."""
    known = connection.execute(select(prompts.c.version).where(prompts.c.version == version)).first()
    if known is None:
        connection.execute(insert(prompts).values(version=version, strategy=strategy, body=body))


def prompt_body(connection: Connection, version: str) -> str | None:
    """The JSON that is kept of a prompt version, None when nothing is."""
    return connection.execute(select(prompts.c.body).where(prompts.c.version == version)).scalar_one_or_none()


def remove_augmented(connection: Connection, task_id: TaskId) -> None:
    """Remove what augment made for a task. The ledger and the answers stay: what was paid is not asked again."""
    for table in _MADE:
        connection.execute(table.delete().where(table.c.task_id == task_id))


def remove_made_of(connection: Connection, task_id: TaskId, ids: Sequence[ConversationId]) -> None:
    """Remove what augment made of some rows, as `remove_augmented` does: their texts are going to be others."""
    for table in _MADE:
        for part in parts(ids):
            own = table.c.conversation_id.in_(part)
            connection.execute(table.delete().where(table.c.task_id == task_id, own))
