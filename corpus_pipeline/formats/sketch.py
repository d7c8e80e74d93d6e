"""A conversation while it is put together from a record: messages with the places of their parts, then turns and shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from corpus_pipeline.formats import jsontext
from corpus_pipeline.formats.base import Loss, Parsed, Record, wrong_shape
from corpus_pipeline.formats.messages import ANSWER_SIDE, TURN_FIELD, Message, pack, places, side_of
from corpus_pipeline.formats.reading import Decoded, Part
from corpus_pipeline.formats.shape import AS_JSON, Path, Slot, make
from corpus_pipeline.model import Turn

OWN_WORD = "own word"  # how a label is said that is neither true nor false: it stays in the record as it is


class Sketch:
    """What was read of a record so far.

    record: the record, with a list of pieces at each path of `joined`. known: top-level keys that were understood.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        self.messages: list[Decoded] = []
        self.known = set[str]()
        self.kept = set[str]()
        self.joined: list[Path] = []
        self.tools: str | None = None
        self._tools_slot: Slot | None = None
        self._lost: list[Any] | None = None  # a losing answer of several messages
        self._label: tuple[bool, Path, str | None] | None = None

    @property
    def is_pair(self) -> bool:
        """Whether there is an answer that lost."""
        return self._lost is not None or bool(self.messages and self.messages[-1].message.rejected is not None)

    @property
    def has_label(self) -> bool:
        """Whether the answer is marked good or bad."""
        return self._label is not None

    @property
    def ends_with_answer(self) -> bool:
        """Whether the last message is an answer."""
        return bool(self.messages) and side_of(self.messages[-1].message.role) == ANSWER_SIDE

    def say(self, role: str, text: str, path: Path, how: Any = None) -> None:
        """Add a message that is one text of the record."""
        self.messages.append(Decoded(Message(role, text), (Part(path, "text", how),)))
        self.known.add(str(path[0]))

    def add(self, found: Iterable[Decoded], key: str) -> None:
        """Add messages that lie below a top-level key."""
        self.messages += found
        self.known.add(key)

    def alias(self, number: int, parts: Sequence[Part]) -> None:
        """Further places at which the parts of a message stand in the record."""
        item = self.messages[number]
        self.messages[number] = item._replace(parts=(*item.parts, *parts))

    def aliases(self, found: Sequence[Decoded], key: str) -> bool:
        """Take a list that says what the first messages say as another place of them; False when it says something else."""
        if len(found) > len(self.messages):
            return False
        own = [item.message._replace(rejected=None) for item in self.messages[: len(found)]]
        if own != [item.message for item in found]:
            return False
        for number, item in enumerate(found):
            self.alias(number, item.parts)
        self.known.add(key)
        return True

    def pieces(self, path: Path, found: list[str]) -> None:
        """Put a list of pieces where the record has one text. The record is copied on the way."""
        root = dict(self.record)
        node: Any = root
        for step in path[:-1]:
            node[step] = node[step].copy()
            node = node[step]
        node[path[-1]] = found
        self.record = root
        self.joined.append(path)

    def lose(self, found: Sequence[Decoded], raw: Any) -> None:
        """Take the answer that lost: its messages, those that it shares with the answer that won before it."""
        shared, last = list(found[:-1]), found[-1]
        whole = [part for part in last.parts if part.name == "text"]
        before = self.messages[:-1]
        fits = not shared or [item.message for item in shared] == [item.message for item in before]
        if not fits or not whole or last.message.role != "assistant" or last.message.tool_calls:
            self._lost = raw if isinstance(raw, list) else [raw]
            return
        for number, item in enumerate(shared):
            self.alias(number, item.parts)
        if len(last.parts) > len(whole):
            self.kept.add(Loss.MESSAGE_KEYS)
        self.kept |= last.kept
        won = self.messages[-1]
        parts = tuple(part._replace(name="rejected") for part in whole)
        self.messages[-1] = won._replace(
            message=won.message._replace(rejected=last.message.text), parts=(*won.parts, *parts)
        )

    def mark(self, good: bool, path: Path, how: str | None = None) -> None:
        """Mark the answer as a good or a bad one."""
        self._label = (good, path, how)
        self.known.add(str(path[0]))

    def call_tools(self, value: Any, path: Path) -> bool:
        """Take the definitions of the tools; False when they are none."""
        text = value if isinstance(value, str) else None
        try:
            found = jsontext.loads(value) if text is not None else value
        except (ValueError, RecursionError):
            return False
        if isinstance(found, dict):
            found = [found]
        if not isinstance(found, list) or not found or not all(isinstance(tool, dict) for tool in found):
            return False
        self.tools = text if text is not None else jsontext.dumps(value)
        self._tools_slot = Slot(path, 0, "tools" if text is None else "tools_text")
        self.known.add(str(path[0]))
        return True

    def text_of(self, value: Any, path: Path) -> Decoded | None:
        """A message of the assistant that is a text, a number, or true or false; None for anything else."""
        if isinstance(value, str):
            return Decoded(Message("assistant", value), (Part(path, "text"),))
        if isinstance(value, bool | int | float):
            return Decoded(Message("assistant", jsontext.dumps(value)), (Part(path, "text", AS_JSON),))
        return None

    def finish(self, *, made: Iterable[tuple[int, str]] = (), named: Mapping[str, Path] | None = None) -> Parsed:
        """Turns, shape and tools. Raises LineRejected(WRONG_SHAPE).

        made: (number of the message, part) of texts that lie nowhere in the record. named: see `formats.shape`.
        """
        if not self.messages:
            wrong_shape("there is no message")
        turns = list(pack([item.message for item in self.messages]))
        slots: list[Slot] = []
        kept = set(self.kept)
        where = places(item.message.role for item in self.messages)
        for item, place in zip(self.messages, where, strict=True):
            kept |= item.kept
            for part in item.parts:
                slots.append(Slot(part.path, place.turn, TURN_FIELD[place.side].get(part.name, part.name), part.how))
        if self._lost is not None:
            turns[-1] = _with_extra(turns[-1], rejected_messages=self._lost)
        if self._label is not None:
            good, path, how = self._label
            turns[-1] = _with_extra(turns[-1], label=good)
            if how != OWN_WORD:
                slots.append(Slot(path, len(turns), "label", how))
        if self._tools_slot is not None:
            slots.append(self._tools_slot)
        if not any(turn.texts() or (turn.extra or {}).get("tool_calls") for turn in turns):
            wrong_shape("no message has a text")
        extra = [key for key in self.record if key not in self.known]
        texts = [(where[number].turn, TURN_FIELD[where[number].side][part]) for number, part in made]
        shape = make(self.record, slots, turns, extra, kept, self.joined, made=texts, named=named)
        return Parsed(tuple(turns), shape, self.tools)


def _with_extra(turn: Turn, **more: Any) -> Turn:
    return turn._replace(extra={**(turn.extra or {}), **more})


def joined_texts(role: str, parts: Sequence[tuple[Path, str]]) -> Decoded:
    """One message of several texts of the record, each of which remembers which of its lines it is."""
    if len(parts) == 1:
        return Decoded.of_text(Message(role, parts[0][1]), parts[0][0])
    found, first = list[Part](), 0
    for number, (path, text) in enumerate(parts, start=1):
        last = first + text.count("\n") + 1
        found.append(Part(path, "text", (first, None if number == len(parts) else last)))
        first = last
    return Decoded(Message(role, "\n".join(text for _, text in parts)), tuple(found))
