"""The Batch APIs by API style."""

from __future__ import annotations

from typing import Final

from corpus_pipeline.llm.batch_styles.anthropic import AnthropicBatches
from corpus_pipeline.llm.batch_styles.base import BatchStyle
from corpus_pipeline.llm.batch_styles.gemini import GeminiBatches
from corpus_pipeline.llm.batch_styles.openai import Azure, OpenAI

BATCH_STYLES: Final[dict[str, BatchStyle]] = {
    "openai": OpenAI(),
    "azure": Azure(),
    "anthropic": AnthropicBatches(),
    "gemini": GeminiBatches(),
}

__all__ = ["BATCH_STYLES", "BatchStyle"]
