"""Answers with structure: the schema that is asked for, and a tolerant reading of what comes."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from typing import Any, Final

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.augment.validators.words import BadReason

# `\b` and `\f` are valid JSON escapes, but before a letter they are a LaTeX command whose backslash was not escaped
_LOST_BACKSLASH: Final = lazily("([\b\f])(?=[a-z])")
# the same for commands that begin with t or r; a tab or return before exactly these letters is no white space
_LOST_COMMAND: Final = lazily(
    "\t(?=(?:imes|heta|ext|extbf|frac|an|au|riangle|o)(?![a-z]))|\r(?=(?:ight|angle|ho|ightarrow|ceil|floor)(?![a-z]))"
)
_LONE: Final = lazily("[\ud800-\udfff]")  # half of an emoji, escaped: no encoding can hold it
_BROKEN_ESCAPE: Final = lazily(r'\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})')


def schema_of(keys: Sequence[str]) -> dict[str, Any]:
    """A strict JSON schema: an object with these string keys and no others."""
    return {
        "type": "object",
        "properties": {key: {"type": "string"} for key in keys},
        "required": list(keys),
        "additionalProperties": False,
    }


def read_object(text: str, keys: Sequence[str]) -> dict[str, str]:
    """The wanted string values of the first JSON object in the text, which may stand in a code fence or in prose.

    Further keys are ignored. Raises BadAnswer(malformed) when there is no object or a key is missing or no string,
    BadAnswer(empty) when a value is blank.
    """
    found = first_object(text)
    if found is None:
        raise BadAnswer(BadReason.MALFORMED, f"no JSON object with the keys {', '.join(keys)}")
    values = {}
    for key in keys:
        value = found.get(key)
        if not isinstance(value, str):
            raise BadAnswer(BadReason.MALFORMED, f"key '{key}' is {'missing' if key not in found else 'not a string'}")
        if not value.strip():
            raise BadAnswer(BadReason.EMPTY, f"key '{key}' is blank")
        values[key] = whole(value)
    return values


def whole(value: Any) -> Any:
    """A value of an answer, its texts as they were meant, and as every encoding can hold them."""
    if isinstance(value, str):
        return _with_backslashes(_LONE.sub("\ufffd", value))
    if isinstance(value, dict):
        return {whole(key): whole(part) for key, part in value.items()}
    return [whole(part) for part in value] if isinstance(value, list) else value


def first_object(text: str) -> dict[str, Any] | None:
    """The first JSON object in a text, also one with broken escapes; None when there is none."""
    return next(iter(objects(text)), None)


def objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects in a text, none of them within another one; with broken escapes, a comma before the end, or the
    quotation marks of Python, where there are no others."""
    found = _objects(text) or _objects(_BROKEN_ESCAPE.sub(r"\\\\", text)) or _objects(_LAST_COMMA.sub(r"\1", text))
    return found or _of_python(text)


_LAST_COMMA: Final = lazily(r",\s*([}\]])")
_LONGEST_OF_PYTHON: Final = 20_000  # characters


def _objects(text: str) -> list[dict[str, Any]]:
    decoder = json.JSONDecoder(strict=False)  # raw line ends inside of strings are the commonest slip
    found: list[dict[str, Any]] = []
    at = text.find("{")
    for _ in range(20):  # braces in the prose before it
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        found.append(value)
        at = text.find("{", end)
    return found


def _of_python(text: str) -> list[dict[str, Any]]:
    begin, end = text.find("{"), text.rfind("}")
    if not 0 <= begin < end or end - begin > _LONGEST_OF_PYTHON:
        return []
    try:
        value = ast.literal_eval(text[begin : end + 1])
        json.dumps(value)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return []
    return [value] if isinstance(value, dict) and all(isinstance(key, str) for key in value) else []


def _with_backslashes(text: str) -> str:
    """The LaTeX commands that unescaped backslashes turned into control characters, restored."""
    if not any(char in text for char in "\b\f\t\r"):
        return text
    names = {"\b": "\\b", "\f": "\\f", "\t": "\\t", "\r": "\\r"}
    text = _LOST_BACKSLASH.sub(lambda match: names[match.group()], text)
    return _LOST_COMMAND.sub(lambda match: names[match.group()], text)
