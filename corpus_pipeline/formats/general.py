"""The reader of every shape that has no format of its own: it goes by what keys, roles and parts mean (see `vocabulary`).

Each record is read by itself, and what is understood decides what it is called: `instruction`, `chat`, `preference`,
`labelled`, ... A file of several shapes is `mixed`. What is not understood stays in the record and comes back with it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from corpus_pipeline.errors import LineRejected
from corpus_pipeline.formats.any_chat import add_answer, add_pair, add_system, base_list
from corpus_pipeline.formats.any_flat import copies, read_answer, read_flat
from corpus_pipeline.formats.any_messages import message_keys, reader_of
from corpus_pipeline.formats.base import MEDIA_KEYS, Format, Loss, Parsed, Record, Written, wrong_shape
from corpus_pipeline.formats.choices import tree_path
from corpus_pipeline.formats.envelopes import enclosed, in_its_envelope
from corpus_pipeline.formats.message_lists import Meanings, is_single_message, messages_at
from corpus_pipeline.formats.own_keys import rewritten
from corpus_pipeline.formats.shape import Path
from corpus_pipeline.formats.sketch import Sketch
from corpus_pipeline.formats.verdicts import verdict_on
from corpus_pipeline.formats.vocabulary import keys_by_meaning, plain_name
from corpus_pipeline.model import Conversation

INSTRUCTION, CHAT, PREFERENCE, LABELLED, TREE = "instruction", "chat", "preference", "labelled", "message_tree"
MIXED = "mixed"


class Read(NamedTuple):
    """What a record was read as."""

    kind: str
    parsed: Parsed


def read_any(record: Record) -> Read:
    """Read a record by what its keys mean, or the one that lies inside it. Raises LineRejected(WRONG_SHAPE)."""
    try:
        return _read(record)
    except LineRejected:
        key = enclosed(record)
        if key is None:
            raise
        kind, inner = read_any(record[key])
        return Read(kind, in_its_envelope(record, key, inner))


def _read(record: Record) -> Read:
    meanings = keys_by_meaning(tuple(record))
    if is_single_message(record, meanings):
        wrong_shape(
            "this is one message of a conversation that is spread over several records: join them by their parent or"
            " conversation id into one record with a list of messages"
        )
    sketch = Sketch(record)
    _tools(sketch, record, meanings)
    kind = _conversation(sketch, record, meanings)
    _label(sketch, record, meanings)
    copies(sketch, record, meanings)
    _list_copies(sketch, record, meanings)
    kind = PREFERENCE if sketch.is_pair else LABELLED if sketch.has_label else kind
    return Read(kind, sketch.finish())


def _conversation(sketch: Sketch, record: Record, meanings: Meanings) -> str:
    if tree_path(sketch, record):
        return TREE
    if _judged(sketch, record, meanings):
        return INSTRUCTION
    if base_list(sketch, record, meanings) is not None:
        add_system(sketch, record, meanings)
        add_pair(sketch, record, meanings)
        add_answer(sketch, record, meanings)
        return CHAT
    flat = read_flat(sketch, record, meanings)
    if not flat and not (meanings.get("chosen") and meanings.get("rejected")):
        wrong_shape(f"no key is known to hold a question: {', '.join(map(repr, record))}"[:300])
    add_system(sketch, record, meanings)
    if meanings.get("chosen"):
        add_pair(sketch, record, meanings)
    if not sketch.ends_with_answer:
        if not flat or not read_answer(sketch, record, meanings):
            wrong_shape(f"no key is known to hold an answer: {', '.join(map(repr, record))}"[:300])
        if not meanings.get("chosen"):
            add_pair(sketch, record, meanings)
    return INSTRUCTION


def _judged(sketch: Sketch, record: Record, meanings: Meanings) -> bool:
    """Take a question with two answers and a verdict on them; False when there is none. Of a tie the first one is read."""
    verdict = verdict_on(record)
    if verdict is None or meanings.get("rejected"):
        return False
    sides = []
    for key in (verdict.won, verdict.lost):
        text = sketch.text_of(record[key], (key,))
        sides.append(messages_at(sketch, record[key], (key,)) if text is None else [text])
    won, lost = sides
    if not won or not lost or len(won) != len(lost):
        return False
    if len(won) == 1:
        if not _asked(sketch, record, meanings):
            return False
        add_system(sketch, record, meanings)
    sketch.add(won, verdict.won)
    if not sketch.ends_with_answer:
        return False
    if not verdict.decided:
        sketch.kept.add(Loss.OTHER_ANSWERS)
        return True
    sketch.lose(lost, record[verdict.lost])
    sketch.known.add(verdict.lost)
    return True


def _asked(sketch: Sketch, record: Record, meanings: Meanings) -> bool:
    """Take what stands before two answers: messages under any key, or a question."""
    for kind in ("messages", "prompt", "context", "history"):
        for key in meanings.get(kind, ()):
            value = record[key]
            if (
                type(value) is list
                and message_keys(value) is not None
                and (found := messages_at(sketch, value, (key,)))
            ):
                sketch.add(found, key)
                return True
    if read_flat(sketch, record, meanings):
        return True
    for key in (*meanings.get("prompt", ()), *meanings.get("history", ())):
        path: Path = (key,)
        value = record[key]
        if type(value) is dict and type(value.get("full_text")) is str:  # of webgpt_comparisons
            value, path = value["full_text"], (key, "full_text")
        if type(value) is str and value:
            sketch.say("user", value, path)
            return True
    return False


def _tools(sketch: Sketch, record: Record, meanings: Meanings) -> None:
    for key in meanings.get("tools", ()):
        if record[key] in (None, "", [], "[]"):
            continue
        if sketch.call_tools(record[key], (key,)):
            return


_INT_MARKS = frozenset(("ktotag", "desirable", "isdesirable", "thumbsup", "ispreferred", "liked", "isgood"))


def _label(sketch: Sketch, record: Record, meanings: Meanings) -> None:
    if sketch.is_pair or not sketch.ends_with_answer:
        return
    for key in meanings.get("label", ()):
        value = record[key]
        if type(value) is bool:
            sketch.mark(value, (key,))
        elif type(value) is int and value in (0, 1) and plain_name(key) in _INT_MARKS:
            sketch.mark(bool(value), (key,), "int")
        else:
            continue
        return


def _list_copies(sketch: Sketch, record: Record, meanings: Meanings) -> None:
    """Lists of messages that repeat what was read are further places of it: messages beside the answer that won."""
    for kind in ("messages", "prompt", "history"):
        for key in meanings.get(kind, ()):
            keys = message_keys(record[key]) if key not in sketch.known else None
            if keys is None:
                continue
            with suppress(LineRejected):
                sketch.aliases(reader_of(*keys).decode_all(record[key], (key,)), key)


class General(Format):
    """Records of one kind of what `read_any` reads, or of any kind."""

    def __init__(self, name: str, description: str, keys: tuple[str, ...], *, any_kind: bool = False) -> None:
        self.name, self.description, self.keys = name, description, keys
        self.loses = frozenset(Loss)
        self.media = MEDIA_KEYS
        self._any = any_kind

    def parse(self, record: Record) -> Parsed:
        read = read_any(record)
        if not self._any and read.kind != self.name:
            wrong_shape(f"this record is read as {read.kind}, the others as {self.name}")
        return read.parsed

    def write(self, conversation: Conversation) -> Written:
        """The record of a changed conversation under the keys of its own record. Raises NotExportable."""
        return rewritten(conversation)


GENERAL: tuple[General, ...] = (
    General(
        INSTRUCTION,
        "A question and an answer under any usual keys, with system, context, reasoning and tools",
        ("instruction", "context", "response"),
    ),
    General(
        CHAT,
        "Lists of messages, exchanges or texts under any usual keys and with any usual roles; Anthropic, Gemini, gpt-oss",
        ("messages", "system", "tools"),
    ),
    General(PREFERENCE, "An answer that won and one that lost under any usual keys", ("prompt", "chosen", "rejected")),
    General(LABELLED, "An answer that is marked good or bad under any usual keys", ("prompt", "completion", "label")),
    General(TREE, "A tree of messages; its best-ranked path is read", ("prompt",)),
    General(MIXED, "Records of several of these kinds, each read by itself", (), any_kind=True),
)
