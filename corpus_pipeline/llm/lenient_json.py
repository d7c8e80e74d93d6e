"""JSON of others, read as long as it can be: half of an emoji costs one character and not the whole answer."""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

from corpus_pipeline.lazy_patterns import lazily

_LONE: Final = lazily("[\ud800-\udfff]")
_COMMENTS: Final = lazily(rb"\A(?:\s*:[^\n]*\n)+")  # of server-sent events
_DECODER: Final = json.JSONDecoder(parse_constant=lambda _: None)
_DEEPEST: Final = 64  # parts within parts; to walk through more, or to write them out again, may break off anywhere


def loads(raw: bytes) -> Any:
    """The parsed JSON, lone surrogates replaced by U+FFFD; None for what is no JSON, or is nested too deep to be an answer."""
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        found = _loads_odd(raw)
    return None if raw.count(b"[") + raw.count(b"{") > _DEEPEST and _is_deep(found) else found


def _loads_odd(raw: bytes) -> Any:
    """With a byte order mark, in UTF-16, with NaN, behind comments that kept the line open, before a second document."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raw = raw.decode("utf-16", "replace").encode()
    raw = _COMMENTS.sub(b"", raw.removeprefix(b"\xef\xbb\xbf"))
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    if (found := _loads_half(raw)) is not None or raw.lstrip()[:1] != b"{":
        return found
    try:
        found, end = _DECODER.raw_decode(text := raw.decode("utf-8").lstrip())
    except (ValueError, RecursionError):
        return None
    rest = text[end:].lstrip()
    # a second document, or the remark of a proxy; anything else is a broken one
    return _whole(found) if not rest or rest[0] in "{[" or rest.startswith("<!--") else None


def _loads_half(raw: bytes) -> Any:
    if b"\\ud" not in raw.lower():
        return None
    try:
        return _whole(json.loads(raw))
    except (ValueError, RecursionError):
        return None


def _is_deep(value: Any) -> bool:
    parts = [value]
    for _ in range(_DEEPEST):
        inner: list[Any] = []
        for part in parts:
            if isinstance(part, dict):
                inner += part.values()
            elif isinstance(part, list):
                inner += part
        if not inner:
            return False
        parts = inner
    return True


def whole(text: str) -> str:
    """A text that every encoding can hold."""
    return text if text.isascii() else _LONE.sub("\ufffd", text)


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [_whole(part) for part in value]
    if isinstance(value, dict):
        return {whole(key): _whole(part) for key, part in value.items()}
    return value
