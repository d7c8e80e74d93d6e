"""Copies of remote files in the home folder: whole ones under the hash of their content, begun ones with what to resume by.

<downloads>/<sha256 of the content>/<name of the file>
<downloads>/begun/<hash of the address>.part   what has arrived
<downloads>/begun/<hash of the address>.json   of which version of the file, and which copy was made of it last
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from corpus_pipeline.errors import StopJob, UsageError
from corpus_pipeline.file_locks import locked, take
from corpus_pipeline.stages.ingest.identity import Identity, identify

SCHEMES = ("s3://", "https://", "http://", "hf://")
_RESERVE = 1 << 30  # bytes of the disk that a copy leaves free
_CHUNK = 1 << 20
_MOST_NAME_BYTES = 150

OnBytes = Callable[
    [int, int | None], None
]  # (bytes that are there, bytes of the whole); what it raises ends the copying


def nothing(done: int, whole: int | None) -> None:
    """Tell no one."""


def is_remote(text: str) -> bool:
    """Whether a place is an address of another machine, not a path."""
    return text.startswith(SCHEMES)


class Remote(NamedTuple):
    """One file elsewhere. address: as it is registered and shown, without secrets. url: where its bytes are asked for, which
    may hold some. headers: for the first host only. file_name: of the copy, from which the dataset file gets its name."""

    address: str
    url: str
    file_name: str
    headers: tuple[tuple[str, str], ...] = ()


class Fetched(NamedTuple):
    """A whole copy. fresh: whether bytes were copied now."""

    path: Path
    address: str
    identity: Identity
    fresh: bool


@dataclass
class Copy:
    """One file that is being copied. `version` tells one state of the remote file from another (an entity tag)."""

    remote: Remote
    folder: Path
    part: Path
    note: Path
    version: str | None = None
    size: int | None = None
    last: Identity | None = None  # of the copy that was made of this version
    begun: int = field(default=0)  # bytes of `version` in `part`

    def read(self) -> None:
        """What an earlier process noted."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            body = orjson.loads(self.note.read_bytes())
            self.version, self.size = body["version"], body["size"]
            self.last = Identity(*body["last"]) if body["last"] else None
        with suppress(OSError):
            self.begun = self.part.stat().st_size if self.version else 0

    @property
    def is_made(self) -> bool:
        """Whether the copy of the version that was noted is whole, and there."""
        return self.last is not None and self.version is not None and self._there(self.last)

    def begin(self, version: str | None, size: int | None, limit: int) -> None:
        """Start from nothing with a version of the remote file. Raises UsageError when it is too large, StopJob for no room."""
        self.check_room(size or 0, limit)
        self.version, self.size, self.last, self.begun = version, size, None, 0
        self.part.unlink(missing_ok=True)
        self._write()

    def check_room(self, size: int, limit: int) -> None:
        if size > limit:
            raise UsageError(
                f"{self.remote.address} has {size:,} bytes, more than CORPUS_DOWNLOAD_GIB allows. Raise it, or get the file"
                " another way and add its path."
            )
        free = shutil.disk_usage(self.part.parent).free
        if size - self.begun > max(0, free - _RESERVE):
            raise StopJob(
                f"{self.remote.address} has {size:,} bytes, and {free:,} are free where CORPUS_HOME is. Make room, then"
                " run the same command again."
            )

    def finish(self) -> Fetched:
        """What arrived is the whole file: give it its name."""
        identity = identify(self.part)
        place = self.folder / identity.sha256 / self.remote.file_name
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.part.replace(place)
        self.last = identity
        self._write()
        return Fetched(place, self.remote.address, identity, True)

    def again(self) -> Fetched:
        """The copy that is there already is still the right one."""
        assert self.last is not None
        return Fetched(self.folder / self.last.sha256 / self.remote.file_name, self.remote.address, self.last, False)

    def _there(self, identity: Identity) -> bool:
        with suppress(OSError):
            return (self.folder / identity.sha256 / self.remote.file_name).stat().st_size == identity.size
        return False

    def _write(self) -> None:
        body: dict[str, Any] = {
            "address": self.remote.address,
            "version": self.version,
            "size": self.size,
            "last": list(self.last) if self.last else None,
        }
        temporary = self.note.with_suffix(".new")
        temporary.write_bytes(orjson.dumps(body))
        temporary.replace(self.note)


class Copies:
    """The copies of one home folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def copying(self, remote: Remote) -> Iterator[Copy]:
        """Copy a remote file, one process at a time: another one waits, and finds it done."""
        part = self._part(remote.address)
        part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy = Copy(remote, self._folder, part, part.with_suffix(".json"))
        with locked(part.with_suffix(".lock")):
            copy.read()
            yield copy

    def known(self, sha256: str) -> Path | None:
        """The copy with this content, None when it is not here."""
        with suppress(OSError, StopIteration):
            return next(path for path in sorted((self._folder / sha256).iterdir()) if path.is_file())
        return None

    def forget(self, identities: set[str], addresses: Set[str] = frozenset()) -> tuple[int, list[Path]]:
        """Remove the copies with these sha256, and what was begun of these addresses. Returns how many went, and what is still
        there of them: it cannot be deleted, or another process copies there now."""
        places = [self._folder / sha256 for sha256 in identities if re.fullmatch(r"[0-9a-f]{64}", sha256)]
        before = sum(place.exists() for place in (*places, *map(self._part, addresses)))
        for place in places:
            shutil.rmtree(place, ignore_errors=True)
        for address in addresses:
            part = self._part(address)
            places.append(part)
            with suppress(OSError), part.with_suffix(".lock").open("rb") as lock:
                if take(lock.fileno()):
                    part.unlink()
        left = sorted(place for place in places if place.exists())
        return before - len(left), left

    def _part(self, address: str) -> Path:
        return self._folder / "begun" / f"{hashlib.sha256(address.encode()).hexdigest()[:32]}.part"


def safe_name(text: str) -> str:
    """A name of a file, made of the end of an address: of at most 150 bytes, for file systems take no more than 255.

    >>> safe_name("..")
    'dataset'
    """
    name = re.sub(r"[\x00-\x1f\x7f-\x9f/\\\ud800-\udfff]+", "_", text)
    end = name.encode()[-_MOST_NAME_BYTES:].decode(errors="ignore")
    return end.strip().strip(".") or "dataset"
