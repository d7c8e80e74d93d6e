"""What type each key of a JSONL file has, in the words of Hugging Face `datasets`, read from the whole file.

`load_dataset("json", ...)` guesses the types from the first 10 MiB and fails on a key that shows up later; it also
turns a text column into timestamps when all its values within one such stretch look like dates. Types that are declared
(in the card, or as `features=`) prevent both. Keys that differ from row to row, mixed types and date-like texts are
declared `json`, which `datasets` keeps as they are. Two things its reader of JSON does not keep: a text of such a column that
is itself JSON ("0" comes back as a number), so that the object or list around it is declared `json` instead; and numbers
beyond 64 bits, or of more than ten decimals beside a `json` column. Where that does not help, `unloadable` says why.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from corpus_pipeline.formats import jsontext
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.export.writer import Compression

WINDOW = 10 << 20  # the loader's default chunk: it reads this many bytes, then to the end of the line
_MOST_KEYS = 200  # an object with more different keys is a mapping, not a record
_INT64 = 1 << 63
_UINT64 = 1 << 64  # the loader's reader takes integers up to here
_DECIMALS = 10  # it writes this many of a fraction when it encodes a `json` column
_TEXT = {str}
_DATE = lazily(r"\d{4}-\d{2}-\d{2}([ T]|$)")  # everything that Arrow's JSON reader may take for a timestamp

_BEGINS_JSON = frozenset('{["-0123456789tfnNI \t\r\n')
_LOOSE_NUMBER = lazily(r"-?[0-9]*(\.[0-9]*)?([eE][+-]?[0-9]*)?")  # the loader's reader takes `1.` and `-`, too
_JSON_WORDS = frozenset(("true", "false", "null", "NaN", "Infinity", "-Infinity"))
# columns by which the loader takes a file for the trace of an agent, when it is not told what they are
_TRACES = (
    frozenset(("type", "message")),
    frozenset(("type", "payload")),
    frozenset(("id", "source", "model", "system_prompt", "messages")),
    frozenset(("type", "id", "version", "cwd")),
)

Yaml = str | dict[str, Any]


class Features(NamedTuple):
    """columns: the `features` list of a dataset card. guessable: the loader finds the same types without being told.
    unloadable: why the loader gets other values from the JSON lines even when it is told, or none; "" when it does not.
    """

    columns: list[dict[str, Any]]
    guessable: bool
    unloadable: str = ""


class _Node:
    """The types seen at one path."""

    __slots__ = (
        "dates", "fields", "fine", "huge", "item", "kinds", "large", "mapping", "objects", "plain", "reads", "seen",
        "texts", "wide",
    )  # fmt: skip

    def __init__(self) -> None:
        self.kinds: set[type] = set()
        self.seen = 0  # values, of whatever type
        self.objects = 0
        self.fields: dict[str, _Node] = {}
        self.item: _Node | None = None
        self.mapping = False  # an object with too many different keys
        self.wide = False  # an integer beyond 64 bits
        self.huge = False  # a number that the loader's reader refuses
        self.large = False  # a number that may have been an integer before it was read as a double
        self.fine = False  # a fraction of more decimals than the loader writes
        self.reads = False  # a text that is itself JSON
        self.texts = self.plain = False  # within the present window: a text at all, a text that is no date
        self.dates = False  # there was a window with nothing but dates

    def take(self, value: Any) -> None:
        self.seen += 1
        kind = type(value)
        if kind is str:
            self.texts = True
            if not self.plain:
                self.plain = _DATE.match(value) is None
            if not self.reads and value[:1] in _BEGINS_JSON:
                self.reads = _reads_as_json(value)
        elif kind is dict:
            self.objects += 1
            self._take_fields(value)
        elif kind is list:
            item = self.item = self.item or _Node()
            for element in value:
                item.take(element)
        elif kind is int:
            if not -_INT64 <= value < _INT64:
                self._take_wide(value)
        elif kind is not bool and value is not None:
            kind = self._take_fraction(value)
        self.kinds.add(kind)

    def _take_wide(self, value: int) -> None:
        self.wide = True
        self.huge |= not -_INT64 <= value < _UINT64

    def _take_fraction(self, value: float) -> type:
        if isinstance(value, jsontext.NumberText) and value.text.lstrip("-").isdecimal():
            if value.text != "-0":  # an integer of thousands of digits
                self.wide = self.huge = True
            return int
        self.large |= abs(value) >= _INT64
        self.huge |= math.isinf(value)
        self.fine |= not self.fine and float(f"{value:.{_DECIMALS}f}") != value
        return float

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
            if inner == "json" and self.item.reads:
                return "json"  # around its items, whose texts would be taken for JSON
            return {"list": inner["struct"] if isinstance(inner, dict) and "struct" in inner else inner}
        if kinds == {dict} and self.fields and not self.mapping and self._same_keys() and not self._mistaken():
            return {"struct": self.columns()}
        return "json"

    def _mistaken(self) -> bool:
        """Whether a field is `json` and has texts that would be taken for JSON."""
        return any(node.reads and node.yaml() == "json" for node in self.fields.values())

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

    __slots__ = ("doubtful", "number", "reading")

    def __init__(self, doubtful: list[str], reading: list[str]) -> None:
        self.number = 0
        self.doubtful = doubtful  # keys that had nothing but dates so far
        self.reading = reading  # keys that had no text so far which is itself JSON

    def take(self, value: dict[str, Any]) -> None:
        self.number += 1
        if self.doubtful:
            self.doubtful = [key for key in self.doubtful if _DATE.match(value[key])]
        for key in self.reading:
            if value[key][:1] in _BEGINS_JSON and _reads_as_json(value[key]):
                self.reading = [other for other in self.reading if other != key]


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
            fields = root.fields
            self._alike[keys] = _Alike(
                [key for key in keys if not fields[key].plain], [key for key in keys if not fields[key].reads]
            )

    def end_window(self) -> None:
        root = self.root
        for keys, alike in self._alike.items():
            root.seen += alike.number
            root.objects += alike.number
            for key in keys:
                node = root.fields[key]
                node.seen += alike.number
                node.plain |= key not in alike.doubtful
                node.reads |= key not in alike.reading
        self._alike.clear()
        root.end_window()


def infer(lines: Iterable[bytes], also: Callable[[dict[str, Any]], None] = lambda record: None) -> Features:
    """The features of JSON lines (each an object); memory does not grow with the number of lines.

    lines: read once, and once more where a number may be an integer beyond 64 bits. also: called with every record, for who
    wants to know something else of them.
    """
    root, early = _looked_at(lines, jsontext.quickly, also)
    if _any(root, lambda node: node.large):
        root, early = _looked_at(lines, jsontext.loads)
    columns = root.columns()
    unloadable = _unloadable(root, columns)
    mistaken = _any(root, lambda node: node.dates or (node.reads and node.yaml() == "json"))
    names = {column["name"] for column in columns}
    guessable = not unloadable and not mistaken and early in (None, columns) and not any(map(names.issuperset, _TRACES))
    return Features(columns, guessable, unloadable)


def _looked_at(
    lines: Iterable[bytes],
    parse: Callable[[bytes], Any],
    also: Callable[[dict[str, Any]], None] = lambda record: None,
) -> tuple[_Node, list[dict[str, Any]] | None]:
    """The types of all lines, and the columns of the first window when there are more."""
    records, size, early = _Records(), 0, None
    for line in lines:
        record = parse(line)
        records.take(record)
        also(record)
        size += len(line)
        if size > WINDOW:
            records.end_window()
            size = 0
            early = early or records.root.columns()
    records.end_window()
    return records.root, early


NUL_KEYS = "keys with U+0000"  # Arrow ends the name of a column there, in Parquet, too


def _unloadable(root: _Node, columns: list[dict[str, Any]]) -> str:
    if any("\0" in key for key in root.fields):
        return NUL_KEYS
    if _any(root, lambda node: node.huge):
        return "numbers beyond 64 bits"
    mistaken = [name for name, node in root.fields.items() if node.reads and node.yaml() == "json"]
    if mistaken:
        return f"texts that are themselves JSON, under {mistaken[0]!r}"
    if has_json(columns) and _any(root, lambda node: node.fine):
        return f"fractions of more than {_DECIMALS} decimals"
    return ""


def has_json(kind: Any) -> bool:
    """Whether a column of `Features.columns`, or a part of one, is `json`."""
    if isinstance(kind, list):
        return any(map(has_json, kind))
    if isinstance(kind, dict):
        return any(has_json(inner) for key, inner in kind.items() if key != "name")
    return bool(kind == "json")


def _reads_as_json(text: str) -> bool:
    """Whether the loader's reader takes a text for JSON, or may: it is looser than JSON."""
    found = text.strip()
    if not found:
        return False
    if found[0] in '{["':
        return found[-1] == {"{": "}", "[": "]", '"': '"'}[found[0]] and len(found) > 1
    return found in _JSON_WORDS or _LOOSE_NUMBER.fullmatch(found) is not None


class _FileLines:
    """The lines of a file, from its begin each time."""

    def __init__(self, path: Path, compression: Compression) -> None:
        self.path = path
        self.compression = compression

    def __iter__(self) -> Iterator[bytes]:
        with gzip.open(self.path, "rb") if self.compression == "gzip" else self.path.open("rb") as stream:
            yield from stream  # binary files split on LF alone


def infer_file(
    path: Path, compression: Compression, also: Callable[[dict[str, Any]], None] = lambda record: None
) -> Features:
    """`infer` over a file. Raises OSError when it cannot be read."""
    return infer(_FileLines(path, compression), also)


def _any(node: _Node, holds: Callable[[_Node], bool]) -> bool:
    """Whether something holds for a node or for one below it."""
    inner = [*node.fields.values(), *([node.item] if node.item else [])]
    return holds(node) or any(_any(child, holds) for child in inner)
