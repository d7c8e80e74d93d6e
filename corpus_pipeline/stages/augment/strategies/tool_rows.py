"""Rows with tool calls: what strategies that carry them work on, and what they show of them.

Definitions, calls and results stay as they are, and in their places; only what people and the assistant say is made again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field

from corpus_pipeline.model import Conversation, Turn
from corpus_pipeline.stages.augment.strategies.base import StrategyParams

TOOLS_LINE: Final = {
    "Tools": "what was called and what came back stands in the conversation; answer from it, and call nothing"
}


class CarryingParams(StrategyParams):
    """What strategies let a recipe set that can carry tool calls."""

    tools: Literal["skip", "carry"] = Field(
        "skip", description="carry: work on rows with tool calls; definitions, calls and results stay as they are"
    )


def is_of_person(turn: Turn) -> bool:
    """Whether the prompt of a turn is what a person says, and no result of a tool."""
    return bool((turn.prompt or "").strip()) and (turn.extra or {}).get("prompt_role", "user") == "user"


def asked_at(conversation: Conversation) -> int | None:
    """The turn in which a person asks last, with an answer or a call behind it that is trained on."""
    is_answered = False
    for index in range(len(conversation.turns) - 1, -1, -1):
        turn = conversation.turns[index]
        has_answer = bool((turn.response or "").strip() or (turn.extra or {}).get("tool_calls"))
        is_answered = is_answered or (has_answer and turn.weight != 0)
        if is_answered and is_of_person(turn):
            return index
    return None


def lines_with_calls(turns: Sequence[Turn], *, but_the_answer: bool = False) -> str:
    """Messages as one JSON object a line, with calls and their results; but_the_answer: without the last one in words."""
    found: list[dict[str, object]] = []
    for number, turn in enumerate(turns, start=1):
        extra = turn.extra or {}
        if turn.prompt:
            found.append({"role": extra.get("prompt_role", "user"), "content": turn.prompt})
        calls = extra.get("tool_calls")
        if calls:
            found.append({"role": "assistant", "content": turn.response, "tool_calls": calls})
        elif turn.response and not (but_the_answer and number == len(turns)):
            found.append({"role": "assistant", "content": turn.response})
    return "\n".join(json.dumps(message, ensure_ascii=False) for message in found)
