"""One text per record, for pre-training: `text` (LLaMA-Factory, TRL, ms-swift, Together, Fireworks).

The text is what the model learns to say, so it lies in the response of a turn without a prompt.
"""

from __future__ import annotations

from corpus_pipeline.formats.base import Record
from corpus_pipeline.formats.flat import Columns, FlatFormat
from corpus_pipeline.formats.vocabulary import answer_keys


class _Text(FlatFormat):
    def evidence(self, record: Record) -> int:
        return -1 if answer_keys(record) else super().evidence(record)


TEXT = _Text(
    "text",
    "Plain text for pre-training",
    Columns(response="text"),
    foreign=(
        "prompt",
        "instruction",
        "question",
        "messages",
        "conversations",
        "label",
        "summary",
        "translation",
        "input",
        "inputs",
    ),
    entry={"formatting": "alpaca", "columns": {"prompt": "text"}},
    joins=True,
)
