"""What the row browser reads of rows: pages by key of the rows that match a filter, never with OFFSET or COUNT.

Each statement is bounded by a range of ids and a limit; who asks decides how many ranges it pays for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Row,
    Select,
    Table,
    and_,
    false,
    func,
    or_,
    select,
    union,
)

from corpus_pipeline.model import ConversationId, FileId, TaskId, Turn
from corpus_pipeline.states import RowState, Stage
from corpus_pipeline.store.row_values import Wanted, meeting
from corpus_pipeline.store.schema import (
    DATA_COLUMNS,
    augmented_rows,
    augmented_turns,
    cleaned_rows,
    cleaned_turns,
    conversations,
    dataset_files,
    duplicates,
    row_tags,
    row_values,
    turns,
    work_items,
)
from corpus_pipeline.store.turn_columns import grouped
from corpus_pipeline.store.types import tuples

CHANGED = "changed"
_DUPLICATE = "_duplicate"  # a reason word that ends so is a kind of duplicate
_SAME_ROW = and_(
    duplicates.c.task_id == cleaned_rows.c.task_id, duplicates.c.conversation_id == cleaned_rows.c.conversation_id
)
_TEXTS = tuple(name for name in DATA_COLUMNS if name not in ("data_weight", "data_extra"))


class Filter(NamedTuple):
    """Rows of a stage; every field that is set must match (`service.queries.row_filter` says which may be).

    Rows of clean are those that it kept, unless state or reason ask for dropped ones. empty: of rows that a strategy made;
    it is decided by their texts, not by a statement.
    """

    stage: Stage
    state: str | None = None  # kept | dropped | pending (no verdict yet) | rejected (a line that is no row)
    reason: str | None = None  # why cleaning dropped it
    changed: bool | str | None = None  # whether a rule changed a text of it, or the name of a rule that changed it
    strategy: str | None = None
    empty: bool | None = None
    search: str | None = None  # a text that one of its fields contains, whatever the case
    exportable: bool | None = None  # at the export; decided by writing the row, not by a statement
    tag: str | None = None  # what a rule or a task tagged it with; ingest and clean only
    value: str | None = (
        None  # a condition on a value of a task (`row_values.Wanted`), of the row or of what was made from it
    )

    @property
    def is_open(self) -> bool:
        """Whether every row matches."""
        return all(value is None for value in self[1:])


def matching_ids(
    connection: Connection,
    task_id: TaskId | None,
    wanted: Filter,
    after: int,
    last: int,
    limit: int,
    among: Sequence[int] | None = None,
) -> list[ConversationId]:
    """The first `limit` ids with after < id <= last whose rows may match, in order.

    A text search lets a few rows too many through (letters beyond ASCII match any letter), and so does the name of a rule:
    check the texts and the verdicts. among: only these, whatever they contain.
    """
    query, key = _at_stage(task_id, wanted)
    if wanted.value is not None:
        query = query.where(key.in_(meeting(task_id, Wanted.parse(wanted.value))))
    if among is not None:  # without the range, by which a database would rather read all of it
        query = query.where(key.in_([identifier for identifier in among if after < identifier <= last]))
    else:
        query = query.where(key > after, key <= last)
        if wanted.search is not None:
            query = query.where(_contains(key, task_id, wanted, after, last))
    page = query.order_by(key).limit(limit)
    return [ConversationId(found) for found in connection.execute(page).scalars()]


def _at_stage(task_id: TaskId | None, wanted: Filter) -> tuple[Select, ColumnElement[int]]:
    """The query for a filter, and its column of ids."""
    if wanted.stage is Stage.CLEAN and (wanted.reason is not None or wanted.state == RowState.DROPPED.value):
        return _raw(task_id, wanted._replace(state=RowState.DROPPED.value))
    if wanted.stage is Stage.INGEST:
        return _raw(task_id, wanted)
    if wanted.stage is Stage.CLEAN or (
        wanted.strategy is None and wanted.empty is None and wanted.stage is Stage.EXPORT
    ):
        return _kept(task_id, wanted), cleaned_rows.c.conversation_id
    return _made(task_id, wanted), augmented_rows.c.conversation_id


def _raw(task_id: TaskId | None, wanted: Filter) -> tuple[Select, ColumnElement[int]]:
    """The query, and its column of ids: of the table that has the fewest rows for it."""
    if all(value is None for value in (wanted.state, wanted.reason, wanted.changed, wanted.tag)):
        return select(conversations.c.id), conversations.c.id
    own = cleaned_rows.c
    if wanted.state == "rejected":
        return select(conversations.c.id).where(false()), conversations.c.id
    if wanted.state not in (None, RowState.KEPT.value, RowState.DROPPED.value):  # no verdict yet
        verdict = and_(own.conversation_id == conversations.c.id, own.task_id == (task_id or 0))
        query = select(conversations.c.id).outerjoin(cleaned_rows, verdict).where(own.state.is_(None))
        told = any(value is not None for value in (wanted.reason, wanted.changed, wanted.tag))
        return (query.where(false()) if told else query), conversations.c.id
    if wanted.reason is not None and wanted.reason.endswith(_DUPLICATE):
        query = select(duplicates.c.conversation_id).where(
            duplicates.c.task_id == (task_id or 0), duplicates.c.kind == wanted.reason.removesuffix(_DUPLICATE)
        )
        if wanted.state == RowState.KEPT.value:
            query = query.where(false())
        if wanted.changed is not None:
            query = query.join(cleaned_rows, _SAME_ROW).where(_changed(wanted.changed))
        if wanted.tag is not None:
            query = query.where(duplicates.c.conversation_id.in_(_tagged(task_id, wanted.tag)))
        return query, duplicates.c.conversation_id
    query = select(own.conversation_id).where(own.task_id == (task_id or 0))
    if wanted.state is not None:
        query = query.outerjoin(duplicates, _SAME_ROW)
        dropped = or_(own.state == RowState.DROPPED.value, duplicates.c.conversation_id.is_not(None))
        query = query.where(dropped if wanted.state == RowState.DROPPED.value else ~dropped)
    if wanted.reason is not None:
        query = query.where(own.reason == wanted.reason)
    if wanted.changed is not None:
        query = query.where(_changed(wanted.changed))
    if wanted.tag is not None:
        query = query.where(own.conversation_id.in_(_tagged(task_id, wanted.tag)))
    return query, own.conversation_id


def _tagged(task_id: TaskId | None, tag: str) -> CompoundSelect:
    return union(
        *(
            select(table.c.conversation_id).where(table.c.task_id == (task_id or 0), table.c.tag == tag)
            for table in (row_tags, row_values)
        )
    )


def _kept(task_id: TaskId | None, wanted: Filter) -> Select:
    query = (
        select(cleaned_rows.c.conversation_id)
        .join(conversations, conversations.c.id == cleaned_rows.c.conversation_id)
        .outerjoin(
            duplicates,
            and_(
                duplicates.c.task_id == cleaned_rows.c.task_id,
                duplicates.c.conversation_id == cleaned_rows.c.conversation_id,
            ),
        )
        .where(
            cleaned_rows.c.task_id == (task_id or 0),
            cleaned_rows.c.state == RowState.KEPT.value,
            duplicates.c.conversation_id.is_(None),
            conversations.c.is_deleted.is_(False),
        )
    )
    if wanted.tag is not None:
        query = query.where(cleaned_rows.c.conversation_id.in_(_tagged(task_id, wanted.tag)))
    return query if wanted.changed is None else query.where(_changed(wanted.changed))


def _changed(wanted: bool | str) -> ColumnElement[bool]:
    """Whether cleaning changed a row. For the name of a rule, rows that it dropped come through, too: check the verdicts."""
    own = cleaned_rows.c
    if isinstance(wanted, bool):
        return own.changed.is_(wanted)
    anything = or_(own.changed.is_(True), own.tools.is_not(None), own.shape.is_not(None))
    # no text within this JSON holds these characters in a row: a quotation mark in it is escaped
    return and_(anything, own.changes.contains(f'["{wanted}",', autoescape=True))


def _made(task_id: TaskId | None, wanted: Filter) -> Select:
    is_row = (augmented_rows.c.task_id == (task_id or 0), augmented_rows.c.makes == "row")
    query = select(augmented_rows.c.conversation_id).where(*is_row).distinct()
    return query if wanted.strategy is None else query.where(augmented_rows.c.strategy == wanted.strategy)


def _contains(
    key: ColumnElement[int], task_id: TaskId | None, wanted: Filter, after: int, last: int
) -> ColumnElement[bool]:
    """Whether a row's texts at this stage may contain the wanted one."""
    pattern = like_pattern(wanted.search or "")

    def found(table: Table) -> ColumnElement[bool]:
        id_column = table.c.conversation_id
        query = select(id_column).where(
            id_column > after,
            id_column <= last,
            or_(*(func.lower(table.c[name]).like(pattern, escape="!") for name in _TEXTS)),
        )
        if "task_id" in table.c:
            query = query.where(table.c.task_id == (task_id or 0))
        if table is augmented_turns and wanted.strategy is not None:
            query = query.where(table.c.strategy == wanted.strategy)
        return key.in_(query)

    if wanted.stage is Stage.INGEST:
        return found(turns)
    if wanted.stage is Stage.CLEAN:
        return or_(found(turns), found(cleaned_turns))
    if wanted.stage is Stage.AUGMENT or wanted.strategy is not None or wanted.empty is not None:
        return found(augmented_turns)
    return or_(found(turns), found(cleaned_turns), found(augmented_turns))


def like_pattern(text: str) -> str:
    """A LIKE pattern (escape `!`, against a lower-cased text) that matches whatever contains `text`, and little more.

    Letters beyond ASCII that have a case become a wildcard each: not every database lowers them. What casefolds to
    several letters becomes any number of characters.
    """
    parts = []
    for letter in text:
        if letter in "%_!":
            parts.append("!" + letter)
        elif letter.isascii():
            parts.append(letter.lower())
        elif letter == letter.lower() == letter.upper() == letter.casefold():
            parts.append(letter)
        else:
            parts.append("_" if len(letter.casefold()) == len(letter.lower()) == len(letter.upper()) == 1 else "%")
    return f"%{''.join(parts)}%"


def texts_between(connection: Connection, task_id: TaskId | None, after: int, last: int) -> dict[int, list[str]]:
    """Every text of the rows with after < id <= last: as they came in, and those that the cleaning of a task changed."""
    found: dict[int, list[str]] = {}
    for table in (turns,) if task_id is None else (turns, cleaned_turns):
        columns = (table.c.conversation_id, *(table.c[name] for name in _TEXTS))
        query = select(*columns).where(table.c.conversation_id > after, table.c.conversation_id <= last)
        if "task_id" in table.c:
            query = query.where(table.c.task_id == task_id)
        for row in tuples(connection, query):
            found.setdefault(row[0], []).extend(text for text in row[1:] if text)
    return found


def verdict_words(connection: Connection, task_id: TaskId, after: int, last: int) -> dict[int, list[str]]:
    """Why a rule dropped each of the rows with after < id <= last, and CHANGED for those that one changed."""
    own = cleaned_rows.c
    query = select(own.conversation_id, own.reason, own.changed).where(
        own.task_id == task_id,
        own.conversation_id > after,
        own.conversation_id <= last,
        or_(own.reason.is_not(None), own.changed.is_(True)),
    )
    return {
        identifier: [*([reason] if reason is not None else []), *([CHANGED] if changed else [])]
        for identifier, reason, changed in tuples(connection, query)
    }


def filter_words(wanted: Filter) -> list[str]:
    """Those of the words of `verdict_words` that every row has which a filter lets through."""
    by_rule = wanted.reason is not None and not wanted.reason.endswith(_DUPLICATE)
    return [*([wanted.reason or ""] if by_rule else []), *([CHANGED] if wanted.changed is True else [])]


def cleaned_texts(
    connection: Connection, task_id: TaskId, ids: Sequence[int]
) -> dict[ConversationId, tuple[Turn, ...]]:
    """The cleaned turns of those rows among `ids` that a rule changed."""
    query = (
        select(cleaned_turns.c.conversation_id, *(cleaned_turns.c[name] for name in DATA_COLUMNS))
        .where(cleaned_turns.c.task_id == task_id, cleaned_turns.c.conversation_id.in_(ids))
        .order_by(cleaned_turns.c.conversation_id, cleaned_turns.c.turn_taking)
    )
    return grouped(connection.execute(query), 1)


def made_of(
    connection: Connection, task_id: TaskId, ids: Sequence[int]
) -> dict[ConversationId, list[tuple[str, int, tuple[Turn, ...]]]]:
    """What was made from some rows, stale or not: (strategy, sample, turns) in a fixed order."""
    key = (augmented_turns.c.conversation_id, augmented_turns.c.strategy, augmented_turns.c.sample_index)
    query = (
        select(*key, *(augmented_turns.c[name] for name in DATA_COLUMNS))
        .where(augmented_turns.c.task_id == task_id, augmented_turns.c.conversation_id.in_(ids))
        .order_by(*key, augmented_turns.c.turn_taking)
    )
    found: dict[ConversationId, list[tuple[str, int, tuple[Turn, ...]]]] = {}
    for (parent, strategy, sample), texts in grouped(connection.execute(query), 3).items():
        found.setdefault(ConversationId(parent), []).append((strategy, sample, texts))
    return found


def neighbours(
    connection: Connection, first: int, last: int, identifier: int
) -> tuple[ConversationId | None, ConversationId | None]:
    """The rows before and behind one, both within (first, last]."""
    before = select(func.max(conversations.c.id)).where(conversations.c.id > first, conversations.c.id < identifier)
    behind = select(func.min(conversations.c.id)).where(conversations.c.id > identifier, conversations.c.id <= last)
    return connection.execute(before).scalar(), connection.execute(behind).scalar()


class Twin(NamedTuple):
    """A duplicate of the same keeper."""

    conversation_id: ConversationId
    nearest: ConversationId
    kind: str
    distance: int
    question_similarity: float | None
    answer_similarity: float | None


def cluster(connection: Connection, keeper: int, limit: int) -> list[Twin]:
    """The rows, of any file, that are duplicates of a kept row; the first `limit` of them, one entry a row."""
    query = (
        select(
            duplicates.c.conversation_id,
            func.min(duplicates.c.nearest),
            func.min(duplicates.c.kind),
            func.min(duplicates.c.distance),
            func.min(duplicates.c.question_similarity),
            func.min(duplicates.c.answer_similarity),
        )
        .where(duplicates.c.duplicate_of == keeper)
        .group_by(duplicates.c.conversation_id)
        .order_by(duplicates.c.conversation_id)
        .limit(limit)
    )
    return [Twin(*row) for row in connection.execute(query)]


def file_names(connection: Connection) -> dict[int, str]:
    """The name of every dataset file version by its id, to tell what row an id is."""
    return {i: name for i, name in connection.execute(select(dataset_files.c.id, dataset_files.c.name))}


def file_labels(connection: Connection) -> dict[int, str]:
    """How people name every dataset file version, by its id: `name`, and `name@version` for one that was replaced."""
    own = dataset_files.c
    rows = connection.execute(select(own.id, own.name, own.version, own.superseded_at))
    return {i: name if replaced is None else f"{name}@{version}" for i, name, version, replaced in rows}


def versions(connection: Connection, name: str) -> dict[int, FileId]:
    """The id of each version of a dataset file that was not removed."""
    own = dataset_files.c
    query = select(own.version, own.id).where(own.name == name, own.removed_at.is_(None)).order_by(own.version)
    return {version: FileId(identifier) for version, identifier in connection.execute(query)}


def items_of(connection: Connection, task_id: TaskId, identifier: int) -> Sequence[Row]:
    """(strategy, sample_index, state, reason, reused): what became of each thing that was to be made of a row."""
    query = (
        select(
            work_items.c.strategy,
            work_items.c.sample_index,
            work_items.c.state,
            work_items.c.reason,
            work_items.c.reused,
        )
        .where(work_items.c.task_id == task_id, work_items.c.conversation_id == identifier)
        .order_by(work_items.c.strategy, work_items.c.sample_index)
    )
    return connection.execute(query).all()
