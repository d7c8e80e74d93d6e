"""The one reader and writer of JSON whose numbers keep their text: orjson where that is exact, the standard library where
orjson would round, shorten or refuse.

A number that orjson does not write as it was read (`2.50`, `1E5`, `-0`, 17 digits, an integer of thousands of digits)
is a `NumberText`: a float that remembers its text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

import orjson

from corpus_pipeline.lazy_patterns import lazily

_MAX_INT_DIGITS = 4300  # Python converts no longer integer by default
_FLOAT = lazily(rb"[:\[,][ \t\r\n]*+(-?[0-9]++[.eE][0-9eE.+-]*+)|^-?[0-9][0-9eE.+-]*+$")
_LONG_INT = lazily(rb"[0-9]{19}")
_LONG = 32_768  # bytes from which it is worth it to leave out texts
_OUTSIDE = (b" ", b"\t", b"\r", b"\n", b":", b",", b"]", b"}")  # what may follow a text
_MINUS_ZERO = lazily(rb"(?:[:\[,]|^)[ \t\r\n]*+-0(?![0-9.eE])")


class NumberText(float):
    """A number with the text in which it was written. Its value may be rounded, or infinite; its text is not."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> NumberText:
        try:
            value = float(text)
        except ValueError as error:
            raise ValueError(f"{text[:50]!r} is no number") from error
        number = super().__new__(cls, value)
        number.text = text
        return number

    def __repr__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[Any, ...]:
        return NumberText, (self.text,)


def encode(value: Any) -> bytes:
    """Compact UTF-8 JSON, non-ASCII unescaped. Every number keeps its text."""
    try:
        return orjson.dumps(value, default=_fragment)
    except TypeError:  # an integer beyond 64 bits, or nesting beyond orjson's limit
        return styled(value, ascii_only=False, separators=(",", ":")).encode("utf-8")


def dumps(value: Any) -> str:
    """As `encode`, as text."""
    return encode(value).decode("utf-8")


def loads(text: str | bytes) -> Any:
    """The value of a JSON text that was checked before (see `stages.ingest.parse` for text that was not)."""
    raw = text.encode("utf-8") if isinstance(text, str) else text
    return orjson.loads(raw) if keeps_numbers(raw) else read(raw.decode("utf-8"))


def quickly(raw: bytes) -> Any:
    """As `loads`, with plain numbers, for who looks at their types and values: they may be rounded, or infinite."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:  # a number beyond a double
        return read(raw.decode("utf-8"))


def keeps_numbers(raw: bytes) -> bool:
    """Whether orjson reads and writes every number of this JSON text as it is. May say no where a text looks like a
    number.
    """
    if len(raw) > _LONG:
        raw = _without_texts(raw)
    if b"-0" in raw and _MINUS_ZERO.search(raw):
        return False
    if _LONG_INT.search(raw):
        return False
    return all(_is_canonical(match[1] or match[0]) for match in _FLOAT.finditer(raw))


def _without_texts(raw: bytes) -> bytes:
    """A JSON text without most of what its strings hold, so that a picture of megabytes is not searched for numbers: that
    takes half a second, in which no other thread runs, and another one keeps a lease alive.

    Behind the end of a string come white space, a colon, a comma or a bracket: a piece between two quotation marks that
    begins otherwise is within a string. One behind an escaped mark may look as if it were outside; it is kept.
    """
    first, *pieces = raw.split(b'"')
    return b'"'.join([first, *(piece for piece in pieces if piece.startswith(_OUTSIDE))])


def read(
    text: str,
    *,
    pairs: Callable[[list[tuple[str, Any]]], Any] | None = None,
    constant: Callable[[str], Any] | None = None,
) -> Any:
    """The value of a JSON text by the standard library, numbers with their text.

    pairs: makes an object of its pairs. constant: called with NaN, Infinity or -Infinity; the default raises ValueError.
    """
    return json.loads(
        text,
        object_pairs_hook=pairs,
        parse_constant=constant or _no_number,
        parse_int=_whole,
        parse_float=_fraction,
    )


def styled(value: Any, *, ascii_only: bool, separators: tuple[str, str]) -> str:
    """JSON text by the standard library in one of its notations, numbers with their text."""
    salt = "#"
    while True:
        numbers: list[str] = []
        marked = _with_tokens(value, numbers, salt)
        text = json.dumps(marked, ensure_ascii=ascii_only, separators=separators, allow_nan=False)
        if not numbers:
            return text
        token = re.compile(rf'"\\u0000{salt}([0-9]+)\\u0000"')
        if len(token.findall(text)) == len(numbers):
            return token.sub(lambda match: numbers[int(match[1])], text)  # noqa: B023  # used at once
        salt += "#"  # a text of the value looks like a token


def _with_tokens(value: Any, numbers: list[str], salt: str) -> Any:
    """The value with a text instead of each number that the standard library would write otherwise than `encode`."""
    if isinstance(value, float):
        text = value.text if type(value) is NumberText else orjson.dumps(value).decode()
        if text == float.__repr__(value) or text == "null":
            return value
        numbers.append(text)
        return f"\0{salt}{len(numbers) - 1}\0"
    if isinstance(value, dict):
        return {key: _with_tokens(inner, numbers, salt) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_tokens(inner, numbers, salt) for inner in value]
    return value


def _fragment(value: Any) -> Any:
    if type(value) is NumberText:
        return orjson.Fragment(value.text.encode())
    raise TypeError(f"{type(value).__name__} is no JSON")


def _is_canonical(number: bytes) -> bool:
    try:
        value = float(number)
    except ValueError:  # part of a text
        return False
    return math.isfinite(value) and orjson.dumps(value) == number


def _whole(text: str) -> Any:
    if text == "-0" or len(text) > _MAX_INT_DIGITS:
        return NumberText(text)
    return int(text)


def _fraction(text: str) -> float:
    return float(text) if _is_canonical(text.encode()) else NumberText(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
