"""How values go to MySQL: bound by the driver, in a form that means the same under every session setting.

The driver writes values into the statement on this side of the wire, and trusts that the server's `sql_mode` is the one that
it last heard of. A proxy that resets the session in between would turn a backslash in a text into the end of the text. Here
quotes are doubled, which every mode reads alike, and a text with a backslash goes as hexadecimal digits; one that is not ASCII
names its character set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from math import isfinite
from typing import Any

_ROWS_AT_ONCE = 1000
_STATEMENT = 1024 * 1024  # characters after which a statement is sent; a longer row goes alone


class Values(str):
    """Rows as SQL: what stands behind VALUES. A parameter of the driver, so that a statement is never shown with it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} characters of values>"


def batches(rows: Sequence[tuple[Any, ...]]) -> Iterator[Values]:
    """The rows, as many at a time as one statement should hold. Raises UnicodeEncodeError for half a surrogate pair."""
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        columns = zip(*rows[start : start + _ROWS_AT_ONCE], strict=True)
        texts = list(map(",".join, zip(*map(_literals, columns), strict=True)))
        begun = size = 0
        for place, text in enumerate(texts):
            size += len(text)
            if size >= _STATEMENT:
                yield _values(texts[begun : place + 1])
                begun, size = place + 1, 0
        if begun < len(texts):
            yield _values(texts[begun:])


def _values(texts: Sequence[str]) -> Values:
    values = Values(f"({'),('.join(texts)})")
    values.encode()  # the driver would send half a surrogate pair as bytes that are no text
    return values


def connect(*positional: Any, sock: Any = None, **named: Any) -> Any:
    """A connection of the driver that writes every text in the form above. sock: already connected to the server."""
    made = _driver()(*positional, **named, defer_connect=True)
    made.connect(sock)
    return made


@cache
def _driver() -> type[Any]:
    from pymysql.connections import Connection  # not for those who have no such server

    class BoundConnection(Connection):
        def escape(self, obj: Any, mapping: Any = None) -> str:
            if type(obj) is Values:
                return obj
            if isinstance(obj, str):
                return text_literal(obj)
            return str(super().escape(obj, mapping))

    return BoundConnection


def text_literal(text: str) -> str:
    """A text as SQL that means the same under every `sql_mode` and every character set of the connection."""
    if "\\" in text:
        return f"_utf8mb4 X'{text.encode().hex()}'"
    if "'" in text:
        text = text.replace("'", "''")
    return f"'{text}'" if text.isascii() else f"_utf8mb4'{text}'"


def _literals(column: Sequence[Any]) -> Iterable[str]:
    kinds = set(map(type, column))
    if kinds == {int}:
        return map(str, column)
    if kinds == {str}:
        return map(text_literal, column)
    return ["NULL" if value is None else _LITERALS[type(value)](value) for value in column]


def _number_literal(value: float) -> str:
    if not isfinite(value):
        raise ValueError("a number that is not finite cannot be stored")
    return f"{value!r}e0" if "e" not in repr(value) else repr(value)


_LITERALS: dict[type, Callable[[Any], str]] = {
    str: text_literal,
    int: str,
    bool: lambda value: str(int(value)),
    float: _number_literal,
    bytes: lambda value: f"X'{value.hex()}'",
}
