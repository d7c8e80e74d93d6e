"""How a file is packed and how records lie in it, told from its first bytes; what is no data is called by its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from corpus_pipeline.errors import UsageError
from corpus_pipeline.formats import look_at
from corpus_pipeline.formats.vocabulary import means
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.ingest import arrow, parquet
from corpus_pipeline.stages.ingest.array_style import Opening, Unfinished, decode_at, opening
from corpus_pipeline.stages.ingest.identity import open_regular
from corpus_pipeline.stages.ingest.records import BOM, RecordReader
from corpus_pipeline.stages.ingest.source import Compression, Container, Source

READABLE = "JSON lines, a JSON array, CSV, TSV, Parquet, Arrow; also packed by gzip, zstd, bzip2, xz, or zip (one file)"
_HEAD = 64 * 1024
_LISTS = frozenset({"data"})  # names of lists of records that are names of conversations, too
_LOOKED_AT = 50  # elements of such a list
_LONG_LINE = 16 * 1024 * 1024  # that a first line may be long and its end is looked for
_PACKED = (
    (b"\x1f\x8b", Compression.GZIP),
    (b"\x28\xb5\x2f\xfd", Compression.ZSTD),
    (b"\xfd7zXZ\0", Compression.XZ),
    (b"BZh", Compression.BZIP2),
    (b"PK\x03\x04", Compression.ZIP),
    (b"PK\x05\x06", Compression.ZIP),  # an empty one
)
_SUFFIXES = {
    ".gz": Compression.GZIP,
    ".zst": Compression.ZSTD,
    ".xz": Compression.XZ,
    ".bz2": Compression.BZIP2,
    ".zip": Compression.ZIP,
}
_BOMS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_TABLES = {".csv": Container.CSV, ".tsv": Container.TSV, ".tab": Container.TSV}
# what is no data of any kind that is read here: how it begins, what it is, what to do
_STRANGE: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (lazily(begin, re.IGNORECASE), words)
    for begin, words in (
        (
            rb"version https://git-lfs\.github\.com/spec/",
            "is a pointer of git LFS, the data itself was not fetched. Run `git lfs pull` in its repository, then add it.",
        ),
        (
            rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body)\b",
            "is an HTML page, no data: often the login or error page of a download. Get the file itself, then add that.",
        ),
        (rb"\s*<\?xml\b", "is XML, which is not read here. Write one JSON object per line, then add that."),
        (rb"\x1e", "is a JSON text sequence (RFC 7464). Take out its marks: tr -d '\\036' < IN > OUT"),
        (rb"%PDF-", "is a PDF, no data. Write one JSON object per line, then add that."),
        (rb"SQLite format 3\0", "is an SQLite database. Write its rows as JSON lines or CSV, then add that."),
        (rb"\x89HDF\r\n", "is an HDF5 file, which is not read here. Write it as Parquet or JSON lines."),
        (rb"FEA1", "is Feather of version 1. Write it again with a newer pyarrow (version 2), or as Parquet."),
        (rb"[\s\S]{257}ustar", "is a tar archive. Unpack it (tar -xf), then add the folder."),
        (
            rb"\x80[\x02-\x05]",
            "is a Python pickle, which can run code and is never opened here. Write it as JSON lines.",
        ),
    )
)


def packing(path: Path) -> Source:
    """What a file is. Raises UsageError that says what it is instead and what to do, SourceBroken."""
    with open_regular(path) as file:
        magic = file.read(16)
    if found := _columns(magic):
        return Source(path, found)
    compression = next((kind for begin, kind in _PACKED if magic.startswith(begin)), Compression.NONE)
    _check_name(path, compression, magic)
    source = Source(path, Container.LINES, compression)
    with RecordReader(source) as reader:
        head, name = reader.head(_HEAD), reader.name
        if _is_in_a_long_line(head):
            head += reader.head(_LONG_LINE)
    if compression is not Compression.NONE and (found := _columns(head)):
        raise UsageError(
            f"{path}: is a {found} file packed once more by {compression}, and it must be sought in."
            " Unpack it, then add the result."
        )
    _refuse_strange(path, head)
    return source._replace(container=_container(path, name, head.removeprefix(BOM)))


def _columns(magic: bytes) -> Container | None:
    if magic.startswith(parquet.MAGIC):
        return Container.PARQUET
    if magic.startswith((arrow.FILE_MAGIC, arrow.STREAM_MAGIC)):
        return Container.ARROW
    return None


def _check_name(path: Path, compression: Compression, magic: bytes) -> None:
    said = _SUFFIXES.get(path.suffix.lower())
    if said is not None and said is not compression and magic:
        raise UsageError(f"{path}: is named {path.suffix} but is not {said}. Rename it, or get it again.")


def _refuse_strange(path: Path, head: bytes) -> None:
    text = head.removeprefix(BOM)
    for begin, words in _STRANGE:
        if begin.match(text):
            raise UsageError(f"{path}: {words}")
    name = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    if name is None and len(head) >= 2 and 0 in head[:2] and head[:2] != b"\0\0":
        name = "UTF-16"
    if name is not None:
        raise UsageError(f"{path}: is {name}, only UTF-8 is read. Convert it: iconv -f {name} -t UTF-8 IN > OUT")
    if b"\n" not in text and re.search(rb"[}\]\w\"]\r+[{\[\w\"]", text):
        raise UsageError(
            f"{path}: its lines end in CR alone, as on old Macs, and are one line here."
            " Convert them: tr '\\r' '\\n' < IN > OUT"
        )


def _is_in_a_long_line(head: bytes) -> bool:
    """Whether a first line that is an object is not over: only its end tells a record from a list of records in an object."""
    first = head.removeprefix(BOM).lstrip(b" \t\r\n")
    return len(head) >= _HEAD and first.startswith(b"{") and b"\n" not in first


def _container(path: Path, name: str, head: bytes) -> Container:
    """By content, since JSON is found under all names: an array, unless its first line is a whole array itself."""
    first = head.lstrip(b" \t\r\n")
    if first.startswith(b"{"):
        return _container_of_objects(path, first)
    if first.startswith(b"["):
        lines = [line for line in first.split(b"\n", 2)[:2] if line.strip()]
        if len(lines) == 2 and all(line.strip().startswith(b"[") and line.strip().endswith(b"]") for line in lines):
            return Container.LINES
        return Container.LINES if _is_a_bad_line(first) else Container.ARRAY
    suffixes = [suffix.lower() for suffix in Path(name).suffixes if suffix.lower() not in _SUFFIXES]
    return _TABLES.get(suffixes[-1] if suffixes else "", Container.LINES)


def _is_a_bad_line(head: bytes) -> bool:
    """Whether a first line is a whole list of no objects, with an object behind it: one line among others that is no record."""
    line, _, rest = head.partition(b"\n")
    if line[1:].lstrip()[:1] in (b"{", b"") or _object(rest.lstrip().partition(b"\n")[0]) is None:
        return False
    try:
        return isinstance(orjson.loads(line), list)
    except orjson.JSONDecodeError:
        return False


def _container_of_objects(path: Path, head: bytes) -> Container:
    """One object per line, or one object around the list of records."""
    line, _, rest = head.partition(b"\n")
    if rest.strip() and line.strip() != b"{" and _object(line) is not None:
        return Container.LINES
    found = opening(head)
    if found is None or not found.path or _is_one_record(head, found):
        if line.strip() == b"{":
            raise UsageError(
                f"{path}: is one JSON object over several lines."
                " Write one object per line (jq -c), or an array of objects."
            )
        return Container.LINES
    return Container.ARRAY


def _is_one_record(head: bytes, found: Opening) -> bool:
    """Whether an object that holds a list of objects is a record itself."""
    whole = _object(head)
    if whole is not None:
        return not _holds_records(whole, found.path) and look_at([whole]).best is not None
    try:
        _, element = decode_at(head, found.place, len(head))
    except (Unfinished, ValueError):
        return False
    keys = element if isinstance(element, dict) else ()
    return any(means(key, "role") for key in keys) and any(means(key, "content") for key in keys)


def _holds_records(whole: dict[str, object], path: Sequence[str]) -> bool:
    """Whether the list under a name that fits records as well as messages is one of records: each can be read by itself."""
    elements: Any = whole
    for key in path:
        elements = elements[key]
    if path[-1].lower() not in _LISTS:
        return False
    records = [element for element in elements[:_LOOKED_AT] if isinstance(element, dict)]
    return bool(records) and look_at(records).best is not None


def _object(text: bytes) -> dict[str, object] | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
