"""From one message as it is found to a canonical message, with the paths of all that was taken from it."""

from __future__ import annotations

from typing import Any, NamedTuple

from corpus_pipeline.formats import calls
from corpus_pipeline.formats.base import Loss, wrong_shape
from corpus_pipeline.formats.messages import ANSWER_SIDE, PROMPT_SIDE, Message, side_of
from corpus_pipeline.formats.shape import Path

_REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")
_WEIGHT_KEYS = ("weight", "train", "loss_weight")
_TEXT_PARTS = ("text", "input_text", "output_text")

# roles as they are found -> canonical roles
ROLES = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
    "tool": "tool",
    "function": "tool",
    "ipython": "tool",
    "observation": "tool",
    "function_response": "tool",
    "function_call": "function_call",
}


class Part(NamedTuple):
    """A part of a canonical message (field of `Message`, or a view of its tool calls) and where it lies in the
    record.
    """

    path: Path
    name: str
    how: Any = None


class Decoded(NamedTuple):
    """A canonical message, where its parts lie, and the losses if it leaves its record."""

    message: Message
    parts: tuple[Part, ...]
    kept: frozenset[str] = frozenset()

    @classmethod
    def of_text(cls, message: Message, path: Path) -> Decoded:
        return cls(message, (Part(path, "text"),))


class Draft:
    """A message while it is read: canonical fields, where they lie, keys that are understood, what only the record
    keeps.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fields: dict[str, Any] = {}
        self.parts: list[Part] = []
        self.known = set[str]()
        self.kept = set[str]()

    def take(self, name: str, value: Any, key: str, *, as_name: str | None = None, how: Any = None) -> None:
        """The value of `key` is the field `name`; `as_name` is the slot's name when it is a view of the field."""
        self.fields[name] = value
        self.parts.append(Part((*self.path, key), as_name or name, how))


class MessageReader:
    """Reads `{"role", "content", ...}` of every dialect; what it does not understand stays in the record."""

    role_key = "role"
    content_key = "content"

    def decode(self, raw: Any, path: Path) -> Decoded:
        """Raises LineRejected(WRONG_SHAPE) for what is no message."""
        where = ".".join(map(str, path))
        if type(raw) is not dict:
            wrong_shape(f"{where} is not an object")
        found = raw.get(self.role_key)
        role = self.role_of(found) if type(found) is str else None
        if role is None:
            wrong_shape(f"{where}.{self.role_key} is {found!r:.40}, expected one of {', '.join(ROLES)}")
        draft = Draft(path)
        draft.known |= {self.role_key, self.content_key}
        self.read_content(raw, role, draft)
        if type(raw.get("name")) is str:
            draft.take("name", raw["name"], "name")
        side = side_of(role)
        if side == PROMPT_SIDE and type(raw.get("tool_call_id")) is str:
            draft.take("tool_call_id", raw["tool_call_id"], "tool_call_id")
        if side == ANSWER_SIDE:
            self._read_answer(raw, draft)
        else:  # only answers are trained on: to say so of other messages says nothing
            draft.known |= {key for key in _WEIGHT_KEYS if raw.get(key) in (0, False)}
        role = "assistant" if role == "function_call" and draft.fields.get("tool_calls") else role
        taken = {part.path[len(path)] for part in draft.parts}
        if any(key not in draft.known and key not in taken and raw[key] is not None for key in raw):
            draft.kept.add(Loss.MESSAGE_KEYS)
        return Decoded(Message(role, **draft.fields), tuple(draft.parts), frozenset(draft.kept))

    def role_of(self, word: str) -> str | None:
        """The canonical role of a role as it is found."""
        return ROLES.get(word)

    def read_content(self, raw: dict[str, Any], role: str, draft: Draft) -> None:
        """The text, whether it is a string or a list of parts."""
        content = raw.get(self.content_key)
        if type(content) is str:
            draft.take("text", content, self.content_key)
        elif type(content) is list:
            self.read_parts(content, side_of(role) == ANSWER_SIDE, draft)
        elif content is not None:
            wrong_shape(f"{'.'.join(map(str, draft.path))}.{self.content_key} is neither text nor a list of parts")

    def read_parts(self, content: list[Any], answer: bool, draft: Draft) -> None:
        """The text, the reasoning and the calls of a list of parts; other parts stay in the record."""
        found: dict[str, list[tuple[Path, str]]] = {"text": [], "reasoning": []}
        made: list[Any] = []
        for index, part in enumerate(content):
            kind = part.get("type") if type(part) is dict else None
            key = "value" if kind is not None and "value" in part else "text"
            value = part.get(key) if kind is not None else None
            steps: Path = (*draft.path, self.content_key, index, key)
            if kind in _TEXT_PARTS and type(value) is str:
                found["text"].append((steps, value))
            elif kind == "reasoning" and answer and type(value) is str:
                found["reasoning"].append((steps, value))
            elif kind == "tool_call" and answer and (one := _call_of(value)) is not None:
                call, style = one
                draft.parts.append(Part(steps, "call", (len(made), style)))
                made.append(call)
            else:
                draft.kept.add(Loss.PARTS)
                continue
            if len(part) > 2:
                draft.kept.add(Loss.PARTS)
        for name, parts in found.items():
            join_parts(name, parts, draft)
        if made:
            draft.fields["tool_calls"] = made

    def _read_answer(self, raw: dict[str, Any], draft: Draft) -> None:
        for key in _REASONING_KEYS:
            if type(raw.get(key)) is str and "reasoning" not in draft.fields:
                draft.take("reasoning", raw[key], key)
        for key in _WEIGHT_KEYS:
            notation = _weight_notation(raw.get(key))
            if notation is not None and "weight" not in draft.fields:
                draft.take("weight", float(raw[key]), key, how=notation)
        if type(raw.get("refusal")) is str:
            draft.take("refusal", raw["refusal"], "refusal")
        if "tool_calls" in draft.fields:
            return
        found = raw.get("tool_calls")
        if type(found) is list and found and all(calls.is_call(call) for call in found):
            draft.take("tool_calls", found, "tool_calls")
        elif found == []:
            draft.known.add("tool_calls")
        elif calls.is_bare_call(raw.get("function_call")):
            draft.fields["tool_calls"] = [{"type": "function", "function": raw["function_call"]}]
            draft.parts.append(Part((*draft.path, "function_call"), "function_call"))


def _call_of(value: Any) -> tuple[Any, int] | None:
    """A call of a content part and its notation, None when it is not understood."""
    if calls.is_call(value):
        return value, calls.AS_VALUE
    found = calls.read_calls_text(value) if type(value) is str else None
    if found is None or found[1] is None or found[1][0] is False:
        return None
    return found[0][0], found[1][1]


def join_parts(name: str, parts: list[tuple[Path, str]], draft: Draft) -> None:
    """Several parts of a content become one text; each remembers which of its lines it is."""
    if len(parts) == 1:
        draft.parts.append(Part(parts[0][0], name))
    else:
        first = 0
        for path, text in parts:
            last = first + text.count("\n") + 1
            draft.parts.append(Part(path, name, (first, None if path is parts[-1][0] else last)))
            first = last
    if parts:
        draft.fields[name] = "\n".join(text for _, text in parts)


def _weight_notation(value: Any) -> str | None:
    if type(value) is bool:
        return "bool"
    if type(value) is int and 0 <= value <= 1000:
        return "int"
    if type(value) is float and 0 <= value <= 1000:
        return "float"
    return None
