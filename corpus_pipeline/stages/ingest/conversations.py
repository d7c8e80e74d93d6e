"""Batches of conversations, rejects and blanks: every physical line is one of the three."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from corpus_pipeline.errors import LineRejected
from corpus_pipeline.formats import Format
from corpus_pipeline.model import Conversation, Reject
from corpus_pipeline.stages.ingest.parse import parse_record
from corpus_pipeline.stages.ingest.records import RecordReader
from corpus_pipeline.stages.ingest.source import RAW_KEPT, START, Limits, Position, RawRecord, Source
from corpus_pipeline.states import RejectReason

_JSON_SPACE = b" \t\r\n"


class IngestBatch(NamedTuple):
    """What became of a run of lines (or elements); their number is the sum of the three.

    next_position: where the next batch begins; commit it with the rows. bytes_read: bytes of the file on the disk
    that were read so far, for showing progress.
    """

    conversations: list[Conversation]
    rejects: list[Reject]
    blanks: int
    next_position: Position
    bytes_read: int

    @property
    def lines(self) -> int:
        return len(self.conversations) + len(self.rejects) + self.blanks


def read_batches(
    source: Source,
    format: Format,
    batch_size: int = 5000,
    start: Position = START,
    limits: Limits | None = None,
) -> Iterator[IngestBatch]:
    """The batches behind `start`. Their borders depend on the file, the start and the limits alone.

    A batch has `batch_size` lines, or fewer when they reach `limits.max_batch_bytes`. Raises SourceBroken when the file
    cannot be read to its end, and SourceChanged, before the last batch, when it is not the file that `source.identity`
    names.
    """
    bounds = limits or Limits()
    conversations, rejects, blanks, size = list[Conversation](), list[Reject](), 0, 0
    with RecordReader(source, start, bounds) as reader:
        for record in reader.records():
            size += len(record.raw)
            if record.problem is None and not record.raw.strip(_JSON_SPACE):
                blanks += 1
            else:
                try:
                    conversations.append(to_conversation(record, format, bounds.max_depth))
                except LineRejected as error:
                    rejects.append(_reject(record, error))
            if len(conversations) + len(rejects) + blanks >= batch_size or size >= bounds.max_batch_bytes:
                yield IngestBatch(conversations, rejects, blanks, reader.position, reader.bytes_read)
                conversations, rejects, blanks, size = [], [], 0, 0
        if conversations or rejects or blanks:
            yield IngestBatch(conversations, rejects, blanks, reader.position, reader.bytes_read)


def to_conversation(record: RawRecord, format: Format, max_depth: int) -> Conversation:
    """The conversation of a raw record. Raises LineRejected."""
    if record.problem is not None:
        raise LineRejected(record.problem, record.detail)
    turns, shape, tools = format.parse(parse_record(record.raw, max_depth, record.value))
    return Conversation(
        record.row_identifier, turns, shape, tools, record.source_line, record.source_offset, record.size
    )


def _reject(record: RawRecord, error: LineRejected) -> Reject:
    return Reject(
        record.row_identifier,
        record.source_line,
        record.source_offset,
        record.size,
        RejectReason(error.reason),
        error.detail,
        record.raw[:RAW_KEPT],
    )
