"""Paid answers on disk at the moment they arrive, before the commit that they wait for: a kill or a database that is away,
full or read-only loses none of them.

One worker appends to files of its own below CORPUS_HOME/spool (mode 0600): a record is in the system's hands as soon as it is
written, and on the disk with the next sync of the group. The room of a file is reserved when it is made, so that a full disk
does not refuse it. What is committed is given up; what is left over is taken in by the next start of the task.
"""

from __future__ import annotations

import asyncio
import logging
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from corpus_pipeline import file_locks
from corpus_pipeline.model import Answer, NanoDollars, TaskId, Usage
from corpus_pipeline.states import AttemptState
from corpus_pipeline.store import Store, ledger
from corpus_pipeline.store.ledger import Recovered, Settlement

log = logging.getLogger(__name__)

_ROOM = 4 << 20  # bytes that a file reserves
_SYNC_SECONDS = 0.25
_HEAD = struct.Struct("<II")  # length and CRC-32 of a record
_END = _HEAD.pack(0, 0)


class Segment:
    """One file: appended to until it is full, given up when all of it is committed."""

    def __init__(self, path: Path, room: int) -> None:
        self.path, self.room = path, room
        self.end = 0
        self.pending = 0  # records that are not committed
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        file_locks.wait_for(self.fd)  # anyone who finds it unlocked may take it away
        with suppress(OSError):  # not every file system reserves
            os.posix_fallocate(self.fd, 0, room)

    def write(self, record: bytes) -> None:
        raw = _HEAD.pack(len(record), zlib.crc32(record)) + record + _END
        os.pwrite(self.fd, raw, self.end)
        self.end += len(raw) - len(_END)

    def has_room(self, length: int) -> bool:
        return self.end + length + 2 * _HEAD.size <= self.room

    def rewind(self) -> None:
        """Begin at the front again: everything is committed."""
        os.pwrite(self.fd, _END, 0)
        self.end = 0

    def close(self, *, remove: bool) -> None:
        if remove:
            self.path.unlink(missing_ok=True)
        os.close(self.fd)


class Spool:
    """The answers of one worker on one task. Use from one event loop."""

    def __init__(self, folder: Path, task_id: TaskId, *, room: int = _ROOM) -> None:
        self._folder, self._room = folder, room
        self._prefix = f"{task_id}-{os.getpid()}-{os.urandom(4).hex()}"
        self._count = 0
        self._current: Segment | None = None
        self._full: set[Segment] = set()
        self._sync_timer: asyncio.TimerHandle | None = None
        self._syncer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="corpus-spool")
        self._is_lame = False

    def append(self, settlement: Settlement, key: str, answer: Answer) -> Segment | None:
        """Write an answer down; returns where, for `committed`. None where it cannot be: the commit is still to come."""
        try:
            record = orjson.dumps(_plain(settlement, key, answer))
            segment = self._segment(len(record))
            segment.write(record)
        except (OSError, TypeError) as error:  # TypeError: a text that is no Unicode
            if not self._is_lame:
                self._is_lame = True
                log.warning("answers cannot be spooled below %s: %s", self._folder, error)
            return None
        segment.pending += 1
        if self._sync_timer is None:
            self._sync_timer = asyncio.get_running_loop().call_later(_SYNC_SECONDS, self._sync)
        return segment

    def committed(self, segments: Iterable[Segment]) -> None:
        """These records are in the database."""
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
        """Give up what is committed and leave the rest for the next start."""
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
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._count += 1
            path = self._folder / f"{self._prefix}-{self._count}.spool"
            self._current = Segment(path, max(self._room, length + 2 * _HEAD.size))
        return self._current

    def _sync(self) -> None:
        """Bring what is not committed by now to the disk, beside the event loop."""
        self._sync_timer = None
        open_now = [segment for segment in (*self._full, self._current) if segment is not None and segment.pending]
        for segment in open_now:
            self._syncer.submit(_fdatasync, segment)


def _fdatasync(segment: Segment) -> None:
    with suppress(OSError):  # given up by now, or the disk failed: the commit tells
        os.fdatasync(segment.fd)


# --- collecting -------------------------------------------------------------------------------------------------------------


def left_over(folder: Path, task_id: TaskId) -> list[Path]:
    """The files that earlier workers of a task left."""
    return sorted(folder.glob(f"{task_id}-*.spool")) if folder.is_dir() else []


def settle_all(store: Store, folder: Path) -> int:
    """Collect what workers that are dead left, of any task, and remove their files: a purge must find every answer in the
    database. Returns how many answers."""
    paths = [path for path in sorted(folder.glob("*.spool")) if _is_left(path)] if folder.is_dir() else []
    if not paths:
        return 0
    found = read(paths)
    count = store.write(lambda c: ledger.recover(c, store.backend, found), repeatable=True, name="spooled answers")
    remove(paths)
    return count


def _is_left(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return file_locks.take(fd)
    finally:
        os.close(fd)


def read(paths: Iterable[Path]) -> list[Recovered]:
    """The answers in some files, as far as they are whole."""
    return [found for path in paths for found in _read(path)]


def remove(paths: Iterable[Path]) -> None:
    """Take files away whose answers are committed; not those of a worker that still lives."""
    for path in paths:
        with suppress(OSError):
            fd = os.open(path, os.O_RDWR)
            try:
                if file_locks.take(fd):
                    path.unlink(missing_ok=True)
            finally:
                os.close(fd)


def _read(path: Path) -> Iterator[Recovered]:
    try:
        raw = path.read_bytes()
    except OSError:
        return
    at = 0
    while at + _HEAD.size <= len(raw):
        length, check = _HEAD.unpack_from(raw, at)
        record = raw[at + _HEAD.size : at + _HEAD.size + length]
        if not length or len(record) < length or zlib.crc32(record) != check:
            return
        yield _recovered(orjson.loads(record))
        at += _HEAD.size + length


def _plain(settlement: Settlement, key: str, answer: Answer) -> list[Any]:
    body = settlement._replace(usage=tuple(settlement.usage))  # type: ignore[arg-type]
    prices = None if settlement.prices is None else tuple(settlement.prices)
    return [tuple(body._replace(prices=prices)), key, tuple(answer._replace(usage=None))]  # type: ignore[arg-type]


def _recovered(plain: list[Any]) -> Recovered:
    settled, key, answer = plain
    ended = Settlement(*settled)
    usage = Usage(*ended.usage)
    prices = None if ended.prices is None else tuple(ended.prices)
    ended = ended._replace(state=AttemptState(ended.state), usage=usage, cost=NanoDollars(ended.cost), prices=prices)  # type: ignore[arg-type]
    return Recovered(ended, key, Answer(*answer)._replace(usage=usage))
