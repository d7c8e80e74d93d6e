"""Records on disk at the moment they come, in files of one writer, until they are needed no more.

A record is in the system's hands as soon as it is written, so that a kill loses none, and on the disk with the next sync of the
group. The room of a file is reserved when it is made, so that a full disk does not refuse it. Files have mode 0600 and are
locked while their writer lives.
"""

from __future__ import annotations

import asyncio
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from corpus_pipeline import file_locks

_ROOM = 4 << 20  # bytes that a file reserves
_SYNC_SECONDS = 0.25
_HEAD = struct.Struct("<II")  # length and CRC-32 of a record
_END = _HEAD.pack(0, 0)


class Segment:
    """One file: appended to until it is full, given up when nothing of it is needed any more."""

    def __init__(self, path: Path, room: int) -> None:
        self.path, self.room = path, room
        self.end = 0
        self.pending = 0  # records that are still needed
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        file_locks.wait_for(self.fd)  # anyone who finds it unlocked may take it away
        with suppress(OSError):  # not every file system reserves
            os.posix_fallocate(self.fd, 0, room)

    def write(self, *parts: bytes) -> None:
        """One record, which is its parts one behind the other. Raises OSError."""
        length, check = 0, 0
        for part in parts:
            length, check = length + len(part), zlib.crc32(part, check)
        os.pwritev(self.fd, [_HEAD.pack(length, check), *parts, _END], self.end)
        self.end += _HEAD.size + length

    def has_room(self, length: int) -> bool:
        return self.end + length + 2 * _HEAD.size <= self.room

    def rewind(self) -> None:
        """Begin at the front again: nothing of it is needed."""
        os.pwrite(self.fd, _END, 0)
        self.end = 0

    def close(self, *, remove: bool) -> None:
        if remove:
            self.path.unlink(missing_ok=True)
        os.close(self.fd)


class RecordFiles:
    """The files of one writer, `folder/{prefix}-N.{suffix}`. Use from one event loop."""

    def __init__(self, folder: Path, prefix: str, suffix: str, *, room: int = _ROOM) -> None:
        self._folder, self._prefix, self._suffix, self._room = folder, prefix, suffix, room
        self._count = 0
        self._current: Segment | None = None
        self._full: set[Segment] = set()
        self._sync_timer: asyncio.TimerHandle | None = None
        self._syncer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="corpus-spool")

    def append(self, *parts: bytes) -> Segment:
        """Write a record down; returns where, for `done`. Raises OSError where it cannot be."""
        segment = self._segment(sum(map(len, parts)))
        segment.write(*parts)
        segment.pending += 1
        if self._sync_timer is None:
            self._sync_timer = asyncio.get_running_loop().call_later(_SYNC_SECONDS, self._sync)
        return segment

    def done(self, segments: Iterable[Segment]) -> None:
        """One record of each of these is needed no more."""
        for segment in segments:
            segment.pending -= 1
            if segment.pending:
                continue
            if segment is self._current:
                segment.rewind()
            elif segment in self._full:
                self._full.discard(segment)
                segment.close(remove=True)

    def close(self) -> None:
        """Give up what is not needed and leave the rest, on the disk."""
        if self._sync_timer is not None:
            self._sync_timer.cancel()
        self._syncer.shutdown()
        for segment in (*self._full, *((self._current,) if self._current else ())):
            with suppress(OSError):
                os.fdatasync(segment.fd)
            segment.close(remove=not segment.pending)
        self._full.clear()
        self._current = None

    def _segment(self, length: int) -> Segment:
        if self._current is None or not self._current.has_room(length):
            if self._current is not None:
                self._full.add(self._current)
                self._current = None
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._count += 1
            path = self._folder / f"{self._prefix}-{self._count}.{self._suffix}"
            self._current = Segment(path, max(self._room, length + 2 * _HEAD.size))
        return self._current

    def _sync(self) -> None:
        """Bring what is still needed to the disk, beside the event loop."""
        self._sync_timer = None
        open_now = [segment for segment in (*self._full, self._current) if segment is not None and segment.pending]
        for segment in open_now:
            self._syncer.submit(_fdatasync, segment)


def _fdatasync(segment: Segment) -> None:
    with suppress(OSError):  # given up by now, or the disk failed
        os.fdatasync(segment.fd)


def is_left(path: Path) -> bool:
    """Whether the writer of a file is dead."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return file_locks.take(descriptor)
    finally:
        os.close(descriptor)


def remove(paths: Iterable[Path]) -> None:
    """Take files away, but for those of a writer that still lives."""
    for path in paths:
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDWR)
            try:
                if file_locks.take(descriptor):
                    path.unlink(missing_ok=True)
            finally:
                os.close(descriptor)


def records(path: Path, told: Callable[[str], None] | None = None) -> Iterator[bytes]:
    """The records of a file that are whole; of a damaged one its neighbours. told: hears in a sentence what is not there."""
    try:
        raw = path.read_bytes()
    except OSError:
        return
    at = lost = 0
    while at + _HEAD.size <= len(raw):
        length, check = _HEAD.unpack_from(raw, at)
        if not length and not check:
            break
        record = raw[at + _HEAD.size : at + _HEAD.size + length]
        if not length or len(record) < length:  # where the next one begins is not known
            lost += len(raw[at:].rstrip(b"\0"))
            break
        if zlib.crc32(record) == check:
            yield record
        else:
            lost += len(record)
        at += _HEAD.size + length
    if lost and told is not None:
        told(f"{path}: {lost:,} bytes are not as they were written, and what they said is lost")
