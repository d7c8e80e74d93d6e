"""The examples of docs/extending.md and docs/recipes.md work as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from corpus_pipeline.model import Answer, Conversation, Turn, Usage
from corpus_pipeline.service.commands.recipes import checked
from corpus_pipeline.stages.clean.rules.base import View

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)


def example(name: str) -> dict[str, Any]:
    (source,) = [
        block for block in blocks("extending.md", "python") if f"class {name}" in block or f"{name} =" in block
    ]
    namespace: dict[str, Any] = {"__name__": f"example_{name}"}
    exec(compile(source, f"docs/extending.md:{name}", "exec"), namespace)
    return namespace


def test_the_rule() -> None:
    rule = example("PageNumbers")["PageNumbers"]()
    outcome = rule.apply(View((Turn(prompt="one\n- 12 -\ntwo", response="a - b"),)))
    assert outcome.turns[0].prompt == "one\ntwo" and outcome.changes[0].count == 1
    kept = (Turn(prompt="5 - 3", response="two"),)
    assert rule.apply(View(kept)).turns is kept


def test_the_strategy(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = example("Title")["Title"]
    (template,) = blocks("extending.md", "jinja")
    monkeypatch.setattr(kind, "bundled_template", classmethod(lambda cls, step: template))
    strategy = kind(kind.Params(), "some-model")
    conversation = Conversation(
        1, (Turn(prompt="Why?", response="Because rain falls on the just and the unjust."),), "{}"
    )
    request = strategy.next_request(conversation)
    assert "rain falls" in request.messages[1]["content"] and "rain falls" not in request.messages[0]["content"]
    answer = Answer("On rain", "stop", "some-model", Usage(10, 2))
    assert strategy.next_request(conversation, (answer,)) is None
    assert strategy.parse(conversation, (answer,))[0].response == "On rain"


def test_the_format() -> None:
    found = example("FRAGE_ANTWORT")["FRAGE_ANTWORT"]
    record = {"frage": "Wie spät ist es?", "antwort": "Kurz nach zwei.", "quelle": 7}
    assert found.accepts(record)
    from corpus_pipeline.formats import export_line

    line, losses = export_line(found.read(record), found, found)
    import orjson

    assert orjson.loads(line) == record and losses == ()


def test_the_recipes() -> None:
    for text in blocks("recipes.md", "yaml"):
        checked(text, origin="docs/recipes.md")
