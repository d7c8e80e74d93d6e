"""Rows with tool calls: what strategies carry along unchanged, and what of a request the calls behind it need."""

from __future__ import annotations

import json
from typing import Any

import pytest

from corpus_pipeline.errors import BadAnswer, UsageError
from corpus_pipeline.formats import detect
from corpus_pipeline.formats.shape import render
from corpus_pipeline.model import Answer, Conversation, Usage
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages.augment.strategies import Strategy, accept, build, prompt_version

TOOL = {
    "type": "function",
    "function": {"name": "ferry", "parameters": {"type": "object", "properties": {"pier": {"type": "string"}}}},
}
ASKED = "When does the next ferry leave from the pier Ostkai towards the island?"


def row(*, answered: bool = True, words: str | None = None) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": "ferry", "arguments": json.dumps({"pier": "Ostkai"})}}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": ASKED},
        {"role": "assistant", "content": words, "tool_calls": [call]},
    ]
    if answered:
        messages += [
            {"role": "tool", "tool_call_id": "c1", "content": '{"leaves": "14:20"}'},
            {"role": "assistant", "content": "The next ferry from Ostkai to the island leaves at 14:20 today."},
        ]
    return {"tools": [TOOL], "messages": messages}


def read(record: dict[str, Any]) -> Conversation:
    found = detect([record])
    assert found is not None
    parsed = found.parse(record)
    return Conversation(1, parsed.turns, parsed.shape, parsed.tools)


def strategy(name: str, **params: Any) -> Strategy:
    return build([NamedStep(name=name, params={"tools": "carry", **params})], "m")[0]


def made(one: Strategy, conversation: Conversation, *texts: str) -> dict[str, Any]:
    answers: tuple[Answer, ...] = ()
    for text in texts:
        assert one.next_request(conversation, answers) is not None
        answers = (*answers, Answer(text, "stop", "m", Usage(1, 1)))
    assert one.next_request(conversation, answers) is None
    record = render(conversation._replace(turns=accept(one, conversation, answers).turns))
    assert record is not None
    return record


@pytest.mark.parametrize("name", ["paraphrase", "response_regeneration", "translation"])
def test_they_are_skipped_unless_the_recipe_lets_them_be_carried(name: str) -> None:
    assert strategy(name, tools="skip").applies(read(row())) == "tools"
    assert strategy(name).applies(read(row())) is None
    assert prompt_version(strategy(name)) != prompt_version(strategy(name, tools="skip"))


def test_what_is_said_when_a_strategy_cannot_carry_them() -> None:
    with pytest.raises(UsageError, match="tools"):
        strategy("self_refine")


def test_a_request_is_reworded_and_all_behind_it_stays() -> None:
    for record in (row(), row(answered=False)):
        said = json.dumps({"prompt": "From the Ostkai pier, what time is the next ferry out to the island?"})
        new = made(strategy("paraphrase"), read(record), said)
        assert new["messages"][1:] == record["messages"][1:] and new["tools"] == record["tools"]
        assert new["messages"][0]["content"].startswith("From the Ostkai")


def test_a_reworded_request_keeps_what_the_calls_take_from_it() -> None:
    said = json.dumps({"prompt": "At what time can I take the next ferry towards the island from the eastern pier?"})
    with pytest.raises(BadAnswer) as fault:
        made(strategy("paraphrase"), read(row()), said)
    assert (fault.value.validator, fault.value.reason) == ("arguments_kept", "arguments_lost")


def test_an_answer_is_made_anew_from_the_results() -> None:
    one, conversation = strategy("response_regeneration"), read(row())
    request = one.next_request(conversation)
    assert request is not None
    text = request.messages[-1]["content"]
    assert ASKED in text and '"tool_calls"' in text and "14:20" in text and "call nothing" in text
    new = made(one, conversation, "You can take the ferry that leaves the pier Ostkai for the island at 14:20.")
    assert new["messages"][:3] == row()["messages"][:3]
    assert new["messages"][3]["content"].startswith("You can take")


def test_an_answer_that_is_a_call_is_not_made_anew() -> None:
    assert strategy("response_regeneration").applies(read(row(answered=False))) == "no_exchange"
    assert (
        strategy("response_regeneration").applies(read(row(answered=False, words="I look it up for you."))) == "tools"
    )


def test_a_translation_leaves_calls_and_results() -> None:
    one, conversation = strategy("translation", target_language="de"), read(row())
    new = made(
        one,
        conversation,
        json.dumps({"prompt": "Wann fährt die nächste Fähre vom Anleger Ostkai zur Insel ab?"}),
        json.dumps({"response": "Die nächste Fähre vom Ostkai zur Insel fährt heute um 14:20 ab."}),
    )
    assert new["messages"][1:3] == row()["messages"][1:3] and new["tools"] == [TOOL]
    assert new["messages"][0]["content"].startswith("Wann") and new["messages"][3]["content"].startswith("Die")
