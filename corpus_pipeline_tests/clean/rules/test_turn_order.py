from __future__ import annotations

import pytest

from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.rules.turn_order import TurnOrder
from corpus_pipeline_tests.clean.rules.making import one, outcome

FULL = Turn(prompt="q", response="a")
OPEN = Turn(prompt="and?")
GREETING = Turn(system="be kind", response="Welcome!")
CALL = Turn(prompt="weather?", extra={"tool_calls": [{}]})
RESULT = Turn(prompt="sun", extra={"prompt_role": "tool"})


@pytest.mark.parametrize(
    ("params", "turns", "reason"),
    [
        ({}, (FULL, OPEN), "dangling_prompt"),
        ({}, (CALL, RESULT), "dangling_prompt"),
        ({}, (RESULT._replace(response="so"),), "orphan_tool_result"),
        ({"answer_first": "drop"}, (GREETING, FULL), "answer_first"),
        ({"no_answer": "drop"}, (OPEN,), "no_answer"),
    ],
)
def test_drops(params: dict[str, str], turns: tuple[Turn, ...], reason: str) -> None:
    assert outcome(TurnOrder(**params), turns).drop_reason == reason


@pytest.mark.parametrize(
    ("params", "turns"),
    [
        ({}, (FULL, FULL)),
        ({}, (OPEN,)),
        ({}, (OPEN, OPEN)),
        ({}, one(None, "plain text")),
        ({}, (GREETING, FULL)),
        ({}, (OPEN, FULL)),  # two prompts in a row, then an answer
        ({}, (CALL, RESULT._replace(response="It is sunny."))),
        ({}, (CALL, RESULT, RESULT._replace(response="Two tools answered."))),
        ({}, (FULL, CALL)),  # ends with a call, which is what is learned
        ({"dangling_prompt": "keep"}, (FULL, OPEN)),
        ({"orphan_tool_result": "keep"}, (RESULT._replace(response="so"),)),
        ({"answer_first": "drop"}, one(None, "plain text")),
    ],
)
def test_keeps(params: dict[str, str], turns: tuple[Turn, ...]) -> None:
    result = outcome(TurnOrder(**params), turns)
    assert result.drop_reason is None
    assert result.turns is turns
    assert result.changes == ()


def test_trims_the_end_and_says_so() -> None:
    result = outcome(TurnOrder(dangling_prompt="trim"), (FULL, OPEN, OPEN))
    assert result.turns == (FULL,)
    assert [(change.turn, change.field, change.count) for change in result.changes] == [(2, "prompt", 2)]


def test_trims_a_greeting_but_keeps_the_system_message() -> None:
    result = outcome(TurnOrder(answer_first="trim"), (GREETING, FULL))
    assert result.turns == (FULL._replace(system="be kind"),)
    assert len(result.changes) == 1


def test_trims_at_both_ends() -> None:
    rule = TurnOrder(answer_first="trim", dangling_prompt="trim")
    result = outcome(rule, (GREETING, FULL, OPEN))
    assert result.turns == (FULL._replace(system="be kind"),)
    assert len(result.changes) == 2
    assert outcome(rule, result.turns).turns is result.turns


def test_a_conversation_never_vanishes_by_trimming() -> None:
    rule = TurnOrder(answer_first="trim", dangling_prompt="trim")
    result = outcome(rule, (GREETING, OPEN))
    assert result.turns == (OPEN._replace(system="be kind"),)
