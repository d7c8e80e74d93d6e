"""A list of messages and what stands beside it: a system message, an answer, a pair of answers, calls, tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpus_pipeline.errors import LineRejected
from corpus_pipeline.formats import calls
from corpus_pipeline.formats.any_messages import message_keys
from corpus_pipeline.formats.base import Loss, wrong_shape
from corpus_pipeline.formats.message_lists import Meanings, messages_at, text_message
from corpus_pipeline.formats.messages import ANSWER_SIDE, PROMPT_SIDE, SYSTEM_SIDE, Message, side_of
from corpus_pipeline.formats.reading import Decoded, Part
from corpus_pipeline.formats.shape import Path
from corpus_pipeline.formats.sketch import Sketch, joined_texts
from corpus_pipeline.formats.transcripts import read_transcript
from corpus_pipeline.formats.vocabulary import means, plain_name
from corpus_pipeline.lazy_patterns import lazily


def base_list(sketch: Sketch, record: Mapping[str, Any], meanings: Meanings) -> str | None:
    """Take the list of messages of a record, and say its key. Raises LineRejected for one that cannot be read."""
    problem: LineRejected | None = None
    alone = not any(meanings.get(kind) for kind in ("prompt", "context", "response", "chosen"))
    for kind in ("messages", "prompt", *(("history",) if alone else ())):
        for key in meanings.get(kind, ()):
            if kind == "prompt" and _are_texts(record[key]):
                continue  # a question, or several of them: no conversation
            try:
                found = messages_at(sketch, record[key], (key,))
            except LineRejected as error:
                problem = problem or error
                continue
            if found and (kind != "history" or side_of(found[-1].message.role) == ANSWER_SIDE):
                sketch.add(found, key)
                return key
    if problem is not None:
        raise problem
    return None


def _are_texts(value: Any) -> bool:
    return type(value) is str or (type(value) is list and all(type(one) is str for one in value))


def add_system(sketch: Sketch, record: Mapping[str, Any], meanings: Meanings) -> None:
    """Take the system message that stands beside the messages."""
    lists = any(type(record[key]) is list for key in sketch.known)
    told = [key for key in record if lists and plain_name(key) == "instructions"]  # of OpenAI's responses
    for key in (*meanings.get("system", ()), *told):
        parts = _without_its_name(sketch, _texts_of(record[key], (key,)))
        if not parts:
            if record[key] in ("", None, []):
                sketch.known.add(key)
            continue
        drafted = joined_texts("system", parts)
        if sketch.messages and sketch.messages[0].message.role == "system":
            if sketch.messages[0].message.text == drafted.message.text:
                sketch.alias(0, drafted.parts)
                sketch.known.add(key)
            continue
        sketch.messages.insert(0, drafted)
        sketch.known.add(key)


def _without_its_name(sketch: Sketch, parts: list[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Beside a conversation that is one text with the speakers' names in it, the system message has its name, too."""
    if len(parts) != 1 or not sketch.joined or (head := _NAME.match(parts[0][1])) is None:
        return parts
    ((path, text),) = parts
    sketch.pieces(path, [head[0], text[head.end() :]])
    return [((*path, 1), text[head.end() :])]


_NAME = lazily(r"\s*(?:SYSTEM|System)\s*:[ \t]*")


def _texts_of(value: Any, path: Path) -> list[tuple[Path, str]]:
    """The texts of a system message: a text, an object with a text or with parts, or a list of parts."""
    if type(value) is str:
        return [(path, value)] if value else []
    if type(value) is dict:
        for key in ("parts", "content", "text"):
            if key in value:
                return _texts_of(value[key], (*path, key))
        return []
    if type(value) is list:
        found = [_texts_of(one, (*path, at)) for at, one in enumerate(value)]
        return [text for one in found for text in one] if all(found) else []
    return []


def add_answer(sketch: Sketch, record: Mapping[str, Any], meanings: Meanings) -> None:
    """Take an answer that stands beside messages without one, or the copy of one that they have."""
    for key in meanings.get("response", ()):
        if key in sketch.known:
            continue
        value = record[key]
        found = _answer(sketch, value, (key,))
        if not found:
            continue
        if not sketch.ends_with_answer:
            sketch.add(found, key)
        elif len(found) == 1 and found[0].message.text == sketch.messages[-1].message.text:
            sketch.alias(len(sketch.messages) - 1, [part for part in found[0].parts if part.name == "text"])
            sketch.kept |= found[0].kept  # there may be other answers beside the copy
            sketch.known.add(key)
    if not sketch.ends_with_answer:
        add_calls(sketch, record, meanings)


def _answer(sketch: Sketch, value: Any, path: Path) -> list[Decoded]:
    if type(value) is str:
        one = sketch.text_of(value, path)
        return [one] if one is not None else []
    if type(value) is list and value and all(type(one) is str for one in value):
        differ = frozenset({Loss.OTHER_ANSWERS} if any(one != value[0] for one in value) else ())
        return [text_message("assistant", value[0], (*path, 0))._replace(kept=differ)]
    if type(value) is dict or (type(value) is list and message_keys(value) is not None):
        return messages_at(sketch, value, path) or []
    return []


def add_calls(sketch: Sketch, record: Mapping[str, Any], meanings: Meanings) -> bool:
    """Take calls that stand under a key of their own; False when there are none."""
    for key in (*meanings.get("calls", ()), *meanings.get("response", ())):
        value = record[key]
        if key in sketch.known:
            continue
        if type(value) is str:
            found = calls.read_calls_text(value) if sketch.tools is not None or means(key, "calls") else None
            if found is None:
                continue
            made, how = found
            parts = (Part((key,), "calls_text", how),) if how is not None else ()
        elif type(value) is list and value and all(calls.is_call(one) for one in value):
            made, parts = value, (Part((key,), "tool_calls"),)
        else:
            continue
        sketch.add([Decoded(Message("assistant", tool_calls=made), parts)], key)
        return True
    return False


def add_pair(sketch: Sketch, record: Mapping[str, Any], meanings: Meanings) -> None:
    """Take the answer that won and the one that lost."""
    lost_key = next(iter(meanings.get("rejected", ())), None)
    won_key = next(iter(meanings.get("chosen", ())), None)
    if lost_key is None or record[lost_key] in (None, "", []):
        return
    lost = _side(sketch, record[lost_key], (lost_key,))
    if not lost:
        return
    if won_key is not None and record[won_key] not in (None, "", []):
        won = _side(sketch, record[won_key], (won_key,))
        if not won:
            return
        _take_won(sketch, won, won_key)
    if not sketch.ends_with_answer:
        wrong_shape(f"there is an answer that lost ('{lost_key}') and none that won")
    sketch.lose(lost, sketch.record[lost_key])
    sketch.known.add(lost_key)


def _side(sketch: Sketch, value: Any, path: Path) -> list[Decoded]:
    if type(value) is str:
        found = read_transcript(sketch, value, path)
        one = sketch.text_of(value, path)
        return found or ([one] if one is not None else [])
    if type(value) is list and len(value) == 1 and type(value[0]) is str:
        return [text_message("assistant", value[0], (*path, 0))]
    return messages_at(sketch, value, path) or []


def _take_won(sketch: Sketch, won: list[Decoded], key: str) -> None:
    """The answer that won, alone or with all that stands before it."""
    alone = not any(side_of(item.message.role) == PROMPT_SIDE for item in won)
    said = [item.message for item in won]
    own = [item.message for item in sketch.messages]
    if alone:
        if not sketch.ends_with_answer:
            sketch.add(won, key)
        elif own[-len(won) :] == said:
            for at, item in enumerate(won, start=len(own) - len(won)):
                sketch.alias(at, item.parts)
            sketch.known.add(key)
        else:
            wrong_shape(f"the messages end with an answer that is not '{key}'")
        return
    before = sketch.messages
    system = before[0] if before and side_of(before[0].message.role) == SYSTEM_SIDE else None
    if system is not None and side_of(said[0].role) != SYSTEM_SIDE:
        won = [system, *won]
        said = [item.message for item in won]
    sketch.messages = won
    sketch.known.add(key)
    if own == said[: len(own)]:
        for number, item in enumerate(before):
            if item is not system or won[0] is not system:
                sketch.alias(number, item.parts)
    else:
        sketch.known -= {str(part.path[0]) for item in before if item is not system for part in item.parts}
