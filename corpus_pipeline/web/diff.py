"""Conversations side by side: the same turn and field of each next to each other, with what differs marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from corpus_pipeline.model import TEXT_FIELDS
from corpus_pipeline.service.records.base import JsonObject, TurnTexts
from corpus_pipeline.web.rendering import LONG, Piece, difference


class Message(NamedTuple):
    """One text of a turn. role: who speaks, in the words of chat formats. cut: characters that are not shown."""

    field: str
    role: str
    pieces: list[Piece]
    changed: bool
    cut: int


class Cell(NamedTuple):
    """One turn in one column."""

    messages: list[Message]
    tool_calls: Any
    extra: JsonObject
    weight: float | None


class Column(NamedTuple):
    """One version of a conversation: `cells` has one entry a turn."""

    title: str
    cells: list[Cell]


_ROLES = {
    "system": "system",
    "prompt": "user",
    "reasoning": "reasoning",
    "response": "assistant",
    "rejected": "rejected",
}


def compared(texts: Sequence[tuple[str, list[TurnTexts]]]) -> list[Column]:
    """Columns for (title, turns), each compared with the one before it."""
    columns: list[Column] = []
    before: list[TurnTexts] | None = None
    for title, turns in texts:
        cells = []
        for number, turn in enumerate(turns):
            old: TurnTexts | None = None if before is None else before[number] if number < len(before) else {}
            cells.append(_cell(turn, old))
        columns.append(Column(title, cells))
        before = turns
    return columns


def _cell(turn: TurnTexts, before: TurnTexts | None) -> Cell:
    texts: Mapping[str, Any] = turn
    was: Mapping[str, Any] = before or {}
    extra = dict(turn.get("extra") or {})
    messages = []
    for name in TEXT_FIELDS:
        own, old = texts.get(name), was.get(name)
        if own is None and old is None:
            continue
        role = extra.get(f"{name}_role") or _ROLES[name]
        messages.append(_message(name, str(role), own, old, compare=before is not None))
    calls = extra.pop("tool_calls", None)
    for key in ("system_role", "prompt_role"):
        extra.pop(key, None)
    return Cell(messages, calls, extra, turn.get("weight"))


def _message(name: str, role: str, own: str | None, old: str | None, *, compare: bool) -> Message:
    text = own or ""
    if not compare or own == old:
        return Message(name, role, [Piece("same", text[:LONG])], False, max(0, len(text) - LONG))
    pieces = difference((old or "")[:LONG], text[:LONG])
    return Message(name, role, pieces, True, max(0, len(text) - LONG))
