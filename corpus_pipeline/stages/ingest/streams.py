"""Raw byte streams: one that hashes what passes, and those that unpack within bounds."""

from __future__ import annotations

import bz2
import hashlib
import io
import lzma
import zlib
from typing import TYPE_CHECKING, Protocol

import zstandard

from corpus_pipeline.stages.ingest.identity import Identity
from corpus_pipeline.stages.ingest.source import Compression, SourceBroken

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 256 * 1024
EXPANSION_GRACE = 64 * 1024 * 1024
_MAX_WINDOW = 1 << 27  # bytes that unpacking zstd may hold
_MAX_MEMORY = 1 << 28  # likewise xz
_ZSTD_SLICE = 2048  # packed bytes that are given to zstd at once: it knows no limit of what they become


class HashingStream(io.RawIOBase):
    """Passes a file's bytes on and knows what the file was when its end is reached."""

    def __init__(self, file: io.RawIOBase) -> None:
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


class _Unpacker(Protocol):
    """One member (stream, frame) of packed data, as the standard library unpacks bzip2 and xz."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """A gzip member."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


class _Zstd:
    """A zstd frame, unpacked slice by slice."""

    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()
        self._data = b""
        self._at = 0

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return self._at >= len(self._data)

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data + self._data[self._at :]

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if data:
            self._data, self._at = self._data[self._at :] + data, 0
        piece = self._data[self._at : self._at + _ZSTD_SLICE]
        self._at += len(piece)
        return self._inner.decompress(piece) if piece else b""


def _unpacker(kind: Compression) -> _Unpacker:
    match kind:
        case Compression.ZSTD:
            return _Zstd()
        case Compression.BZIP2:
            return bz2.BZ2Decompressor()
        case Compression.XZ:
            return lzma.LZMADecompressor(memlimit=_MAX_MEMORY)
        case _:
            return _Gzip()


_BEGINS = {
    Compression.GZIP: (b"\x1f\x8b",),
    Compression.BZIP2: (b"BZ",),
    Compression.XZ: (b"\xfd7",),
    Compression.ZSTD: (b"\x28\xb5", *(bytes((0x50 + n, 0x2A)) for n in range(16))),  # and frames to be skipped
}
_DAMAGE = (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, EOFError, ValueError)


class UnpackingStream(io.RawIOBase):
    """Decompresses one or more members, within bounds of memory.

    Raises SourceBroken for damage, a cut file, bytes behind the last member (zeros are padding), and for expansion
    beyond `max_expansion`.
    """

    def __init__(self, packed: io.RawIOBase, kind: Compression, max_expansion: int) -> None:
        self._packed = packed
        self._kind = kind
        self._max_expansion = max_expansion
        self._unpacker = _unpacker(kind)
        self._waiting = b""  # packed bytes that no unpacker was given
        self._ready = b""  # unpacked ones that were not asked for yet
        self._taken = 0
        self._given = 0
        self._dry = False
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        data = self._ready or self._unpack(len(view))
        count = min(len(view), len(data))
        view[:count] = data[:count]
        self._ready = data[count:]
        return count

    def _unpack(self, wanted: int) -> bytes:
        while not self._ended:
            packed = self._take() if self._unpacker.needs_input else b""
            try:
                data = self._unpacker.decompress(packed, wanted)
            except _DAMAGE as error:
                raise SourceBroken(self._damage(error)) from error
            if self._unpacker.eof:
                self._next_member()
            elif not data and self._dry:
                raise SourceBroken(
                    f"the {self._kind} data ends in the middle, at byte {self._taken}. Get the file again."
                )
            if data:
                self._count(len(data))
                return data
        return b""

    def _damage(self, error: Exception) -> str:
        if "memory" in str(error).lower():
            return (
                f"unpacking this {self._kind} data would need more than {_MAX_WINDOW >> 20} MiB of memory."
                " Unpack it first (zstd -d --long=31, xz -d), then add the result."
            )
        return f"damaged {self._kind} data before byte {self._taken}: {error}. Get it again."

    def _take(self) -> bytes:
        if not self._waiting:
            self._refill()
        data, self._waiting = self._waiting, b""
        return data

    def _refill(self) -> None:
        self._waiting = self._packed.read(_CHUNK) or b""
        self._taken += len(self._waiting)
        self._dry = not self._waiting

    def _next_member(self) -> None:
        self._waiting = self._unpacker.unused_data + self._waiting
        while not self._waiting.strip(b"\0"):
            self._refill()
            if not self._waiting:
                self._ended = True
                return
        self._waiting = self._waiting.lstrip(b"\0")
        if not any(begin.startswith(self._waiting[:2]) for begin in _BEGINS[self._kind]):
            raise SourceBroken(f"bytes that are no {self._kind} follow before byte {self._taken}. Get the file again.")
        self._unpacker = _unpacker(self._kind)

    def _count(self, count: int) -> None:
        self._given += count
        if self._given > EXPANSION_GRACE and self._given > self._taken * self._max_expansion:
            raise SourceBroken(too_large(self._kind, self._taken, self._given, self._max_expansion))


def too_large(kind: Compression, packed: int, unpacked: int, most: int) -> str:
    """What is said of data that expands beyond its bound."""
    return (
        f"{kind} data expands more than {most}-fold ({packed} to {unpacked} bytes). "
        "If you trust the file, decompress it and add the result."
    )
