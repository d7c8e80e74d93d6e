"""Records of a CSV or TSV file: each row as the object of its cells, by the names in the first row.

A row may go over several lines (RFC 4180). Its place is that of its bytes in the table. A row that is broken costs its first
line only: a quote that is not closed cannot swallow what follows.
"""

from __future__ import annotations

import ast
import csv
import json
from collections import Counter, deque
from collections.abc import Iterator
from io import BufferedReader
from typing import Any, NamedTuple

from corpus_pipeline.errors import ControlFlow
from corpus_pipeline.formats import jsontext
from corpus_pipeline.formats.vocabulary import means
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.ingest.lines import skip_line
from corpus_pipeline.stages.ingest.source import RAW_KEPT, Position, RawRecord, SourceBroken
from corpus_pipeline.states import RejectReason

csv.field_size_limit((1 << 31) - 1)  # of the whole process; the limit of a record bounds a cell here

_SEPARATORS = ",;\t|"
_QUOTED = lazily(r'"[^"]*"')
_ESCAPED_BYTE = lazily("[\udc80-\udcff]")
_LISTS = ("messages", "tools", "chosen", "rejected", "history", "calls")  # meanings of columns whose cells hold lists
_UNNAMED = "Unnamed: {}"  # as pandas and `datasets` call a column without a name


class _Row(NamedTuple):
    """cells: None when the row is broken."""

    cells: list[str] | None
    raw: bytes
    lines: int
    problem: RejectReason | None = None
    detail: str = ""


def read_table(
    stream: BufferedReader, start: Position, limit: int, separator: str | None, begin: int
) -> Iterator[RawRecord]:
    """Each row behind `start`. The stream stands at byte `begin`, where the text of the file begins.

    separator: None: the one that the first row has most of. Raises SourceBroken when the first row names no columns.
    """
    table = _Table(stream, limit, separator, begin)
    number = start.row_identifier
    if number:
        table.skip_to(start)
    while True:
        line, offset = table.line + 1, table.offset
        row = table.next_row()
        if row is None:
            return
        number += 1
        yield table.record(row, number, line, offset)


class _Table:
    """A table being read: the names of its columns, and lines that are to be read once more."""

    def __init__(self, stream: BufferedReader, limit: int, separator: str | None, begin: int) -> None:
        self._stream = stream
        self._limit = limit
        self._again = deque[bytes]()
        self._is_recovering = False
        self.line = 0
        self.offset = begin
        self._separator = separator or ","
        first = self._first_line()
        if separator is None:
            self._separator = _separator_of(first)
        row = self.next_row()
        if row is None or row.cells is None:
            why = "is empty" if row is None else f"cannot be read: {row.detail or row.problem}"
            raise SourceBroken(f"line {self.line}: the row that names the columns {why}")
        self._names = _column_names(row.cells)
        self._lists = [any(means(name, kind) for kind in _LISTS) for name in self._names]
        self._labels = [means(name, "label") for name in self._names]

    def _first_line(self) -> str:
        """The first line that is not blank; it is read again."""
        while (raw := self._read_line()) and not raw.strip():
            self.line += 1
            self.offset += len(raw)
        self._again.appendleft(raw)
        return raw.decode("utf-8", "surrogateescape")

    def skip_to(self, start: Position) -> None:
        """Go on behind `start`."""
        while self.offset < start.source_offset:
            passed = (
                self._again.popleft()
                if self._again
                else self._stream.read(min(1 << 20, start.source_offset - self.offset))
            )
            if not passed:
                raise SourceBroken(f"the file ends before byte {start.source_offset}, where reading was to go on")
            self.offset += len(passed)
        self.line = start.source_line

    def next_row(self) -> _Row | None:
        """The next row; None at the end of the file. A blank line is a row without cells."""
        taken = list[bytes]()
        try:
            cells = next(csv.reader(self._feed(taken), delimiter=self._separator, strict=True), None)
        except csv.Error as error:
            return self._give_back(taken, RejectReason.BROKEN_JSON, f"broken quotes: {error}")
        except TooLong:
            return self._too_long(taken)
        if cells is None:
            return None
        raw = b"".join(taken)
        if self._is_recovering and raw.count(b'"') % 2:
            return self._give_back(taken, RejectReason.BROKEN_JSON, "the rest of a row with broken quotes")
        self._is_recovering = False
        return self._passed(_Row(cells, raw, len(taken)))

    def _feed(self, taken: list[bytes]) -> Iterator[str]:
        size = 0
        while raw := self._read_line():
            taken.append(raw)
            size += len(raw)
            if size > self._limit + 2:
                raise TooLong
            yield raw.decode("utf-8", "surrogateescape")

    def _read_line(self) -> bytes:
        return self._again.popleft() if self._again else self._stream.readline(self._limit + 3)

    def _give_back(self, taken: list[bytes], problem: RejectReason, detail: str) -> _Row:
        """Only the first line of a broken row is lost; a tab-separated one may be meant without quotes."""
        self._again.extendleft(reversed(taken[1:]))
        raw = taken[0]
        self._is_recovering = True
        if self._separator == "\t":
            cells = raw.decode("utf-8", "surrogateescape").rstrip("\r\n").split("\t")
            if len(cells) == len(getattr(self, "_names", cells)):
                self._is_recovering = False
                return self._passed(_Row(cells, raw, 1))
        return self._passed(_Row(None, raw, 1, problem, detail))

    def _too_long(self, taken: list[bytes]) -> _Row:
        if len(taken) > 1:  # a quote that is never closed
            return self._give_back(
                taken, RejectReason.BROKEN_JSON, "broken quotes: no end within the limit of a record"
            )
        size, length = skip_line(self._stream, taken[0])
        self.line += 1
        self.offset += size
        kept = taken[0][: min(self._limit, RAW_KEPT)]
        return _Row(None, kept, 0, RejectReason.TOO_LONG, f"{length} bytes, the limit is {self._limit}")

    def _passed(self, row: _Row) -> _Row:
        self.line += row.lines
        self.offset += len(row.raw)
        return row

    def record(self, row: _Row, number: int, line: int, offset: int) -> RawRecord:
        """The record of a row that begins at this line and byte."""
        body = row.raw.rstrip(b"\r\n")
        raw, problem, detail = body[:RAW_KEPT], row.problem, row.detail
        size = len(body) if problem is not RejectReason.TOO_LONG else self.offset - offset
        if not body.strip():
            raw = b""
        elif row.cells:
            problem, detail = self._fault(row.cells)
            raw = raw if problem is not None else jsontext.encode(self._object(row.cells))
        return RawRecord(number, line, offset, size, raw, self.line, self.offset, problem, detail)

    def _fault(self, cells: list[str]) -> tuple[RejectReason | None, str]:
        if any(map(_ESCAPED_BYTE.search, cells)):
            return RejectReason.INVALID_UTF8, "the row is not UTF-8: iconv -f ENCODING -t UTF-8 IN > OUT converts it"
        if len(cells) < len(self._names) or any(cells[len(self._names) :]):
            return RejectReason.WRONG_SHAPE, f"{len(cells)} cells, and the first row names {len(self._names)} columns"
        return None, ""

    def _object(self, cells: list[str]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, cell, is_list, is_label in zip(self._names, cells, self._lists, self._labels, strict=False):
            made[name] = _list_of(cell) if is_list else _truth_of(cell) if is_label else cell
        return made


class TooLong(ControlFlow):
    """A row is longer than a record may be."""


def _separator_of(line: str) -> str:
    """What stands between the names of the columns."""
    counts = Counter(_QUOTED.sub("", line))
    return max(_SEPARATORS, key=lambda one: counts[one])  # of equal ones the first


def _column_names(cells: list[str]) -> list[str]:
    names = [name.strip() or _UNNAMED.format(at) for at, name in enumerate(cells)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise SourceBroken(f"two columns are named {twice[0]!r}; give each a name of its own")
    if any(map(_ESCAPED_BYTE.search, names)):
        raise SourceBroken("the names of the columns are not UTF-8. Convert it: iconv -f ENCODING -t UTF-8 IN > OUT")
    return names


def _list_of(cell: str) -> Any:
    """The list of objects or lists that a cell holds as JSON, or as Python prints it (pandas does); else its text."""
    if not cell.lstrip().startswith("["):
        return cell
    try:
        value = jsontext.loads(cell)
    except (ValueError, RecursionError):
        try:
            value = ast.literal_eval(cell.strip())
            json.dumps(value, allow_nan=False)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return cell
    return value if isinstance(value, list) and value and all(isinstance(one, (dict, list)) for one in value) else cell


def _truth_of(cell: str) -> Any:
    return {"true": True, "false": False}.get(cell.strip().lower(), cell)
