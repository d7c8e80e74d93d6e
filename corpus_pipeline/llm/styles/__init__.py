"""The API styles: how a request is written and an answer is read at each kind of endpoint. Pure; `client` sends."""

from __future__ import annotations

from typing import Final

from corpus_pipeline.llm.styles import anthropic, azure, gemini, openai
from corpus_pipeline.llm.styles.base import Style, Wire

STYLES: Final[dict[str, Style]] = {
    "openai": openai.OpenAI(),
    "azure": azure.Azure(),
    "anthropic": anthropic.Anthropic(),
    "gemini": gemini.Gemini(),
}

__all__ = ["STYLES", "Style", "Wire"]
