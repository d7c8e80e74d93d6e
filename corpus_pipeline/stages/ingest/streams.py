"""Raw byte streams: one that hashes what passes, one that unpacks gzip within bounds."""

from __future__ import annotations

import hashlib
import io
import zlib
from typing import TYPE_CHECKING

from corpus_pipeline.stages.ingest.identity import Identity
from corpus_pipeline.stages.ingest.source import SourceBroken

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 256 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_EXPANSION_GRACE = 64 * 1024 * 1024


class HashingStream(io.RawIOBase):
    """Passes a file's bytes on and knows what the file was when its end is reached."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        count = self._file.readinto(view) or 0
        self._digest.update(view[:count])
        self.size += count
        return count

    def identity(self) -> Identity:
        """sha256 and size of all that was read so far."""
        return Identity(self._digest.hexdigest(), self.size)

    def close(self) -> None:
        self._file.close()
        super().close()


class GzipStream(io.RawIOBase):
    """Decompresses one or more gzip members, never more at once than asked for.

    Raises SourceBroken for damage, a cut file, bytes behind the last member (zeros are padding), and for expansion
    beyond `max_expansion`.
    """

    def __init__(self, packed: io.RawIOBase, max_expansion: int) -> None:
        self._packed = packed
        self._max_expansion = max_expansion
        self._unpacker = zlib.decompressobj(wbits=31)
        self._waiting = b""
        self._taken = 0
        self._given = 0
        self._dry = False
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        while not self._ended:
            self._refill()
            try:
                data = self._unpacker.decompress(self._waiting, len(view))
            except zlib.error as error:
                raise SourceBroken(f"damaged gzip data before byte {self._taken}: {error}. Get it again.") from error
            self._waiting = self._unpacker.unused_data if self._unpacker.eof else self._unpacker.unconsumed_tail
            if self._unpacker.eof:
                self._next_member()
            elif not data and self._dry:
                raise SourceBroken(f"the gzip data ends in the middle, at byte {self._taken}. Get the file again.")
            if data:
                self._count(len(data))
                view[: len(data)] = data
                return len(data)
        return 0

    def _refill(self) -> None:
        if not self._waiting:
            self._waiting = self._packed.read(_CHUNK) or b""
            self._taken += len(self._waiting)
            self._dry = not self._waiting

    def _next_member(self) -> None:
        while not self._waiting.strip(b"\0"):
            self._waiting = b""
            self._refill()
            if not self._waiting:
                self._ended = True
                return
        self._waiting = self._waiting.lstrip(b"\0")
        if not _GZIP_MAGIC.startswith(self._waiting[:2]):
            raise SourceBroken(f"bytes that are no gzip follow before byte {self._taken}. Get the file again.")
        self._unpacker = zlib.decompressobj(wbits=31)

    def _count(self, count: int) -> None:
        self._given += count
        if self._given > _EXPANSION_GRACE and self._given > self._taken * self._max_expansion:
            raise SourceBroken(
                f"gzip data expands more than {self._max_expansion}-fold ({self._taken} to {self._given} bytes). "
                "If you trust the file, decompress it and add the result."
            )
