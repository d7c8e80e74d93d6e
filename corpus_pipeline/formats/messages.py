"""Chat messages in one canonical form, and their packing into turns and back without loss.

A turn takes at most one system message, one prompt-side message and one answer, in this order. Packing is greedy: a
message that does not come after the last one in this order opens a new turn, so reading the turns in order gives
exactly the sequence that was packed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from corpus_pipeline.model import Turn

SYSTEM_SIDE, PROMPT_SIDE, ANSWER_SIDE = 0, 1, 2

_SIDE_OF_ROLE = {
    "system": SYSTEM_SIDE,
    "developer": SYSTEM_SIDE,
    "assistant": ANSWER_SIDE,
    "function_call": ANSWER_SIDE,
}
_SIDE_NAMES = ("system", "prompt", "response")
_PLAIN_ROLES = ("system", "user", "assistant")
_ROLE_KEYS = ("system_role", "prompt_role", "response_role")

# where each part of a canonical message lies in a turn: [side][part of the message] -> field or key of Turn.extra
TURN_FIELD: tuple[dict[str, str], ...] = (
    {"text": "system", "name": "system_name"},
    {"text": "prompt", "name": "prompt_name", "tool_call_id": "tool_call_id"},
    {
        "text": "response",
        "name": "response_name",
        "reasoning": "reasoning",
        "weight": "weight",
        "tool_calls": "tool_calls",
        "refusal": "refusal",
        "rejected": "rejected",
    },
)


class Message(NamedTuple):
    """One message. `None` is "not there". Only answers have reasoning, weight, tool_calls, refusal and rejected; only
    prompt-side messages have a tool_call_id."""

    role: str
    text: str | None = None
    name: str | None = None
    tool_call_id: str | None = None
    reasoning: str | None = None
    weight: float | None = None
    tool_calls: list[Any] | None = None
    refusal: str | None = None
    rejected: str | None = None


class Place(NamedTuple):
    """Where a message went: 1-based turn and side."""

    turn: int
    side: int


def side_of(role: str) -> int:
    """The side of a turn on which a role speaks; an unknown role is one more that the model must answer."""
    return _SIDE_OF_ROLE.get(role, PROMPT_SIDE)


def places(roles: Iterable[str]) -> list[Place]:
    """The place of each message of a sequence of roles."""
    found, turn, last = [], 0, ANSWER_SIDE
    for role in roles:
        side = _SIDE_OF_ROLE.get(role, PROMPT_SIDE)
        if side <= last:
            turn += 1
        last = side
        found.append(Place(turn, side))
    return found


def pack(messages: Sequence[Message]) -> tuple[Turn, ...]:
    """The turns of a sequence of messages; `unpack` is its exact inverse."""
    turns: list[dict[str, Any]] = []
    for message, (turn, side) in zip(messages, places(m.role for m in messages), strict=True):
        if turn > len(turns):
            turns.append({"extra": {}})
        _put(turns[-1], message, side)
    return tuple(Turn(**{**fields, "extra": fields["extra"] or None}) for fields in turns)


def unpack(turns: Iterable[Turn]) -> list[Message]:
    """The messages of turns, in order."""
    return [message for turn in turns for message in _messages_of(turn)]


def _put(fields: dict[str, Any], message: Message, side: int) -> None:
    extra = fields["extra"]
    plain = message.role == _PLAIN_ROLES[side]
    if not plain:
        extra[_ROLE_KEYS[side]] = message.role
    said = False
    for part, target in TURN_FIELD[side].items():
        value = getattr(message, part)
        if value is not None:
            said = True
            (fields if target in Turn._fields else extra)[target] = value
    if plain and not said:
        extra.setdefault("bare", []).append(_SIDE_NAMES[side])


def _messages_of(turn: Turn) -> list[Message]:
    extra = turn.extra or {}
    bare = extra.get("bare", ())
    found = []
    for side, fields in enumerate(TURN_FIELD):
        parts = {}
        for part, source in fields.items():
            value = getattr(turn, source) if source in Turn._fields else extra.get(source)
            if value is not None:
                parts[part] = value
        role = extra.get(_ROLE_KEYS[side])
        if parts or role is not None or _SIDE_NAMES[side] in bare:
            found.append(Message(role=role or _PLAIN_ROLES[side], **parts))
    return found


def joined(messages: Sequence[Message]) -> tuple[list[Message], bool]:
    """Neighbours of one role as one message with a blank line between their texts, and whether there were any.

    Only plain texts are joined: what carries calls, reasoning, a name or a weight of its own stays as it is.
    """
    found: list[Message] = []
    for message in messages:
        before = found[-1] if found else None
        if before is not None and _is_plain(before) and _is_plain(message) and before.role == message.role:
            found[-1] = before._replace(text=f"{before.text}\n\n{message.text}")
        else:
            found.append(message)
    return found, len(found) < len(messages)


def _is_plain(message: Message) -> bool:
    """Whether it says nothing but its text."""
    return message.text is not None and message[2:] == (None,) * (len(message) - 2) and message.role != "tool"
