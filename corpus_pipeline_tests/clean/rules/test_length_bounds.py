from __future__ import annotations

import pytest

from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.rules.length_bounds import LengthBounds
from corpus_pipeline_tests.clean.rules.making import one, outcome


@pytest.mark.parametrize(
    ("params", "turns", "reason"),
    [
        ({"max_text_characters": 10}, one("x" * 11), "too_long"),
        ({"max_characters": 10}, one("x" * 6, "y" * 6), "too_long"),
        ({"max_turns": 2}, one() * 3, "too_many_turns"),
        ({"min_response_characters": 5}, one("x", "四个字啊"), "too_short"),
    ],
)
def test_drops_outside_the_bounds(params: dict[str, int], turns: tuple[Turn, ...], reason: str) -> None:
    result = outcome(LengthBounds(**params), turns)
    assert result.drop_reason == reason
    assert result.detail


@pytest.mark.parametrize(
    ("params", "turns"),
    [
        ({}, one("x" * 200_000, "4")),
        ({"max_text_characters": 10}, one("x" * 10, "y" * 10)),
        ({"max_turns": 3}, one() * 3),
        ({"min_response_characters": 5}, one("x", "五个字也够")),
        ({"min_response_characters": 5}, one("prompt only", None)),
        ({"min_response_characters": 5}, one("call", "", extra={"tool_calls": [{}]})),
    ],
)
def test_keeps_within_the_bounds(params: dict[str, int], turns: tuple[Turn, ...]) -> None:
    assert outcome(LengthBounds(**params), turns).drop_reason is None
