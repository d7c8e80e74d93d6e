from __future__ import annotations

import pytest

from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.rules.base import Outcome
from corpus_pipeline.stages.clean.rules.empty_turns import EmptyTurns
from corpus_pipeline_tests.clean.rules.making import one, outcome

CALL = {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        (one("", "x"), "empty_prompt"),
        (one(" \n", "x"), "empty_prompt"),
        (one("x", ""), "empty_response"),
        (one("x", "\u3000\n" * 100), "empty_response"),
        (one("x", None, extra={"bare": ["response"]}), "empty_response"),
        ((Turn(prompt="a", response="b"), Turn(prompt="c", response="")), "empty_response"),
        (one("x", "..."), "trivial_response"),
        (one("x", "？！"), "trivial_response"),
        (one("x", "---"), "trivial_response"),
        (one("x", "[object Object]"), "placeholder_response"),
        (one("x", "Your answer here."), "placeholder_response"),
        (one("x", "<nooutput>"), "placeholder_response"),
        (one("x", "待补充。"), "placeholder_response"),
        ((Turn(),), "empty_conversation"),
        ((), "empty_conversation"),
    ],
)
def test_drops_what_says_nothing(turns: tuple[Turn, ...], reason: str) -> None:
    result = outcome(EmptyTurns(), turns)
    assert result.drop_reason == reason
    assert result.changes[0].rule == "empty_turns"
    assert result.turns is turns


@pytest.mark.parametrize(
    "turns",
    [
        one("What is 2+2?", "4"),
        one("Which operator?", "+"),
        one("Close it", ") ] }"),
        one("Sentiment?", "👍"),
        one("Continue", "A"),
        one("对吗？", "对"),
        one("System is empty", "fine", system=""),
        one("prompt only", None),
        one(None, "plain text"),
        one("call", "", extra=CALL),
        one("call", None, extra=CALL),
        one("no", "", extra={"refusal": "I can't."}),
        one("", "nothing came back", extra={"prompt_role": "tool", "tool_call_id": "1"}),
        one("Is it None?", "None"),
        one("x", "fine", rejected="..."),
    ],
)
def test_keeps_short_answers_calls_and_prompts(turns: tuple[Turn, ...]) -> None:
    assert outcome(EmptyTurns(), turns).drop_reason is None


def test_parameters() -> None:
    assert outcome(EmptyTurns(trivial=False), one("x", "...")).drop_reason is None
    assert outcome(EmptyTurns(placeholders=["Nada"]), one("x", "nada")).drop_reason == "placeholder_response"
    assert outcome(EmptyTurns(placeholders=["Nada"]), one("x", "TODO")).drop_reason is None


@pytest.mark.parametrize(
    "turns",
    [
        one("Which word do editors highlight for open work?", "TODO"),
        one("The answer, or N/A if the passage does not say.", "N/A"),
        one("Which attribute shows a hint in an input?", "placeholder"),
        one("What does this program print?", "No output."),
        one("How does a question end?", "?"),
        one("Which sign begins a comment in YAML?", "#"),
        one("Write the ellipsis with ASCII characters.", "..."),
        one("Which divider does Markdown draw a rule with?", "---"),
        one("x", "fine", rejected=""),
    ],
)
def test_tags_what_may_be_the_right_answer(turns: tuple[Turn, ...]) -> None:
    result = outcome(EmptyTurns(), turns)
    assert result.drop_reason is None and [tag.word for tag in result.tags] == ["short_answer"]


@pytest.mark.parametrize(
    "turns",
    [
        one("x", "", weight=0),
        one("x", "...", weight=0),
        one("x", "", extra={"label": False}),
        one("x", "<nooutput>", extra={"label": False}),
    ],
)
def test_keeps_bad_answers_that_are_there_as_such(turns: tuple[Turn, ...]) -> None:
    assert outcome(EmptyTurns(), turns) == Outcome(turns)
