"""Rows and answers for the tests of strategies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from corpus_pipeline.model import Answer, Conversation, Turn, Usage
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages.augment.strategies import Strategy, build

WORD_PROBLEM = Turn(
    system="You are a patient teacher.",
    prompt="A baker sells 48 rolls in the morning and half as many in the afternoon. How many rolls are sold that day?",
    response="In the afternoon 48 / 2 = 24 rolls are sold. Together these are 48 + 24 = 72 rolls.\n#### 72",
)


class Kit:
    """What tests of strategies need to say."""

    word_problem = WORD_PROBLEM

    @staticmethod
    def row(*turns: Turn, tools: str | None = None) -> Conversation:
        return Conversation(1, turns or (WORD_PROBLEM,), "{}", tools=tools)

    @staticmethod
    def strategy(name: str, model: str = "stand-in", **params: Any) -> Strategy:
        return build([NamedStep(name=name, params=params)], model)[0]

    @staticmethod
    def answer(text: str | dict[str, str], finish_reason: str = "stop", **more: Any) -> Answer:
        said = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
        return Answer(said, finish_reason, "stand-in", Usage(100, 50), **more)


@pytest.fixture
def kit() -> Kit:
    return Kit()
