"""Conversations side by side: the same turn and field of each next to each other, with what differs marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from corpus_pipeline.model import TEXT_FIELDS
from corpus_pipeline.service.records.base import TurnTexts
from corpus_pipeline.web.rendering import LONG, Piece, difference


class Message(NamedTuple):
    """One text of a turn. role: who speaks, in the words of chat formats. cut: characters that are not shown."""

    field: str
    role: str
    pieces: list[Piece]
    changed: bool
    cut: int


class Cell(NamedTuple):
    """One turn in one column; `tool_calls` and `extra` are JSON for people, "" for none."""

    messages: list[Message]
    tool_calls: str
    extra: str
    weight: float | None


class Column(NamedTuple):
    """One version of a conversation: `cells` has one entry a turn."""

    title: str
    cells: list[Cell]


PAGE = 400_000  # characters of all texts of one page
MOST_TURNS = 500  # that one page shows; the JSON has them all

_ROLES = {
    "system": "system",
    "prompt": "user",
    "reasoning": "reasoning",
    "response": "assistant",
    "rejected": "rejected",
}


class _Room:
    """How many characters the page still takes: a row may have thousands of long turns, and its page has a deadline."""

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self, wanted: int) -> int:
        """As many of them as there is room for."""
        taken = min(wanted, self._left)
        self._left -= taken
        return taken


def compared(texts: Sequence[tuple[str, list[TurnTexts]]]) -> list[Column]:
    """Columns for (title, turns), each compared with the one before it; what the page has no room for is cut."""
    columns: list[Column] = []
    before: list[TurnTexts] | None = None
    for title, turns in texts:
        cells, room = [], _Room(PAGE // len(texts))
        for number, turn in enumerate(turns[:MOST_TURNS]):
            old: TurnTexts | None = None if before is None else before[number] if number < len(before) else {}
            cells.append(_cell(turn, old, room))
        columns.append(Column(title, cells))
        before = turns
    return columns


def _cell(turn: TurnTexts, before: TurnTexts | None, room: _Room) -> Cell:
    texts: Mapping[str, Any] = turn
    was: Mapping[str, Any] = before or {}
    extra = dict(turn.get("extra") or {})
    messages = []
    for name in TEXT_FIELDS:
        own, old = texts.get(name), was.get(name)
        if own is None and old is None:
            continue
        role = extra.get(f"{name}_role") or _ROLES[name]
        messages.append(_message(name, str(role), own, old, room, compare=before is not None))
    calls = extra.pop("tool_calls", None)
    for key in ("system_role", "prompt_role"):
        extra.pop(key, None)
    return Cell(messages, _pretty(calls, room), _pretty(extra, room), turn.get("weight"))


def _pretty(value: Any, room: _Room) -> str:
    if not value:
        return ""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    most = room.take(min(LONG, len(text)))
    return (
        text if most == len(text) else f"{text[:most]} … {len(text) - most:,} more characters; the JSON twin has them"
    )


def _message(name: str, role: str, own: str | None, old: str | None, room: _Room, *, compare: bool) -> Message:
    text = own or ""
    most = room.take(min(LONG, max(len(text), len(old or "") if compare else 0)))
    shown, cut = text[:most], max(0, len(text) - most)
    if not compare or own == old:
        return Message(name, role, [Piece("same", shown)], False, cut)
    # where one of them is cut, the other is cut at the same place: what stands behind it is neither gone nor new
    return Message(name, role, difference((old or "")[:most], shown) or [Piece("same", "")], True, cut)
