"""The exported lines once more as a Parquet file, for tools that would rather read columns.

Two passes over the finished JSONL: one that finds a type for every column which holds in all rows, one that writes group by
group. Memory follows the size of a group.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from corpus_pipeline.errors import SettingMissing, StopJob
from corpus_pipeline.formats import jsontext
from corpus_pipeline.stages.export.files import CHUNK, create_temporary, explained, path_component
from corpus_pipeline.stages.export.writer import PART, FileFacts

_GROUP = 10_000  # rows
_GROUP_BYTES = 64 << 20  # of JSON, for rows that are long


def require() -> None:
    """Raises SettingMissing, before any work, where Parquet cannot be written."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise SettingMissing(
            "the recipe wants Parquet (export.parquet), which needs pyarrow: pip install 'corpus-pipeline[parquet]'"
        ) from error


def write_parquet(data: FileFacts, work_folder: Path, name: str) -> FileFacts:
    """A part in the work folder with the rows of a finished JSONL file. Remove it when it was published.

    Raises StopJob when a column has no one type, TargetUnavailable when the disk refuses.
    """
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    schema = _schema(arrow, data)
    with explained(work_folder, "CORPUS_HOME"):
        descriptor, path = create_temporary(work_folder, path_component(name), mode=0o600, suffix=PART)
        try:
            with (
                os.fdopen(os.dup(descriptor), "wb") as out,
                parquet.ParquetWriter(out, schema, compression="zstd") as writer,
            ):
                for rows in _groups(data):
                    writer.write_table(arrow.Table.from_pylist(rows, schema=schema), row_group_size=len(rows))
            os.fsync(descriptor)
            size, digest = _digest(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
    return FileFacts(path, data.lines, size, digest, "none")


def _schema(arrow: Any, data: FileFacts) -> Any:
    """The types that hold in every row; a key that some rows do not have is null there."""
    found = arrow.schema([])
    try:
        for rows in _groups(data):
            found = arrow.unify_schemas(
                [found, arrow.RecordBatch.from_pylist(rows).schema], promote_options="permissive"
            )
    except arrow.ArrowException as error:
        raise StopJob(
            f"the rows cannot be written as Parquet: some column has values of different types ({str(error)[:200]})."
            " Leave export.parquet out of the recipe; the JSONL file holds them as they are."
        ) from error
    return found


def _groups(data: FileFacts) -> Iterator[list[dict[str, Any]]]:
    with gzip.open(data.path, "rb") if data.compression == "gzip" else data.path.open("rb") as stream:
        while lines := _some(iter(stream)):
            yield [jsontext.quickly(line) for line in lines]


def _some(lines: Iterator[bytes]) -> list[bytes]:
    found, size = [], 0
    for line in islice(lines, _GROUP):
        found.append(line)
        size += len(line)
        if size > _GROUP_BYTES:
            break
    return found


def _digest(path: Path) -> tuple[int, str]:
    value, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(CHUNK):
            value.update(block)
            size += len(block)
    return size, value.hexdigest()
