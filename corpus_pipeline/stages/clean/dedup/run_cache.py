"""Runs kept on the disk beside the work of a home: what corpus scope need not read from the database again.

They are made from the database and can be made again at any time: whatever is missing, damaged or of an earlier state of
a file is left out, and anyone who asks makes it again. A kept run is one file, complete before it gets its name and never
changed after that, so that processes need not know of each other: two that keep the same file, or join the same runs,
make a copy too many, of which a reader takes one. Its last bytes are a checksum of the others: verdicts follow from what
is in it, so a changed bit must not count.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
import zlib
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np
import orjson

from corpus_pipeline.stages.clean.dedup.sorted_runs import FileRun, Known, joined

log = logging.getLogger(__name__)

SUFFIX, _PART = ".run", ".part"
_ABANDONED_SECONDS = 24 * 3600
# as many runs of about the same size become one: a row is written log4 times, and a lookup asks few runs
_JOINED_FROM = 4
_JOINED_UP_TO = 2_000_000  # rows of a run that is still joined with others; bounds the memory of it to some 2 GB
_ALIGNED = 64
_MAGIC = b"corpus run 3\n"
_OLD_MAGIC = (b"corpus run 1\n", b"corpus run 2\n")
_CHECKSUM = 4  # bytes of a CRC-32


class Member(NamedTuple):
    """A file of a run; state: differs whenever the file's rows or verdicts do."""

    file: int
    state: str


class _Kept(NamedTuple):
    path: Path
    members: tuple[Member, ...]
    run: FileRun


class KeptRuns:
    """The runs of one way to compare in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def known(self, wanted: Sequence[Member]) -> tuple[list[Known], list[Member]]:
        """The runs that hold the wanted files, each file once, and the files that no run holds."""
        missing = set(wanted)
        found = []
        for kept in self._kept():
            files = [member for member in kept.members if member in missing]
            if files:
                missing.difference_update(files)
                numbers = np.array(sorted(member.file for member in files), np.int64)
                found.append(Known(kept.run, numbers, len(files) == len(kept.members)))
        return found, [member for member in wanted if member in missing]

    def keep(self, run: FileRun, member: Member, wanted: Sequence[Member]) -> None:
        """Keep the run of a file. Runs without a wanted file go, and small ones are joined. A disk that cannot be
        written is not worth ending the work for: it is said in the log."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self._folder, run, [member])
            self._tidy({*wanted, member})
        except OSError as error:
            log.warning("could not keep what corpus-scope deduplication knows in %s: %s", self._folder, error)

    def _tidy(self, wanted: set[Member]) -> None:
        for part in self._folder.glob(f"*{_PART}"):
            if part.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                part.unlink(missing_ok=True)
        by_size: dict[int, list[_Kept]] = {}
        seen = set[Member]()
        for kept in self._kept():
            if wanted.intersection(kept.members) <= seen:  # nothing that counts, or another run has it
                kept.path.unlink(missing_ok=True)
                continue
            seen.update(kept.members)
            if len(kept.run.ids) < _JOINED_UP_TO:
                by_size.setdefault(len(kept.run.ids).bit_length() // 2, []).append(kept)
        for alike in by_size.values():
            if len(alike) < _JOINED_FROM:
                continue
            left, parts = set(wanted), list[Known]()
            members = list[Member]()
            for kept in alike:
                files = [member for member in kept.members if member in left]
                left.difference_update(files)
                members += files
                numbers = np.array([member.file for member in files], np.int64)
                parts.append(Known(kept.run, numbers, len(files) == len(kept.members)))
            _write(self._folder, joined(parts), members)
            for kept in alike:
                kept.path.unlink(missing_ok=True)

    def _kept(self) -> list[_Kept]:
        """What is there, the largest first; files that go in the meantime are left out, and damaged ones go."""
        found = []
        for path in self._folder.glob(f"*{SUFFIX}"):
            try:
                found.append(_open(path))
            except OSError as error:
                log.info("%s is left out: %s", path, error)
            except (ValueError, KeyError, TypeError) as error:
                with suppress(OSError):
                    if not _is_of_another_version(path):
                        log.warning("%s is damaged (%s): it is taken away, and made again", path, error)
                    path.unlink(missing_ok=True)
        return sorted(found, key=lambda kept: (-len(kept.run.ids), kept.path.name))


def damaged(folder: Path) -> tuple[int, list[Path]]:
    """(how many kept runs lie below a folder, those that are not as they were written). Reads all of them."""
    paths, found = sorted(folder.rglob(f"*{SUFFIX}")), list[Path]()
    for path in paths:
        try:
            _open(path)
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError):
            if not _is_of_another_version(path):
                found.append(path)
    return len(paths), found


def _write(folder: Path, run: FileRun, members: Sequence[Member]) -> None:
    """One file: the magic line, the length of a header, the header in JSON, the arrays, each at a multiple of 64 bytes, and
    the CRC-32 of all that."""
    columns = [np.ascontiguousarray(column) for column in run]
    described = [(column.dtype.str, column.shape) for column in columns]
    header = orjson.dumps({"members": [tuple(member) for member in members], "columns": described})
    path = folder / f"{uuid.uuid4().hex}{SUFFIX}"
    part = path.with_suffix(_PART)
    try:
        with part.open("xb") as out:
            check = 0

            def put(piece: bytes | memoryview) -> None:
                nonlocal check
                check = zlib.crc32(piece, check)
                out.write(piece)

            put(_MAGIC + len(header).to_bytes(8, "little") + header)
            for column in columns:
                put(bytes(-out.tell() % _ALIGNED))
                put(column.reshape(-1).view(np.uint8).data)
            out.write(check.to_bytes(_CHECKSUM, "little"))
            out.flush()
            os.fsync(out.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


def _is_of_another_version(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) in _OLD_MAGIC


@lru_cache(maxsize=4096)
def _is_sound(path: Path, inode: int, size: int, changed: int) -> bool:
    """Whether a file is as it was written: looked at once by a process, and again when its inode was touched."""
    mapped = np.memmap(path, np.uint8, mode="r")
    return zlib.crc32(mapped[:-_CHECKSUM].data) == int.from_bytes(mapped[-_CHECKSUM:].tobytes(), "little")


def _open(path: Path) -> _Kept:
    """Raises OSError, and ValueError, KeyError or TypeError for a file that is damaged or of another version."""
    mapped = np.memmap(path, np.uint8, mode="r")
    start = len(_MAGIC) + 8
    facts = path.stat()
    if mapped[: len(_MAGIC)].tobytes() != _MAGIC or not _is_sound(path, facts.st_ino, facts.st_size, facts.st_ctime_ns):
        raise ValueError("not the bytes that were written")
    end = start + int.from_bytes(mapped[len(_MAGIC) : start].tobytes(), "little")
    header = orjson.loads(mapped[start:end].tobytes())
    columns = []
    for kind, shape in header["columns"]:
        start = end + -end % _ALIGNED
        end = start + prod(shape) * np.dtype(kind).itemsize
        if end > len(mapped):
            raise ValueError("cut off")
        columns.append(np.asarray(mapped[start:end]).view(kind).reshape(shape))
    return _Kept(path, tuple(Member(*member) for member in header["members"]), FileRun(*columns))
