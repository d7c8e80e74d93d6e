"""One text per record, for pre-training: `text` (LLaMA-Factory, TRL, ms-swift, Together, Fireworks).

The text is what the model learns to say, so it lies in the response of a turn without a prompt.
"""

from __future__ import annotations

from corpus_pipeline.formats.flat import Columns, FlatFormat

TEXT = FlatFormat(
    "text",
    "Plain text for pre-training",
    Columns(response="text"),
    foreign=("prompt", "instruction", "question", "messages", "conversations", "label", "summary"),
    entry={"formatting": "alpaca", "columns": {"prompt": "text"}},
    joins=True,
)
