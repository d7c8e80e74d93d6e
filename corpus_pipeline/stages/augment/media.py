"""Pictures, films and sounds of a conversation: what a model must see before it may be asked about them.

They stay in the record of a row (see `formats.shape`), so that a strategy which looks at the texts alone would answer blind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from corpus_pipeline.formats import jsontext
from corpus_pipeline.model import Conversation

_HINT: Final = re.compile(r"image|picture|photo|audio|video|sound|speech|media|pixel|\bfile|data:", re.IGNORECASE)
_TYPES: Final = re.compile(r"image|audio|video|picture|\bfile\b|input_file", re.IGNORECASE)
# keys of a record, or of a part of it, that hold a medium or say where it lies
_KEYS: Final = re.compile(
    r"(?:input_)?(?:image|img|picture|photo|audio|video|sound|speech|media|pixel_values)s?"
    r"(?:_?(?:url|path|file|filename|file_name|bytes|data|base64|b64|uri|list|ids?))?s?",
    re.IGNORECASE,
)
_EXTENSION: Final = re.compile(
    r"\.(?:png|jpe?g|gif|webp|bmp|tiff?|svg|heic|avif|mp3|wav|flac|ogg|m4a|opus|mp4|avi|mov|webm|mkv)(?:$|[?#])", re.I
)
_ADDRESS: Final = re.compile(r"data:(?:image|audio|video)/|https?://\S+", re.IGNORECASE)
# where a text says that a medium stands; LLaVA, LLaMA-Factory, Qwen-VL
_PLACEHOLDER: Final = re.compile(
    r"^[ \t]*<(?:image|img|audio|video)(?:_\d+|-\d+)?>[ \t]*$"  # in a line of its own: within one it may be HTML
    r"|<ImageHere>|<\|(?:image|audio|video|vision_start)[\w-]*\|?>|\[(?:IMG|IMAGE)\]",
    re.MULTILINE,
)
_NOT_CONTENT: Final = frozenset({"tools", "tool_calls", "functions"})  # their schemas speak of images without one


def has_media(conversation: Conversation) -> bool:
    """Whether a conversation holds, or speaks in place of, a picture, a film, a sound or another file."""
    return _in_record(conversation.shape) or any(
        _PLACEHOLDER.search(text) for turn in conversation.turns for text in (turn.prompt, turn.system) if text
    )


@lru_cache(maxsize=4096)
def _in_record(shape: str) -> bool:
    """Whether the record of a shape holds a medium; most shapes do not even have a word of it."""
    if _HINT.search(shape) is None:
        return False
    return next(_media(jsontext.loads(shape)["record"]), None) is not None


def _media(value: Any, key: str = "") -> Iterator[Any]:
    """The values of a record that are media or name one."""
    if isinstance(value, list):
        for item in value:
            yield from _media(item, key)
    elif isinstance(value, dict):
        kind = value.get("type")
        if isinstance(kind, str) and _TYPES.search(kind) and len(value) > 1:
            yield value
            return
        for name, inner in value.items():
            if name not in _NOT_CONTENT:
                yield from _media(inner, name)
        if key and _KEYS.fullmatch(key) and value:
            yield value
    elif isinstance(value, str) and key and _KEYS.fullmatch(key) and _points_to_medium(value):
        yield value


def _points_to_medium(text: str) -> bool:
    """Whether the text at a key such as `image` is an address, a path, or the bytes of a medium."""
    return bool(_ADDRESS.match(text) or _EXTENSION.search(text)) or len(text) > 200
