"""OpenAI fine-tuning: supervised (`messages`) and preference (`input`, `preferred_output`, `non_preferred_output`).

Source: the fine-tuning guide and the reference of the chat API. `arguments` of a call is JSON text; `weight` (0 or 1)
stands on assistant messages only; `function_call` is the deprecated form of `tool_calls` and is read, not written.
"""

from __future__ import annotations

from corpus_pipeline.formats.chat import ChatFormat
from corpus_pipeline.formats.dialect import Dialect

OPENAI_SFT = ChatFormat(
    "openai_sft",
    "OpenAI supervised fine-tuning; also what ms-swift, Together and Fireworks take as messages",
    Dialect(weight="weight", reasoning="drop", text_arguments=True, developer=True, refusal=True),
    ("messages", "tools"),
    needs_answer=True,
)

OPENAI_DPO = ChatFormat(
    "openai_dpo",
    "OpenAI preference fine-tuning",
    Dialect(
        lists=(("input", "messages"), ("preferred_output",)),
        rejected=("non_preferred_output",),
        tools=("input", "tools"),
        weight="weight",
        reasoning="drop",
        text_arguments=True,
        developer=True,
        refusal=True,
    ),
    ("input", "preferred_output", "non_preferred_output"),
)
