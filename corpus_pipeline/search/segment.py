"""A block of the index: which of `SPAN` rows are in each bucket, as a short list or as bits, whichever is shorter.

    header     magic, state, length and CRC-32 of all that follows
    directory  for each of BUCKETS + 1 its offset in the body and the CRC-32 of bucket, offsets and rows (uint32 each)
    body       for each bucket its rows: uint16 in order, or SPAN bits (the size tells which)

Nothing in it changes but by `without`, which takes rows out in place. A bucket is believed only while its checksum is right:
a bit that the disk changed must not hide a row.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from corpus_pipeline.search.grams import BUCKETS, mark

SPAN = 1 << 14  # rows of a block
CHUNK = 1 << 11  # rows whose bits are set together: what they touch stays in the processor's cache
_SOME = BUCKETS // 8  # buckets that are packed together
_BITMAP = SPAN // 8
_DENSE = _BITMAP // 2  # from this many rows on, bits are shorter
GONE = 0xFFFF  # in place of a row that was taken out
_HEADER = struct.Struct("<8sIII12x")
_MAGIC = b"cpsrch02"
HEAD = _HEADER.size
_ENTRY = 8
_PLACE = struct.Struct("<III")
DIRECTORY = (BUCKETS + 1) * _ENTRY
SOUND, CHANGING = 1, 2

Read = Callable[[int, int], bytes]  # (offset in the block, length); shorter at the end of the file


class Header(NamedTuple):
    """What stands before a block. state: CHANGING while rows are being taken out."""

    state: int
    length: int
    crc: int

    def packed(self) -> bytes:
        return _HEADER.pack(_MAGIC, self.state, self.length, self.crc)


def header(data: bytes) -> Header | None:
    """The header in some bytes; None when they are none of ours."""
    if len(data) < HEAD:
        return None
    magic, state, length, crc = _HEADER.unpack_from(data)
    is_ours = magic == _MAGIC and state in (SOUND, CHANGING) and length >= DIRECTORY
    return Header(state, length, crc) if is_ours else None


def build(texts: Sequence[Sequence[str]]) -> bytes:
    """The block of up to SPAN rows: chunks of `CHUNK` consecutive rows, the last one may have fewer.

    A row without text is in no bucket.
    """
    chunk = CHUNK if len(texts) > 1 else -(-len(texts[0]) // 64) * 64
    parts = np.zeros((len(texts), BUCKETS, chunk // 8), dtype=np.uint8)
    for part, own in zip(parts, texts, strict=True):
        mark(own, part)
    packed = [_packed(parts[:, first : first + _SOME]) for first in range(0, BUCKETS, _SOME)]
    offsets = np.zeros(BUCKETS + 1, dtype=np.uint32)
    np.cumsum(np.concatenate([sizes for sizes, _ in packed]), out=offsets[1:])
    body = b"".join(part for _, part in packed)
    directory = np.zeros((BUCKETS + 1, 2), dtype=np.uint32)
    directory[:, 0] = offsets
    _note_checksums(directory, body, range(BUCKETS))
    return sealed(directory.tobytes() + body)


def _note_checksums(directory: np.ndarray, body: bytes | bytearray, buckets: Iterable[int]) -> None:
    """Write the checksums of some buckets into a directory of the shape (BUCKETS + 1, 2)."""
    offsets, view = directory[:, 0].tolist(), memoryview(body)
    for bucket in buckets:
        start, stop = offsets[bucket], offsets[bucket + 1]
        directory[bucket, 1] = _checksum(bucket, start, stop, view[start:stop])


def _checksum(bucket: int, start: int, stop: int, data: bytes | memoryview) -> int:
    return zlib.crc32(data, zlib.crc32(_PLACE.pack(bucket, start, stop)))


def _packed(parts: np.ndarray) -> tuple[np.ndarray, bytes]:
    """(bytes of each bucket, their rows) of some buckets, from bits of the shape (chunks, buckets, bytes)."""
    bits = np.ascontiguousarray(parts.transpose(1, 0, 2)).reshape(parts.shape[1], -1)
    counts = np.bitwise_count(bits.view(np.uint64)).sum(axis=1, dtype=np.int64)
    dense = counts >= _DENSE
    sizes = np.where(dense, _BITMAP, counts * 2)
    body = np.empty(int(sizes.sum()) // 2, dtype=np.uint16)
    is_dense = np.repeat(dense, sizes // 2)
    whole = np.pad(bits[dense], ((0, 0), (0, _BITMAP - bits.shape[1])))
    body[is_dense] = whole.reshape(-1).view(np.uint16)
    body[~is_dense] = _members(bits[~dense & (counts > 0)])
    return sizes, body.tobytes()


def _members(bits: np.ndarray) -> np.ndarray:
    """The numbers of the bits that are set, row by row."""
    words = bits.reshape(-1).view(np.uint64)
    at = np.flatnonzero(words)
    octets = words[at].view(np.uint8)
    some = np.flatnonzero(octets)
    ones = np.flatnonzero(np.unpackbits(octets[some], bitorder="little"))
    octet = some[ones >> 3]
    return (((at[octet >> 3] * 8 + (octet & 7)) % bits.shape[1]) * 8 + (ones & 7)).astype(np.uint16)


def sealed(data: bytes) -> bytes:
    """Directory and body with their header."""
    return Header(SOUND, len(data), zlib.crc32(data)).packed() + data


def is_sound(block: bytes) -> bool:
    """Whether a whole block is as it was written."""
    own = header(block)
    return own is not None and own.state == SOUND and zlib.crc32(block[HEAD:]) == own.crc


def rows(read: Read, length: int, buckets: np.ndarray) -> np.ndarray | None:
    """The rows that are in all of these buckets, in order, counted from 0; None when the block cannot be read or a checksum
    is wrong.

    length: of directory and body.
    """
    places = []
    for bucket in buckets.tolist():
        entry = read(HEAD + bucket * _ENTRY, _PLACE.size)
        if len(entry) != _PLACE.size:
            return None
        start, checksum, stop = _PLACE.unpack(entry)
        if not start <= stop <= length - DIRECTORY or (stop - start) % 2 or stop - start > _BITMAP:
            return None
        if start == stop:
            return np.empty(0, dtype=np.uint16) if _checksum(bucket, start, stop, b"") == checksum else None
        places.append((stop - start, start, bucket, checksum))
    found: np.ndarray | None = None
    common: np.ndarray | None = None
    for size, start, bucket, checksum in sorted(places):
        data = read(HEAD + DIRECTORY + start, size)
        if len(data) != size or _checksum(bucket, start, start + size, data) != checksum:
            return None
        if size < _BITMAP:
            own = np.frombuffer(data, dtype=np.uint16)
            own = own[own < SPAN]
            found = own if found is None else _common(found, own)
        elif found is None:
            own = np.frombuffer(data, dtype=np.uint8)
            common = own if common is None else common & own
        else:
            own = np.frombuffer(data, dtype=np.uint8)
            found = found[(own[found >> 3] >> (found & 7).astype(np.uint8)) & 1 == 1]
        if found is not None and not found.size:
            return found
    if found is None:
        assert common is not None
        found = np.flatnonzero(np.unpackbits(common, bitorder="little")).astype(np.uint16)
    return found


def _common(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """What is in both of two arrays in order."""
    if not others.size:
        return others
    return some[others[np.minimum(others.searchsorted(some), others.size - 1)] == some]


def without(block: bytes, gone: Sequence[int]) -> bytes:
    """A block of the same size in which some rows (counted from 0) are in no bucket."""
    data = bytearray(block[HEAD:])
    directory = np.frombuffer(data, dtype=np.uint32, count=2 * (BUCKETS + 1)).reshape(-1, 2)
    offsets = directory[:, 0].astype(np.int64)
    sizes = np.diff(offsets)
    body = np.frombuffer(data, dtype=np.uint16, offset=DIRECTORY)
    masks = np.full(_BITMAP, 0xFF, dtype=np.uint8)
    for row in gone:
        masks[row >> 3] &= 0xFF ^ (1 << (row & 7))
    mask = masks.view(np.uint16)
    dense = np.flatnonzero(sizes == _BITMAP)
    for bucket in dense.tolist():
        start = offsets[bucket] // 2
        body[start : start + _BITMAP // 2] &= mask
    in_lists = np.repeat(sizes < _BITMAP, sizes // 2) & np.isin(body, np.asarray(gone, dtype=np.uint16))
    hit = np.unique(np.searchsorted(offsets, np.flatnonzero(in_lists) * 2, side="right") - 1)
    for bucket in hit.tolist():
        own = body[offsets[bucket] // 2 : offsets[bucket + 1] // 2]
        left = own[~np.isin(own, gone)]
        own[: left.size] = left
        own[left.size :] = GONE
    _note_checksums(directory, data[DIRECTORY:], [*dense.tolist(), *hit.tolist()])
    return sealed(bytes(data))
