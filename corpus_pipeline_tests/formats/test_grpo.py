"""Prompts with what an answer is checked against: where the solution comes from, and what of the row it leaves behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from corpus_pipeline.formats import NotExportable, by_name, export_line, look_at

TARGETS = ("trl_grpo", "trl_grpo_chat", "swift_grpo")
_ASK = {"role": "user", "content": "2+3?"}


def written(record: dict[str, Any], target: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The record in another format, and its losses."""
    best = look_at([record]).best
    assert best is not None
    line, losses = export_line(best.format.read(record), best.format, by_name(target), checked=True)
    return json.loads(line), losses


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("record", "solution", "losses"),
    [
        ({"question": "2+3?", "answer": "2 and 3 are 5\n#### 5"}, "2 and 3 are 5\n#### 5", ()),
        ({"problem": "2+3?", "solution": "Count: 5.", "answer": "5"}, "Count: 5.", ()),
        ({"messages": [_ASK, {"role": "assistant", "content": "Five, I say."}], "solution": "5"}, "5", ("answer",)),
        ({"messages": [_ASK, {"role": "assistant", "content": "5", "reasoning_content": "2 and 3"}]}, "5", ("reasoning",)),
        ({"prompt": [_ASK], "reward_model": {"style": "rule", "ground_truth": "5"}}, "5", ()),
        ({"messages": [_ASK], "reference_answer": {"sum": 5}}, {"sum": 5}, ()),
        ({"prompt": "2+3?", "ground_truth": 5}, 5, ()),
        ({"prompt": "2+3?", "chosen": "5", "rejected": "6"}, "5", ("rejected",)),
        ({"prompt": "2+3?", "completion": "5", "label": True}, "5", ("label",)),
    ],
)  # fmt: skip
def test_the_solution_of_a_row(target: str, record: dict[str, Any], solution: Any, losses: tuple[str, ...]) -> None:
    found, lost = written(record, target)
    assert found["solution"] == solution
    assert lost == losses
    asked = found["messages" if target == "swift_grpo" else "prompt"]
    assert asked == ("2+3?" if target == "trl_grpo" else [_ASK])
    assert {key: found[key] for key in record if key not in ("prompt", "messages") and key in found}.items() <= {
        **record,
        "solution": solution,
    }.items()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([_ASK], "no_answer"),
        ([{"role": "assistant", "content": "5"}], "no_prompt"),
        ([_ASK, {"role": "assistant", "content": "5"}, {"role": "assistant", "content": "Yes."}], "turn_order"),
        ([_ASK, {"role": "assistant", "content": "5", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}],
         "tool_calls"),
    ],
)  # fmt: skip
def test_rows_without_a_question_or_anything_to_check_against(
    target: str, messages: list[dict[str, Any]], reason: str
) -> None:
    source = by_name("openai_sft")
    with pytest.raises(NotExportable) as caught:
        export_line(source.read({"messages": messages}), source, by_name(target))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"prompt": "2+3?", "solution": "5"}, "trl_grpo"),
        ({"prompt": [_ASK], "solution": "5", "level": 3}, "trl_grpo_chat"),
        ({"messages": [_ASK], "solution": "5"}, "swift_grpo"),
    ],
)
def test_they_are_detected(record: dict[str, Any], name: str) -> None:
    best = look_at([record]).best
    assert best is not None and best.format.name == name


def test_an_answer_that_is_given_is_no_part_of_the_questions() -> None:
    record = {"messages": [_ASK, {"role": "assistant", "content": "Five."}], "solution": "5"}
    assert not by_name("swift_grpo").accepts(record)
