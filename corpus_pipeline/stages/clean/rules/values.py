"""Texts inside of other values: an edit reaches every string of a JSON value, also of JSON that is kept as a text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from corpus_pipeline.lazy_patterns import lazily

Edit = Callable[[str], str]

# whose values name something and are no texts
_NAMES: Final = frozenset(("id", "type", "name", "role", "tool_call_id"))
# strings and numbers of a JSON text; what is between them stays as it is, byte for byte
_LITERAL: Final = lazily(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?')


def in_value(value: Any, edit: Edit) -> Any:
    """A JSON value with `edit` applied to its strings and numbers; names and keys stay. What changes is a string after it."""
    if isinstance(value, dict):
        return {key: part if key in _NAMES else in_value(part, edit) for key, part in value.items()}
    if isinstance(value, list):
        return [in_value(part, edit) for part in value]
    if isinstance(value, str):
        return in_json(value, edit) if _is_json(value) else edit(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
        fixed = edit(text)
        return value if fixed == text else fixed
    return value


def in_json(text: str, edit: Edit) -> str:
    """The same for a JSON text, which stays one."""

    def literal(match: re.Match[str]) -> str:
        said = match.group()
        before = json.loads(said) if said[0] == '"' else said
        after = edit(before)
        return said if after == before else json.dumps(after, ensure_ascii=False)

    return _LITERAL.sub(literal, text)


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
