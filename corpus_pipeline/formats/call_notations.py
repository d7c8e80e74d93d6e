"""Calls written as code: `[get_weather(city="Oslo"), ...]` of ToolACE and Olmo, and objects in the notation of Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from corpus_pipeline.formats import jsontext
from corpus_pipeline.formats.calls import is_bare_call
from corpus_pipeline.lazy_patterns import lazily

_MAX_LENGTH = 100_000  # characters of code that are looked at
_WORDS = {"true": True, "false": False, "null": None}
_NAME = lazily(r"[^\W\d][^()\[\]{}=,\"'\n]{0,199}")
_ARGUMENT = lazily(r"\s*([^\W\d][\w.\-]*)\s*=(?!=)", re.DOTALL)
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def calls_as_code(text: str) -> list[Any] | None:
    """The calls `name(argument=value, ...)` of a text that holds nothing else, in brackets or without, divided by commas or
    lines; None when it is something else.
    """
    text = text.strip()
    if len(text) > _MAX_LENGTH or not text.endswith((")", "]")):
        return None
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    found = []
    for one in _split(text, ",\n"):
        if not one.strip():
            continue
        call = _call(one.strip())
        if call is None:
            return None
        found.append(call)
    return found or None


def call_as_object(text: str) -> Any:
    """A call `{'name': ..., 'arguments': {...}}` in the notation of Python; None when it is something else."""
    value = _value(text) if len(text) <= _MAX_LENGTH else None
    return value if is_bare_call(value) else None


def _call(text: str) -> dict[str, Any] | None:
    name, bracket, rest = text.partition("(")
    name = name.strip()
    if not bracket or not rest.endswith(")") or not _NAME.fullmatch(name):
        return None
    arguments: dict[str, Any] = {}
    for one in _split(rest[:-1], ","):
        if not one.strip():
            continue
        match = _ARGUMENT.match(one)
        if match is None or match[1] in arguments:
            return None
        try:
            arguments[match[1]] = _literal(one[match.end() :])
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return None
    return {"name": name, "arguments": arguments}


def _split(text: str, marks: str) -> Iterator[str]:
    """The pieces of a text between marks that stand in no text and in no brackets."""
    start = at = 0
    open_brackets: list[str] = []
    while at < len(text):
        letter = text[at]
        if letter in "\"'":
            at = _end_of_text(text, at)
        elif letter in _CLOSING:
            open_brackets.append(_CLOSING[letter])
        elif open_brackets and letter == open_brackets[-1]:
            open_brackets.pop()
        elif letter in marks and not open_brackets:
            yield text[start:at]
            start = at + 1
        at += 1
    yield text[start:]


def _end_of_text(text: str, start: int) -> int:
    quote, at = text[start], start + 1
    while at < len(text) and text[at] != quote:
        at += 2 if text[at] == "\\" else 1
    return at


def _value(text: str) -> Any:
    try:
        return _literal(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _literal(text: str) -> Any:
    text = text.strip()
    value = _converted(ast.parse(text, mode="eval").body, text)
    jsontext.dumps(value).encode("utf-8")  # raises ValueError for half a character
    return value


def _converted(node: ast.expr, source: str) -> Any:
    """The JSON value of a literal. Its numbers keep their text. Raises ValueError for anything else."""
    if isinstance(node, ast.Name) and node.id in _WORDS:
        return _WORDS[node.id]
    if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str | bool)):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_converted(one, source) for one in node.elts]
    if isinstance(node, ast.Dict):
        keys = [_converted(key, source) for key in node.keys if key is not None]
        if len(keys) < len(node.values) or len(set(map(repr, keys))) < len(keys):
            raise ValueError("no plain object")
        if not all(isinstance(key, str) for key in keys):
            raise ValueError("a key is no text")
        return {key: _converted(value, source) for key, value in zip(keys, node.values, strict=True)}
    if isinstance(node, ast.UnaryOp | ast.Constant):
        return jsontext.loads(ast.get_source_segment(source, node) or "")
    raise ValueError("no literal")
