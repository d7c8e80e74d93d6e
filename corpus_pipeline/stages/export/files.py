"""The few things that the export asks of a file system, and what its refusals mean for a person.

A temporary file is locked (`flock`) by the process that writes it, so that a later process can tell a dead writer's
leftovers from the work of a live one; the kernel releases the lock when the writer dies, however it dies.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from urllib.parse import quote

from corpus_pipeline import file_locks
from corpus_pipeline.errors import TargetUnavailable

TEMPORARY = ".tmp"
_CAN_STAY = {os.open, os.stat, os.unlink, os.rename, os.link} <= os.supports_dir_fd
CHUNK = 1 << 20
_MOST_BYTES = 150  # of a name, which gets prefixes and suffixes and may not exceed 255

_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "the disk quota is used up: free some space or ask for more",
    errno.EIO: "the disk reports an error: check it (`dmesg`), or choose another place",
    errno.EROFS: "the file system is read-only: choose another place",
    errno.EACCES: "permission is denied: grant write permission",
    errno.EPERM: "permission is denied: grant write permission",
    errno.ENOTDIR: "a part of the path is a file: choose another place",
}


@contextlib.contextmanager
def explained(place: Path, setting: str) -> Iterator[None]:
    """Turns an OSError below `place` into TargetUnavailable that says what to do; `setting` chooses the place."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, f"{error.strerror or error}: see to it")
        raise TargetUnavailable(
            f"cannot write below {place}: {advice} ({setting}), then run the export again."
            " The previous export is untouched."
        ) from error


def temporary_path(folder: Path, stem: str, suffix: str = TEMPORARY) -> Path:
    """A name that no one else takes, and that `sweep` knows as one of a temporary."""
    return folder / f".{stem}.{secrets.token_hex(6)}{suffix}"


@contextlib.contextmanager
def opened_folder(root: Path, *names: str) -> Iterator[int | None]:
    """A descriptor of the folder `names` lead to below `root`, step by step: a link on the way is followed when it is ours.

    What is done within it stays in it, whatever others make of the names. None where the system has no such calls.
    Raises TargetUnavailable for a link that another user made; OSError.
    """
    if not _CAN_STAY:
        yield None
        return
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    at = os.open(root, flags)
    try:
        for number, name in enumerate(names):
            below = os.open(_own_name(at, name, root.joinpath(*names[: number + 1])), flags | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        yield at
    finally:
        os.close(at)


def _own_name(at: int, name: str, path: Path) -> str:
    """Where a name in an open folder leads, one step far: to itself, or by a link of ours."""
    found = os.stat(name, dir_fd=at, follow_symlinks=False)
    if not stat.S_ISLNK(found.st_mode):
        return name
    if found.st_uid != os.geteuid():
        raise TargetUnavailable(
            f"{path} is a link that another user made; nothing is written where it leads. Remove it, then run the export"
            " again."
        )
    return os.path.realpath(path)


def create_temporary(
    folder: Path, stem: str, *, mode: int = 0o666, suffix: str = TEMPORARY, within: int | None = None
) -> tuple[int, Path]:
    """(descriptor, path) of a new, locked, writable file `.<stem>.<random><suffix>`; `mode` is subject to the umask.
    within: `folder`, opened."""
    while True:
        path = temporary_path(folder, stem, suffix)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            descriptor = os.open(name_in(path, within), flags, mode, dir_fd=within)
        except FileExistsError:
            continue
        if file_locks.take(descriptor) and _same_file(descriptor, path, within):
            return descriptor, path
        os.close(descriptor)  # a sweeper took the file in the instant before it was locked


def name_in(path: Path, within: int | None) -> Path | str:
    """How a file is named for calls within an open folder."""
    return path if within is None else path.name


def rename(temporary: Path, path: Path, within: int | None) -> None:
    """Give a temporary its name, in the folder in which both are."""
    os.replace(name_in(temporary, within), name_in(path, within), src_dir_fd=within, dst_dir_fd=within)


def discard(path: Path, within: int | None) -> None:
    """Remove a file when it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name_in(path, within), dir_fd=within)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes, *, mode: int = 0o666, within: int | None = None) -> None:
    """Replaces the file at `path` by `content`: a reader sees the old bytes or the new ones. within: its folder, opened.
    Raises OSError."""
    replace_whole(path, lambda descriptor: write_all(descriptor, content), mode=mode, within=within)


def replace_whole(path: Path, fill: Callable[[int], None], *, mode: int = 0o666, within: int | None = None) -> None:
    """As `write_whole`; `fill` writes the content to a descriptor. Raises OSError, and what `fill` raises."""
    descriptor, temporary = create_temporary(path.parent, path.name[:100], mode=mode, within=within)
    try:
        fill(descriptor)
        os.fsync(descriptor)
        rename(temporary, path, within)
    except BaseException:
        discard(temporary, within)
        raise
    finally:
        os.close(descriptor)
    sync_folder(path.parent)


def write_all(descriptor: int, content: bytes) -> None:
    """Writes every byte; a short write (as on a disk that fills up) is continued until the error shows itself."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def sweep(folder: Path, *, suffix: str = TEMPORARY, keep: Collection[str] = ()) -> list[str]:
    """Removes temporaries directly in `folder` that no live process writes and that are not in `keep`; their names."""
    removed = []
    for path in sorted(folder.glob(f".*{suffix}")) if folder.is_dir() else ():
        if path.name in keep or not path.is_file():
            continue
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                if file_locks.take(descriptor) and _same_file(descriptor, path):
                    path.unlink()
                    removed.append(path.name)
            finally:
                os.close(descriptor)
    return removed


def _same_file(descriptor: int, path: Path, within: int | None = None) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(name_in(path, within), dir_fd=within))
    except FileNotFoundError:
        return False


def path_component(name: str) -> str:
    """A name as one path component: letters of any script stay, what paths or globs misread is escaped.

    Different names give different folders.
    """
    safe = re.sub(r"[^\w.+@=-]", lambda match: quote(match[0], safe=""), name)
    if safe.startswith((".", "-")):
        safe = f"%{ord(safe[0]):02X}{safe[1:]}"
    encoded = safe.encode()
    if len(encoded) <= _MOST_BYTES:
        return safe
    short = encoded[: _MOST_BYTES - 17].decode(errors="ignore")
    return f"{short}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"
