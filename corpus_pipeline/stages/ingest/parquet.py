"""Records of a Parquet file: each row as the line of JSON that it would be in a JSONL file.

Numbers, offsets and sizes are those of that JSONL file, so that a row has a place which does not depend on how the columns
are packed. A null of a column or of a nested field is a key that is not there, but for the content of a message.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from decimal import Decimal
from io import RawIOBase
from typing import Any

from corpus_pipeline.errors import LineRejected, UsageError
from corpus_pipeline.formats import jsontext
from corpus_pipeline.stages.ingest.source import RAW_KEPT, Position, RawRecord, SourceBroken
from corpus_pipeline.states import RejectReason

MAGIC = b"PAR1"
_ROWS = 512  # that are unpacked at once
EXTRA = "Parquet needs pyarrow: pip install 'corpus-pipeline[parquet]'"


def read_parquet(file: RawIOBase, start: Position, limit: int) -> Iterator[RawRecord]:
    """Each row behind `start`, one group of rows after the other. Raises UsageError without pyarrow, SourceBroken."""
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise UsageError(f"{EXTRA}; or convert the file to JSONL") from error
    try:
        source = parquet.ParquetFile(arrow.PythonFile(file, mode="r"), pre_buffer=False)
        number, offset, before = start.row_identifier, start.source_offset, 0
        for group in range(source.metadata.num_row_groups):
            size = source.metadata.row_group(group).num_rows
            if before + size <= number:
                before += size
                continue
            for batch in source.iter_batches(_ROWS, row_groups=[group], use_threads=False):
                behind = before + len(batch)
                for row in batch.slice(max(0, number - before)).to_pylist() if behind > number else ():
                    record = row_record(row, number + 1, offset, limit)
                    number, offset = record.row_identifier, record.end_offset
                    yield record
                before = behind
    except (arrow.ArrowException, OSError) as error:
        raise SourceBroken(f"is no whole Parquet file: {str(error).splitlines()[0][:200]}") from error


def row_record(row: dict[str, Any], number: int, offset: int, limit: int) -> RawRecord:
    """The record of a row, at its place in the JSONL file that it would be in."""
    problem, detail = None, ""
    try:
        raw = jsontext.encode(_plain(row))
    except LineRejected as error:
        raw, problem, detail = b"", RejectReason(error.reason), error.detail
    size = len(raw)
    if size > limit:
        problem, detail = RejectReason.TOO_LONG, f"{size} bytes, the limit is {limit}"
        raw = raw[:RAW_KEPT]
    return RawRecord(number, number, offset, size, raw, number, offset + size + 1, problem, detail)


def _plain(value: Any) -> Any:
    """The same in the types of JSON. Raises LineRejected."""
    match value:
        case None | bool() | str() | int():
            return value
        case float():
            if not math.isfinite(value):
                raise LineRejected(RejectReason.NON_FINITE_NUMBER, str(value))
            return value
        case dict():
            is_message = "role" in value
            return {
                key: _plain(inner)
                for key, inner in value.items()
                if inner is not None or (is_message and key == "content")
            }
        case list():
            if value and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value):  # a column of mappings
                return {str(key): _plain(inner) for key, inner in value}
            return [_plain(inner) for inner in value]
        case datetime.date() | datetime.time():  # datetime is a date
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            raise LineRejected(RejectReason.WRONG_SHAPE, f"a value of type {type(value).__name__} is no text")
