"""Duplicates beside their keepers: what was dropped as a repetition, how like the kept row it is, and where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from corpus_pipeline.errors import UnknownName
from corpus_pipeline.model import ConversationId, FileId, Turn, conversation_id, id_range, split_id
from corpus_pipeline.service.queries.views import turn_dict
from corpus_pipeline.service.records.rows import DuplicatePage, DuplicatePair, KeptRow, TextDifference
from corpus_pipeline.stages.clean.text_differences import Difference, differences
from corpus_pipeline.states import Stage
from corpus_pipeline.store import cleaned, cursors, duplicates, kept_rows, row_queries, rows, tasks


def page(
    connection: Connection, name: str, *, sort: str = duplicates.ROW, after: int = 0, limit: int = 50
) -> DuplicatePage:
    """Duplicates beside their keepers, page by page, each with `row`, `keeper`, their `turns`, kind, distance, similarities and
    `differences`, one entry a text that is not equal. after: row number, or how many to leave out when sorted by
    difference. Raises UnknownName.
    """
    if sort not in duplicates.ORDERS:
        raise UnknownName("order", sort, duplicates.ORDERS)
    ((file, task),) = tasks.current_tasks(connection, [name])
    start = _position(file.id, after) if sort == duplicates.ROW else after
    found = [] if task is None else duplicates.page(connection, task.id, sort, start, limit + 1)
    shown = found[:limit]
    texts = _texts(connection, [*(d.conversation_id for d in shown), *(d.duplicate_of for d in shown)])
    labels = row_queries.file_labels(connection)
    next_after = (
        split_id(ConversationId(shown[-1].conversation_id))[1] if sort == duplicates.ROW and shown else after + limit
    )
    return {
        "name": name,
        "sort": sort,
        "duplicates": [_entry(labels, texts, one) for one in shown],
        "next_after": next_after if len(found) > limit else None,
        "decided": task is not None and cursors.is_done(connection, task.id, Stage.CLEAN),
    }


def kept_anyway(connection: Connection, name: str) -> list[KeptRow]:
    """The rows of a dataset file that a person keeps although cleaning would drop or change them. Raises UnknownName."""
    ((file, _),) = tasks.current_tasks(connection, [name])
    return [
        {
            "row": f"{name}:{split_id(row.conversation_id)[1]}",
            "number": split_id(row.conversation_id)[1],
            "by": row.kept_by,
            "at": row.kept_at,
            "reason": row.reason,
            "unchanged": row.unchanged,
        }
        for row in kept_rows.of_file(connection, file.id)
    ]


def _position(file_id: FileId, number: int) -> int:
    return conversation_id(file_id, number) if number else id_range(file_id)[0]


def _texts(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[Turn, ...]]:
    """The turns of rows as cleaning left them, whatever file they are of."""
    unique = sorted(set(ids))
    found: dict[int, tuple[Turn, ...]] = {
        identifier: stored.conversation.turns for identifier, stored in rows.by_ids(connection, unique).items()
    }
    for task_id, own in _by_task(connection, unique).items():
        found.update(row_queries.cleaned_texts(connection, task_id, own).items())
    return found


def _by_task(connection: Connection, ids: Sequence[int]) -> dict[Any, list[int]]:
    files = {split_id(ConversationId(identifier))[0] for identifier in ids}
    of_file = {
        file.id: task.id for file, task in tasks.current_tasks(connection) if task is not None and file.id in files
    }
    found: dict[Any, list[int]] = {}
    for identifier in ids:
        task_id = of_file.get(split_id(ConversationId(identifier))[0])
        if task_id is not None:
            found.setdefault(task_id, []).append(identifier)
    return found


def _entry(labels: dict[int, str], texts: dict[int, tuple[Turn, ...]], one: cleaned.KnownDuplicate) -> DuplicatePair:
    own, keeper = texts.get(one.conversation_id, ()), texts.get(one.duplicate_of, ())
    row_file, row_number = _place(labels, one.conversation_id)
    keeper_file, keeper_number = _place(labels, one.duplicate_of)
    return {
        "row": f"{row_file}:{row_number}",
        "row_file": row_file,
        "row_number": row_number,
        "keeper": f"{keeper_file}:{keeper_number}",
        "keeper_file": keeper_file,
        "keeper_number": keeper_number,
        "kind": one.kind.value,
        "distance": one.distance,
        "question_similarity": one.question_similarity,
        "answer_similarity": one.answer_similarity,
        "differences": [_difference(one) for one in differences(keeper, own)],
        "turns": [turn_dict(turn) for turn in own],
        "keeper_turns": [turn_dict(turn) for turn in keeper],
    }


def _place(labels: dict[int, str], identifier: int) -> tuple[str, int]:
    file_id, number = split_id(ConversationId(identifier))
    return labels.get(file_id, "?"), number


def _difference(one: Difference) -> TextDifference:
    return {
        "turn": one.turn,
        "field": one.field,
        "before": one.before,
        "kept": one.left,
        "dropped": one.right,
        "behind": one.behind,
    }
