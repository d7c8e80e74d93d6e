"""Pairs of a question and an answer under the names that are common in the wild."""

from __future__ import annotations

from corpus_pipeline.formats.flat import Columns, FlatFormat
from corpus_pipeline.formats.sharegpt import MEDIA_COLUMNS

# beside these a pair is only half of the sample: the recipe must say what is what
_FOREIGN = ("context", "input", "passage", "document", "choices", "options", "history", "system", "A", "B")


def _pair(prompt: str, response: str) -> FlatFormat:
    return FlatFormat(
        f"{prompt}_{response}",
        f"Pairs of {prompt} and {response}",
        Columns(prompt=prompt, response=response),
        foreign=_FOREIGN,
        entry={"formatting": "alpaca", "columns": {"prompt": prompt, "response": response}},
    )


QUESTION_ANSWER = _pair("question", "answer")
PROMPT_RESPONSE = _pair("prompt", "response")
INSTRUCTION_RESPONSE = _pair("instruction", "response")
QUERY_RESPONSE = FlatFormat(
    "query_response",
    "Pairs of query and response, with system and history as in ms-swift",
    Columns(prompt="query", response="response", system="system", history="history"),
    foreign=("context", "input", "passage", "document", "choices", "options"),
    media=MEDIA_COLUMNS,
    entry={
        "formatting": "alpaca",
        "columns": {
            "prompt": "query",
            "response": "response",
            "system": "system",
            "history": "history",
            **MEDIA_COLUMNS,
        },
    },
)
