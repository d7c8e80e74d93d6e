"""What a file is, from its first records: container, compression, format."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, NamedTuple

from corpus_pipeline.errors import LineRejected, UsageError
from corpus_pipeline.formats import EMPTY, MAPPED, Format, by_name, look_at, mapped
from corpus_pipeline.model import Conversation
from corpus_pipeline.recipe import IngestSection
from corpus_pipeline.stages.ingest import hints
from corpus_pipeline.stages.ingest.further import records_further_on
from corpus_pipeline.stages.ingest.identity import open_regular
from corpus_pipeline.stages.ingest.parquet import MAGIC
from corpus_pipeline.stages.ingest.parse import parse_record
from corpus_pipeline.stages.ingest.records import BOM, RecordReader
from corpus_pipeline.stages.ingest.source import START, Compression, Container, Limits, Source, SourceBroken

_SAMPLE = 200
_SAMPLE_BYTES = 32 * 1024 * 1024
_HEAD = 64 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_BOMS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_PACKED = (
    (b"\x28\xb5\x2f\xfd", "zstd-compressed", "zstd -d"),
    (b"\xfd7zXZ\0", "xz-compressed", "xz -d"),
    (b"BZh", "bzip2-compressed", "bzip2 -d"),
    (b"PK\x03\x04", "a zip archive", "unzip"),
)


class Sniffed(NamedTuple):
    """What a file was found to be. `records`: how many records of the sample could be read; `bom`: UTF-8 with BOM."""

    source: Source
    format: Format
    records: int
    bom: bool
    evidence: str = ""  # why it is this format, in words


def sniff(path: Path, section: IngestSection | None = None) -> Sniffed:
    """Look at the first records of a file, with the format or the columns of a recipe if it names them.

    Raises UsageError that says what to do: not a regular file, UTF-16, broken container, no record that can be read, no
    format that fits.
    """
    section = section or IngestSection()
    limits = limits_of(section)
    try:
        source = _packing(path)
        with RecordReader(source, START, limits) as reader:
            records, looked_at, problem = _sample(reader, limits.max_depth)
            bom = reader.has_bom
    except SourceBroken as error:
        raise UsageError(str(error)) from error
    if looked_at and not records:
        raise UsageError(
            f"{path}: none of the first {looked_at} records can be read; {problem}."
            " What can be read: JSON lines, a JSON array, Parquet."
        )
    records += records_further_on(source, limits.max_depth) if looked_at >= _SAMPLE else []
    format, evidence = _format_of(path, section, records)
    return Sniffed(source, format, len(records), bom, evidence)


def _sample(reader: RecordReader, max_depth: int) -> tuple[list[dict[str, Any]], int, str]:
    """The first records that can be read, how many were looked at, and what is wrong with the first bad one."""
    records, looked_at, size, problem = list[dict[str, Any]](), 0, 0, ""
    for record in reader.records():
        if record.problem is None and not record.raw.strip():
            continue
        looked_at += 1
        size += len(record.raw)
        try:
            if record.problem is not None:
                raise LineRejected(record.problem, record.detail)
            records.append(parse_record(record.raw, max_depth))
        except LineRejected as error:
            problem = problem or f"line {record.source_line}: {error}"
        if len(records) == _SAMPLE or looked_at == _SAMPLE * 5 or size > _SAMPLE_BYTES:
            break
    return records, looked_at, problem


def sample_conversations(path: Path, format: Format, section: IngestSection) -> list[Conversation]:
    """The first records of a file that can be read in a format, as conversations. Raises UsageError, SourceBroken."""
    limits, found = limits_of(section), list[Conversation]()
    with RecordReader(_packing(path), START, limits) as reader:
        records, _, _ = _sample(reader, limits.max_depth)
    for number, record in enumerate(records, start=1):
        with contextlib.suppress(LineRejected):
            found.append(format.read(record, number, number))
    return found


def _format_of(path: Path, section: IngestSection, records: list[dict[str, Any]]) -> tuple[Format, str]:
    """The format that a recipe names, or else the one that the records show, and why. Raises UsageError, UnknownName."""
    if section.columns:
        return _fitting(path, mapped(section.columns), records, "the columns of the recipe fit")
    if section.format not in ("auto", MAPPED):
        return _fitting(path, by_name(section.format), records, f"the format {section.format} fits")
    if not records:
        return EMPTY, ""
    found = look_at(records)
    if found.best is None:
        raise UsageError(hints.unknown_format(path, records, found))
    return found.best.format, found.in_words()


def _fitting(path: Path, format: Format, records: list[dict[str, Any]], what: str) -> tuple[Format, str]:
    """The format and its evidence, once it has read more than half of the records. Raises UsageError with the keys there."""
    problem, read = "", 0
    for record in records:
        try:
            format.parse(record)
            read += 1
        except LineRejected as error:
            problem = problem or error.detail
    if records and read * 2 <= len(records):
        raise UsageError(
            f"{path}: {what} {read} of the first {len(records)} records; {problem}.\n"
            f"Keys that are there: {hints.keys_in_words(records)}."
        )
    return format, f"{read} of {len(records)} records"


def limits_of(section: IngestSection) -> Limits:
    """The limits that a recipe sets, and the defaults of the rest."""
    return Limits(max_record_bytes=section.max_record_bytes, max_depth=section.max_depth)


def _packing(path: Path) -> Source:
    with open_regular(path) as file:
        magic = file.read(4)
    for begin, kind, command in _PACKED:
        if magic.startswith(begin[:4]):
            raise UsageError(
                f"{path}: is {kind}, only gzip is unpacked here. Unpack it first ({command}), then add that."
            )
    if magic == MAGIC:
        return Source(path, Container.PARQUET)
    packed = magic[:2] == _GZIP_MAGIC
    if not packed and path.name.lower().endswith(".gz") and magic:
        raise UsageError(f"{path}: is named .gz but is not gzip. Rename it, or get it again.")
    source = Source(path, Container.LINES, Compression.GZIP if packed else Compression.NONE)
    with RecordReader(source) as reader:
        head = reader.head(_HEAD)
    _refuse_wide_text(path, head)
    return source._replace(container=_container(path, head.removeprefix(BOM)))


def _refuse_wide_text(path: Path, head: bytes) -> None:
    name = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    if name is None and len(head) >= 2 and 0 in head[:2] and head[:2] != b"\0\0":
        name = "UTF-16"
    if name is not None:
        raise UsageError(f"{path}: is {name}, only UTF-8 is read. Convert it: iconv -f {name} -t UTF-8 IN > OUT")


def _container(path: Path, head: bytes) -> Container:
    """By content, since both are found under both names: an array, unless its first line is a whole array itself."""
    first = head.lstrip(b" \t\r\n")
    if first.startswith(b"{"):
        _refuse_single_object(path, first)
    if not first.startswith(b"["):
        return Container.LINES
    lines = [line for line in first.split(b"\n", 2)[:2] if line.strip()]
    if len(lines) == 2 and all(line.strip().startswith(b"[") and line.strip().endswith(b"]") for line in lines):
        return Container.LINES
    return Container.ARRAY


def _refuse_single_object(path: Path, first: bytes) -> None:
    if first.split(b"\n", 1)[0].strip() == b"{":
        raise UsageError(
            f"{path}: is one JSON object over several lines. Write one object per line (jq -c), or an array of objects."
        )
