"""What a task may show of a row: its texts, values of its record, and what other tasks made of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from corpus_pipeline.errors import UsageError
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import TEXT_FIELDS, Conversation
from corpus_pipeline.stages.augment.strategies import sections
from corpus_pipeline.stages.augment.strategies.exchange import effective_system, find_exchange
from corpus_pipeline.stages.augment.strategies.tasks.references import TaskField

ROW_NAMES: Final = (*TEXT_FIELDS, "conversation", "turns", "tools")
_NAME: Final = lazily(r"[a-z][a-z0-9_]{0,63}")
_FENCE: Final = lazily(r"\[\[begin \w+ ([0-9a-f]{32})\]\]")
_WORD: Final = lazily(r"[\w-]{1,32}")
_PART: Final = lazily(r"[a-z0-9_-]{1,64}\.[\w-]+")
_TURN: Final = lazily(rf"turns\.(-?[1-9]\d{{0,4}})\.({'|'.join(TEXT_FIELDS)})")


class RecordPath(NamedTuple):
    """A value of the record as it came in."""

    keys: tuple[str, ...]


class TurnText(NamedTuple):
    """A text of a turn, 1 is the first and -1 the last."""

    number: int
    field: str


Input = TaskField | RecordPath | TurnText


def parsed(name: str, said: str) -> Input:
    """An input of a recipe. Raises UsageError."""
    if not _NAME.fullmatch(name) or name in (*ROW_NAMES, "labels", "range"):
        raise UsageError(
            f"'{name}' cannot name an input: small letters, digits and _, and none of {', '.join(ROW_NAMES)}"
        )
    if (turn := _TURN.fullmatch(said)) is not None:
        return TurnText(int(turn.group(1)), turn.group(2))
    first, _, rest = said.partition(".")
    if first == "record" and rest and all(rest.split(".")):
        return RecordPath(tuple(rest.split(".")))
    if _PART.fullmatch(said) and first not in ("record", "turns"):
        return TaskField(*said.split("."))
    raise UsageError(f"{name}: needs TASK.FIELD, record.KEY or turns.NUMBER.TEXT (turns.-1.prompt), got {said!r}")


def worked_on(conversation: Conversation) -> int | None:
    """The index of the turn that a task works on: the last answered one, else the last with a prompt, else with a text."""
    index = find_exchange(conversation)
    if index is not None:
        return index
    turns = conversation.turns
    for has in (lambda turn: (turn.prompt or "").strip(), lambda turn: any(t.strip() for _, t in turn.texts())):
        for at in range(len(turns) - 1, -1, -1):
            if has(turns[at]):
                return at
    return None


def texts_of(conversation: Conversation, inputs: Mapping[str, Input]) -> dict[str, Any]:
    """Every name that a template may show, with its value: a text, a number, a list or None."""
    index = worked_on(conversation)
    if index is None:
        return dict.fromkeys((*ROW_NAMES, *inputs))
    turn, turns = conversation.turns[index], conversation.turns
    found: dict[str, Any] = dict(zip(TEXT_FIELDS, turn[: len(TEXT_FIELDS)], strict=True))
    found |= {
        "system": effective_system(turns, index),
        "conversation": sections.messages_as_lines(turns[:index]),
        "turns": [dict(one.texts()) for one in turns[: index + 1]],
        "tools": conversation.tools,
    }
    return found | {name: _value(conversation, one) for name, one in inputs.items()}


def _value(conversation: Conversation, wanted: Input) -> Any:
    if isinstance(wanted, TaskField):
        if conversation.values is None:  # nothing was looked up: an estimate
            return f"{wanted.task} {wanted.field}"
        return conversation.values.get(wanted.task, {}).get(wanted.field)
    if isinstance(wanted, TurnText):
        at = wanted.number - 1 if wanted.number > 0 else len(conversation.turns) + wanted.number
        in_range = 0 <= at < len(conversation.turns)
        return getattr(conversation.turns[at], wanted.field) if in_range else None
    value: Any = _record(conversation.shape)
    for key in wanted.keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


@lru_cache(maxsize=64)
def _record(shape: str) -> Any:
    try:
        return json.loads(shape).get("record")
    except (ValueError, AttributeError):
        return None


def context(values: Mapping[str, Any], *, fences: bool) -> dict[str, Any]:
    """What a template is rendered with: texts behind fences that they cannot forge, unless the recipe wants them bare.

    An input of a single word (a label of another task, say) needs no fence.
    """
    flat: dict[str, str | None] = {}
    for name, value in values.items():
        if name == "turns":
            for number, turn in enumerate(value or (), 1):
                flat |= {f"turn_{number}_{field}": text for field, text in turn.items()}
        elif not _is_bare(name, value):
            flat[name] = value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    shown = sections.fenced(flat) if fences else {name: _whole(text) for name, text in flat.items()}
    found: dict[str, Any] = {
        name: value if _is_bare(name, value) else shown[name] for name, value in values.items() if name != "turns"
    }
    found["turns"] = [
        {field: shown.get(f"turn_{number}_{field}", "") for field in TEXT_FIELDS}
        for number, _ in enumerate(values.get("turns") or (), 1)
    ]
    return found


def with_fences_on_lines(body: str) -> str:
    """A rendered text whose fences stand on lines of their own, wherever the template put them."""
    first = _FENCE.search(body)
    if first is None:
        return body
    fence = first.group(1)  # no text of a row holds it
    body = re.sub(rf"(?<=[^\n])(\[\[begin \w+ {fence}\]\])", r"\n\1", body)
    return re.sub(rf"(\[\[end \w+ {fence}\]\])(?=[^\n])", r"\1\n", body)


def _whole(text: str | None) -> str:
    return (text or "").replace("\0", sections.NUL_REPLACEMENT)


def _is_bare(name: str, value: Any) -> bool:
    is_word = name not in ROW_NAMES and isinstance(value, str) and _WORD.fullmatch(value) is not None
    return is_word or _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def blank(values: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Which of the names have nothing to show."""
    return [
        name for name in names if values.get(name) is None or values[name] in ("", []) or not str(values[name]).strip()
    ]
