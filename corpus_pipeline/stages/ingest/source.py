"""The words of reading a dataset file: where it lies, how it is packed, where one stands in it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from corpus_pipeline.errors import StopJob
from corpus_pipeline.stages.ingest.identity import Identity
from corpus_pipeline.states import RejectReason

# bytes of a bad record that are kept with its reject
RAW_KEPT = 64 * 1024


class SourceBroken(StopJob):
    """The dataset file as a whole cannot be read to its end: cut, damaged, or a decompression bomb."""


class Container(StrEnum):
    """How records lie in a file."""

    LINES = "jsonl"  # one JSON value per line
    ARRAY = "json"  # one JSON array of records
    PARQUET = "parquet"  # rows of columns; needs pyarrow
    ARROW = "arrow"  # likewise: Arrow files and streams, Feather
    CSV = "csv"  # a table of text; its first row names the columns
    TSV = "tsv"  # likewise, with tabs between the cells


class Compression(StrEnum):
    """How the bytes of a file are packed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZIP = "zip"  # an archive of one file


class Source(NamedTuple):
    """One dataset file. `identity`: what it must turn out to be when it was read to its end; None: not checked."""

    path: Path
    container: Container
    compression: Compression = Compression.NONE
    identity: Identity | None = None

    @property
    def is_sought(self) -> bool:
        """Whether it is not read from its begin to its end: its bytes are hashed when all was read."""
        return self.container in (Container.PARQUET, Container.ARROW) or self.compression is Compression.ZIP


class Limits(NamedTuple):
    """Bounds that keep a hostile file from eating the machine.

    max_expansion: decompressed bytes per compressed byte; looked at after the first 64 MiB.
    max_batch_bytes: a batch ends when its records reach this size, whatever their number.
    """

    max_record_bytes: int = 16 * 1024 * 1024
    max_depth: int = 64
    max_expansion: int = 200
    max_batch_bytes: int = 64 * 1024 * 1024


class Position(NamedTuple):
    """Where reading goes on: behind the record `row_identifier`. It belongs to one file and is worth nothing in
    another.

    source_line: physical lines before the place, for an array the line of the place. source_offset: decompressed bytes
    before it. part: records that were already made of what begins there. The start of a file is (0, 0, 0, 0).
    """

    row_identifier: int = 0
    source_line: int = 0
    source_offset: int = 0
    part: int = 0


START = Position()


class RawRecord(NamedTuple):
    """One line without its line end, or one array element.

    raw: all its bytes, or the first `RAW_KEPT` (or fewer) when it is too long. size: its whole length. value: what
    orjson made of `raw`, None when it was not asked.
    """

    row_identifier: int
    source_line: int
    source_offset: int
    size: int
    raw: bytes
    end_line: int  # with end_offset the place behind the record, where reading may go on
    end_offset: int
    problem: RejectReason | None = None
    detail: str = ""
    part: int = 0
    value: Any = None

    @property
    def next_position(self) -> Position:
        """Where the next record is read from."""
        return Position(self.row_identifier, self.end_line, self.end_offset, self.part)
