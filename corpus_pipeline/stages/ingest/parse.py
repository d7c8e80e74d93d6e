"""From the bytes of a record to a JSON object, strictly: nothing is rounded, replaced, merged or guessed.

Most records take orjson's way and a few checks that cost little; what these cannot vouch for is read again by the
standard library, which shows every key and every number as it was written (see `formats.jsontext`).
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import orjson

from corpus_pipeline.errors import LineRejected
from corpus_pipeline.formats import jsontext
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.states import RejectReason

# every key of an object ends like this; an escaped quote before a colon inside a text looks the same
_KEY_END = lazily(rb'"[ \t\r\n]*+:')
_BRACKETS = lazily(rb'"(?:[^"\\]++|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
_SURROGATE = lazily(rb"\\u[dD][89a-fA-F]")
_BACKSLASH = ord("\\")


def parse_record(raw: bytes, max_depth: int = 64, value: Any = None) -> dict[str, Any]:
    """The object of one record. Raises LineRejected with a word of `RejectReason`.

    value: what `orjson.loads` made of it, when that is known.
    """
    try:
        if value is None:
            value = orjson.loads(raw)  # gives up by itself at 1024 levels
    except orjson.JSONDecodeError:
        value = _parse_strictly(raw, max_depth)
    else:
        if type(value) is dict:
            keys, containers, numbers = _survey(value)
            if containers > max_depth:
                _check_depth(raw, max_depth)
            if (keys != len(_KEY_END.findall(raw)) and keys != _key_ends(raw)) or (
                numbers and not jsontext.keeps_numbers(raw)
            ):
                value = _parse_strictly(raw, max_depth)
    if type(value) is not dict:
        raise LineRejected(RejectReason.NOT_AN_OBJECT, f"this is {_kind(value)}")
    return value


def _survey(value: dict[str, Any]) -> tuple[int, int, bool]:
    """How many keys and containers there are at all depths, and whether a number may have been written otherwise."""
    keys, numbers = 0, False
    nodes: list[Any] = [value]
    for node in nodes:
        if type(node) is dict:
            keys += len(node)
            node = node.values()
        for item in node:
            kind = type(item)
            if kind is dict or kind is list:
                nodes.append(item)
            elif kind is float or (kind is int and item == 0):  # 0 may have been -0
                numbers = True
    return keys, len(nodes), numbers


def _key_ends(raw: bytes) -> int:
    """As many as `_KEY_END` finds, without those whose quote is escaped: never fewer than there are keys."""
    count = 0
    for match in _KEY_END.finditer(raw):
        place = end = match.start()
        while place and raw[place - 1] == _BACKSLASH:
            place -= 1
        count += (end - place) % 2 == 0
    return count


def _parse_strictly(raw: bytes, max_depth: int) -> Any:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LineRejected(RejectReason.INVALID_UTF8, f"byte {error.start}: {error.reason}") from error
    _check_depth(raw, max_depth)
    try:
        value = jsontext.read(text, pairs=_unique, constant=_not_finite)
    except json.JSONDecodeError as error:
        raise LineRejected(RejectReason.BROKEN_JSON, f"character {error.pos}: {error.msg}") from error
    if _SURROGATE.search(raw):
        _check_surrogates(value)
    return value


def _check_depth(raw: bytes, max_depth: int) -> None:
    """Before the standard library's parser sees it, which would end in a RecursionError."""
    depth = 0
    for match in _BRACKETS.finditer(raw):
        byte = raw[match.start()]
        if byte in b"[{":
            depth += 1
            if depth > max_depth:
                raise LineRejected(RejectReason.TOO_DEEP, f"byte {match.start()}: deeper than {max_depth}")
        elif byte in b"]}":
            depth -= 1


def _check_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        found = ord(error.object[error.start])
        raise LineRejected(RejectReason.LONE_SURROGATE, f"U+{found:04X} stands alone") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen = set[str]()
        double = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise LineRejected(RejectReason.DUPLICATE_KEY, f"{double[:100]!r} occurs twice in an object")
    return found


def _not_finite(text: str) -> NoReturn:
    raise LineRejected(RejectReason.NON_FINITE_NUMBER, text)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return {list: "an array", str: "a text", bool: "true or false"}.get(type(value), "a number")
