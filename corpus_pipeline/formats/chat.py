"""Formats whose records hold lists of messages. A flavour is a `Dialect`: where the lists lie and how a message is
written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from corpus_pipeline.formats import calls, jsontext
from corpus_pipeline.formats import shape as shapes
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
)
from corpus_pipeline.formats.chat_parsing import ChatParser
from corpus_pipeline.formats.dialect import Dialect, at, put
from corpus_pipeline.formats.media_parts import leaves_parts
from corpus_pipeline.formats.messages import ANSWER_SIDE, SYSTEM_SIDE, Message, side_of, unpack
from corpus_pipeline.formats.reading import MessageReader
from corpus_pipeline.model import Conversation

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


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
        media: Collection[str] = (),
    ) -> None:
        self.media = frozenset(media)
        self.name, self.description, self.dialect, self.keys = name, description, dialect, keys
        self.needs_answer = needs_answer
        self._entry = entry
        self._parser = ChatParser(dialect, self.reader)
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

    def parse(self, record: Record) -> Parsed:
        return self._parser.parse(record)

    def write(self, conversation: Conversation) -> Written:
        losses = set[Loss]()
        messages = self.suited(unpack(conversation.turns), losses)
        last_extra = conversation.turns[-1].extra or {} if conversation.turns else {}
        record: Record = {}
        if self.dialect.system is not None and messages and side_of(messages[0].role) == SYSTEM_SIDE:
            record[self.dialect.system] = messages[0].text or ""
            losses |= {Loss.NAMES} if messages[0].name is not None else set()
            losses |= {Loss.ROLES} if messages[0].role != "system" else set()
            messages = messages[1:]
        media = self.contents_with_media(conversation)
        self._put_lists(record, messages, last_extra, losses, media)
        self._put_label(record, last_extra, losses)
        self._put_tools(record, conversation.tools, losses)
        carry_along(conversation, record, losses, self.media, parts_are_placed=bool(media))
        losses |= {Loss.PARTS} if media and leaves_parts(conversation) else set()
        return Written(record, tuple(sorted(losses)))

    def fits_as_it_is(self, conversation: Conversation) -> bool:
        messages = unpack(conversation.turns)
        if self.suited(messages, set()) != messages or not self._writes_arguments_so(messages, conversation):
            return False
        if self.reader.role_key == "role" and not _roles_of(conversation.shape) <= _ROLES:
            return False
        if not self.dialect.objects and all(message.text is not None for message in messages):
            return True
        record = shapes.render(conversation) or {}
        lists = [found for path in self.dialect.lists if isinstance(found := at(record, path), list)]
        if not all(self.reader.content_key in message for found in lists for message in found):
            return False  # some tools read it unasked
        if not self.dialect.objects:
            return True
        return all(
            isinstance(record.get(str(path[0])), dict)
            for path in (self.dialect.lists[-1], self.dialect.rejected)
            if path
        )

    def _writes_arguments_so(self, messages: Sequence[Message], conversation: Conversation) -> bool:
        """Whether the arguments of all calls are JSON text, or a value, as this dialect has them."""
        found = [call for message in messages for call in message.tool_calls or ()]
        extra = conversation.turns[-1].extra if conversation.turns else None
        for lost in (extra or {}).get("rejected_messages") or ():
            found += (lost.get("tool_calls") or ()) if isinstance(lost, dict) else ()
        functions = [call.get("function", call) for call in found if isinstance(call, dict)]
        return all(isinstance(one.get("arguments"), str) is self.dialect.text_arguments for one in functions)

    def suited(self, messages: list[Message], losses: set[Loss]) -> list[Message]:
        """The messages with what the target tool reads of them; what falls away goes to `losses`. Raises
        NotExportable.
        """
        if not any(m.text is not None or m.tool_calls or m.reasoning is not None for m in messages):
            raise NotExportable("no_text")
        if self.needs_answer and side_of(messages[-1].role) != ANSWER_SIDE:
            raise NotExportable("no_answer", "the last message is not an answer")
        return messages

    def contents_with_media(self, conversation: Conversation) -> dict[int, list[dict[str, Any]]]:
        """The contents of messages with pictures and the like as this format has them, by the number of the message."""
        return {}

    def _put_lists(
        self,
        record: Record,
        messages: list[Message],
        extra: dict[str, Any],
        losses: set[Loss],
        media: Mapping[int, list[dict[str, Any]]],
    ) -> None:
        lists = self.dialect.lists
        ends = len(lists) > 1 or self.dialect.rejected is not None
        if ends and (not messages or side_of(messages[-1].role) != ANSWER_SIDE):
            raise NotExportable("no_answer", "the last message is not an answer")
        written = self._encode_all(messages, losses)
        for number, content in media.items():
            written[number]["content"] = content
        parts = [written[:-1], written[-1:]] if len(lists) > 1 else [written]
        if len(lists) > 1 and not parts[0]:
            raise NotExportable("no_prompt")
        single = self.dialect.objects
        for number, (path, part) in enumerate(zip(lists, parts, strict=True)):
            put(record, path, part[0] if single and number == len(lists) - 1 and len(lists) > 1 else part)
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
        put(record, self.dialect.rejected, lost if single else [*(written[:-1] if len(lists) == 1 else []), lost])

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
        says_else = bool(message.tool_calls) or (message.refusal is not None and dialect.refusal)
        out["content"] = text if text is not None or (dialect.null_content and says_else) else ""
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
            out[key] = bool(weight) if key in ("train", "loss") else int(weight)
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


@lru_cache(maxsize=4096)
def _roles_of(shape: str) -> frozenset[str]:
    """The words for roles in the lists of a shape, as they are found."""
    record = jsontext.loads(shape)["record"]
    lists = [*record.values(), *(record["input"].values() if isinstance(record.get("input"), dict) else ())]
    return frozenset(
        message["role"]
        for found in lists
        if isinstance(found, list)
        for message in found
        if isinstance(message, dict) and isinstance(message.get("role"), str)
    )
