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
from corpus_pipeline.stages.ingest.array_style import passed_over
from corpus_pipeline.stages.ingest.further import records_further_on
from corpus_pipeline.stages.ingest.packing import READABLE, packing
from corpus_pipeline.stages.ingest.parse import parse_record
from corpus_pipeline.stages.ingest.records import RecordReader
from corpus_pipeline.stages.ingest.source import START, Container, Limits, Source, SourceBroken

_SAMPLE = 200
_SHOWN_BYTES = 64 * 1024  # of a record that is not understood
_SAMPLE_BYTES = 32 * 1024 * 1024
_HEAD_BYTES = 1024 * 1024


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
        source = packing(path)
        with RecordReader(source, START, limits) as reader:
            records, looked_at, problem, first = _sample(reader, limits.max_depth)
            behind = reader.position.source_offset
            bom = reader.has_bom
    except SourceBroken as error:
        raise UsageError(str(error)) from error
    if looked_at and not records:
        raise UsageError(
            f"{path}: none of the first {looked_at} records can be read; {problem}.{hints.almost_json(first)}"
            f" What can be read: {READABLE}."
        )
    unnamed = section.format == "auto" and not section.columns
    if unnamed and looked_at == len(records) == 1 and (columns := hints.of_columns(records[0])):
        raise UsageError(
            f"{path}: {columns}. Write one object per row (pandas: to_json(orient='records', lines=True)), then add that."
        )
    if unnamed and looked_at == len(records) == 1 and (inside := hints.of_records_by_key(records[0])):
        raise UsageError(
            f"{path}: {inside}. Write one object per line"
            " (jq -c 'to_entries[] | {id: .key} + .value' IN > OUT), then add that."
        )
    records += records_further_on(source, limits.max_depth, behind) if looked_at >= _SAMPLE else []
    format, evidence = _format_of(path, section, records)
    return Sniffed(source, format, len(records), bom, evidence + _passed_over(source, limits))


def _passed_over(source: Source, limits: Limits) -> str:
    """What of the object around the records is read for no record, in words."""
    if source.container is not Container.ARRAY:
        return ""
    with RecordReader(source, START, limits) as reader:
        names = passed_over(reader.head(_HEAD_BYTES))
    return f"; passed over as what says something of the records: {', '.join(map(repr, names))}" if names else ""


def _sample(reader: RecordReader, max_depth: int, most: int = _SAMPLE) -> tuple[list[dict[str, Any]], int, str, bytes]:
    """The first records that can be read, how many were looked at, what is wrong with the first bad one, and its bytes."""
    records, looked_at, size, problem, first = list[dict[str, Any]](), 0, 0, "", b""
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
            first = first or record.raw[:_SHOWN_BYTES]
            problem = problem or f"line {record.source_line}: {error}"
        if len(records) == most or looked_at == most * 5 or size > _SAMPLE_BYTES:
            break
    return records, looked_at, problem, first


def sample_conversations(path: Path, format: Format, section: IngestSection, most: int = _SAMPLE) -> list[Conversation]:
    """The first records of a file that can be read in a format, as conversations. Raises UsageError, SourceBroken."""
    limits, found = limits_of(section), list[Conversation]()
    with RecordReader(packing(path), START, limits) as reader:
        records, *_ = _sample(reader, limits.max_depth, most)
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
