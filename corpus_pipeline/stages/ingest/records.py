"""Numbered raw records of a dataset file, from its start or from any position between two records."""

from __future__ import annotations

import io
import shlex
from collections.abc import Iterator
from types import TracebackType
from typing import assert_never

from corpus_pipeline.errors import SourceChanged
from corpus_pipeline.stages.ingest.arrays import read_array
from corpus_pipeline.stages.ingest.arrow import read_arrow
from corpus_pipeline.stages.ingest.identity import Identity, open_regular
from corpus_pipeline.stages.ingest.lines import read_lines
from corpus_pipeline.stages.ingest.parquet import read_parquet
from corpus_pipeline.stages.ingest.source import (
    START,
    Compression,
    Container,
    Limits,
    Position,
    RawRecord,
    Source,
    SourceBroken,
)
from corpus_pipeline.stages.ingest.streams import HashingStream, UnpackingStream
from corpus_pipeline.stages.ingest.tables import read_table
from corpus_pipeline.stages.ingest.zipped import ZipStream

BOM = b"\xef\xbb\xbf"
_BUFFER = 1 << 20


class RecordReader:
    """Reads the records of a source in order, in bounded memory.

    A record's number is its physical line (JSONL, blank lines included) or its 1-based index (array, table, Parquet, Arrow).
    Resuming reads and hashes the bytes before `start` again, so that the identity of the file is known at its end
    whatever the start was.
    """

    def __init__(self, source: Source, start: Position = START, limits: Limits | None = None) -> None:
        self.source = source
        self.limits = limits or Limits()
        self._start = start
        self._last: RawRecord | None = None
        self.has_bom = False
        self._file = open_regular(source.path)
        self._hashing = HashingStream(self._file)
        self.name = source.path.name  # of the file itself, when it lies in an archive
        try:
            self._stream: io.BufferedReader = io.BufferedReader(self._unpacked(), _BUFFER)
        except SourceBroken as error:
            self._file.close()
            raise SourceBroken(f"{source.path}: {error}") from error

    def __enter__(self) -> RecordReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Reading again needs a new reader."""
        self._stream.close()
        self._hashing.close()

    @property
    def position(self) -> Position:
        """The place behind the record that was given last."""
        return self._start if self._last is None else self._last.next_position

    @property
    def bytes_read(self) -> int:
        """Bytes of the file, as it lies on the disk, that were read so far."""
        return self._hashing.size

    def records(self) -> Iterator[RawRecord]:
        """The records behind the start; `position` is always behind the one given last.

        Raises SourceBroken when the file cannot be read to its end, and at the end SourceChanged when it is not what
        `source.identity` says.
        """
        try:
            start = self._seek(self._start)
            for record in self._read(start):
                self._last = record
                yield record
            if self.source.is_sought:
                self._file.seek(0)
        except SourceBroken as error:
            raise SourceBroken(f"{self.source.path}: {error}") from error
        self._check_identity()

    def head(self, most: int) -> bytes:
        """The first bytes, for sniffing; records cannot be read any more. Raises SourceBroken."""
        try:
            return self._stream.read(most)
        except SourceBroken as error:
            raise SourceBroken(f"{self.source.path}: {error}") from error

    def identity(self) -> Identity:
        """sha256 and size of the file. Call it after the last record."""
        for stream in (self._hashing,) if self.source.is_sought else (self._stream, self._hashing):
            while stream.read(_BUFFER):
                pass
        return self._hashing.identity()

    def _unpacked(self) -> io.RawIOBase:
        match self.source.compression:
            case Compression.NONE:
                return self._hashing
            case Compression.ZIP:
                archive = ZipStream(self._file, self.limits.max_expansion)
                self.name = archive.name
                return archive
            case _:
                return UnpackingStream(self._hashing, self.source.compression, self.limits.max_expansion)

    def _read(self, start: Position) -> Iterator[RawRecord]:
        match self.source.container:
            case Container.LINES:
                return read_lines(self._stream, start, self.limits.max_record_bytes)
            case Container.ARRAY:
                return read_array(self._stream, start, self.limits.max_record_bytes, len(BOM) if self.has_bom else 0)
            case Container.CSV:
                return read_table(
                    self._stream, start, self.limits.max_record_bytes, None, len(BOM) if self.has_bom else 0
                )
            case Container.TSV:
                return read_table(
                    self._stream, start, self.limits.max_record_bytes, "\t", len(BOM) if self.has_bom else 0
                )
            case Container.PARQUET:
                return read_parquet(self._file, start, self.limits.max_record_bytes)
            case Container.ARROW:
                return read_arrow(self._file, start, self.limits.max_record_bytes)
            case _:
                assert_never(self.source.container)

    def _seek(self, start: Position) -> Position:
        if self.source.container in (Container.PARQUET, Container.ARROW):
            return start
        if self._stream.peek(3)[:3] == BOM:
            self.has_bom = True
        if start.source_offset == 0:
            return start._replace(source_offset=len(self._stream.read(3))) if self.has_bom else start
        if self.source.container in (
            Container.ARRAY,
            Container.CSV,
            Container.TSV,
        ):  # learns from the begin of the file, whatever the start is
            self._stream.read(3 if self.has_bom else 0)
            return start
        left = start.source_offset
        while left:
            skipped = len(self._stream.read(min(left, _BUFFER)))
            if not skipped:
                raise SourceBroken(f"the file ends before byte {start.source_offset}, where reading was to go on")
            left -= skipped
        return start

    def _check_identity(self) -> None:
        expected, found = self.source.identity, self.identity()
        if expected is not None and found != expected:
            raise SourceChanged(
                f"{self.source.path}: changed since it was registered: sha256 {expected.sha256[:12]} "
                f"({expected.size} bytes) became {found.sha256[:12]} ({found.size} bytes). Put the old file back, or "
                f"add the new one: under another name, or in its place"
                f" (`corpus add {shlex.quote(str(self.source.path))} --name NAME --replace`)."
            )
