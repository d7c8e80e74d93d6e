"""Opening a file that somebody else may have put there: nothing is waited for, and what is no regular file is not read."""

from __future__ import annotations

import os
import stat
from io import FileIO
from pathlib import Path

from corpus_pipeline.errors import ControlFlow


class NotRegular(ControlFlow, OSError):
    """What was opened is no regular file; `mode` is its kind and permissions, as `st_mode`."""

    def __init__(self, mode: int) -> None:
        super().__init__("not a regular file")
        self.mode = mode


def open_regular(path: Path | str, *, follow: bool, within: int | None = None) -> FileIO:
    """Open a regular file for reading, without waiting for a writer and without buffering.

    follow: a symbolic link to a regular file is followed. within: the descriptor of the folder that `path` is relative to.
    Raises NotRegular; OSError for what is missing or not readable, with `errno.ELOOP` for a link that is not followed.
    """
    # without O_NONBLOCK, opening a FIFO would wait for ever
    links = 0 if follow else os.O_NOFOLLOW
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY | links
    descriptor = os.open(path, flags, dir_fd=within)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise NotRegular(mode)
    return FileIO(descriptor, "rb")
