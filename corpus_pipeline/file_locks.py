"""Locks on files between processes. The kernel releases them when their holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def wait_for(descriptor: int, *, shared: bool = False) -> None:
    """Lock an open file, waiting for its holder. It is released when all copies of the descriptor are closed."""
    fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)


def take(descriptor: int) -> bool:
    """Lock an open file unless another one holds it; returns whether this descriptor holds it now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for_process(descriptor: int) -> None:
    """As `wait_for`, but for this process alone: a forked child does not keep it (POSIX record lock).

    Closing any descriptor of the file in this process releases it."""
    fcntl.lockf(descriptor, fcntl.LOCK_EX)


def take_for_process(descriptor: int) -> bool:
    """As `take`, against a lock of `wait_for_process`."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # EACCES or EAGAIN, as the system likes
        return False
    return True


@contextmanager
def locked(path: Path, *, mode: int | None = 0o600) -> Iterator[int]:
    """Hold the lock of a file inside the block, waiting for it; yields its descriptor, open for reading and writing.

    mode: of a file that is made for it; None when the file must exist. Raises OSError when it cannot be opened."""
    create = 0 if mode is None else os.O_CREAT
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | create, mode or 0)
    try:
        wait_for(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)
