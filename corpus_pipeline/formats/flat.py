"""Formats whose texts lie in top-level keys: one prompt, one answer, and what may stand beside them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from corpus_pipeline.formats.base import (
    SHAPE_LOSSES,
    Format,
    Loss,
    NotExportable,
    Parsed,
    Record,
    Written,
    carry_along,
    with_thinking,
    wrong_shape,
)
from corpus_pipeline.formats.messages import ANSWER_SIDE, PROMPT_SIDE, SYSTEM_SIDE, Message, joined, side_of, unpack
from corpus_pipeline.formats.shape import Slot, make
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.model import Conversation, Turn

_SHAPES_KEPT = 1000
_KEYS_SHOWN = 6
_KEY = lazily(r"\w[\w .-]{0,39}")  # what a key looks like that is no text of its own
_ALWAYS_LOST = frozenset({Loss.ROLES, Loss.NAMES, Loss.WEIGHTS, Loss.TOOLS, Loss.REFUSAL, Loss.BREAKS}) | SHAPE_LOSSES


@dataclass(frozen=True)
class Columns:
    """Which key holds what. None: the format has no such key. `required` keys must be text in every record."""

    prompt: str | None = None
    input: str | None = None  # a second part of the prompt, joined to it by a line end
    response: str | None = None
    system: str | None = None
    reasoning: str | None = None
    rejected: str | None = None
    history: str | None = None  # earlier turns as [[prompt, response], ...]
    label: str | None = None  # true or false: whether the answer is a good one

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in vars(self).values() if name is not None)


class FlatFormat(Format):
    """A flavour is its columns.

    foreign: keys of neighbouring conventions; a record that has one is not taken for this format by detection.
    """

    def __init__(
        self,
        name: str,
        description: str,
        columns: Columns,
        *,
        foreign: Collection[str] = (),
        entry: dict[str, Any] | None = None,
        joins: bool = False,
        media: Collection[str] = (),
    ) -> None:
        self.media = frozenset(media)
        self.name, self.description, self.columns = name, description, columns
        self.joins = joins
        self.keys = columns.names
        self.foreign = frozenset(foreign)
        self._entry = entry
        self._known = frozenset(self.keys)
        self._required = tuple(k for k in (columns.prompt, columns.response, columns.rejected) if k is not None)
        self._optional = tuple(k for k in (columns.input, columns.system, columns.reasoning) if k is not None)
        self._shapes: dict[Any, str] = {}
        # the common case, a prompt and a response and nothing else: its shape by the key that comes first
        self._pair: tuple[str, str] | None = None
        self._pair_shapes: dict[str, str] = {}
        if columns.prompt is not None and columns.response is not None and len(self._required) == 2:
            pair = (columns.prompt, columns.response)
            if columns.label is None:
                self._pair = pair
                self._pair_shapes = {
                    keys[0]: self._parse_any(dict.fromkeys(keys, "")).shape for keys in (pair, pair[::-1])
                }
        self.loses = _ALWAYS_LOST | {
            loss
            for loss, column in (
                (Loss.SYSTEM, columns.system),
                (Loss.ANSWER, columns.response),
                (Loss.REJECTED, columns.rejected),
                (Loss.LABEL, columns.label),
            )
            if column is None
        }

    def evidence(self, record: Record) -> int:
        return -1 if self.foreign and not self.foreign.isdisjoint(record) else 1

    def parse(self, record: Record) -> Parsed:
        if len(record) == 2 and self._pair is not None:
            prompt, response = record.get(self._pair[0]), record.get(self._pair[1])
            if type(prompt) is str and type(response) is str:
                shape = self._pair_shapes[next(iter(record))]
                return Parsed((Turn(None, prompt, None, response),), shape)
        return self._parse_any(record)

    def _parse_any(self, record: Record) -> Parsed:
        columns = self.columns
        for key in self._required:
            if type(record.get(key)) is not str:
                wrong_shape(
                    f"'{key}' is not text" if key in record else f"'{key}' is missing; there are: {_named(record)}"
                )
        for key in self._optional:
            value = record.get(key)
            if value is not None and type(value) is not str:
                wrong_shape(f"'{key}' is not text")
        slots: list[Slot] = []
        turns = self._history(record, slots) if columns.history is not None else []
        number = len(turns) + 1
        fields: dict[str, Any] = {}
        if columns.prompt is not None:
            fields["prompt"] = self._prompt(record, number, slots)
        for field in ("reasoning", "response", "rejected"):
            key = getattr(columns, field)
            if key is not None and type(record.get(key)) is str:
                fields[field] = record[key]
                slots.append(Slot((key,), number, field))
        if columns.label is not None:
            if type(record.get(columns.label)) is not bool:
                wrong_shape(f"'{columns.label}' is not true or false")
            fields["extra"] = {"label": record[columns.label]}
            slots.append(Slot((columns.label,), number, "label"))
        turns.append(Turn(**fields))
        if columns.system is not None and type(record.get(columns.system)) is str:
            turns[0] = turns[0]._replace(system=record[columns.system])
            slots.append(Slot((columns.system,), 1, "system"))
        return Parsed(tuple(turns), self._shape(record, slots, turns))

    def _prompt(self, record: Record, number: int, slots: list[Slot]) -> str:
        key, second = self.columns.prompt, self.columns.input
        assert key is not None
        prompt: str = record[key]
        more = record.get(second) if second is not None else None
        if second is None or type(more) is not str or not more:
            slots.append(Slot((key,), number, "prompt"))
            return prompt
        lines = prompt.count("\n") + 1
        slots.append(Slot((key,), number, "prompt", (0, lines)))
        slots.append(Slot((second,), number, "prompt", (lines, None)))
        return f"{prompt}\n{more}"

    def _history(self, record: Record, slots: list[Slot]) -> list[Turn]:
        key = self.columns.history
        assert key is not None
        history = record.get(key)
        if history is None:
            return []
        if type(history) is not list:
            wrong_shape(f"'{key}' is not a list")
        turns = []
        for index, pair in enumerate(history):
            if type(pair) is not list or len(pair) != 2 or not all(type(text) is str for text in pair):
                wrong_shape(f"'{key}' entry {index + 1} is not a pair of texts")
            slots.append(Slot((key, index, 0), index + 1, "prompt"))
            slots.append(Slot((key, index, 1), index + 1, "response"))
            turns.append(Turn(prompt=pair[0], response=pair[1]))
        return turns

    def _shape(self, record: Record, slots: Sequence[Slot], turns: Sequence[Turn]) -> str:
        keys = tuple(record)
        unknown = [key for key in keys if key not in self._known]
        if unknown or self.columns.history in keys:
            return make(record, slots, turns, unknown)
        # a known key without a slot holds null or "", so these three decide the shape
        kind = (keys, tuple([record[key] is None for key in keys]), tuple(slots))
        found = self._shapes.get(kind)
        if found is None:
            found = make(record, slots, turns)
            if len(self._shapes) < _SHAPES_KEPT:
                self._shapes[kind] = found
        return found

    def write(self, conversation: Conversation) -> Written:
        columns, losses = self.columns, set[Loss]()
        found = self._answered(unpack(conversation.turns))
        messages, _ = joined(found)
        losses |= {Loss.BREAKS} if joined(self._told(found))[1] else set()
        system, messages = _split_system(messages)
        history, prompt, answer = self._parts(messages)
        if conversation.tools is not None:
            losses.add(Loss.TOOLS)
        if system is not None and columns.system is None:
            losses.add(Loss.SYSTEM)
            system = None
        told = self._told(messages)
        losses |= _message_losses(system, told)
        record: Record = {}
        if columns.prompt is not None:
            record[columns.prompt] = _required(prompt, "no_prompt")
        if columns.input is not None:
            record[columns.input] = ""
        if columns.reasoning is not None and answer.reasoning is not None:
            record[columns.reasoning] = answer.reasoning
            answer = answer._replace(reasoning=None)
        if columns.response is not None:
            record[columns.response] = with_thinking(answer.reasoning, _required(answer.text, "no_answer"))
        elif len(told) < len(messages):
            losses.add(Loss.ANSWER)
        if columns.rejected is not None:
            record[columns.rejected] = _required(answer.rejected, "no_preference")
        elif answer.rejected is not None or (conversation.turns[-1].extra or {}).get("rejected_messages"):
            losses.add(Loss.REJECTED)
        label = (conversation.turns[-1].extra or {}).get("label")
        if columns.label is None:
            losses |= {Loss.LABEL} if label is not None else set()
        elif not isinstance(label, bool):
            raise NotExportable("no_label")
        else:
            record[columns.label] = label
        if system is not None and system.text is not None:
            record |= {columns.system: system.text} if columns.system is not None else {}
        if columns.history is not None and history:
            record[columns.history] = history
        carry_along(conversation, record, losses, self.media)
        return Written(record, tuple(sorted(losses)))

    def _told(self, messages: list[Message]) -> list[Message]:
        """The messages that have a place here: a format of prompts alone has none for answers, say."""
        without = set() if self.columns.response is not None else {ANSWER_SIDE}
        without |= set() if self.columns.system is not None else {SYSTEM_SIDE}
        return [message for message in messages if side_of(message.role) not in without]

    def _answered(self, messages: list[Message]) -> list[Message]:
        if any(message.tool_calls for message in messages):
            raise NotExportable("tool_calls", f"{self.name} has no place for tool calls")
        if any(message.role == "tool" for message in messages):
            raise NotExportable("tool_messages", f"{self.name} has no place for tool results")
        return messages

    def _parts(self, messages: list[Message]) -> tuple[list[list[str]], str | None, Message]:
        """History, prompt and answer of messages that alternate; the last one answers unless the format has no
        answer.
        """
        sides = [side_of(message.role) for message in messages]
        if self.columns.prompt is None:
            if sides != [ANSWER_SIDE]:
                reason = "has_a_prompt" if PROMPT_SIDE in sides else "no_text" if not sides else "several_turns"
                raise NotExportable(reason, f"{self.name} is one text without a prompt")
            return [], None, messages[0]
        if self.columns.response is None and sides and sides[-1] == PROMPT_SIDE:
            messages, sides = [*messages, Message("assistant")], [*sides, ANSWER_SIDE]
        if not sides or sides[-1] != ANSWER_SIDE:
            raise NotExportable("no_answer", "the last message is not an answer")
        if sides != [PROMPT_SIDE, ANSWER_SIDE] * (len(sides) // 2):
            raise NotExportable("turn_order", "prompts and answers do not alternate")
        if len(sides) > 2 and self.columns.history is None:
            raise NotExportable("several_turns", f"{self.name} holds one exchange")
        earlier = messages[:-2]
        history = [
            [_required(q.text, "no_prompt"), with_thinking(a.reasoning, _required(a.text, "no_answer"))]
            for q, a in zip(earlier[::2], earlier[1::2], strict=True)
        ]
        return history, messages[-2].text, messages[-1]

    def llama_factory_entry(self, file_name: str, columns: Collection[str] = ()) -> dict[str, Any] | None:
        if self._entry is None:
            return None
        present = {*self._required, *columns}
        named = {tag: key for tag, key in self._entry["columns"].items() if key in present or key == self.columns.label}
        return {"file_name": file_name, **self._entry, "columns": named}


def _split_system(messages: list[Message]) -> tuple[Message | None, list[Message]]:
    system = messages[0] if messages and side_of(messages[0].role) == SYSTEM_SIDE else None
    rest = messages[1:] if system is not None else messages
    if any(side_of(message.role) == SYSTEM_SIDE for message in rest):
        raise NotExportable("system_in_the_middle", "only a first message may be a system message")
    return system, rest


def _message_losses(system: Message | None, messages: Sequence[Message]) -> set[Loss]:
    """What no flat format can say of messages. Only the last answer may have a rejected one."""
    losses = set()
    for message in [system, *messages] if system is not None else messages:
        if message.role not in ("system", "user", "assistant"):
            losses.add(Loss.ROLES)
        if message.name is not None:
            losses.add(Loss.NAMES)
        if message.weight is not None and message.weight != 1:
            losses.add(Loss.WEIGHTS)
        if message.refusal is not None:
            losses.add(Loss.REFUSAL)
    if any(message.rejected is not None for message in messages[:-1]):
        losses.add(Loss.REJECTED)
    return losses


def _named(record: Record) -> str:
    """The keys of a record that lacks one, as many as help."""
    shown = [f"'{key}'" for key in list(record)[:_KEYS_SHOWN] if _KEY.fullmatch(key)]
    return ", ".join([*shown, "..."] if len(shown) < len(record) else shown) or "none"


def _required(text: str | None, reason: str) -> str:
    if text is None:
        raise NotExportable(reason)
    return text
