"""What type each key of a JSONL file has, in the words of Hugging Face `datasets`, read from the whole file.

`load_dataset("json", ...)` guesses the types from the first 10 MiB and fails on a key that shows up later; it also
turns a text column into timestamps when all its values within one such stretch look like dates. Types that are declared
(in the card, or as `features=`) prevent both. Keys that differ from row to row, mixed types and date-like texts are
declared `json`, which `datasets` keeps as they are, but for a text that is itself JSON: "0" comes back as a number.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from corpus_pipeline.formats import jsontext
from corpus_pipeline.stages.export.writer import Compression

WINDOW = 10 << 20  # the loader's default chunk: it reads so many bytes, then to the end of the line
_MOST_KEYS = 200  # an object with more different keys is a mapping, not a record
_INT64 = 1 << 63
_TEXT = {str}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]|$)")  # everything that Arrow's JSON reader may take for a timestamp

Yaml = str | dict[str, Any]


class Features(NamedTuple):
    """columns: the `features` list of a dataset card. guessable: the loader finds the same types without being told."""

    columns: list[dict[str, Any]]
    guessable: bool


class _Node:
    """The types seen at one path."""

    __slots__ = ("dates", "fields", "item", "kinds", "mapping", "objects", "plain", "seen", "texts", "wide")

    def __init__(self) -> None:
        self.kinds: set[type] = set()
        self.seen = 0  # values, of whatever type
        self.objects = 0
        self.fields: dict[str, _Node] = {}
        self.item: _Node | None = None
        self.mapping = False  # an object with too many different keys
        self.wide = False  # an integer beyond 64 bits
        self.texts = self.plain = False  # within the present window: a text at all, a text that is no date
        self.dates = False  # there was a window with nothing but dates

    def take(self, value: Any) -> None:
        self.seen += 1
        kind = type(value)
        if kind is str:
            self.texts = True
            if not self.plain:
                self.plain = _DATE.match(value) is None
        elif kind is dict:
            self.objects += 1
            self._take_fields(value)
        elif kind is list:
            item = self.item = self.item or _Node()
            for element in value:
                item.take(element)
        elif kind is int and not -_INT64 <= value < _INT64:
            self.wide = True
        self.kinds.add(kind)

    def _take_fields(self, value: dict[str, Any]) -> None:
        if self.mapping:
            return
        fields = self.fields
        for key, inner in value.items():
            node = fields.get(key)
            if node is None:
                node = fields[key] = _Node()
            node.take(inner)
        self.mapping = len(fields) > _MOST_KEYS

    def end_window(self) -> None:
        self.dates |= self.texts and not self.plain
        self.texts = self.plain = False
        for node in self.fields.values():
            node.end_window()
        if self.item is not None:
            self.item.end_window()

    def yaml(self) -> Yaml:
        """The value of a column's type: a dtype name, or {"list": ...} / {"struct": [...]}."""
        kinds = self.kinds - {type(None)}
        if not kinds:
            return "null"
        if kinds == {str}:
            return "json" if self.dates else "string"
        if kinds == {bool}:
            return "bool"
        if kinds == {int}:
            return "json" if self.wide else "int64"
        if kinds == {float} or (kinds == {int, float} and not self.wide):
            return "float64"
        if kinds == {list} and self.item is not None:
            inner = self.item.yaml()
            return {"list": inner["struct"] if isinstance(inner, dict) and "struct" in inner else inner}
        if kinds == {dict} and self.fields and not self.mapping and self._same_keys():
            return {"struct": self.columns()}
        return "json"

    def columns(self) -> list[dict[str, Any]]:
        return [_column(name, node.yaml()) for name, node in self.fields.items()]

    def _same_keys(self) -> bool:
        # Arrow's reader cuts a key at a NUL: such objects are kept as they are written
        return all(node.seen == self.objects and "\0" not in name for name, node in self.fields.items())


def type_name(column: Mapping[str, Any]) -> str:
    """The type of a column of `Features.columns` in one word: `string`, `list<string>`, `struct<role, content>`."""
    if "list" in column:
        inner = column["list"]
        return f"list<{type_name(inner) if isinstance(inner, Mapping) else _inner_name(inner)}>"
    return _inner_name(column["struct"] if "struct" in column else column.get("dtype", "json"))


def _inner_name(kind: Any) -> str:
    return kind if isinstance(kind, str) else f"struct<{', '.join(one['name'] for one in kind)}>"


def _column(name: str, kind: Yaml) -> dict[str, Any]:
    return {"name": name, **({"dtype": kind} if isinstance(kind, str) else kind)}


class _Alike:
    """Records that hold texts under the same keys, nearly all of a file as a rule: counted, not walked through."""

    __slots__ = ("doubtful", "number")

    def __init__(self, doubtful: list[str]) -> None:
        self.number = 0
        self.doubtful = doubtful  # keys that had nothing but dates so far

    def take(self, value: dict[str, Any]) -> None:
        self.number += 1
        if self.doubtful:
            self.doubtful = [key for key in self.doubtful if _DATE.match(value[key])]


class _Records:
    """The records of a file, window by window."""

    def __init__(self) -> None:
        self.root = _Node()
        self._alike: dict[tuple[str, ...], _Alike] = {}

    def take(self, value: dict[str, Any]) -> None:
        texts = set(map(type, value.values())) == _TEXT
        keys = tuple(value)
        alike = self._alike.get(keys) if texts else None
        if alike is not None:
            alike.take(value)
            return
        root = self.root
        root.take(value)
        if texts and not root.mapping and len(self._alike) < _MOST_KEYS:
            self._alike[keys] = _Alike([key for key in keys if not root.fields[key].plain])

    def end_window(self) -> None:
        root = self.root
        for keys, alike in self._alike.items():
            root.seen += alike.number
            root.objects += alike.number
            for key in keys:
                node = root.fields[key]
                node.seen += alike.number
                node.plain |= key not in alike.doubtful
        self._alike.clear()
        root.end_window()


def infer(lines: Iterable[bytes], also: Callable[[dict[str, Any]], None] = lambda record: None) -> Features:
    """The features of JSON lines (each an object), in one pass; memory does not grow with the number of lines.

    also: called with every record, for who wants to know something else of them.
    """
    records, size, first = _Records(), 0, None
    for line in lines:
        record = jsontext.quickly(line)
        records.take(record)
        also(record)
        size += len(line)
        if size > WINDOW:
            records.end_window()
            size = 0
            first = first or records.root.columns()
    records.end_window()
    columns = records.root.columns()
    return Features(columns, not _has_dates(records.root) and first in (None, columns))


def infer_file(
    path: Path, compression: Compression, also: Callable[[dict[str, Any]], None] = lambda record: None
) -> Features:
    """`infer` over a file. Raises OSError when it cannot be read."""
    with gzip.open(path, "rb") if compression == "gzip" else path.open("rb") as stream:
        return infer(_lines(stream), also)


def _lines(stream: Iterable[bytes]) -> Iterator[bytes]:
    yield from stream  # binary files split on LF alone


def _has_dates(node: _Node) -> bool:
    inner = [*node.fields.values(), *([node.item] if node.item else [])]
    return node.dates or any(_has_dates(child) for child in inner)
