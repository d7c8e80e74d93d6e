"""A conversation in one value of a record, in any of the forms in which it is found: messages, exchanges, pairs, texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from corpus_pipeline.formats.any_messages import message_keys, reader_of
from corpus_pipeline.formats.base import Loss
from corpus_pipeline.formats.messages import Message
from corpus_pipeline.formats.reading import Decoded
from corpus_pipeline.formats.shape import Path
from corpus_pipeline.formats.sketch import Sketch
from corpus_pipeline.formats.tagged_calls import with_tagged_calls
from corpus_pipeline.formats.transcripts import read_transcript
from corpus_pipeline.formats.vocabulary import keys_by_meaning, plain_name, role_of
from corpus_pipeline.lazy_patterns import lazily

Meanings = Mapping[str, Sequence[str]]
_SPEAKERS = ("user", "assistant")
_ONE_SIDED = ("turns", "rounds", "texts")  # lists of questions alone, or of documents, as often as not


def messages_at(sketch: Sketch, value: Any, path: Path) -> list[Decoded] | None:
    """The messages of a value in any form; None when it is none. Raises LineRejected for messages that cannot be read."""
    if type(value) is dict:
        keys = message_keys([value])
        if keys is not None:
            reader = reader_of(*keys)
            return [moved(item, path) for item in reader.decode_all([value], path)]
        return _numbered_turns(sketch, value, path) or _inside(sketch, value, path)
    if type(value) is str:
        return read_transcript(sketch, value, path)
    if type(value) is not list or not value:
        return None
    keys = message_keys(value)
    if keys is not None:
        found = reader_of(*keys).decode_all(value, path)
        _tools_inside(sketch, value, path)
        return with_tagged_calls(sketch, found)
    if any(type(one) is list and one for one in value) and all(
        type(one) is list and (not one or message_keys(one) is not None) for one in value
    ):
        return [item for at, one in enumerate(value) for item in messages_at(sketch, one, (*path, at)) or ()]
    if all(type(one) is list and len(one) == 2 and all(type(text) is str for text in one) for one in value):
        roles = [role_of(one[0]) for one in value]
        if None not in roles and len(set(roles)) > 1:  # pairs of a role and a text
            return [
                text_message(role or "", one[1], (*path, at, 1))
                for at, (role, one) in enumerate(zip(roles, value, strict=True))
            ]
        return [
            text_message(("user", "assistant")[side], one[side], (*path, at, side))
            for at, one in enumerate(value)
            for side in (0, 1)
        ]
    if len(value) > 1 and all(type(one) is str for one in value) and plain_name(str(path[-1])) not in _ONE_SIDED:
        return [text_message(_SPEAKERS[at % 2], one, (*path, at)) for at, one in enumerate(value)]
    if all(type(one) is dict for one in value):
        return _by_role(value, path) or _exchanges(sketch, value, path)
    return None


def _inside(sketch: Sketch, value: dict[str, Any], path: Path) -> list[Decoded] | None:
    """The messages of a request or of a response as services log them: `{"messages": [...]}`, `{"choices": [...]}`."""
    for key in keys_by_meaning(tuple(value)).get("messages", ()):
        if type(value[key]) is list and (found := messages_at(sketch, value[key], (*path, key))):
            return _with_more(found, Loss.MESSAGE_KEYS if any(one for k, one in value.items() if k != key) else None)
    choices = value.get("choices")
    if type(choices) is list and choices and type(choices[0]) is dict and type(choices[0].get("message")) is dict:
        found = messages_at(sketch, choices[0]["message"], (*path, "choices", 0, "message"))
        return _with_more(found, Loss.OTHER_ANSWERS if len(choices) > 1 else None) if found else None
    return None


def _with_more(found: list[Decoded], loss: Loss | None) -> list[Decoded]:
    return found if loss is None else [*found[:-1], found[-1]._replace(kept=found[-1].kept | {loss})]


def _tools_inside(sketch: Sketch, messages: Sequence[Any], path: Path) -> None:
    """Take the definitions of tools that stand in the first messages: under a key, or in the part of a developer (gpt-oss)."""
    if sketch.tools is not None:
        return
    for at, raw in enumerate(messages[:2]):
        for key in keys_by_meaning(tuple(raw)).get("tools", ()):
            if raw[key] not in (None, "", [], "[]") and sketch.call_tools(raw[key], (*path, at, key)):
                return
        for place, part in _parts(raw):
            if part.get("type") != "developer_content" or type(part.get("tools")) is not dict:
                continue
            for name, space in part["tools"].items():
                inner = space.get("tools") if type(space) is dict else None
                if inner and sketch.call_tools(inner, (*path, at, *place, "tools", name, "tools")):
                    return


def _parts(raw: Mapping[str, Any]) -> list[tuple[Path, dict[str, Any]]]:
    return [
        ((key, at), part)
        for key, value in raw.items()
        if type(value) is list
        for at, part in enumerate(value)
        if type(part) is dict
    ]


def moved(item: Decoded, path: Path) -> Decoded:
    """A message that was read as the first one of a list and stands alone."""
    at = len(path)
    return item._replace(parts=tuple(part._replace(path=(*path, *part.path[at + 1 :])) for part in item.parts))


def text_message(role: str, text: str, path: Path) -> Decoded:
    return Decoded.of_text(Message(role, text), path)


def _by_role(value: Sequence[Any], path: Path) -> list[Decoded] | None:
    """Objects of one text each under the name of its role, such as `{"user": "..."}`."""
    said = [(next(iter(one)), role_of(next(iter(one)))) for one in value if len(one) == 1]
    if len(said) < len(value) or not all(
        role and type(one[key]) is str for (key, role), one in zip(said, value, strict=True)
    ):
        return None
    return [text_message(role or "", value[at][key], (*path, at, key)) for at, (key, role) in enumerate(said)]


def _exchanges(sketch: Sketch, value: Sequence[Any], path: Path) -> list[Decoded] | None:
    """Objects with a question and an answer each."""
    found: list[Decoded] = []
    for at, one in enumerate(value):
        said = _exchange(sketch, one, (*path, at))
        if said is None:
            return _segments(value, path)
        found += said
    return found


def _exchange(sketch: Sketch, one: Mapping[str, Any], path: Path) -> list[Decoded] | None:
    meanings = keys_by_meaning(tuple(one))
    prompt = next((key for key in meanings.get("prompt", ()) if type(one[key]) is str), None)
    response = next((key for key in meanings.get("response", ()) if type(one[key]) is str and key != prompt), None)
    if prompt is None or response is None:
        return None
    system = next((key for key in meanings.get("system", ()) if type(one[key]) is str and one[key]), None)
    said = [text_message("system", one[system], (*path, system))] if system is not None else []
    said += [_unwrapped(sketch, "user", one[prompt], (*path, prompt))]
    answer = _unwrapped(sketch, "assistant", one[response], (*path, response))
    thought = next((key for key in meanings.get("reasoning", ()) if type(one[key]) is str and one[key]), None)
    if thought is not None and not _is_nothing(one[thought]):
        reasoning = _unwrapped(sketch, "assistant", one[thought], (*path, thought))
        parts = (*answer.parts, *(part._replace(name="reasoning") for part in reasoning.parts))
        answer = Decoded(answer.message._replace(reasoning=reasoning.message.text), parts)
    if any(key not in (prompt, response, system, thought) and not _is_nothing(one[key]) for key in one):
        answer = answer._replace(kept=frozenset({Loss.MESSAGE_KEYS}))
    return [*said, answer]


# MOSS: `<|Human|>: text<eoh>` and a line end
_WRAPPED = lazily(r"(<\|[\w ]+\|>: ?)(.*?)(<eo[a-z]>\s*|\s*)", re.DOTALL)


def _unwrapped(sketch: Sketch, role: str, text: str, path: Path) -> Decoded:
    match = _WRAPPED.fullmatch(text)
    if match is None:
        return text_message(role, text, path)
    sketch.pieces(path, list(match.groups()))
    return text_message(role, match[2], (*path, 1))


def _is_nothing(value: Any) -> bool:
    match = _WRAPPED.fullmatch(value) if type(value) is str else None
    return value in (None, "", "None") or (match is not None and match[2] == "None")


def _numbered_turns(sketch: Sketch, value: dict[str, Any], path: Path) -> list[Decoded] | None:
    """An object of exchanges under numbered keys, `turn_1` and so on."""
    if not value or not all(type(one) is dict and any(map(str.isdigit, key)) for key, one in value.items()):
        return None
    found: list[Decoded] = []
    for key, one in value.items():
        said = _exchange(sketch, one, (*path, key))
        if said is None:
            return None
        found += said
    return found


def _segments(value: Sequence[Any], path: Path) -> list[Decoded] | None:
    """Axolotl's segments: texts that are trained on (label true) or not."""
    found: list[Decoded] = []
    for at, one in enumerate(value):
        if type(one.get("label")) is not bool or type(one.get("text")) is not str:
            return None
        found.append(text_message("assistant" if one["label"] else "user", one["text"], (*path, at, "text")))
    return found


def is_single_message(record: Mapping[str, Any], meanings: Meanings) -> bool:
    """Whether a record is one message of a conversation, whose others are other records."""
    role = next((key for key in meanings.get("role", ()) if type(record[key]) is str and role_of(record[key])), None)
    if role is None or not any(type(record[key]) is str for key in meanings.get("content", ())):
        return False
    return not any(type(value) is list and value and type(value[0]) is dict for value in record.values())
