"""Writing a changed conversation under the keys of its own record, where the shape shows which key holds what."""

from __future__ import annotations

import copy
from typing import Any, NoReturn

from corpus_pipeline.formats import jsontext
from corpus_pipeline.formats.base import Loss, NotExportable, Record, Written, carry_along, with_thinking
from corpus_pipeline.formats.dialect import put
from corpus_pipeline.formats.flat import Columns, FlatFormat
from corpus_pipeline.formats.messages import Message, unpack
from corpus_pipeline.formats.shape import Path, Slot
from corpus_pipeline.formats.vocabulary import means, role_of
from corpus_pipeline.model import TEXT_FIELDS, Conversation

_WRITABLE = (*TEXT_FIELDS, "label")
_OWN = "\0"  # no key of a record
_USUAL = {"tool": "tool", "developer": "system"}


def rewritten(conversation: Conversation) -> Written:
    """The record. Raises NotExportable for a shape that cannot be written in another way than it came."""
    body = jsontext.loads(conversation.shape)
    slots = [Slot(tuple(slot[0]), *slot[1:]) for slot in body["slots"]]
    texts = [slot for slot in slots if slot.field in TEXT_FIELDS]
    if (
        not texts
        or body.get("joined")
        or any(slot.field not in (*TEXT_FIELDS, "label", "tools", "tools_text") for slot in slots)
    ):
        _no_writer()
    if all(isinstance(step, str) for slot in texts for step in slot.path) and body["turns"] == 1:
        return _flat(conversation, body["record"], slots)
    return _listed(conversation, body["record"], texts)


def _no_writer() -> NoReturn:
    raise NotExportable(
        "no_writer",
        "a step changed the order or the number of its parts, and its shape is only read; name an export format",
    )


def _flat(conversation: Conversation, before: Record, slots: list[Slot]) -> Written:
    """One exchange whose texts lie under keys, also nested ones: all else of the record stays where it is."""
    paths: dict[str, list[Slot]] = {}
    for slot in slots:
        paths.setdefault(slot.field, []).append(slot)
    record, losses = FlatFormat("own", "", Columns(**{field: _OWN + field for field in paths})).write(conversation)
    root = copy.deepcopy(before)
    for field, found in paths.items():
        value = record.get(_OWN + field)
        for number, slot in enumerate(found):
            node = _at(root, slot.path[:-1])
            is_further_line = isinstance(slot.how, list) and number > 0
            if value is None:
                del node[slot.path[-1]]
            else:
                node[slot.path[-1]] = "" if is_further_line else value
    return Written(root, losses)


def _listed(conversation: Conversation, before: Record, texts: list[Slot]) -> Written:
    """A list of messages under one key, each with a role and a text."""
    paths = {slot.path[:-2] for slot in texts}
    content_keys = {slot.path[-1] for slot in texts}
    if len(paths) != 1 or len(content_keys) != 1 or any(len(slot.path) < 3 for slot in texts):
        _no_writer()
    (path,), (content_key,) = paths, content_keys
    found = _at(before, path)
    if (
        not isinstance(found, list)
        or not all(isinstance(message, dict) for message in found)
        or not isinstance(content_key, str)
    ):
        _no_writer()
    role_key = next((key for key in found[0] if means(key, "role") and isinstance(found[0][key], str)), None)
    if role_key is None:
        _no_writer()
    words = {
        role_of(str(message.get(role_key))): message[role_key] for message in reversed(found) if role_key in message
    }
    losses = set[Loss]()
    record: Record = {}
    messages = unpack(conversation.turns)
    put(record, path, [_message(message, role_key, content_key, words, losses) for message in messages])
    if conversation.tools is not None:
        _no_writer()
    carry_along(conversation, record, losses)
    return Written(record, tuple(sorted(losses)))


def _message(
    message: Message, role_key: str, content_key: str, words: dict[str | None, Any], losses: set[Loss]
) -> dict[str, Any]:
    if message.tool_calls or message.rejected is not None:
        _no_writer()
    if message.name is not None:
        losses.add(Loss.NAMES)
    if message.weight is not None and message.weight != 1:
        losses.add(Loss.WEIGHTS)
    word = words.get(message.role) or _USUAL.get(message.role, message.role)
    return {role_key: word, content_key: with_thinking(message.reasoning, message.text or "")}


def _at(record: Any, path: Path) -> Any:
    for step in path:
        record = record[step]
    return record
