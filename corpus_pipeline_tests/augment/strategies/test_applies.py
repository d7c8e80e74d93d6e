"""Which conversations a strategy leaves alone, and which exchange of the others it works on."""

from __future__ import annotations

from typing import Any

import pytest

from corpus_pipeline.model import Turn
from corpus_pipeline.stages.augment.strategies import STRATEGIES
from corpus_pipeline.stages.augment.strategies.exchange import last_exchange
from corpus_pipeline.stages.skip_reasons import SkipReason

NAMES = [strategy.name for strategy in STRATEGIES]
CALL = {"tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        (Turn(prompt="What is it?", response="", extra=CALL), SkipReason.TOOLS),
        (Turn(prompt="result", response="ok", extra={"prompt_role": "tool", "tool_call_id": "1"}), SkipReason.TOOLS),
        (Turn(prompt="a question", response="No.", extra={"refusal": "No."}), SkipReason.REFUSED_SOURCE),
        (Turn(prompt="a question"), SkipReason.NO_EXCHANGE),
        (Turn(response="an answer"), SkipReason.NO_EXCHANGE),
        (Turn(prompt=" \n", response="an answer"), SkipReason.NO_EXCHANGE),
        (Turn(prompt="a question", response=" "), SkipReason.NO_EXCHANGE),
        (Turn(prompt="a question", response="an answer", weight=0), SkipReason.NO_EXCHANGE),
        (Turn(prompt="a question " * 9000, response="an answer"), SkipReason.TOO_LONG),
    ],
)
def test_what_every_strategy_leaves_alone(kit: Any, name: str, turn: Turn, reason: SkipReason) -> None:
    assert kit.strategy(name).applies(kit.row(turn)) == reason


@pytest.mark.parametrize("name", NAMES)
def test_tool_definitions_are_left_alone_and_names_are_not(kit: Any, name: str) -> None:
    strategy = kit.strategy(name)
    assert strategy.applies(kit.row(tools="[]" * 2)) == SkipReason.TOOLS
    assert strategy.applies(kit.row()) is None
    named = kit.word_problem._replace(extra={"system_role": "developer", "prompt_name": "Ann"})
    assert strategy.applies(kit.row(named)) is None


def test_too_short_counts_in_letters_so_that_han_is_not_short_by_nature(kit: Any) -> None:
    for name, field in (("paraphrase", "prompt"), ("response_regeneration", "response"), ("self_refine", "response")):
        strategy = kit.strategy(name)
        short = kit.word_problem._replace(**{field: "Why?"})
        han = kit.word_problem._replace(**{field: "请解释一下光合作用的过程"})
        assert strategy.applies(kit.row(short)) == SkipReason.TOO_SHORT
        assert strategy.applies(kit.row(han)) is None


def test_reasoning_that_is_there_is_left_unless_it_is_to_be_replaced(kit: Any) -> None:
    row = kit.row(kit.word_problem._replace(reasoning="Half of 48 is 24."))
    assert kit.strategy("reasoning_distillation").applies(row) == SkipReason.HAS_REASONING
    assert kit.strategy("reasoning_distillation", replace=True).applies(row) is None


def test_a_row_in_the_target_language_is_not_translated(kit: Any) -> None:
    chinese = kit.row(Turn(prompt="请解释一下光合作用的过程。", response="植物利用光能把水和二氧化碳变成糖和氧气。"))
    assert kit.strategy("translation").applies(chinese) == SkipReason.SAME_LANGUAGE
    assert kit.strategy("translation", target_language="en").applies(chinese) is None
    assert kit.strategy("translation", target_language="en").applies(kit.row()) == SkipReason.SAME_LANGUAGE


def test_a_long_conversation_is_not_translated(kit: Any) -> None:
    row = kit.row(*[kit.word_problem] * 3)
    assert kit.strategy("translation", max_turns=2).applies(row) == SkipReason.TOO_MANY_TURNS
    assert kit.strategy("translation", max_turns=3).applies(row) is None


def test_the_last_exchange_that_is_trained_on_is_worked_on(kit: Any) -> None:
    first, second = Turn(prompt="One?", response="1"), Turn(prompt="Two?", response="2")
    assert last_exchange(kit.row(first, second)) == 1
    assert last_exchange(kit.row(first, second._replace(weight=0))) == 0
    assert last_exchange(kit.row(first, second, Turn(prompt="Three?"))) == 1
    with pytest.raises(ValueError, match="ask `applies` first"):
        last_exchange(kit.row(Turn(prompt="Three?")))


def test_what_was_said_before_and_the_system_message_in_force_are_the_context(kit: Any) -> None:
    row = kit.row(
        Turn(system="Old rules.", prompt="First question", response="First answer"),
        Turn(system="New rules.", prompt="Second question"),
        Turn(prompt=kit.word_problem.prompt, response=kit.word_problem.response),
        Turn(system="Later rules.", prompt="Never answered"),
    )
    for name in NAMES:
        if name == "translation":
            continue
        asked = kit.strategy(name).next_request(row).messages[1]["content"]
        assert (
            '{"role": "user", "content": "First question"}\n{"role": "assistant", "content": "First answer"}' in asked
        )
        assert "New rules." in asked
        assert "Second question" in asked
        assert "Old rules." not in asked
        assert "Never answered" not in asked


def test_a_source_that_refuses_is_no_model_for_a_response(kit: Any) -> None:
    row = kit.row(kit.word_problem._replace(response="I'm sorry, but I can't help with that. Ask a baker instead."))
    for strategy in STRATEGIES:
        expected = SkipReason.REFUSED_SOURCE if strategy.writes_response else None
        assert kit.strategy(strategy.name).applies(row) == expected
