"""Records of an Arrow file (Feather 2, and the streams that `datasets` keeps), as those of Parquet are read."""

from __future__ import annotations

from collections.abc import Iterator
from io import RawIOBase
from typing import Any

from corpus_pipeline.errors import UsageError
from corpus_pipeline.stages.ingest.parquet import row_record
from corpus_pipeline.stages.ingest.source import Position, RawRecord, SourceBroken

FILE_MAGIC = b"ARROW1"
STREAM_MAGIC = b"\xff\xff\xff\xff"  # what a message of the stream begins with
OLD_FEATHER_MAGIC = b"FEA1"
_ROWS = 512  # that are made objects at once
EXTRA = "Arrow needs pyarrow: pip install 'corpus-pipeline[parquet]'"


def read_arrow(file: RawIOBase, start: Position, limit: int) -> Iterator[RawRecord]:
    """Each row behind `start`, batch by batch. Raises UsageError without pyarrow, SourceBroken."""
    try:
        import pyarrow as arrow
    except ImportError as error:
        raise UsageError(f"{EXTRA}; or convert the file to JSONL") from error
    try:
        number, offset, before = start.row_identifier, start.source_offset, 0
        for batch in _batches(arrow, file):
            behind = before + batch.num_rows
            for first in range(max(0, number - before), batch.num_rows, _ROWS):
                for row in batch.slice(first, _ROWS).to_pylist():
                    record = row_record(row, number + 1, offset, limit)
                    number, offset = record.row_identifier, record.end_offset
                    yield record
            before = behind
    except (arrow.ArrowException, OSError) as error:
        raise SourceBroken(f"is no whole Arrow file: {str(error).splitlines()[0][:200]}") from error


def _batches(arrow: Any, file: RawIOBase) -> Iterator[Any]:
    import pyarrow.ipc as ipc

    file.seek(0)
    is_file = (file.read(len(FILE_MAGIC)) or b"") == FILE_MAGIC
    file.seek(0)
    source = arrow.PythonFile(file, mode="r")
    if not is_file:
        yield from ipc.open_stream(source)
        return
    reader = ipc.open_file(source)
    for index in range(reader.num_record_batches):
        yield reader.get_batch(index)
