"""The bytes of media: what they are by their first bytes, whatever a name or a record says, and how many are too many."""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

from corpus_pipeline.model import Medium

MOST_BYTES: Final = {"image": 5 * 1024 * 1024}  # the least that a known provider takes of a picture
_MOST_BYTES_OF_OTHERS: Final = 15 * 1024 * 1024
_LONGEST_ADDRESS: Final = 8192
# (first bytes, bytes at an offset, type)
_SIGNATURES: Final[tuple[tuple[bytes, int, bytes, str], ...]] = (
    (b"\x89PNG\r\n\x1a\n", 0, b"", "image/png"),
    (b"\xff\xd8\xff", 0, b"", "image/jpeg"),
    (b"GIF8", 0, b"", "image/gif"),
    (b"RIFF", 8, b"WEBP", "image/webp"),
    (b"RIFF", 8, b"WAVE", "audio/wav"),
    (b"ID3", 0, b"", "audio/mpeg"),
    (b"\xff\xfb", 0, b"", "audio/mpeg"),
    (b"\xff\xf3", 0, b"", "audio/mpeg"),
    (b"\xff\xf2", 0, b"", "audio/mpeg"),
    (b"fLaC", 0, b"", "audio/flac"),
    (b"OggS", 0, b"", "audio/ogg"),
    (b"\x1a\x45\xdf\xa3", 0, b"", "video/webm"),
    (b"%PDF-", 0, b"", "application/pdf"),
)
# the brand in the first box of an ISO file
_BRANDS: Final = {b"heic": "image/heic", b"heix": "image/heic", b"avif": "image/avif", b"M4A ": "audio/mp4"}


def by_address(kind: str, url: str, mime: str | None) -> Medium | None:
    """A medium that the provider fetches for itself."""
    if len(url) > _LONGEST_ADDRESS or any(char.isspace() for char in url):
        return None
    return Medium(kind, mime, hashlib.sha256(url.encode("utf-8", "replace")).hexdigest(), url=url)


def of_base64(text: str) -> Medium | None:
    """A medium from base64 with or without its padding; None when it is none, or is too large."""
    if len(text) > _MOST_BYTES_OF_OTHERS * 4 // 3 + 4:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return _of_bytes(raw)


def of_file(folder: Path, name: str) -> Medium | None:
    """A medium from a file that lies below a folder, links followed; None when it is none, or is too large."""
    try:
        root = folder.resolve()
        path = (root / name.removeprefix("file://")).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            return None
        facts = path.stat()
        if facts.st_size > _MOST_BYTES_OF_OTHERS:
            return None
        return _read(path, facts.st_mtime_ns, facts.st_size)
    except (OSError, ValueError, RuntimeError):  # a name that no system has, a circle of links
        return None


@lru_cache(maxsize=16)
def _read(path: Path, changed: int, size: int) -> Medium | None:
    return _of_bytes(path.read_bytes())


def _of_bytes(raw: bytes) -> Medium | None:
    mime = _type_of(raw)
    if mime is None:
        return None
    kind = "file" if mime == "application/pdf" else mime.partition("/")[0]
    if len(raw) > MOST_BYTES.get(kind, _MOST_BYTES_OF_OTHERS):
        return None
    return Medium(kind, mime, hashlib.sha256(raw).hexdigest(), base64.b64encode(raw).decode("ascii"), size=len(raw))


def _type_of(raw: bytes) -> str | None:
    """The media type that the first bytes say; None for what is no medium that a model takes."""
    for first, offset, second, mime in _SIGNATURES:
        if raw.startswith(first) and raw.startswith(second, offset):
            return mime
    return _BRANDS.get(raw[8:12], "video/mp4") if raw[4:8] == b"ftyp" else None
