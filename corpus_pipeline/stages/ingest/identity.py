"""What a dataset file is: a regular file with a sha256, a size and a name."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from anyascii import anyascii

from corpus_pipeline import regular_files
from corpus_pipeline.errors import UsageError

_CHUNK = 1 << 20
_NAME_LIMIT = 64
_PACKED = (".gz", ".zst", ".bz2", ".xz", ".zip")
_TEXT = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".tab")
_COLUMNS = (".parquet", ".arrow", ".feather")
SUFFIXES = (*_PACKED, *_TEXT, *_COLUMNS)
# the ends of names that are taken for those of dataset files
DATASET_SUFFIXES = (*_TEXT, *(text + packed for text in _TEXT for packed in _PACKED), *_COLUMNS, ".zip")


class Identity(NamedTuple):
    """sha256 (hex) and size in bytes of a file as it lies on the disk."""

    sha256: str
    size: int


def open_regular(path: Path, *, follow: bool = True) -> FileIO:
    """Open a regular file for reading, without waiting for a writer and without buffering.

    follow: a symbolic link to a regular file is followed. Raises UsageError for all else: missing, not readable, a directory, a
    FIFO, a socket, a device.
    """
    try:
        return regular_files.open_regular(path, follow=follow)
    except regular_files.NotRegular as error:
        kind = _kind(error.mode)
        raise UsageError(f"{path}: is {kind}, not a regular file. Give the path of a .jsonl or .json file.") from None
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file.") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be opened: {error.strerror}.") from error


def identify(path: Path, *, follow: bool = True) -> Identity:
    """Read the whole file once. Raises UsageError as `open_regular`."""
    digest, size = hashlib.sha256(), 0
    with open_regular(path, follow=follow) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return Identity(digest.hexdigest(), size)


def dataset_name(path: Path) -> str:
    """A partition key from a file name: `[a-z0-9_-]{1,64}`, no `-` at its begin, without the suffixes of containers and
    compression. Other scripts are spelled in Latin letters (`anyascii`).

    A name that had to be cut ends with a hash of the whole, so that two long names stay two.

    >>> dataset_name(Path("in/My Chats (2).jsonl.gz"))
    'my_chats_2'
    >>> dataset_name(Path("数据集.jsonl"))
    'shujuji'
    """
    stem = path.name
    while Path(stem).suffix.lower() in SUFFIXES:
        stem = Path(stem).stem
    slug = re.sub(r"[^a-z0-9_-]+", "_", anyascii(stem).lower()).lstrip("_-").rstrip("_")
    if not slug:
        return "file-" + hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]
    if len(slug) > _NAME_LIMIT:
        slug = f"{slug[: _NAME_LIMIT - 9]}-{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]}"
    return slug


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a FIFO"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((name for test, name in kinds if test(mode)), "something else")
