"""Pictures, sounds and files among the parts of a message as OpenAI takes them: from its own parts, Anthropic's, Gemini's."""

from __future__ import annotations

from typing import Any

from corpus_pipeline.formats import shape as shapes
from corpus_pipeline.formats.messages import unpack
from corpus_pipeline.formats.shape import Path
from corpus_pipeline.model import Conversation

_OWN = frozenset(("input_audio", "file"))
_FIELD_SIDES = {"system": 0, "prompt": 1, "response": 2}


def openai_contents(conversation: Conversation) -> dict[int, list[dict[str, Any]]]:
    """The content of each message that has such parts, by its number; empty when one of them has no such form."""
    count = sum(shapes.count_media(conversation.shape))
    if not count:
        return {}
    record = shapes.render(conversation)
    if record is None:
        return {}
    found: dict[int, list[dict[str, Any]]] = {}
    placed = 0
    for number, path in _content_lists(conversation).items():
        content = _at(record, path)
        if not shapes.has_media(content):
            continue
        parts = [_part(part) for part in content]
        whole = [part for part in parts if part is not None]
        if len(whole) < len(parts):
            return {}
        media = sum(part["type"] != "text" for part in whole)
        placed += media
        if media:
            found[number] = whole
    return found if placed == count else {}


def leaves_parts(conversation: Conversation) -> bool:
    """Whether a part of a message without pictures says something that is neither a text, a thought, a call nor a result."""
    record = shapes.render(conversation)
    return record is not None and any(
        not _is_understood(part)
        for path in _content_lists(conversation).values()
        if not shapes.has_media(content := _at(record, path))
        for part in content
    )


_OF_PARTS = frozenset(
    "type text value id name input arguments args thinking reasoning thought tool_use_id tool_call_id call_id content output"
    " is_error functionCall function_call functionResponse function_response index annotations".split()
)


def _is_understood(part: Any) -> bool:
    if not isinstance(part, dict):
        return isinstance(part, str)
    return all(key in _OF_PARTS or value is None for key, value in part.items())


def _content_lists(conversation: Conversation) -> dict[int, Path]:
    """The lists of parts that texts of the conversation come from, by the number of their message."""
    numbers: dict[tuple[int, int], int] = {}
    number = 0
    for turn_number, turn in enumerate(conversation.turns, start=1):
        for message in unpack([turn]):
            side = {"system": 0, "developer": 0, "assistant": 2, "function_call": 2}.get(message.role, 1)
            numbers[turn_number, side] = number
            number += 1
    found: dict[int, Path] = {}
    for slot in shapes.line_template(conversation.shape).slots:
        path = slot.path
        if slot.field in _FIELD_SIDES and len(path) > 2 and isinstance(path[-2], int) and path[-1] in ("text", "value"):
            at = numbers.get((slot.turn, _FIELD_SIDES[slot.field]))
            if at is not None:
                found.setdefault(at, path[:-2])
    return found


def _part(part: Any) -> dict[str, Any] | None:
    """A part in OpenAI's notation; None when it has none."""
    if not isinstance(part, dict):
        return None
    kind = part.get("type")
    if kind == "image_url":
        own = part.get("image_url")
        is_own = isinstance(own, dict) and isinstance(own.get("url"), str)
        return part if is_own else _image(_address(own if isinstance(own, str) else part.get("value")), None, None)
    if kind in _OWN:
        return part if isinstance(part.get(kind), dict) else None
    text = part.get("text", part.get("value"))
    if isinstance(text, str) and kind in (None, "text", "input_text"):
        return {"type": "text", "text": text}
    source = part.get("source")
    if kind == "image" and isinstance(source, dict):
        return _image(source.get("url"), source.get("media_type"), source.get("data"))
    for key in ("inlineData", "inline_data"):
        inline = part.get(key)
        if isinstance(inline, dict):
            return _image(None, inline.get("mimeType", inline.get("mime_type")), inline.get("data"))
    for key in ("fileData", "file_data"):
        file = part.get(key)
        if isinstance(file, dict) and str(file.get("mimeType", file.get("mime_type", ""))).startswith("image/"):
            return _image(file.get("fileUri", file.get("file_uri")), None, None)
    return None


def _address(value: Any) -> str | None:
    """What can stand as the address of a picture: not a path of some machine."""
    return value if isinstance(value, str) and value.startswith(("https://", "http://", "data:image/")) else None


def _image(url: Any, kind: Any, data: Any) -> dict[str, Any] | None:
    if isinstance(url, str):
        return {"type": "image_url", "image_url": {"url": url}}
    if isinstance(data, str) and isinstance(kind, str) and kind.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}}
    return None


def _at(record: Any, path: Path) -> Any:
    for step in path:
        record = record[step]
    return record
