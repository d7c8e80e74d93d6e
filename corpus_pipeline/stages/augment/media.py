"""Pictures, films and sounds of a conversation: what a model must see before it may be asked about them.

They stay in the record of a row (see `formats.shape`), so that a strategy which looks at the texts alone would answer blind.
`MediaAccess.of` reads them into what a request carries: from data URLs and base64, from files below the folder of the dataset
file, or as an address that is passed on. A row of which one of them cannot be sent is asked about by no one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from corpus_pipeline.formats import jsontext
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import Conversation, Medium, Turn
from corpus_pipeline.stages.augment import media_bytes
from corpus_pipeline.stages.skip_reasons import SkipReason

MOST_BYTES_OF_ALL: Final = 20 * 1024 * 1024  # what one request may carry at each of the known providers
MOST_MEDIA: Final = 20

_HINT: Final = lazily(r"image|picture|photo|audio|video|sound|speech|media|pixel|\bfile|data:", re.IGNORECASE)
_TYPES: Final = lazily(r"image|audio|video|picture|\bfile\b|input_file|document", re.IGNORECASE)
# keys of a record, or of a part of it, that hold a medium or say where it lies
_KEYS: Final = lazily(
    r"(?:input_)?(?:image|img|picture|photo|audio|video|sound|speech|media|pixel_values)s?"
    r"(?:_?(?:url|path|file|filename|file_name|bytes|data|base64|b64|uri|list|ids?))?s?"
    r"|inline_?data|file_?data",
    re.IGNORECASE,
)
_EXTENSION: Final = lazily(
    r"\.(?:png|jpe?g|gif|webp|bmp|tiff?|svg|heic|avif|mp3|wav|flac|ogg|m4a|opus|mp4|avi|mov|webm|mkv)(?:$|[?#])", re.I
)
_ADDRESS: Final = lazily(r"data:(?:image|audio|video)/|https?://\S+", re.IGNORECASE)
# where a text says that a medium stands; LLaVA, LLaMA-Factory, Qwen-VL
_TAG: Final = r"<(?:image|img|audio|video)(?:_\d+|-\d+)?>"
_OTHER_MARKS: Final = r"<ImageHere>|<\|(?:image|audio|video|vision_start)[\w-]*\|?>|\[(?:IMG|IMAGE)\]"
_PLACEHOLDER: Final = lazily(
    rf"^[ \t]*{_TAG}[ \t]*$|{_OTHER_MARKS}",  # a tag in a line of its own: within one it may be HTML
    re.MULTILINE,
)
_MARK: Final = lazily(f"{_TAG}|{_OTHER_MARKS}")  # in a row that is known to have media
_NOT_CONTENT: Final = frozenset({"tools", "tool_calls", "functions"})  # their schemas speak of images without one
# where within a part or a column the medium lies, the first that says something
_WITHIN: Final = (
    "source image_url audio_url video_url input_audio file image audio video inlineData inline_data fileData file_data "
    "url uri fileUri file_uri path data base64 bytes"
).split()
_MIME_KEYS: Final = ("media_type", "mimeType", "mime_type")
_KINDS: Final = (("audio", ("audio", "sound", "speech")), ("video", ("video",)), ("file", ("file", "document")))
_LONG_SHAPE: Final = 32_768  # characters; longer ones hold media themselves, and are no kinds of records but rows


def has_media(conversation: Conversation) -> bool:
    """Whether a conversation holds, or speaks in place of, a picture, a film, a sound or another file."""
    return _in_record(conversation.shape) or any(
        _PLACEHOLDER.search(text) for turn in conversation.turns for text in (turn.prompt, turn.system) if text
    )


class MediaAccess(NamedTuple):
    """What a strategy's models are shown. takes: whether all of them take a medium. folder: of the dataset file."""

    takes: Callable[[Medium], bool] | None = None
    folder: str | None = None

    def of(self, conversation: Conversation) -> tuple[Medium, ...] | SkipReason:
        """What is to be sent with a conversation, in its order; where some of it cannot be, or no one takes it, the reason."""
        if self.takes is None:
            return SkipReason.MEDIA
        named = list(_media(jsontext.loads(conversation.shape)["record"]))
        if len(named) > MOST_MEDIA:
            return SkipReason.MEDIA_TOO_MANY
        found: list[Medium] = []
        for kind, value in named:
            medium = _medium(kind, value, self.folder)
            if isinstance(medium, SkipReason):
                return medium
            if not self.takes(medium):
                return SkipReason.MEDIA
            found.append(medium)
        # of the marks in bars several may stand for one medium
        marks = sum(count for mark, count in marks_of(conversation.turns).items() if not mark.startswith("<|"))
        if not found or marks > len(found):
            return SkipReason.MEDIA
        return tuple(found) if sum(one.size for one in found) <= MOST_BYTES_OF_ALL else SkipReason.MEDIA_TOO_LARGE

    def narrowed(self, other: MediaAccess) -> MediaAccess:
        """What both are shown."""
        mine, its = self.takes, other.takes
        if mine is None or its is None:
            return MediaAccess()
        return MediaAccess(lambda medium: mine(medium) and its(medium), self.folder)


def marks_of(turns: Iterable[Turn]) -> Counter[str]:
    """The marks for media in the texts of some turns."""
    return Counter(mark.strip() for turn in turns for _, text in turn.texts() for mark in _MARK.findall(text))


def _in_record(shape: str) -> bool:
    """Whether the record of a shape holds a medium; most shapes do not even have a word of it."""
    if _HINT.search(shape) is None:
        return False
    return _holds(shape) if len(shape) > _LONG_SHAPE else _holds_cached(shape)


def _holds(shape: str) -> bool:
    return next(_media(jsontext.loads(shape)["record"]), None) is not None


@lru_cache(maxsize=4096)
def _holds_cached(shape: str) -> bool:
    return _holds(shape)


def _media(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """(what it is called, value) of all that is a medium in a record, or names one."""
    if isinstance(value, list):
        for item in value:
            yield from _media(item, key)
    elif isinstance(value, dict):
        kind = value.get("type")
        if isinstance(kind, str) and _TYPES.search(kind) and len(value) > 1:
            yield kind, value
            return
        if key and _KEYS.fullmatch(key) and value:
            yield key, value
            return
        for name, inner in value.items():
            if name not in _NOT_CONTENT:
                yield from _media(inner, name)
    elif isinstance(value, str) and key and _KEYS.fullmatch(key) and _points_to_medium(value):
        yield key, value


def _points_to_medium(text: str) -> bool:
    """Whether the text at a key such as `image` is an address, a path, or the bytes of a medium."""
    return bool(_ADDRESS.match(text) or _EXTENSION.search(text)) or len(text) > 200


def _medium(called: str, value: Any, folder: str | None) -> media_bytes.Read:
    """A medium as it can be sent; the reason where it is neither there nor an address, or too large."""
    mime = None
    while isinstance(value, dict):
        mime = next((value[key] for key in _MIME_KEYS if isinstance(value.get(key), str)), mime)
        value = next((value[key] for key in _WITHIN if value.get(key)), None)
    if not isinstance(value, str):
        return SkipReason.MEDIA
    if re.match(r"https?://", value, re.IGNORECASE):
        return media_bytes.by_address(_kind_of(mime or called), value, mime)
    if value.startswith("data:"):
        return media_bytes.of_base64(value.partition(",")[2]) if ";base64," in value[:200] else SkipReason.MEDIA
    if _EXTENSION.search(value) or value.lower().endswith(".pdf"):
        return SkipReason.MEDIA if folder is None else media_bytes.of_file(Path(folder), value)
    return media_bytes.of_base64(value)


def _kind_of(called: str) -> str:
    lower = called.lower()
    if "image" in lower:
        return "image"
    return next((kind for kind, words in _KINDS if any(word in lower for word in words)), "image")
