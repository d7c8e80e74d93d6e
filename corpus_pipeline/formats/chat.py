"""Formats whose records hold lists of messages. A flavour is a `Dialect`: where the lists lie and how a message is
written.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from corpus_pipeline.formats import calls, jsontext
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
from corpus_pipeline.formats.messages import (
    ANSWER_SIDE,
    PROMPT_SIDE,
    SYSTEM_SIDE,
    TURN_FIELD,
    Message,
    pack,
    places,
    side_of,
    unpack,
)
from corpus_pipeline.formats.reading import ROLES, Decoded, MessageReader
from corpus_pipeline.formats.shape import Path, Slot, make
from corpus_pipeline.model import Conversation, Turn

_SHAPES_KEPT = 1000
_MISSING = object()


@dataclass(frozen=True)
class Dialect:
    """How a flavour says things. None or False: it cannot say them.

    lists: paths of the message lists that make up the conversation, in order. In the last of several lists stands the
    answer. rejected: path of the list (or single message) with the answer that lost.
    """

    lists: tuple[Path, ...] = (("messages",),)
    rejected: Path | None = None
    label: str | None = None
    tools: Path = ("tools",)
    system: str | None = None  # top-level key of the system message
    weight: Literal["weight", "train", "loss_weight"] | None = None
    reasoning: Literal["reasoning_content", "think", "drop"] = "think"
    text_arguments: bool = False  # arguments of calls as JSON text
    null_content: bool = True  # an absent text is null; False: ""
    developer: bool = False
    names: bool = True
    refusal: bool = False
    call_ids: bool = True


class ChatFormat(Format):
    """A flavour of message lists."""

    reader = MessageReader()

    def __init__(
        self,
        name: str,
        description: str,
        dialect: Dialect,
        keys: tuple[str, ...],
        *,
        needs_answer: bool = False,
        entry: dict[str, Any] | None = None,
    ) -> None:
        self.name, self.description, self.dialect, self.keys = name, description, dialect, keys
        self.needs_answer = needs_answer
        self._entry = entry
        self._known = frozenset(str(path[0]) for path in (*dialect.lists, dialect.tools)) | {
            str(key)
            for key in (dialect.rejected and dialect.rejected[0], dialect.label, dialect.system)
            if key is not None
        }
        self._simple: dict[tuple[str, ...], tuple[str, tuple[tuple[int, int], ...], int]] = {}
        self.loses = (
            SHAPE_LOSSES
            | {Loss.ROLES}
            | {
                loss
                for loss, said in (
                    (Loss.NAMES, dialect.names),
                    (Loss.REASONING, dialect.reasoning != "drop"),
                    (Loss.WEIGHTS, dialect.weight == "loss_weight"),
                    (Loss.REJECTED, False),
                    (Loss.LABEL, dialect.label),
                    (Loss.TOOLS, False),
                    (Loss.CALL_IDS, dialect.call_ids),
                    (Loss.REFUSAL, dialect.refusal),
                )
                if not said
            }
        )

    # reading

    def parse(self, record: Record) -> Parsed:
        simple = self._parse_simple(record)
        return simple if simple is not None else self._parse_any(record)

    def _parse_any(self, record: Record) -> Parsed:
        decoded = self._system_message(record)
        for path in self.dialect.lists:
            decoded += self._decode_list(record, path)
        turns = list(pack([item.message for item in decoded]))
        where = places(item.message.role for item in decoded)
        slots: list[Slot] = []
        kept: set[str] = set()
        for item, place in zip(decoded, where, strict=True):
            kept |= item.kept
            for part in item.parts:
                field = TURN_FIELD[place.side].get(part.name, part.name)
                slots.append(Slot(part.path, place.turn, field, part.how))
        if not turns:
            wrong_shape("there is no message")
        if self.dialect.rejected is not None:
            self._read_rejected(record, decoded, turns, slots, kept)
        if self.dialect.label is not None:
            self._read_label(record, turns, slots)
        tools = self._read_tools(record, slots)
        if not any(turn.texts() or (turn.extra or {}).get("tool_calls") for turn in turns):
            wrong_shape("no message has a text")
        extra = [key for key in record if key not in self._known]
        if self._keeps_beside_known(record):
            kept.add(Loss.MESSAGE_KEYS)
        return Parsed(tuple(turns), make(record, slots, turns, extra, kept), tools)

    def _parse_simple(self, record: Record) -> Parsed | None:
        """The common case, cached by its roles: one list of `{"role", "content"}` and nothing else."""
        key = self.dialect.lists[0][0]
        if len(record) != 1 or len(self.dialect.lists[0]) != 1:
            return None
        messages = record.get(str(key))
        if type(messages) is not list or not messages:
            return None
        role_key, content_key = self.reader.role_key, self.reader.content_key
        roles, texts = [], []
        for message in messages:
            if type(message) is not dict or len(message) != 2:
                return None
            role, text = message.get(role_key), message.get(content_key)
            if type(role) is not str or type(text) is not str or next(iter(message)) != role_key:
                return None
            roles.append(role)
            texts.append(text)
        kind = tuple(roles)
        plan = self._simple.get(kind)
        if plan is None:
            parsed = self._parse_any(record)
            where = tuple((place.turn - 1, place.side) for place in places(ROLES[role] for role in roles))
            if len(self._simple) < _SHAPES_KEPT and all(turn.extra is None for turn in parsed.turns):
                self._simple[kind] = (parsed.shape, where, len(parsed.turns))
            return parsed
        shape, where, count = plan
        sides: list[list[str | None]] = [[None, None, None] for _ in range(count)]
        for (turn, side), text in zip(where, texts, strict=True):
            sides[turn][side] = text
        return Parsed(tuple([Turn(system, prompt, None, response) for system, prompt, response in sides]), shape)

    def _system_message(self, record: Record) -> list[Decoded]:
        key = self.dialect.system
        text = record.get(key) if key is not None else None
        if key is None or text is None:
            return []
        if type(text) is not str:
            wrong_shape(f"'{key}' is not text")
        return [Decoded.of_text(Message("system", text), (key,))]

    def _decode_list(self, record: Record, path: Path) -> list[Decoded]:
        found = at(record, path)
        name = ".".join(map(str, path))
        if type(found) is dict and len(self.dialect.lists) > 1:
            return [self.reader.decode(found, path)]
        if type(found) is not list:
            wrong_shape(f"'{name}' is {'missing' if found is _MISSING else 'not a list of messages'}")
        return [self.reader.decode(message, (*path, index)) for index, message in enumerate(found)]

    def _read_rejected(
        self, record: Record, decoded: list[Decoded], turns: list[Turn], slots: list[Slot], kept: set[str]
    ) -> None:
        """The answer that lost. Messages that it shares with the chosen list take the same turns."""
        path = self.dialect.rejected
        assert path is not None
        found = at(record, path)
        if found is _MISSING or found is None:
            wrong_shape(f"'{'.'.join(map(str, path))}' is missing")
        chosen_path = self.dialect.lists[-1]
        chosen = at(record, chosen_path)
        lost = [found] if type(found) is dict else found
        won = [chosen] if type(chosen) is dict else chosen
        if type(lost) is not list or not lost or not won or decoded[-1].message.role != "assistant":
            wrong_shape(f"'{'.'.join(map(str, path))}' and the chosen answer are not both messages")
        at_end: Path = path if type(found) is dict else (*path, len(lost) - 1)
        last = self.reader.decode(lost[-1], at_end)
        if last.message.role != "assistant":
            wrong_shape(f"'{'.'.join(map(str, path))}' does not end with an answer")
        whole = [part for part in last.parts if part.name == "text"]
        if len(lost) == len(won) and lost[:-1] == won[:-1] and repr(lost[:-1]) == repr(won[:-1]) and whole:
            if len(last.parts) > len(whole):
                kept.add(Loss.MESSAGE_KEYS)
            kept |= last.kept
            shared = [slot for slot in slots if slot.path[: len(chosen_path)] == chosen_path and len(won) > 1]
            for slot in shared:
                if slot.path[len(chosen_path)] != len(won) - 1:
                    slots.append(slot._replace(path=(*path, *slot.path[len(chosen_path) :])))
            slots += [Slot(part.path, len(turns), "rejected", part.how) for part in whole]
            turns[-1] = turns[-1]._replace(rejected=last.message.text)
        else:
            for index, message in enumerate(lost):
                self.reader.decode(message, (*path, index))
            turns[-1] = _with_extra(turns[-1], rejected_messages=lost)

    def _read_label(self, record: Record, turns: list[Turn], slots: list[Slot]) -> None:
        key = self.dialect.label
        assert key is not None
        if type(record.get(key)) is not bool:
            wrong_shape(f"'{key}' is not true or false")
        turns[-1] = _with_extra(turns[-1], label=record[key])
        slots.append(Slot((key,), len(turns), "label"))

    def _read_tools(self, record: Record, slots: list[Slot]) -> str | None:
        found = at(record, self.dialect.tools)
        if found is _MISSING or found is None or found == "" or found == []:
            return None
        if isinstance(found, str):
            slots.append(Slot(self.dialect.tools, 0, "tools_text"))
            return found
        if not isinstance(found, list):
            wrong_shape("'tools' is neither a list nor JSON text")
        slots.append(Slot(self.dialect.tools, 0, "tools"))
        return jsontext.dumps(found)

    def _keeps_beside_known(self, record: Record) -> bool:
        """Whether an object on the way to a list (`input` of a preference record) holds keys of its own."""
        paths = (*self.dialect.lists, self.dialect.tools)
        for outer in {path[0] for path in paths if len(path) > 1}:
            inner = {path[1] for path in paths if path[0] == outer and len(path) > 1}
            if not inner.issuperset(record[str(outer)]):
                return True
        return False

    # writing

    def write(self, conversation: Conversation) -> Written:
        losses = set[Loss]()
        messages = self.suited(unpack(conversation.turns), losses)
        last_extra = conversation.turns[-1].extra or {} if conversation.turns else {}
        record: Record = {}
        if self.dialect.system is not None and messages and side_of(messages[0].role) == SYSTEM_SIDE:
            record[self.dialect.system] = messages[0].text or ""
            messages = messages[1:]
        self._put_lists(record, messages, last_extra, losses)
        self._put_label(record, last_extra, losses)
        self._put_tools(record, conversation.tools, losses)
        carry_along(conversation, record, losses)
        return Written(record, tuple(sorted(losses)))

    def suited(self, messages: list[Message], losses: set[Loss]) -> list[Message]:
        """The messages with what the target tool reads of them; what falls away goes to `losses`. Raises
        NotExportable.
        """
        if not any(m.text is not None or m.tool_calls or m.reasoning is not None for m in messages):
            raise NotExportable("no_text")
        if self.needs_answer and side_of(messages[-1].role) != ANSWER_SIDE:
            raise NotExportable("no_answer", "the last message is not an answer")
        return messages

    def _put_lists(self, record: Record, messages: list[Message], extra: dict[str, Any], losses: set[Loss]) -> None:
        lists = self.dialect.lists
        ends = len(lists) > 1 or self.dialect.rejected is not None
        if ends and (not messages or side_of(messages[-1].role) != ANSWER_SIDE):
            raise NotExportable("no_answer", "the last message is not an answer")
        written = self._encode_all(messages, losses)
        parts = [written[:-1], written[-1:]] if len(lists) > 1 else [written]
        if len(lists) > 1 and not parts[0]:
            raise NotExportable("no_prompt")
        for path, part in zip(lists, parts, strict=True):
            put(record, path, part)
        rejected = messages[-1].rejected
        if any(message.rejected is not None for message in messages[:-1]):
            losses.add(Loss.REJECTED)
        if self.dialect.rejected is None:
            if rejected is not None or "rejected_messages" in extra:
                losses.add(Loss.REJECTED)
            return
        if rejected is None:
            raise NotExportable("no_preference", "there is no answer that lost")
        lost = self.encode(Message("assistant", rejected), len(messages), losses)
        put(record, self.dialect.rejected, [*(written[:-1] if len(lists) == 1 else []), lost])

    def _encode_all(self, messages: Sequence[Message], losses: set[Loss]) -> list[dict[str, Any]]:
        written, waiting = [], list[str]()
        for number, message in enumerate(messages):
            if message.role == "tool" and message.tool_call_id is None and waiting:
                message = message._replace(tool_call_id=waiting.pop(0))
            encoded = self.encode(message, number, losses)
            waiting += [call["id"] for call in encoded.get("tool_calls", ()) if "id" in call]
            written.append(encoded)
        return written

    def encode(self, message: Message, number: int, losses: set[Loss]) -> dict[str, Any]:
        """One message in the notation of OpenAI's chat API as this dialect has it."""
        dialect = self.dialect
        role, text = message.role, message.text
        if (role == "developer" and not dialect.developer) or role not in _ROLES:
            losses.add(Loss.ROLES)
            role = "system" if side_of(role) == SYSTEM_SIDE else "assistant" if side_of(role) == ANSWER_SIDE else "user"
        out: dict[str, Any] = {"role": role}
        if message.name is not None:
            if dialect.names or role == "tool":
                out["name"] = message.name
            else:
                losses.add(Loss.NAMES)
        if message.reasoning is not None:
            if dialect.reasoning == "think":
                text = with_thinking(message.reasoning, text or "")
            elif dialect.reasoning == "drop":
                losses.add(Loss.REASONING)
        out["content"] = text if text is not None or dialect.null_content else ""
        if message.reasoning is not None and dialect.reasoning == "reasoning_content":
            out["reasoning_content"] = message.reasoning
        if message.tool_calls:
            out["tool_calls"] = self._calls(message.tool_calls, number)
        if message.tool_call_id is not None:
            out["tool_call_id"] = message.tool_call_id
        if message.refusal is not None:
            if dialect.refusal:
                out["refusal"] = message.refusal
            else:
                losses.add(Loss.REFUSAL)
        self._put_weight(out, message.weight, losses)
        return out

    def _calls(self, found: Sequence[Any], number: int) -> list[dict[str, Any]]:
        written = []
        for index, call in enumerate(found):
            # OpenAI refuses a call without an id; the others do not read it
            made = f"call_{number}_{index}" if self.dialect.text_arguments else None
            one = calls.wrapped(call, made, text_arguments=self.dialect.text_arguments)
            if one is None:
                raise NotExportable("broken_arguments", "the arguments of a tool call are not a JSON object")
            written.append(one)
        return written

    def _put_weight(self, out: dict[str, Any], weight: float | None, losses: set[Loss]) -> None:
        key = self.dialect.weight
        if weight is None or (key is None and weight == 1):
            return
        if key == "loss_weight":
            out[key] = float(weight)
        elif key is not None and weight in (0, 1):
            out[key] = bool(weight) if key == "train" else int(weight)
        else:
            losses.add(Loss.WEIGHTS)

    def _put_label(self, record: Record, extra: dict[str, Any], losses: set[Loss]) -> None:
        label = extra.get("label")
        if self.dialect.label is None:
            if label is not None:
                losses.add(Loss.LABEL)
        elif not isinstance(label, bool):
            raise NotExportable("no_label")
        else:
            record[self.dialect.label] = label

    def _put_tools(self, record: Record, tools: str | None, losses: set[Loss]) -> None:
        if tools is None:
            return
        found = self.tools_value(tools)
        if found is None:
            losses.add(Loss.TOOLS)
        else:
            put(record, self.dialect.tools, found)

    def tools_value(self, tools: str) -> Any:
        """Tool definitions as this dialect has them; None when the text is no list of tools."""
        return calls.wrapped_tools(tools)

    def llama_factory_entry(self, file_name: str, columns: Collection[str] = ()) -> dict[str, Any] | None:
        if self._entry is None:
            return None
        required = {str(path[0]) for path in (*self.dialect.lists, self.dialect.rejected) if path} | {
            self.dialect.label
        }
        present = {tag: key for tag, key in self._entry["columns"].items() if key in required or key in columns}
        return {"file_name": file_name, **self._entry, "columns": present}


_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


def at(record: Record, path: Path) -> Any:
    """The value at a path of keys, or a marker that is no JSON value."""
    node: Any = record
    for step in path:
        if not isinstance(node, dict) or step not in node:
            return _MISSING
        node = node[step]
    return node


def messages_of(record: Record) -> list[dict[str, Any]]:
    """The objects in `messages`, whatever else is there."""
    found = record.get("messages")
    return [message for message in found if isinstance(message, dict)] if isinstance(found, list) else []


def put(record: Record, path: Path, value: Any) -> None:
    """Set the value at a path of keys, making the objects on the way."""
    node = record
    for step in path[:-1]:
        node = node.setdefault(str(step), {})
    node[str(path[-1])] = value


def _with_extra(turn: Turn, **more: Any) -> Turn:
    return turn._replace(extra={**(turn.extra or {}), **more})


def alternating(messages: Sequence[Message]) -> bool:
    """Whether prompts and answers alternate, beginning with a prompt and ending with an answer."""
    sides = [side_of(message.role) for message in messages]
    return len(sides) % 2 == 0 and sides == [PROMPT_SIDE, ANSWER_SIDE] * (len(sides) // 2)
