"""Rows with what models could have made of them, each answer with its label: how the written sets are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

Said = tuple[str, str]  # kind, answer; kinds that begin with `good` are right
Translated = tuple[str, str, str, str]  # target, kind, prompt, response


class Row(NamedTuple):
    """A row, and what models could have made of it."""

    language: str
    prompt: str
    response: str
    reworded: tuple[Said, ...] = ()
    answered: tuple[Said, ...] = ()
    translated: tuple[Translated, ...] = ()


def answers_of(rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """Every answer as `benchmarks/answers.py` reads it."""
    for row in rows:
        base = {"language": row.language, "prompt": row.prompt, "response": row.response}
        for kind, said in row.reworded:
            yield {**base, **_labels(kind), "strategy": "paraphrase", "answer": _json(prompt=said)}
        for kind, said in row.answered:
            yield {**base, **_labels(kind), "strategy": "response_regeneration", "answer": said}
        for target, kind, prompt, response in row.translated:
            answer = _json(prompt=prompt, response=response)
            yield {**base, **_labels(kind), "strategy": "translation", "target": target, "answer": answer}


def _labels(kind: str) -> dict[str, str]:
    return {"label": "good" if kind.startswith("good") else "bad", "kind": kind}


def _json(**texts: str) -> str:
    return json.dumps(texts, ensure_ascii=False)
