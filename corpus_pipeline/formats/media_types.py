"""What media are by their first bytes, whatever a name or a record says."""

from __future__ import annotations

import base64
import binascii
from typing import Final

_SHORTEST: Final = 256  # characters of base64 that are looked at
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


def type_of(raw: bytes) -> str | None:
    """The media type that the first bytes say; None for what is no medium that a model takes."""
    for first, offset, second, mime in _SIGNATURES:
        if raw.startswith(first) and raw.startswith(second, offset):
            return mime
    return _BRANDS.get(raw[8:12], "video/mp4") if raw[4:8] == b"ftyp" else None


def is_encoded(text: str) -> bool:
    """Whether a text of some length is nothing but a medium in base64, with or without the head of a data URL."""
    if len(text) < _SHORTEST:
        return False
    if text.startswith("data:"):
        text = text[text.find(",", 0, _SHORTEST) + 1 :]
    try:
        return type_of(base64.b64decode(text[:64], validate=True)) is not None and bool(
            base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        )
    except (binascii.Error, ValueError):
        return False
