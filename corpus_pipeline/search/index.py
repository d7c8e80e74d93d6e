"""The index of one dataset file: blocks one behind the other in a file of their own, the rows 1 to SPAN in the first one.

    head     magic, for which rows it was made (`Identity`), how many removed rows it knows of
    blocks   see `segment`

It grows at its end, a block at a time, each on the disk before the next is begun: a killed writer goes on behind the last
whole one. Whatever is not as it should be is not an error but not indexed.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from corpus_pipeline.file_locks import locked
from corpus_pipeline.search import segment
from corpus_pipeline.search.segment import CHANGING, HEAD, SPAN, Header

_MAGIC = b"cpindex3"
_START = struct.Struct("<8s32s32sQ48x")
_FIRST = _START.size
_REMOVED_AT = struct.calcsize("<8s32s32s")


class Identity(NamedTuple):
    """What the texts of an index are those of, as sha256 each: the rows as they came in, and with what cleaning made of them.

    An index whose first half is right may be asked about the rows as they came in.
    """

    raw: bytes
    cleaned: bytes


class Candidates(NamedTuple):
    """Rows with first <= number <= last: those that may hold the text, or None when no one knows."""

    first: int
    last: int
    numbers: list[int] | None


class Index:
    """An index as it is now, for reading. Use it as a context manager."""

    def __init__(self, path: Path, file: int, identity: Identity, removed: int, blocks: list[tuple[int, int]]) -> None:
        self.path = path
        self.identity = identity
        self.removed = removed  # how many removed rows of this file were taken out
        self._file = file
        self._blocks = blocks  # (offset, length of directory and body) of each

    @classmethod
    def open(cls, path: Path) -> Index | None:
        """The index in a file; None when there is none, or none that this program can read."""
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        start = os.pread(file, _FIRST, 0)
        if len(start) < _FIRST or not start.startswith(_MAGIC):
            os.close(file)
            return None
        _, raw, cleaned, removed = _START.unpack(start)
        return cls(path, file, Identity(raw, cleaned), removed, _blocks(file))

    def close(self) -> None:
        os.close(self._file)

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return len(self._blocks)

    @property
    def last(self) -> int:
        """The number of the last row that the blocks are about."""
        return len(self._blocks) * SPAN

    def changed(self) -> list[int]:
        """Which blocks are not as they were written, by their numbers from 0. Reads all of them."""
        return [
            number
            for number, (offset, length) in enumerate(self._blocks)
            if not segment.is_sound(os.pread(self._file, HEAD + length, offset))
        ]

    def candidates(self, buckets: np.ndarray, after: int) -> Iterator[Candidates]:
        """Block by block, the rows behind number `after` that are in all of these buckets."""
        for number in range(after // SPAN, len(self._blocks)):
            first = number * SPAN + 1
            found = self._rows(number, buckets)
            numbers = None if found is None else found.astype(np.int64) + first
            own = None if numbers is None else numbers[numbers > after].tolist()
            yield Candidates(max(first, after + 1), first + SPAN - 1, own)

    def _rows(self, number: int, buckets: np.ndarray) -> np.ndarray | None:
        offset, length = self._blocks[number]

        def read(at: int, size: int) -> bytes:
            return os.pread(self._file, size, offset + at)

        before = read(0, HEAD)
        head = segment.header(before)
        if head is None or head.state == CHANGING:
            return None
        found = segment.rows(read, length, buckets)
        return found if read(0, HEAD) == before else None  # rows are taken out in place, perhaps just now


def _blocks(file: int, *, sound: bool = False) -> list[tuple[int, int]]:
    """(offset, length of directory and body) of the whole blocks of a file, up to the first that is not. sound: up to the
    first that differs from what was written, too; that reads all of them."""
    found, offset, size = list[tuple[int, int]](), _FIRST, os.fstat(file).st_size
    while (head := segment.header(os.pread(file, HEAD, offset))) is not None and offset + HEAD + head.length <= size:
        if sound and not segment.is_sound(os.pread(file, HEAD + head.length, offset)):
            break
        found.append((offset, head.length))
        offset += HEAD + head.length
    return found


class Maker:
    """Makes an index: appends blocks to what there is of it, or begins it again. One at a time, the caller sees to that."""

    def __init__(self, path: Path, identity: Identity) -> None:
        self.path = path
        self.identity = identity
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # what was made of other rows serves until this one is whole
        self._new = path.with_name(path.name + ".new")
        known = self._known(path)
        self.target = path if known is not None else self._new  # which file grows
        if known is None:
            known = self._known(self._new)
        self.blocks = self._begun() if known is None else known

    def _known(self, path: Path) -> int | None:
        """How many blocks of ours a file has, after cutting off what is behind them; None when it is not of these rows."""
        own = Index.open(path)
        if own is None:
            return None
        with own:
            if own.identity != self.identity:
                return None
        with locked(path, mode=None) as file:
            good = _blocks(file, sound=True)
            os.ftruncate(file, good[-1][0] + HEAD + good[-1][1] if good else _FIRST)
        return len(good)

    def _begun(self) -> int:
        self._new.unlink(missing_ok=True)
        file = os.open(self._new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, _START.pack(_MAGIC, *self.identity, 0))
            os.fsync(file)
        finally:
            os.close(file)
        return 0

    def append(self, block: bytes) -> None:
        """Put the next block behind the others, on the disk."""
        with locked(self.target, mode=None) as file:
            end = os.lseek(file, 0, os.SEEK_END)
            # the header last: a block that was cut off by a crash has none
            _pwrite(file, block[HEAD:], end + HEAD)
            os.fsync(file)
            _pwrite(file, block[:HEAD], end)
            os.fsync(file)
        self.blocks += 1

    def finish(self) -> None:
        """All rows are in it: from now on it is the index."""
        if self.target != self.path:
            self.target.replace(self.path)
            self.target = self.path


def paths(path: Path) -> tuple[Path, Path]:
    """Where an index is, and where it is being made again."""
    return path, path.with_name(path.name + ".new")


def take_out(path: Path, numbers: Sequence[int]) -> None:
    """Take the rows with these numbers out of an index, in place, and note that. What cannot be read goes as a whole. Raises
    OSError."""
    with suppress(FileNotFoundError), locked(path, mode=None) as file:
        start = os.pread(file, _FIRST, 0)
        if len(start) < _FIRST or not start.startswith(_MAGIC):
            path.unlink()
            return
        by_block: dict[int, list[int]] = {}
        for number in numbers:
            by_block.setdefault((number - 1) // SPAN, []).append((number - 1) % SPAN)
        blocks = _blocks(file)
        for number, gone in sorted(by_block.items()):
            if number < len(blocks) and not _change(file, *blocks[number], gone):
                path.unlink()
                return
        os.fsync(file)


def note_removed(path: Path, removed: int) -> None:
    """From now on the index says that this many removed rows were taken out of it. Raises OSError."""
    with suppress(FileNotFoundError), locked(path, mode=None) as file:
        _pwrite(file, struct.pack("<Q", removed), _REMOVED_AT)


def _change(file: int, offset: int, length: int, gone: Sequence[int]) -> bool:
    """Whether rows could be taken out: not of a block that is damaged, which would get the checksums of what is wrong.

    Readers go round the block until it is whole again; after a crash in between it is made again."""
    block = os.pread(file, HEAD + length, offset)
    if not segment.is_sound(block):
        return False
    changed = segment.without(block, gone)
    _pwrite(file, Header(CHANGING, length, 0).packed(), offset)
    os.fsync(file)
    _pwrite(file, changed[HEAD:], offset + HEAD)
    os.fsync(file)
    _pwrite(file, changed[:HEAD], offset)
    return True


def _pwrite(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written
