"""The bytes of media: what they are by their first bytes (`formats.media_types`), and how many are too many."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import os
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from corpus_pipeline.addresses import inside, is_global, literal
from corpus_pipeline.formats import media_types
from corpus_pipeline.model import Medium
from corpus_pipeline.regular_files import open_regular
from corpus_pipeline.stages.skip_reasons import SkipReason

MOST_BYTES: Final = {"image": 5 * 1024 * 1024}  # the least that a known provider takes of a picture
MOST_BYTES_OF_OTHERS: Final = 15 * 1024 * 1024
_LONGEST_ADDRESS: Final = 8192
_INNER: Final = frozenset({"internal", "local", "localhost", "localdomain", "lan", "home", "corp", "arpa"})

Read = Medium | Literal[SkipReason.MEDIA, SkipReason.MEDIA_TOO_LARGE]  # a medium, or why there is none


def by_address(kind: str, url: str, mime: str | None) -> Read:
    """A medium that the provider fetches for itself: by https from a host of the internet, since a row may name any other."""
    if len(url) > _LONGEST_ADDRESS or any(char.isspace() for char in url) or not _is_public(url):
        return SkipReason.MEDIA
    return Medium(kind, mime, hashlib.sha256(url.encode("utf-8", "replace")).hexdigest(), url=url)


def _is_public(url: str) -> bool:
    """Whether an address reads as one of a server of the internet; what its name leads to is for the provider to look at."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    if parts.scheme != "https" or not host or "@" in parts.netloc or not url.isprintable() or "\\" in url:
        return False
    if (address := literal(host)) is not None:
        ip = inside(address)
        return ip is not None and is_global(ip)
    last = host.rpartition(".")[2]
    numeric = last.isdigit() or last.startswith("0x")  # resolvers read 127.1 and 0x7f000001 as addresses
    return "." in host and not numeric and last not in _INNER


def of_base64(text: str) -> Read:
    """A medium from base64 with or without its padding; the reason when it is none, or is too large."""
    if len(text) > MOST_BYTES_OF_OTHERS * 4 // 3 + 4:
        return SkipReason.MEDIA_TOO_LARGE
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return SkipReason.MEDIA
    return _of_bytes(raw)


def of_file(folder: Path, name: str) -> Read:
    """A medium from a file that lies below a folder, links followed; the reason when it is none, or is too large."""
    try:
        root = folder.resolve()
        path = (root / name.removeprefix("file://")).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            return SkipReason.MEDIA
        facts = path.stat()
        if facts.st_size > MOST_BYTES_OF_OTHERS:
            return SkipReason.MEDIA_TOO_LARGE
        return _read(root, path.relative_to(root).parts, facts.st_ino, facts.st_mtime_ns, facts.st_size)
    except (OSError, ValueError, RuntimeError):  # a name that no system has, a circle of links
        return SkipReason.MEDIA


@lru_cache(maxsize=16)
def _read(root: Path, names: tuple[str, ...], inode: int, changed: int, size: int) -> Read:
    """What lies at a way without links below a folder. Raises OSError for a link: somebody may put one in meanwhile."""
    with ExitStack() as stack:
        within = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, within)
        for name in names[:-1]:
            within = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=within)
            stack.callback(os.close, within)
        content = stack.enter_context(io.BufferedReader(open_regular(names[-1], follow=False, within=within)))
        return _of_bytes(content.read(MOST_BYTES_OF_OTHERS + 1))


def _of_bytes(raw: bytes) -> Read:
    mime = media_types.type_of(raw)
    if mime is None:
        return SkipReason.MEDIA
    kind = "file" if mime == "application/pdf" else mime.partition("/")[0]
    if len(raw) > MOST_BYTES.get(kind, MOST_BYTES_OF_OTHERS):
        return SkipReason.MEDIA_TOO_LARGE
    return Medium(kind, mime, hashlib.sha256(raw).hexdigest(), base64.b64encode(raw).decode("ascii"), size=len(raw))
