"""Tool calls that stand in a text: `<tool_call>...</tool_call>` of Hermes and Qwen, `<functioncall>` of glaive, the code of
ToolACE, `[name(argument=value)]`.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from corpus_pipeline.formats import calls, jsontext
from corpus_pipeline.formats.call_notations import call_as_object, calls_as_code
from corpus_pipeline.formats.reading import Decoded
from corpus_pipeline.formats.sketch import Sketch
from corpus_pipeline.formats.vocabulary import TOOL_NAMESPACE, keys_by_meaning
from corpus_pipeline.lazy_patterns import lazily

_HERMES = lazily(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)
_RESULT = lazily(r"\s*<tool_response>\s*(.*?)\s*</tool_response>\s*", re.DOTALL)
_GLAIVE = lazily(r"<functioncall>\s*(.*?)\s*(?:</functioncall>)?\s*\Z", re.DOTALL)
_QUOTED = lazily(r"""\{\s*"name"\s*:\s*"([^"]+)"\s*,\s*"arguments"\s*:\s*'(.*)'\s*\}""", re.DOTALL)


class Found(NamedTuple):
    """Calls in a text, and where the first one begins."""

    start: int
    calls: list[Any]


def call_in(text: str) -> Found | None:
    """The calls at the end of a text; None when there are none or not all can be read."""
    for pattern in (_GLAIVE, _HERMES):
        matches = list(pattern.finditer(text))
        if not matches:
            continue
        if pattern is _HERMES and _HERMES.sub("", text[matches[0].start() :]).strip():
            return None  # it speaks on behind a call
        made = [_call(match[1]) for match in matches]
        if all(call is not None for call in made):
            return Found(matches[0].start(), made)
    return None


def _call(text: str) -> Any:
    quoted = _QUOTED.fullmatch(text)
    if quoted is not None:
        try:
            arguments = jsontext.loads(quoted[2])
        except (ValueError, RecursionError):
            arguments = quoted[2]
        return {"name": quoted[1], "arguments": arguments}
    found = calls.read_calls_text(text)
    if found is None:
        return call_as_object(text)
    return found[0][0] if len(found[0]) == 1 else None


def with_tagged_calls(sketch: Sketch, messages: list[Decoded]) -> list[Decoded]:
    """The messages with the calls and results that their texts hold between tags or as code, when every such text can be taken
    apart.
    """
    if any(item.message.role == "tool" and item.message.name for item in messages):
        messages = [_without_namespace(sketch, item) for item in messages]
    answers = [item.message.text or "" for item in messages if item.message.role == "assistant"]
    if any("<tool_call>" in text for text in answers):
        return [_taken_apart(sketch, item) for item in messages]
    if any(text.endswith(")]") and text.startswith("[") for text in map(str.strip, answers)):
        declared = _declared(sketch, messages)
        return [_of_code(item, declared) for item in messages] if declared else messages
    return messages


_NAMED = lazily(r'"name"\s*:\s*"((?:[^"\\]|\\.)+)"')


def _declared(sketch: Sketch, messages: list[Decoded]) -> frozenset[str]:
    """The names of the tools that the record speaks of: a text in brackets is a call only if it calls one of these."""
    told = [item.message.text or "" for item in messages if item.message.role in ("system", "developer", "user")]
    beside = (sketch.record[key] for key in keys_by_meaning(tuple(sketch.record)).get("system", ()))
    told += [text for text in (*beside, sketch.tools) if isinstance(text, str)]
    return frozenset(name for text in told for name in _NAMED.findall(text))


def _of_code(item: Decoded, declared: frozenset[str]) -> Decoded:
    message, text = item.message, item.message.text
    if message.role != "assistant" or message.tool_calls or text is None:
        return item
    found = calls_as_code(text) if text.strip().startswith("[") else None
    if found is None or not all(call["name"] in declared for call in found):
        return item
    rest = tuple(part for part in item.parts if part.name != "text")
    return item._replace(message=message._replace(text=None, tool_calls=found), parts=rest)


def _without_namespace(sketch: Sketch, item: Decoded) -> Decoded:
    """A tool of gpt-oss is `functions.get_weather` where it answers."""
    message, name = item.message, item.message.name or ""
    part = next((part for part in item.parts if part.name == "name"), None)
    if message.role != "tool" or part is None or not name.startswith(TOOL_NAMESPACE):
        return item
    sketch.pieces(part.path, [TOOL_NAMESPACE, name[len(TOOL_NAMESPACE) :]])
    parts = tuple(one if one is not part else one._replace(path=(*one.path, 1)) for one in item.parts)
    return item._replace(message=message._replace(name=name[len(TOOL_NAMESPACE) :]), parts=parts)


def _taken_apart(sketch: Sketch, item: Decoded) -> Decoded:
    message, text = item.message, item.message.text
    whole = [part for part in item.parts if part.name == "text"]
    if text is None or len(whole) != 1 or whole[0].how is not None:
        return item
    rest = tuple(part for part in item.parts if part is not whole[0])
    path = whole[0].path
    if message.role == "tool":
        match = _RESULT.fullmatch(text)
        if match is None or "<tool_response>" in match[1]:
            return item
        sketch.pieces(path, [text[: match.start(1)], match[1], text[match.end(1) :]])
        return item._replace(message=message._replace(text=match[1]), parts=(whole[0]._replace(path=(*path, 1)), *rest))
    found = call_in(text) if message.role == "assistant" and not message.tool_calls else None
    if found is None:
        return item
    before = text[: found.start].rstrip()
    if not before:
        return item._replace(message=message._replace(text=None, tool_calls=found.calls), parts=rest)
    sketch.pieces(path, [before, text[len(before) :]])
    return item._replace(
        message=message._replace(text=before, tool_calls=found.calls), parts=(whole[0]._replace(path=(*path, 0)), *rest)
    )
