"""`messages` with `reasoning_content` on the assistant message, as the APIs of DeepSeek and Qwen give it."""

from __future__ import annotations

from corpus_pipeline.formats.base import Record
from corpus_pipeline.formats.chat import ChatFormat
from corpus_pipeline.formats.dialect import Dialect, messages_of


class _ReasoningContent(ChatFormat):
    def evidence(self, record: Record) -> int:
        return int(any("reasoning_content" in message for message in messages_of(record)))


REASONING_CONTENT = _ReasoningContent(
    "reasoning_content",
    "Messages with reasoning_content (DeepSeek, Qwen)",
    Dialect(reasoning="reasoning_content", text_arguments=True),
    ("messages", "tools"),
)
