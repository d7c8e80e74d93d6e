"""Pictures, sounds, films and files as parts of a message, in the notation of each API. Pure.

https://platform.openai.com/docs/guides/images-vision, https://docs.anthropic.com/en/docs/build-with-claude/vision,
https://ai.google.dev/gemini-api/docs/image-understanding
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from corpus_pipeline.model import Medium, Request

Part = dict[str, Any]
_PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_PDF: Final = "application/pdf"
_SOUND_FORMATS: Final = {"audio/wav": "wav", "audio/mpeg": "mp3"}


def placed(messages: list[Part], request: Request, part: Callable[[Medium], Part | None]) -> list[Part]:
    """The messages, with the media of the request before the text of the last one."""
    if not request.media:
        return messages
    *before, last = messages
    return [*before, {**last, "content": [*parts(request, part), {"type": "text", "text": last["content"]}]}]


def parts(request: Request, part: Callable[[Medium], Part | None]) -> list[Part]:
    """The media of a request. Raises ValueError for one that the API does not take: it is asked of no such endpoint."""
    found = [part(medium) for medium in request.media]
    whole = [one for one in found if one is not None]
    if len(whole) < len(found):
        raise ValueError("a medium of the request has no form in the API of its endpoint")
    return whole


def openai_part(medium: Medium) -> Part | None:
    """A part of Chat Completions; None for films, and for sounds and files by their address."""
    if medium.kind == "image" and (medium.url or medium.mime in _PICTURES):
        return {"type": "image_url", "image_url": {"url": medium.url or _data_url(medium)}}
    if medium.kind == "audio" and medium.data and medium.mime in _SOUND_FORMATS:
        return {"type": "input_audio", "input_audio": {"data": medium.data, "format": _SOUND_FORMATS[medium.mime]}}
    if medium.kind == "file" and medium.data and medium.mime == _PDF:
        return {"type": "file", "file": {"filename": "file.pdf", "file_data": _data_url(medium)}}
    return None


def anthropic_part(medium: Medium) -> Part | None:
    """A block of Messages; None for sounds and films."""
    kind = {"image": "image", "file": "document"}.get(medium.kind)
    if kind is None or (medium.data and medium.mime not in _PICTURES | {_PDF}):
        return None
    if medium.url:
        return {"type": kind, "source": {"type": "url", "url": medium.url}}
    return {"type": kind, "source": {"type": "base64", "media_type": medium.mime, "data": medium.data}}


def gemini_part(medium: Medium) -> Part | None:
    """A part of generateContent; None for what is known by an address whose type no one says."""
    if medium.url:
        return {"fileData": {"fileUri": medium.url, "mimeType": medium.mime}} if medium.mime else None
    return None if medium.mime == "image/gif" else {"inlineData": {"mimeType": medium.mime, "data": medium.data}}


def _data_url(medium: Medium) -> str:
    return f"data:{medium.mime};base64,{medium.data}"
