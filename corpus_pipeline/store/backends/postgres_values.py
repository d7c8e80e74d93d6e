"""How values go to PostgreSQL and come back.

It takes every text but one with the character 0. That is written as two characters, U+FDD0 and `0`, and U+FDD0 itself, which
Unicode keeps free for uses like this, as U+FDD0 and `1`: on this side of the driver every text is what it was, in parameters,
in bulk and in results alike. Many rows go by COPY in its binary form, in which no text needs to be quoted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, Double, Integer, LargeBinary, String, Table

_MARK = "\ufdd0"
_KINDS: tuple[tuple[type, str], ...] = (
    (BigInteger, "int8"),
    (Boolean, "bool"),
    (Double, "float8"),
    (Integer, "int4"),
    (LargeBinary, "bytea"),
    (String, "text"),
)
_TEXTS_IN_RESULTS = ("text", "varchar")


def stored(text: str) -> str:
    """A text as the server can keep it."""
    if "\0" not in text and _MARK not in text:
        return text
    return text.replace(_MARK, f"{_MARK}1").replace("\0", f"{_MARK}0")


def original(text: str) -> str:
    """The text of which `stored` made this one."""
    if _MARK not in text:
        return text
    return text.replace(f"{_MARK}0", "\0").replace(f"{_MARK}1", _MARK)


class Rows:
    """Rows that COPY takes: a parameter of the driver, so that a statement is never shown with them."""

    def __init__(self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        self.kinds = kinds(table, columns)
        self._rows = rows

    def __repr__(self) -> str:
        return f"<{len(self._rows)} rows>"

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Raises UnicodeEncodeError for half a surrogate pair, when the driver comes to it."""
        texts = [place for place, kind in enumerate(self.kinds) if kind == "text"]
        for row in self._rows:
            for place in texts:
                value = row[place]
                if value is not None and ("\0" in value or _MARK in value):
                    row = tuple(stored(one) if isinstance(one, str) else one for one in row)
                    break
            yield row


def kinds(table: Table, columns: Sequence[str]) -> list[str]:
    """The types of columns, as the server calls them."""
    return [_kind(table.c[column].type) for column in columns]


def _kind(of: object) -> str:
    return next(name for kind, name in _KINDS if isinstance(of, kind))


def converted(table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows for a statement with bound parameters: what is 0 or 1 elsewhere is true or false here."""
    flags = [place for place, kind in enumerate(kinds(table, columns)) if kind == "bool"]
    if not flags:
        return list(rows)
    return [tuple(bool(one) if place in flags else one for place, one in enumerate(row)) for row in rows]


def copy(cursor: Any, statement: str, rows: Rows) -> None:
    """Send rows by COPY ... FROM STDIN (FORMAT BINARY)."""
    with cursor.copy(statement) as copying:
        copying.set_types(rows.kinds)
        for row in rows:
            copying.write_row(row)


@cache
def connection_class(seconds: float) -> type[Any]:
    """A connection of the driver that gives a server up which does not answer for so long, though nothing has closed the
    connection. Its texts are those of `stored`."""
    from psycopg import Connection, OperationalError, errors  # not for those who have no such server

    class BoundConnection(Connection[Any]):
        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            try:
                return super().wait(gen, interval=interval, timeout=seconds if timeout is None else timeout)
            except errors._WaitTimeout:
                if timeout is not None:
                    raise
                self.pgconn.finish()
                raise OperationalError(f"the server did not answer for {seconds:.0f} s") from None

    return BoundConnection


def register(adapters: Any) -> None:
    """Have texts of every connection with these adapters pass through `stored` and `original`."""
    from psycopg.adapt import Loader
    from psycopg.types.string import StrDumperUnknown

    class TextDumper(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(stored(obj))

    class TextLoader(Loader):
        def load(self, data: Any) -> str:
            return original(str(data, "utf-8"))

    adapters.register_dumper(str, TextDumper)
    for name in _TEXTS_IN_RESULTS:
        adapters.register_loader(name, TextLoader)
