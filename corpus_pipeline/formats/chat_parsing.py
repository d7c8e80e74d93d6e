"""Reading a record of message lists: decode each message, pack them into turns, note where every part lies."""

from __future__ import annotations

from typing import Any

from corpus_pipeline.formats import jsontext
from corpus_pipeline.formats.base import Loss, Parsed, Record, wrong_shape
from corpus_pipeline.formats.dialect import MISSING, Dialect, at
from corpus_pipeline.formats.messages import PROMPT_SIDE, TURN_FIELD, Message, pack, places, side_of
from corpus_pipeline.formats.reading import ROLES, Decoded, MessageReader
from corpus_pipeline.formats.shape import Path, Slot, make
from corpus_pipeline.model import Turn

_SHAPES_KEPT = 1000


class ChatParser:
    """The parser of one dialect."""

    def __init__(self, dialect: Dialect, reader: MessageReader) -> None:
        self._dialect = dialect
        self._reader = reader
        self._known = dialect.top_keys
        self._list_key = str(dialect.lists[0][0]) if len(dialect.lists[0]) == 1 else None
        self._usual_keys = (reader.role_key, reader.content_key)
        self._simple: dict[tuple[str, ...], tuple[str, tuple[tuple[int, ...], ...]]] = {}

    def parse(self, record: Record) -> Parsed:
        """See `Format.parse`."""
        simple = self._parse_simple(record)
        return simple if simple is not None else self._parse_any(record)

    def _parse_any(self, record: Record) -> Parsed:
        decoded = self._system_message(record)
        for path in self._dialect.lists:
            decoded += self._decode_list(record, path)
        decoded += self._lone_answer(record, decoded)
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
        if self._dialect.rejected is not None:
            self._read_rejected(record, decoded, turns, slots, kept)
        if self._dialect.label is not None:
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
        if len(record) != 1 or self._list_key is None or self._dialect.answer is not None:
            return None
        messages = record.get(self._list_key)
        if type(messages) is not list or not messages:
            return None
        usual = self._usual_keys
        roles, texts = [], list[str | None]()
        for message in messages:
            if type(message) is not dict or tuple(message) != usual:
                return None
            role, text = message.values()
            if type(role) is not str or type(text) is not str:
                return None
            roles.append(role)
            texts.append(text)
        kind = tuple(roles)
        plan = self._simple.get(kind)
        if plan is None:
            parsed = self._parse_any(record)
            if len(self._simple) < _SHAPES_KEPT and all(turn.extra is None for turn in parsed.turns):
                self._simple[kind] = (parsed.shape, _who_speaks(kind))
            return parsed
        texts.append(None)  # where the plan says -1
        shape, speakers = plan
        return Parsed(tuple([Turn(texts[s], texts[p], None, texts[r]) for s, p, r in speakers]), shape)

    def _system_message(self, record: Record) -> list[Decoded]:
        key = self._dialect.system
        text = record.get(key) if key is not None else None
        if key is None or text is None:
            return []
        if type(text) is not str:
            wrong_shape(f"'{key}' is not text")
        return [Decoded.of_text(Message("system", text), (key,))]

    def _lone_answer(self, record: Record, asked: list[Decoded]) -> list[Decoded]:
        key = self._dialect.answer
        if key is None:
            return []
        if type(record.get(key)) is not str:
            wrong_shape(f"'{key}' is {'missing' if key not in record else 'not text'}")
        if not asked or side_of(asked[-1].message.role) != PROMPT_SIDE:
            wrong_shape(f"the messages beside '{key}' do not end with a question")
        return [Decoded.of_text(Message("assistant", record[key]), (key,))]

    def _decode_list(self, record: Record, path: Path) -> list[Decoded]:
        found = at(record, path)
        name = ".".join(map(str, path))
        if type(found) is dict and len(self._dialect.lists) > 1:
            return [self._reader.decode(found, path)]
        if type(found) is not list:
            wrong_shape(f"'{name}' is {'missing' if found is MISSING else 'not a list of messages'}")
        return [self._reader.decode(message, (*path, index)) for index, message in enumerate(found)]

    def _read_rejected(
        self, record: Record, decoded: list[Decoded], turns: list[Turn], slots: list[Slot], kept: set[str]
    ) -> None:
        """The answer that lost. Messages that it shares with the chosen list take the same turns."""
        path = self._dialect.rejected
        assert path is not None
        found = at(record, path)
        if found is MISSING or found is None:
            wrong_shape(f"'{'.'.join(map(str, path))}' is missing")
        chosen_path = self._dialect.lists[-1]
        chosen = at(record, chosen_path)
        lost = [found] if type(found) is dict else found
        won = [chosen] if type(chosen) is dict else chosen
        if type(lost) is not list or not lost or not won or decoded[-1].message.role != "assistant":
            wrong_shape(f"'{'.'.join(map(str, path))}' and the chosen answer are not both messages")
        at_end: Path = path if type(found) is dict else (*path, len(lost) - 1)
        last = self._reader.decode(lost[-1], at_end)
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
                self._reader.decode(message, (*path, index))
            turns[-1] = _with_extra(turns[-1], rejected_messages=lost)

    def _read_label(self, record: Record, turns: list[Turn], slots: list[Slot]) -> None:
        key = self._dialect.label
        assert key is not None
        if type(record.get(key)) is not bool:
            wrong_shape(f"'{key}' is not true or false")
        turns[-1] = _with_extra(turns[-1], label=record[key])
        slots.append(Slot((key,), len(turns), "label"))

    def _read_tools(self, record: Record, slots: list[Slot]) -> str | None:
        found = at(record, self._dialect.tools)
        if found is MISSING or found is None or found in ("", [], "[]"):
            return None
        if isinstance(found, str):
            slots.append(Slot(self._dialect.tools, 0, "tools_text"))
            return found
        if not isinstance(found, list):
            wrong_shape("'tools' is neither a list nor JSON text")
        slots.append(Slot(self._dialect.tools, 0, "tools"))
        return jsontext.dumps(found)

    def _keeps_beside_known(self, record: Record) -> bool:
        """Whether an object on the way to a list (`input` of a preference record) holds keys of its own."""
        paths = (*self._dialect.lists, self._dialect.tools)
        for outer in {path[0] for path in paths if len(path) > 1}:
            inner = {path[1] for path in paths if path[0] == outer and len(path) > 1}
            if not inner.issuperset(record[str(outer)]):
                return True
        return False


def _with_extra(turn: Turn, **more: Any) -> Turn:
    return turn._replace(extra={**(turn.extra or {}), **more})


def _who_speaks(roles: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """For each turn the indexes of its system message, prompt and answer; -1 is "none"."""
    found = places(ROLES[role] for role in roles)
    turns = [[-1, -1, -1] for _ in range(found[-1].turn)]
    for index, place in enumerate(found):
        turns[place.turn - 1][place.side] = index
    return tuple(tuple(turn) for turn in turns)
