"""Messages in any of the field's notations: under any usual key, with any usual name of a role, with the blocks of
Anthropic, the parts of Gemini, and the channels of gpt-oss.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from corpus_pipeline.formats import calls, jsontext
from corpus_pipeline.formats.base import Loss, wrong_shape
from corpus_pipeline.formats.call_notations import calls_as_code
from corpus_pipeline.formats.messages import ANSWER_SIDE, SYSTEM_SIDE, Message, side_of
from corpus_pipeline.formats.reading import Decoded, Draft, MessageReader, Part, join_parts
from corpus_pipeline.formats.shape import AS_JSON, Path
from corpus_pipeline.formats.vocabulary import TOOL_NAMESPACE, keys_by_meaning, means, role_of

_TEXT_KINDS = frozenset(("text", "input_text", "output_text", "refusal_text"))
_THOUGHT_KINDS = frozenset(("thinking", "reasoning", "thought", "reasoning_text"))
_CALL_KINDS = frozenset(("tool_use", "tool_call", "function_call", "functionCall"))
_RESULT_KINDS = frozenset(("tool_result", "function_call_output", "tool_response"))
_FORM = frozenset(("type", "index", "annotations"))  # keys of a part that say nothing beside its content


class AnyReader(MessageReader):
    """Reads messages whose role and content lie under given keys."""

    def __init__(self, role_key: str, content_key: str) -> None:
        self.role_key, self.content_key = role_key, content_key

    def role_of(self, word: str) -> str | None:
        return role_of(word)

    def decode_all(self, found: Sequence[Any], path: Path) -> list[Decoded]:
        """The messages of a list. Raises LineRejected(WRONG_SHAPE)."""
        decoded: list[Decoded] = []
        channels: list[str | None] = []
        for index, raw in enumerate(found):
            here = self._decode_one(raw, (*path, index))
            decoded += here
            channel = raw.get("channel") if self.role_key in raw else _ITEM
            channels += [channel if isinstance(channel, str) else None] * len(here)
        if _ITEM in channels:
            return _joined_items(decoded, channels)
        return _joined_channels(decoded, channels) if any(channels) else decoded

    def _decode_one(self, raw: Any, path: Path) -> list[Decoded]:
        if type(raw) is dict and self.role_key not in raw and (item := _item(raw, path)) is not None:
            return [item]
        content = raw.get(self.content_key) if type(raw) is dict else None
        parts = content if type(content) is list else []
        results = [at for at, part in enumerate(parts) if _is_result(part)]
        if not results:
            return [self.decode(raw, path)]
        decoded = [_result(parts[at], (*path, self.content_key, at)) for at in results]
        if len(results) == len(parts):
            keys = set(raw) - {self.role_key, self.content_key}
            if any(raw[key] is not None for key in keys):
                decoded[-1] = decoded[-1]._replace(kept=decoded[-1].kept | {Loss.MESSAGE_KEYS})
            return decoded
        return [*decoded, self.decode(raw, path)]

    def decode(self, raw: Any, path: Path) -> Decoded:
        found = super().decode(raw, path)
        message = found.message
        if message.role == "tool" and message.text is None and isinstance(raw.get(self.content_key), dict):
            wrong_shape(f"{'.'.join(map(str, path))}.{self.content_key} is no text")
        return found

    def read_content(self, raw: dict[str, Any], role: str, draft: Draft) -> None:
        content = raw.get(self.content_key)
        draft.known |= {key for key in ("channel", "recipient") if key in raw and raw[key] in _CHANNELS}
        draft.known |= {"type"} if raw.get("type") in ("message", *_TYPES) else set()
        draft.known |= {key for key in raw if side_of(role) == SYSTEM_SIDE and means(key, "tools")}
        if side_of(role) == ANSWER_SIDE and self._read_recipient(raw, draft):
            return
        if type(content) is dict:
            self._read_object(content, role, draft)
        elif role == "function_call" and type(content) is str and (found := calls.read_calls_text(content)):
            self._take_calls_text(found, draft)
        else:
            super().read_content(raw, role, draft)

    def _read_recipient(self, raw: dict[str, Any], draft: Draft) -> bool:
        """Take a message to a tool, as gpt-oss writes a call: the content is the text of the arguments."""
        recipient, content = raw.get("recipient"), raw.get(self.content_key)
        if type(recipient) is not str or recipient in _CHANNELS:
            return False
        path: Path = (*draft.path, self.content_key)
        if type(content) is list and len(content) == 1 and type(content[0]) is dict and "text" in content[0]:
            content, path = content[0]["text"], (*path, 0, "text")
        if type(content) is not str:
            return False
        draft.fields["tool_calls"] = [_made(None, recipient.removeprefix(TOOL_NAMESPACE), content)]
        draft.parts.append(Part(path, "call_arguments", 0))
        draft.known |= {"recipient", "content_type", "channel"}
        return True

    def _read_answer(self, raw: dict[str, Any], draft: Draft) -> None:
        """Also calls under any other key that means calls, such as `function_calls`."""
        super()._read_answer(raw, draft)
        for key in keys_by_meaning(tuple(raw)).get("calls", ()):
            if "tool_calls" in draft.fields or key in (self.content_key, self.role_key):
                return
            value = raw[key]
            if type(value) is list and value and all(calls.is_call(call) for call in value):
                draft.take("tool_calls", value, key)
            elif type(value) is list and value and all(map(_has_args, value)):
                draft.fields["tool_calls"] = [_made(one.get("id"), one["name"], one["args"]) for one in value]
                draft.parts += [Part((*draft.path, key, at, "args"), "call_arguments", at) for at in range(len(value))]
            elif calls.is_call(value):
                draft.fields["tool_calls"] = [value]
                draft.parts.append(Part((*draft.path, key), "call", (0, calls.AS_VALUE)))
            elif type(value) is str and (found := calls.read_calls_text(value)) is not None:
                draft.fields["tool_calls"] = found[0]
                if found[1] is not None:
                    draft.parts.append(Part((*draft.path, key), "calls_text", found[1]))
            elif type(value) is str and (made := calls_as_code(value)) is not None:
                draft.fields["tool_calls"] = made
            elif value not in ("", [], "[]"):
                continue
            draft.known.add(key)

    def _read_object(self, content: dict[str, Any], role: str, draft: Draft) -> None:
        """Content as an object: the parts inside it, its text, or for a tool its JSON."""
        path: Path = (*draft.path, self.content_key)
        parts = content.get("parts")
        if type(parts) is list:
            self._take_parts(parts, (*path, "parts"), side_of(role) == ANSWER_SIDE, draft)
            if any(key not in ("parts", "content_type", "role") for key in content):
                draft.kept.add(Loss.MESSAGE_KEYS)
        elif (key := next((key for key in ("text", "content") if type(content.get(key)) is str), None)) is not None:
            draft.fields["text"] = content[key]
            draft.parts.append(Part((*path, key), "text"))
            if any(value not in (None, [], {}, False) for other, value in content.items() if other != key):
                draft.kept.add(Loss.MESSAGE_KEYS)
        elif role == "tool":
            draft.fields["text"] = jsontext.dumps(content)
            draft.parts.append(Part(path, "text", AS_JSON))
        else:
            wrong_shape(f"{'.'.join(map(str, path))} is an object without a text")

    def _take_calls_text(self, found: tuple[list[Any], list[Any] | None], draft: Draft) -> None:
        made, how = found
        draft.fields["tool_calls"] = made
        if how is not None:
            draft.parts.append(Part((*draft.path, self.content_key), "calls_text", how))

    def read_parts(self, content: list[Any], answer: bool, draft: Draft) -> None:
        self._take_parts(content, (*draft.path, self.content_key), answer, draft)

    def _take_parts(self, content: list[Any], path: Path, answer: bool, draft: Draft) -> None:
        texts: dict[str, list[tuple[Path, str]]] = {"text": [], "reasoning": []}
        made: list[Any] = []
        for index, part in enumerate(content):
            here: Path = (*path, index)
            if type(part) is str:
                texts["text"].append((here, part))
            elif _is_result(part):
                continue
            elif type(part) is not dict or not self._take_part(part, here, answer, texts, made, draft):
                draft.kept.add(Loss.PARTS)
        for name, found in texts.items():
            join_parts(name, found, draft)
        if made:
            draft.fields["tool_calls"] = made

    def _take_part(
        self,
        part: dict[str, Any],
        path: Path,
        answer: bool,
        texts: dict[str, list[tuple[Path, str]]],
        made: list[Any],
        draft: Draft,
    ) -> bool:
        """Take what a part says; False when it is not understood."""
        kind = part.get("type")
        if answer and (call := _call(part)) is not None:
            value, where, style = call
            at: Path = (*path, *where)
            draft.parts.append(
                Part(at, "call_arguments", len(made)) if style is None else Part(at, "call", (len(made), style))
            )
            made.append(value)
            return True
        if (own := _OWN_TEXTS.get(str(kind))) is not None and type(part.get(own)) is str:
            texts["text"].append(((*path, own), part[own]))
            if any(part[key] is not None for key in part if key not in (own, "type", "tools")):
                draft.kept.add(Loss.PARTS)
            return True
        thought = (kind in _THOUGHT_KINDS or part.get("thought") is True) and answer
        for key in ("thinking", "reasoning", "thought", "text", "value", "content") if thought else ("text", "value"):
            if type(part.get(key)) is str and (thought or kind in _TEXT_KINDS or kind is None):
                texts["reasoning" if thought else "text"].append(((*path, key), part[key]))
                if any(other not in _FORM and other not in (key, "thought") for other in part):
                    draft.kept.add(Loss.PARTS)
                return True
        return False


_OWN_TEXTS = {"system_content": "model_identity", "developer_content": "instructions"}  # gpt-oss
_CHANNELS = ("analysis", "commentary", "final", "all", "assistant", None)


@lru_cache(maxsize=256)
def reader_of(role_key: str, content_key: str) -> AnyReader:
    """The reader of messages with these keys."""
    return AnyReader(role_key, content_key)


def message_keys(found: Any) -> tuple[str, str] | None:
    """The keys of role and content of a list of messages; None when it is no such list."""
    if type(found) is not list or not found or type(found[0]) is not dict:
        return None
    for raw in found:
        if type(raw) is not dict:
            return None
    for raw in found[:4]:
        keys = keys_by_meaning(tuple(raw))
        for role_key in keys.get("role", ()):
            if type(raw[role_key]) is str and role_of(raw[role_key]) is not None:
                for content_key in keys.get("content", ()):
                    if type(raw[content_key]) in (str, list, dict):
                        return role_key, content_key
        if raw.get("type") in _TYPES:
            for content_key in (*keys.get("content", ()), "data"):
                inner = raw.get(content_key)
                if type(inner) in (str, list) or (type(inner) is dict and type(inner.get("content")) is str):
                    return "type", content_key
    return None


_TYPES = ("human", "ai", "user", "assistant", "system", "tool", "developer")  # the types of messages of LangChain


_ITEM = "\0"  # the channel of what has no role: an item of OpenAI's responses


def _item(raw: dict[str, Any], path: Path) -> Decoded | None:
    """A call, a result or a thought that stands among the messages, as in OpenAI's responses; None for anything else."""
    if _is_result(raw):
        return _result(raw, path)
    if (call := _call(raw)) is not None:
        value, where, _ = call
        if isinstance(raw.get("call_id"), str):
            value = {**value, "id": raw["call_id"]}
        return Decoded(Message("assistant", tool_calls=[value]), (Part((*path, *where), "call_arguments", 0),))
    if raw.get("type") != "reasoning":
        return None
    draft = Draft(path)
    texts = [
        ((*path, key, at, "text"), one["text"])
        for key in ("summary", "content")
        for at, one in enumerate(raw.get(key) or ())
        if type(one) is dict and type(one.get("text")) is str
    ]
    join_parts("reasoning", texts, draft)
    return Decoded(Message("assistant", **draft.fields), tuple(draft.parts), frozenset(draft.kept))


def _joined_items(decoded: list[Decoded], channels: Sequence[str | None]) -> list[Decoded]:
    """Thoughts and calls in a row are one message of the assistant, and a text with what stands right behind it."""
    out: list[Decoded] = []
    was_item = False
    for item, channel in zip(decoded, channels, strict=True):
        is_item = channel == _ITEM
        before = out[-1] if out else None
        message = item.message
        if (
            before is not None
            and (is_item or was_item)
            and message.role == before.message.role == "assistant"
            and (message.text is None or (before.message.text is None and not before.message.tool_calls))
            and (message.reasoning is None or before.message == Message("assistant"))
        ):
            calls_before = before.message.tool_calls or []
            own = {name: value for name, value in message._asdict().items() if value is not None}
            if calls_before or message.tool_calls:
                own["tool_calls"] = [*calls_before, *(message.tool_calls or ())]
            moved = tuple(
                part._replace(how=part.how + len(calls_before)) if part.name == "call_arguments" else part
                for part in item.parts
            )
            out[-1] = Decoded(
                before.message._replace(**own), (*before.parts, *moved), frozenset({*before.kept, *item.kept})
            )
        elif message != Message("assistant") or not is_item:
            out.append(item)
        was_item = is_item
    return out


def _joined_channels(decoded: list[Decoded], channels: Sequence[str | None]) -> list[Decoded]:
    """The analysis of gpt-oss is the reasoning of the answer behind it."""
    out: list[Decoded] = []
    for item, channel in zip(decoded, channels, strict=True):
        before = out[-1] if out else None
        if item.message.role == "assistant" and channel == "analysis" and not item.message.tool_calls:
            thought = Message("assistant", reasoning=item.message.text)
            renamed = tuple(part._replace(name="reasoning") if part.name == "text" else part for part in item.parts)
            out.append(Decoded(thought, renamed, item.kept))
        elif (
            before is not None
            and item.message.role == before.message.role == "assistant"
            and before.message == Message("assistant", reasoning=before.message.reasoning)
            and before.message.reasoning is not None
            and item.message.reasoning is None
        ):
            together = item.message._replace(reasoning=before.message.reasoning)
            out[-1] = Decoded(together, (*before.parts, *item.parts), before.kept | item.kept)
        else:
            out.append(item)
    return out


def _is_result(part: Any) -> bool:
    return type(part) is dict and (
        part.get("type") in _RESULT_KINDS
        or type(part.get("functionResponse")) is dict
        or type(part.get("function_response")) is dict
    )


def _result(part: dict[str, Any], path: Path) -> Decoded:
    """The result of a call as a message of the tool."""
    for key in ("functionResponse", "function_response"):
        if type(part.get(key)) is dict:
            return _gemini_result(part[key], (*path, key))
    draft = Draft(path)
    for key in ("tool_use_id", "tool_call_id", "call_id"):
        if type(part.get(key)) is str and "tool_call_id" not in draft.fields:
            draft.take("tool_call_id", part[key], key)
    content_key = "content" if "content" in part else "output"
    content = part.get(content_key)
    if type(content) is str:
        draft.take("text", content, content_key)
    elif type(content) is list and all(type(one) is dict and type(one.get("text")) is str for one in content):
        join_parts("text", [((*path, content_key, at, "text"), one["text"]) for at, one in enumerate(content)], draft)
    elif content is not None:
        draft.take("text", jsontext.dumps(content), content_key, how=AS_JSON)
    else:
        draft.fields["text"] = ""
    known = {"type", content_key, *(part_.path[len(path)] for part_ in draft.parts)}
    if any(key not in known and part[key] not in (None, False) for key in part):
        draft.kept.add(Loss.PARTS)
    return Decoded(Message("tool", **draft.fields), tuple(draft.parts), frozenset(draft.kept))


def _gemini_result(found: dict[str, Any], path: Path) -> Decoded:
    draft = Draft(path)
    if type(found.get("name")) is str:
        draft.take("name", found["name"], "name")
    if type(found.get("id")) is str:
        draft.take("tool_call_id", found["id"], "id")
    response = found.get("response")
    if type(response) is str:
        draft.take("text", response, "response")
    elif response is not None:
        draft.take("text", jsontext.dumps(response), "response", how=AS_JSON)
    return Decoded(Message("tool", **draft.fields), tuple(draft.parts), frozenset(draft.kept))


def _call(part: dict[str, Any]) -> tuple[Any, Path, int | None] | None:
    """The call that a part is, where its slot lies, and the notation of a whole call (None: only its arguments)."""
    for key in ("functionCall", "function_call"):
        inner = part.get(key)
        if type(inner) is dict and type(inner.get("name")) is str:
            names = [name for name in ("args", "arguments") if name in inner]
            made = _made(inner.get("id"), inner["name"], inner[names[0]] if names else {})
            return (made, (key, names[0]), None) if names else None
    if part.get("type") not in _CALL_KINDS:
        return None
    name = part.get("name")
    for key in ("input", "arguments", "args"):
        if type(name) is str and key in part:
            return _made(part.get("id", part.get("call_id")), name, part[key]), (key,), None
    value = part.get("value", part.get("tool_call"))
    at = "value" if "value" in part else "tool_call"
    if calls.is_call(value):
        return value, (at,), calls.AS_VALUE
    found = calls.read_calls_text(value) if type(value) is str else None
    if found is None or found[1] is None or found[1][0] is False:
        return None
    return found[0][0], (at,), found[1][1]


def _has_args(call: Any) -> bool:
    """Whether this is a call of LangChain."""
    return type(call) is dict and type(call.get("name")) is str and "args" in call


def _made(identifier: Any, name: str, arguments: Any) -> dict[str, Any]:
    named = {"id": identifier} if isinstance(identifier, str) else {}
    return {**named, "type": "function", "function": {"name": name, "arguments": arguments}}
