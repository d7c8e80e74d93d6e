"""LLaMA-Factory's sharegpt: `conversations` of `{"from", "value"}`, `system`, `tools` (JSON text), `chosen` and
`rejected`, `kto_tag`.

Source: its `SharegptDatasetConverter`. Odd messages are human or observation, even ones gpt or function_call, an even
count; a sample that does not keep to this is skipped with a warning. The value of a function_call is JSON text of one
call or of a list of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corpus_pipeline.formats import calls
from corpus_pipeline.formats.base import Format, Loss, NotExportable, with_thinking
from corpus_pipeline.formats.chat import ChatFormat
from corpus_pipeline.formats.dialect import Dialect, alternating
from corpus_pipeline.formats.messages import ANSWER_SIDE, SYSTEM_SIDE, Message, joined, side_of
from corpus_pipeline.formats.reading import Draft, MessageReader

_TAGS = {
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}
MEDIA_COLUMNS = {"images": "images", "videos": "videos", "audios": "audios"}  # of LLaMA-Factory, in every formatting
_COLUMNS = {
    "messages": "conversations",
    "system": "system",
    "tools": "tools",
    "chosen": "chosen",
    "rejected": "rejected",
    "kto_tag": "kto_tag",
}


class _Reader(MessageReader):
    role_key = "from"
    content_key = "value"

    def read_content(self, raw: dict[str, Any], role: str, draft: Draft) -> None:
        value = raw.get("value")
        found = calls.read_calls_text(value) if role == "function_call" and type(value) is str else None
        if found is None or found[1] is None:
            super().read_content(raw, role, draft)
        else:
            draft.take("tool_calls", found[0], "value", as_name="calls_text", how=found[1])


class _ShareGPT(ChatFormat):
    reader = _Reader()

    def suited(self, messages: list[Message], losses: set[Loss]) -> list[Message]:
        messages, were = joined(messages)
        losses |= {Loss.BREAKS} if were else set()
        body = messages[1:] if messages and side_of(messages[0].role) == SYSTEM_SIDE else messages
        if any(side_of(message.role) == SYSTEM_SIDE for message in body):
            raise NotExportable("system_in_the_middle", "only a first message may be a system message")
        if not body or not alternating(body):
            raise NotExportable("turn_order", "prompts and answers do not alternate")
        return messages

    def encode(self, message: Message, number: int, losses: set[Loss]) -> dict[str, Any]:
        tag = "gpt" if side_of(message.role) == ANSWER_SIDE else "observation" if message.role == "tool" else "human"
        if message.role not in ("user", "assistant", "tool"):
            losses.add(Loss.ROLES)
        if message.name is not None:
            losses.add(Loss.NAMES)
        if message.refusal is not None:
            losses.add(Loss.REFUSAL)
        if message.tool_call_id is not None:
            losses.add(Loss.CALL_IDS)
        if message.weight is not None and message.weight != 1:
            losses.add(Loss.WEIGHTS)
        if not message.tool_calls:
            return {"from": tag, "value": with_thinking(message.reasoning, message.text or "")}
        if message.text:
            losses.add(Loss.CALL_TEXT)
        if message.reasoning is not None:
            losses.add(Loss.REASONING)
        return {"from": "function_call", "value": _calls_value(message.tool_calls, losses)}

    def tools_value(self, tools: str) -> Any:
        return calls.bare_tools(tools)


def _calls_value(found: Sequence[Any], losses: set[Loss]) -> str:
    bare = [calls.bare(call, text_arguments=False) for call in found]
    if any(call is None for call in bare):
        raise NotExportable("broken_arguments", "the arguments of a tool call are not a JSON object")
    if any("id" in call for call in found):
        losses.add(Loss.CALL_IDS)
    text = calls.calls_text(bare, [len(bare) == 1, 0])
    assert text is not None
    return text


def _flavour(name: str, description: str, dialect: Dialect, keys: tuple[str, ...], **more: Any) -> Format:
    entry = {"formatting": "sharegpt", **more, "columns": _COLUMNS | MEDIA_COLUMNS, "tags": _TAGS}
    found = _ShareGPT(name, description, dialect, keys, entry=entry, media=MEDIA_COLUMNS)
    found.loses |= {Loss.CALL_TEXT, Loss.REASONING, Loss.BREAKS}
    return found


_KEYS = ("conversations", "system", "tools")

SHAREGPT = _flavour(
    "sharegpt",
    "LLaMA-Factory with formatting sharegpt",
    Dialect(lists=(("conversations",),), system="system", names=False, call_ids=False),
    _KEYS,
)
SHAREGPT_PREFERENCE = _flavour(
    "sharegpt_preference",
    "LLaMA-Factory with formatting sharegpt, pairs of answers",
    Dialect(
        lists=(("conversations",), ("chosen",)),
        rejected=("rejected",),
        objects=True,
        system="system",
        names=False,
        call_ids=False,
    ),
    (*_KEYS, "chosen", "rejected"),
    ranking=True,
)
SHAREGPT_KTO = _flavour(
    "sharegpt_kto",
    "LLaMA-Factory with formatting sharegpt, answers marked good or bad",
    Dialect(lists=(("conversations",),), label="kto_tag", system="system", names=False, call_ids=False),
    (*_KEYS, "kto_tag"),
)
