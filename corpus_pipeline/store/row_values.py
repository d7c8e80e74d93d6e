"""Values that tasks made beside rows: scores, labels, fields and the tags that come of them."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from corpus_pipeline.errors import UsageError
from corpus_pipeline.model import AugmentedRow, ConversationId, FileId, TaskId
from corpus_pipeline.states import ItemState
from corpus_pipeline.store.backends import Backend
from corpus_pipeline.store.schema import augmented_rows, augmented_turns, cleaned_rows, row_values, tasks, work_items
from corpus_pipeline.store.statement_parts import parts

_COLUMNS = ("task_id", "conversation_id", "strategy", "sample_index", "name", "value", "number", "word", "tag")
_MAX_WORD = 64
_MAX_NUMBER = 1e300
_TEXTS = ("system", "prompt", "reasoning", "response", "rejected")


_CONDITION = re.compile(r"\s*([a-z0-9_-]{1,64})\.([\w-]{1,64})\s*(>=|<=|!=|=|>|<)\s*(.+?)\s*", re.DOTALL)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "!=": operator.ne,
}


class Wanted(NamedTuple):
    """A condition on a value, as in `quality.score>=4` or `topic.label=science`."""

    strategy: str
    name: str
    sign: str
    text: str

    @classmethod
    def parse(cls, text: str) -> Wanted:
        """Raises UsageError."""
        found = _CONDITION.fullmatch(text)
        if found is None:
            raise UsageError(
                f"{text!r} is no condition on a value: TASK.FIELD, one of >= <= > < = !=, and what it is compared with"
            )
        made = cls(*found.groups())
        if made.number is None and made.sign not in ("=", "!="):
            raise UsageError(f"{made.text!r} is no number, so that nothing can be {made.sign} it")
        return made

    @property
    def number(self) -> float | None:
        """What is compared with, where it is a number."""
        try:
            return float(self.text)
        except ValueError:
            return None


def meeting(task_id: TaskId | None, wanted: Wanted) -> Select:
    """The ids of rows with a value that meets a condition."""
    c, compare = row_values.c, _COMPARE[wanted.sign]
    is_word = compare(c.word, wanted.text[:_MAX_WORD])
    is_number = None if wanted.number is None else compare(c.number, wanted.number)
    met = is_word if is_number is None else is_number if wanted.sign not in ("=", "!=") else or_(is_word, is_number)
    return select(c.conversation_id).where(
        c.task_id == (task_id or 0), c.strategy == wanted.strategy, c.name == wanted.name, met
    )


def passing(connection: Connection, task_id: TaskId, wanted: Wanted, ids: Sequence[int]) -> dict[tuple[int, int], bool]:
    """Whether the value that a condition names meets it, by row and sample, of those of some rows that have one."""
    made, found = read(connection, task_id, [wanted.strategy], ids), {}
    for (identifier, _, sample), values in made.values.items():
        if wanted.name in values:
            found[identifier, sample] = _meets(values[wanted.name], wanted)
    return found


def _meets(value: Any, wanted: Wanted) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool) and wanted.number is not None:
        return bool(_COMPARE[wanted.sign](value, wanted.number))
    return bool(_COMPARE[wanted.sign](str(value), wanted.text)) if wanted.sign in ("=", "!=") else False


class Value(NamedTuple):
    """One value of a row. tag: the word that the row is tagged with because of it."""

    strategy: str
    sample_index: int
    name: str
    value: Any
    tag: str | None


def insert(connection: Connection, backend: Backend, task_id: TaskId, rows: Iterable[AugmentedRow]) -> None:
    """Keep the values of rows that have any."""
    found = [
        (task_id, row.parent_id, row.strategy, row.sample_index, name, *_stored(value), _tag(row, name))
        for row in rows
        for name, value in (row.values or {}).items()
    ]
    if found:
        backend.insert(connection, row_values, _COLUMNS, found)


def _stored(value: Any) -> tuple[str, float | None, str | None]:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if (
        number is not None and not -_MAX_NUMBER < number < _MAX_NUMBER
    ):  # no column holds it, nor what is no number at all
        number = None
    word = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else None
    return (
        json.dumps(value, ensure_ascii=False),
        None if number is None else float(number),
        word if word is not None and len(word) <= _MAX_WORD else None,
    )


def _tag(row: AugmentedRow, name: str) -> str | None:
    if row.tag is None or row.tag_field != name:
        return None
    return row.tag


@dataclass
class Made:
    """What tasks made of some rows. values: by row, task and sample. states: outcomes by the same key."""

    values: dict[tuple[int, str, int], dict[str, Any]] = field(default_factory=dict)
    states: dict[tuple[int, str, int], ItemState] = field(default_factory=dict)

    def of(self, identifier: int, tasks: Iterable[str], sample: int) -> dict[str, dict[str, Any]]:
        """By task, what it made of a row: in the sample of that number where there is one, else in the first."""
        found = {}
        for task in tasks:
            own = self.values.get((identifier, task, sample), self.values.get((identifier, task, 0)))
            if own is not None:
                found[task] = own
        return found


def read(connection: Connection, task_id: TaskId, tasks: Sequence[str], ids: Sequence[int]) -> Made:
    """What some tasks made of some rows, and the outcomes of their items."""
    made, wanted = Made(), sorted(set(ids))
    for part in parts(wanted):
        _read_part(connection, task_id, tasks, part, made)
    return made


def _read_part(connection: Connection, task_id: TaskId, tasks: Sequence[str], ids: Sequence[int], made: Made) -> None:
    c = augmented_turns.c
    texts = (
        select(c.conversation_id, c.strategy, c.sample_index, *(c[f"data_{name}"] for name in _TEXTS))
        .where(c.task_id == task_id, c.strategy.in_(tasks), c.conversation_id.in_(ids))
        .order_by(c.turn_taking)
    )
    for identifier, task, sample, *values in connection.execute(texts):
        made.values[identifier, task, sample] = dict(zip(_TEXTS, values, strict=True))  # the last turn stays
    c = row_values.c
    fields = select(c.conversation_id, c.strategy, c.sample_index, c.name, c.value).where(
        c.task_id == task_id, c.strategy.in_(tasks), c.conversation_id.in_(ids)
    )
    for identifier, task, sample, name, value in connection.execute(fields):
        made.values.setdefault((identifier, task, sample), {})[name] = json.loads(value)
    c = work_items.c
    states = select(c.conversation_id, c.strategy, c.sample_index, c.state).where(
        c.task_id == task_id, c.strategy.in_(tasks), c.conversation_id.in_(ids)
    )
    for identifier, task, sample, state in connection.execute(states):
        made.states[identifier, task, sample] = ItemState(state)


def of_rows(connection: Connection, task_id: TaskId, ids: Sequence[int]) -> dict[ConversationId, list[Value]]:
    """The values of some rows by row, in a fixed order; without those of rows that were cleaned to another content since."""
    c = row_values.c
    query = (
        select(c.conversation_id, c.strategy, c.sample_index, c.name, c.value, c.tag)
        .select_from(_fresh())
        .where(c.task_id == task_id, c.conversation_id.in_(ids))
        .order_by(c.conversation_id, c.strategy, c.sample_index, c.name)
    )
    found: dict[ConversationId, list[Value]] = {}
    for identifier, strategy, sample, name, value, tag in connection.execute(query):
        found.setdefault(ConversationId(identifier), []).append(Value(strategy, sample, name, json.loads(value), tag))
    return found


def newest_tasks(
    connection: Connection, file_id: FileId, names: Sequence[tuple[str, str]], *, without: TaskId
) -> dict[tuple[str, str], TaskId]:
    """Of each (task, field) the newest work on a dataset file that gave rows this value, without one task; those of none are
    left out."""
    c, found = row_values.c, dict[tuple[str, str], TaskId]()
    for strategy, name in names:
        query = (
            select(func.max(c.task_id))
            .join(tasks, tasks.c.id == c.task_id)
            .where(tasks.c.file_id == file_id, c.strategy == strategy, c.name == name, c.task_id != without)
        )
        newest = connection.execute(query).scalar()
        if newest is not None:
            found[strategy, name] = TaskId(newest)
    return found


def said_between(
    connection: Connection, tasks_of: Mapping[tuple[str, str], TaskId], after: int, last: int
) -> dict[int, dict[str, Any]]:
    """What tasks said of the rows with after < id <= last, by `TASK.FIELD`: of several samples the mean of numbers, else
    the first one's value."""
    c, found = row_values.c, dict[int, dict[str, Any]]()
    for (strategy, name), task_id in tasks_of.items():
        samples = dict[int, list[Any]]()
        query = (
            select(c.conversation_id, c.value)
            .where(
                c.task_id == task_id,
                c.strategy == strategy,
                c.name == name,
                c.conversation_id > after,
                c.conversation_id <= last,
            )
            .order_by(c.conversation_id, c.sample_index)
        )
        for identifier, value in connection.execute(query):
            samples.setdefault(identifier, []).append(json.loads(value))
        for identifier, values in samples.items():
            are_numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)
            own = sum(values) / len(values) if are_numbers and len(values) > 1 else values[0]
            found.setdefault(identifier, {})[f"{strategy}.{name}"] = own
    return found


def tags_between(connection: Connection, task_id: TaskId, after: int, last: int) -> dict[ConversationId, set[str]]:
    """The tags that tasks gave the rows with after < id <= last."""
    c = row_values.c
    query = (
        select(c.conversation_id, c.tag)
        .select_from(_fresh())
        .where(c.task_id == task_id, c.conversation_id > after, c.conversation_id <= last, c.tag.is_not(None))
    )
    found: dict[ConversationId, set[str]] = {}
    for identifier, tag in connection.execute(query):
        found.setdefault(ConversationId(identifier), set()).add(tag)
    return found


def tag_counts(connection: Connection, task_id: TaskId) -> dict[str, int]:
    """How many rows tasks gave each tag."""
    c = row_values.c
    query = (
        select(c.tag, func.count(c.conversation_id.distinct()))
        .select_from(_fresh())
        .where(c.task_id == task_id, c.tag.is_not(None))
        .group_by(c.tag)
    )
    return {tag: int(count) for tag, count in connection.execute(query)}


def _fresh() -> Any:
    """Values with their provenance and the row that they are of, as it was when they were made."""
    same = [
        row_values.c[key] == augmented_rows.c[key] for key in ("task_id", "conversation_id", "strategy", "sample_index")
    ]
    return row_values.join(augmented_rows, and_(*same)).join(cleaned_rows, _is_fresh())


def _is_fresh() -> ColumnElement[bool]:
    return and_(
        cleaned_rows.c.task_id == augmented_rows.c.task_id,
        cleaned_rows.c.conversation_id == augmented_rows.c.conversation_id,
        cleaned_rows.c.content_hash == augmented_rows.c.source_hash,
    )


def counts(connection: Connection, task_id: TaskId, most: int = 50) -> dict[str, dict[str, Any]]:
    """By `TASK.FIELD`: {rows, mean, min, max} of numbers, {rows, words: {word: rows}} of short texts, where
    they are at most this many and rows share them."""
    c = row_values.c
    found: dict[str, dict[str, Any]] = {}
    numbers = (
        select(c.strategy, c.name, func.count(), func.avg(c.number), func.min(c.number), func.max(c.number))
        .where(c.task_id == task_id, c.number.is_not(None))
        .group_by(c.strategy, c.name)
        .order_by(c.strategy, c.name)
    )
    for strategy, name, rows, mean, low, high in connection.execute(numbers):
        found[f"{strategy}.{name}"] = {"rows": int(rows), "mean": float(mean), "min": low, "max": high}
    words = (
        select(c.strategy, c.name, c.word, func.count())
        .where(c.task_id == task_id, c.word.is_not(None))
        .group_by(c.strategy, c.name, c.word)
        .order_by(c.strategy, c.name, func.count().desc(), c.word)
    )
    for strategy, name, word, rows in connection.execute(words):
        own: Mapping[str, Any] = found.setdefault(f"{strategy}.{name}", {"rows": 0, "words": {}})
        if isinstance(own, dict) and "words" in own:
            own["rows"] += int(rows)
            own["words"][word] = int(rows)
    for key in [key for key, own in found.items() if _is_free_text(own, most)]:
        del found[key]
    return found


class Bin(NamedTuple):
    """Rows of a value: a word, or numbers from low to high; both are one number where each has a bin of its own."""

    word: str | None
    low: float | None
    high: float | None
    rows: int


_BINS = 10
_SINGLE = 12  # different numbers that have a bin each
_MOST_WORDS = 20


def bins(connection: Connection, task_id: TaskId) -> dict[str, list[Bin]]:
    """How the values of tasks are spread, by `TASK.FIELD`; without fields of free text."""
    found: dict[str, list[Bin]] = {}
    c = row_values.c
    for key, told in counts(connection, task_id).items():
        if "words" in told:
            found[key] = [Bin(word, None, None, rows) for word, rows in list(told["words"].items())[:_MOST_WORDS]]
            continue
        strategy, _, name = key.partition(".")
        own = and_(c.task_id == task_id, c.strategy == strategy, c.name == name, c.number.is_not(None))
        single = select(c.number, func.count()).where(own).group_by(c.number).order_by(c.number).limit(_SINGLE + 1)
        rows = connection.execute(single).all()
        if len(rows) > _SINGLE:
            found[key] = _ranges(connection, own, told["min"], told["max"])
        else:
            found[key] = [Bin(None, number, number, int(many)) for number, many in rows]
    return found


def _ranges(connection: Connection, own: ColumnElement[bool], low: float, high: float) -> list[Bin]:
    """Equally wide ranges; a number on a border counts for the upper one."""
    edges = [low + (high - low) * n / _BINS for n in range(_BINS)] + [high]
    number = row_values.c.number
    parts = [
        func.sum(case((and_(number >= left, number <= right if right == high else number < right), 1), else_=0))
        for left, right in pairwise(edges)
    ]
    found = connection.execute(select(*parts).select_from(row_values).where(own)).one()
    return [Bin(None, *edge, int(many or 0)) for edge, many in zip(pairwise(edges), found, strict=True)]


def _is_free_text(told: Mapping[str, Any], most: int) -> bool:
    """Whether the short texts of a field are no words that rows share."""
    words = told.get("words", {})
    return len(words) > most or (len(words) > 10 and len(words) > told["rows"] / 2)
