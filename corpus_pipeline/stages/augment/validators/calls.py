"""What tool calls take from a request must still be in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar, Final

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.model import Answer, Conversation, Turn
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.words import BadReason

_MIN_CHARACTERS: Final = 2


class ArgumentsKept(Validator):
    """A reworded request still holds, letter for letter, what of it the calls behind it have as arguments."""

    name: ClassVar[str] = "arguments_kept"

    def __call__(self, conversation: Conversation, turns: tuple[Turn, ...], answer: Answer) -> BadAnswer | None:
        """See `Validator`; the last of the new turns is the one that was reworded."""
        index = len(turns) - 1
        source = (conversation.turns[index].prompt or "").casefold()
        new = (turns[-1].prompt or "").casefold()
        for value in _values_of_calls(conversation.turns[index:]):
            text = value.strip().casefold()
            if len(text) >= _MIN_CHARACTERS and text in source and text not in new:
                detail = f"the request lost {value.strip()[:80]!r}, which a call behind it has as an argument"
                return BadAnswer(BadReason.ARGUMENTS_LOST, detail, evidence=(turns[-1].prompt or "",))
        return None


def _values_of_calls(turns: tuple[Turn, ...]) -> Iterator[str]:
    for turn in turns:
        for call in (turn.extra or {}).get("tool_calls") or ():
            own = call.get("function", call) if isinstance(call, dict) else None
            arguments = own.get("arguments") if isinstance(own, dict) else None
            if isinstance(arguments, str):
                try:
                    arguments = json.loads(arguments)
                except (ValueError, RecursionError):
                    continue
            yield from _texts(arguments)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
