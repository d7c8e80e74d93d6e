"""Messages whose content is a list of typed parts: `{"type": "text" | "reasoning" | "tool_call", "value": ...}`.

Newer files (LLaMA-Factory's v1 data layer) have it, with `loss_weight` on a message and the value of a tool_call as
JSON text of `{"name", "arguments"}`. Parts of other types (images) stay in the row's shape.
"""

from __future__ import annotations

from typing import Any

from corpus_pipeline.formats import calls, jsontext
from corpus_pipeline.formats.base import Loss, NotExportable, Record
from corpus_pipeline.formats.chat import ChatFormat
from corpus_pipeline.formats.dialect import Dialect, messages_of
from corpus_pipeline.formats.messages import Message


class _ContentParts(ChatFormat):
    def evidence(self, record: Record) -> int:
        """Parts whose text lies under `value`, or a weight. Parts with `text` are those of OpenAI."""
        return int(
            any(_has_values(message.get("content")) or "loss_weight" in message for message in messages_of(record))
        )

    def encode(self, message: Message, number: int, losses: set[Loss]) -> dict[str, Any]:
        plain = super().encode(message._replace(reasoning=None, tool_calls=None), number, losses)
        parts = [{"type": "reasoning", "value": message.reasoning}] if message.reasoning is not None else []
        if message.text is not None:
            parts.append({"type": "text", "value": message.text})
        for call in message.tool_calls or ():
            bare = calls.bare(call, text_arguments=False)
            if bare is None:
                raise NotExportable("broken_arguments", "the arguments of a tool call are not a JSON object")
            if "id" in call:
                losses.add(Loss.CALL_IDS)
            parts.append({"type": "tool_call", "value": jsontext.dumps(bare)})
        return {**plain, "content": parts}

    def tools_value(self, tools: str) -> Any:
        found = calls.wrapped_tools(tools)
        return None if found is None else jsontext.dumps(found)


def _has_values(content: Any) -> bool:
    return isinstance(content, list) and any(isinstance(part, dict) and "value" in part for part in content)


CONTENT_PARTS = _ContentParts(
    "content_parts",
    "Messages with typed content parts and loss_weight",
    Dialect(weight="loss_weight", developer=True, refusal=True),
    ("messages", "tools"),
)
CONTENT_PARTS.loses |= {Loss.CALL_IDS}
