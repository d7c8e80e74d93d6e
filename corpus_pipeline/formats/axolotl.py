"""Axolotl's chat_template type: `messages` with `reasoning_content` and `train` (whether a message is trained on)."""

from __future__ import annotations

from corpus_pipeline.formats.base import Record
from corpus_pipeline.formats.chat import ChatFormat
from corpus_pipeline.formats.dialect import Dialect, messages_of


class _Axolotl(ChatFormat):
    def evidence(self, record: Record) -> int:
        return int(any("train" in message for message in messages_of(record)))


AXOLOTL = _Axolotl(
    "axolotl",
    "Axolotl chat_template",
    Dialect(weight="train", reasoning="reasoning_content"),
    ("messages", "tools"),
)
