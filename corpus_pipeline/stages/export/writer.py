"""The spool: lines go to a part file in the work folder, resumable at every mark, and leave it as one whole file.

The bytes depend on the lines and, when compressed, on where the marks are; never on how often the work was cut. With
gzip each stretch between two marks is a member of its own (RFC 1952 section 2.2), no name and no time in its header.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from corpus_pipeline import file_locks
from corpus_pipeline.stages.export.files import (
    CHUNK,
    create_temporary,
    explained,
    path_component,
    sweep,
    write_all,
)

Compression = Literal["none", "gzip"]

PART = ".part"
_SETTING = "CORPUS_HOME"
_GZIP = 16 + zlib.MAX_WBITS  # zlib's way to say gzip; the header it writes has time 0 and no name
_LEVEL = 6
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Position(NamedTuple):
    """A place from which a part can be continued: what is on disk up to `bytes`, and that it is the right thing.

    part: file name in the work folder. bytes: in the file, so after compression. sha256: hex, of those bytes.
    """

    part: str
    lines: int
    bytes: int
    sha256: str


class FileFacts(NamedTuple):
    """A finished file: `bytes` and `sha256` (hex) are of the file as it is there, compressed or not."""

    path: Path
    lines: int
    bytes: int
    sha256: str
    compression: Compression


class LineSpool:
    """Appends lines to a part file. Made by `start` or `resume`; not for several threads.

    Every method raises TargetUnavailable when the disk refuses; what was marked before can then still be resumed,
    unless the disk itself reported a failure to store it.
    """

    def __init__(self, descriptor: int, path: Path, compression: Compression) -> None:
        self.path = path
        self.lines = 0
        self._descriptor = descriptor
        self._compression = compression
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._member: zlib._Compress | None = None
        self._marked: Position | None = None

    @classmethod
    def start(cls, work_folder: Path, name: str, compression: Compression = "none") -> LineSpool:
        """A new part for the export of `name`, readable by its owner only."""
        with explained(work_folder, _SETTING):
            work_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, path = create_temporary(work_folder, path_component(name), mode=0o600, suffix=PART)
        return cls(descriptor, path, compression)

    @classmethod
    def resume(cls, work_folder: Path, position: Position, compression: Compression = "none") -> LineSpool | None:
        """The part as it was at `position`; None when it is missing, shorter, altered, or still written by someone."""
        path = work_folder / position.part
        if path.parent != work_folder or not position.part.endswith(PART):
            return None
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return None
        spool = cls(descriptor, path, compression)
        if file_locks.take(descriptor) and spool._rewound_to(position):
            return spool
        os.close(descriptor)
        return None

    def write(self, lines: Iterable[bytes]) -> int:
        """Appends encoded lines (each without its line end, holding none); returns how many."""
        block: list[bytes] = []
        held = count = 0
        for line in lines:
            block.append(line)
            count += 1
            held += len(line) + 1
            if held >= CHUNK:
                self._append(block)
                block, held = [], 0
        if block:
            self._append(block)
        self.lines += count
        return count

    def mark(self) -> Position:
        """Flushes to the disk and says from where to continue."""
        with self._guarded():
            self._end_member()
            os.fsync(self._descriptor)
        self._marked = Position(self.path.name, self.lines, self._bytes, self._hash.hexdigest())
        return self._marked

    def finish(self) -> FileFacts:
        """Closes the part and says what is in it; the file stays until `discard` or `sweep_parts`."""
        with self._guarded():
            if self._compression == "gzip" and not self._bytes and self._member is None:
                self._append([])  # an empty gzip file still has one member
            self._end_member()
            os.fsync(self._descriptor)
        facts = FileFacts(self.path, self.lines, self._bytes, self._hash.hexdigest(), self._compression)
        self.close()
        return facts

    def close(self) -> None:
        """Releases the part and leaves it for a later resume."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def discard(self) -> None:
        """Removes the part."""
        self.path.unlink(missing_ok=True)
        self.close()

    def _append(self, lines: list[bytes]) -> None:
        content = b"".join([line + b"\n" for line in lines])
        if self._compression == "gzip":
            if self._member is None:
                self._member = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
            content = self._member.compress(content)
        with self._guarded():
            self._store(content)

    def _end_member(self) -> None:
        if self._member is not None:
            member, self._member = self._member, None
            self._store(member.flush())

    def _store(self, content: bytes) -> None:
        write_all(self._descriptor, content)
        self._hash.update(content)
        self._bytes += len(content)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        with explained(self.path.parent, _SETTING):
            try:
                yield
            except OSError as error:
                self._give_back(error)
                raise

    def _give_back(self, error: OSError) -> None:
        """A full disk gets back what no mark covers; after any other failure the part cannot be trusted."""
        if error.errno in _FULL and self._marked is not None:
            os.ftruncate(self._descriptor, self._marked.bytes)
            self.close()
        else:
            self.discard()

    def _rewound_to(self, position: Position) -> bool:
        left = position.bytes
        while left:
            content = os.read(self._descriptor, min(left, CHUNK))
            if not content:
                return False
            self._hash.update(content)
            left -= len(content)
        if self._hash.hexdigest() != position.sha256:
            return False
        os.ftruncate(self._descriptor, position.bytes)
        os.lseek(self._descriptor, position.bytes, os.SEEK_SET)
        self.lines, self._bytes, self._marked = position.lines, position.bytes, position
        return True


def sweep_parts(work_folder: Path, keep: Iterable[Position] = ()) -> list[str]:
    """Removes parts that no live process writes and that no kept position needs; returns their names."""
    return sweep(work_folder, suffix=PART, keep={position.part for position in keep})
