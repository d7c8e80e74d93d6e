"""LLaMA-Factory's `formatting: "openai"`: `messages` with the roles named in dataset_info.json.

Source: its `OpenAIDatasetConverter`. `content` is always text; `arguments` is an object (it encodes a string once
more); the text beside a call and tool results at the end of a sample are not read; a sample that does not alternate
is skipped.
"""

from __future__ import annotations

from typing import Any

from corpus_pipeline.formats import calls, jsontext
from corpus_pipeline.formats.base import Loss, NotExportable, Record
from corpus_pipeline.formats.chat import ChatFormat
from corpus_pipeline.formats.dialect import Dialect, alternating, messages_of
from corpus_pipeline.formats.messages import SYSTEM_SIDE, Message, joined, side_of
from corpus_pipeline.formats.sharegpt import MEDIA_COLUMNS


class _LlamaFactoryOpenAI(ChatFormat):
    def evidence(self, record: Record) -> int:
        """Calls with arguments as an object and an empty text beside them."""
        found = [message for message in messages_of(record) if message.get("tool_calls")]
        return int(any(m.get("content") == "" and object_arguments(m["tool_calls"]) for m in found))

    def suited(self, messages: list[Message], losses: set[Loss]) -> list[Message]:
        kept = list(messages)
        while kept and kept[-1].role == "tool":
            kept.pop()
            losses.add(Loss.TRAILING_TOOL)
        for index, message in enumerate(kept):
            if message.tool_calls and (message.text or message.reasoning is not None):
                losses |= {Loss.CALL_TEXT} if message.text else set()
                losses |= {Loss.REASONING} if message.reasoning is not None else set()
                kept[index] = message._replace(text=None, reasoning=None)
        kept, were = joined(kept)
        losses |= {Loss.BREAKS} if were else set()
        body = kept[1:] if kept and side_of(kept[0].role) == SYSTEM_SIDE else kept
        if any(side_of(message.role) == SYSTEM_SIDE for message in body):
            raise NotExportable("system_in_the_middle", "only a first message may be a system message")
        merged = [m for i, m in enumerate(body) if m.role != "tool" or i == 0 or body[i - 1].role != "tool"]
        if not merged or not alternating(merged):
            raise NotExportable("turn_order", "prompts and answers do not alternate")
        return super().suited(kept, losses)

    def tools_value(self, tools: str) -> Any:
        found = calls.wrapped_tools(tools)
        return None if found is None else jsontext.dumps(found)


def object_arguments(found: Any) -> bool:
    """Whether the calls of a message have their arguments as an object."""
    if not isinstance(found, list):
        return False
    functions = [call.get("function", call) for call in found if isinstance(call, dict)]
    return any(isinstance(function, dict) and isinstance(function.get("arguments"), dict) for function in functions)


LLAMA_FACTORY_OPENAI = _LlamaFactoryOpenAI(
    "llama_factory_openai",
    "LLaMA-Factory with formatting openai",
    Dialect(null_content=False),
    ("messages", "tools"),
    media=MEDIA_COLUMNS,
    entry={
        "formatting": "openai",
        "columns": {"messages": "messages", "tools": "tools", **MEDIA_COLUMNS},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
            "observation_tag": "tool",
            "function_tag": "function_call",
            "system_tag": "system",
        },
    },
)
LLAMA_FACTORY_OPENAI.loses |= {Loss.CALL_TEXT, Loss.TRAILING_TOOL, Loss.REASONING, Loss.BREAKS}
