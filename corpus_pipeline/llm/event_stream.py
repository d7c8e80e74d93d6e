"""An answer that came as a stream of server-sent events, folded into the body that would have come at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from corpus_pipeline.llm import lenient_json

_JOINED = ("content", "reasoning_content", "reasoning", "refusal")  # texts of a delta that add up


def is_stream(raw: bytes) -> bool:
    """Whether a body is a stream of events and no document."""
    begin = raw.lstrip()
    if begin[:6] in (b"data: ", b"data:{", b"event:"):
        return True
    return begin[:1] == b":" and re.search(rb"^data:", begin, re.MULTILINE) is not None


def fold(raw: bytes) -> dict[str, Any] | None:
    """The chat completion that the chunks add up to; an error among them is its `error`. None when there is no chunk.

    A stream that ends before its finish reason was cut on the wire: it has none, and counts as broken.
    """
    whole: dict[str, Any] = {}
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    finish: Any = None
    is_through = has_choice = False
    for data in events(raw):
        if data == b"[DONE]":
            is_through = True
            continue
        chunk = lenient_json.loads(data)
        if not isinstance(chunk, dict):
            continue
        whole |= {key: value for key, value in chunk.items() if key != "choices" and value is not None}
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(choice, dict):
            has_choice = True
            if isinstance(choice.get("usage"), dict):  # Moonshot
                whole["usage"] = choice["usage"]
            _add(message, choice.get("delta") or choice.get("message"))
            finish = choice.get("finish_reason") or finish
            if choice.get("error"):
                whole["error"] = choice["error"]
    if not has_choice:
        return whole or None  # an error, or the usage alone
    if finish is None and not is_through and not whole.get("error"):
        return None
    return whole | {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}


def events(raw: bytes) -> Iterator[bytes]:
    """The data of each event."""
    lines: list[bytes] = []
    for line in raw.replace(b"\r\n", b"\n").split(b"\n"):
        if line.startswith(b"data:"):
            lines.append(line[5:].strip())
        elif not line and lines:
            yield b"\n".join(lines)
            lines = []
    if lines:
        yield b"\n".join(lines)


def _add(message: dict[str, Any], delta: Any) -> None:
    if not isinstance(delta, dict):
        return
    for key, value in delta.items():
        if key in _JOINED and isinstance(value, str) and isinstance(message.get(key), str | None):
            message[key] = (message.get(key) or "") + value
        elif isinstance(value, list):
            before = message.get(key)
            message[key] = [*(before if isinstance(before, list) else []), *value]
        elif value is not None and key not in _JOINED:
            message[key] = value
