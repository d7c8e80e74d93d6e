"""The strategies that are one question and one template: a good answer and broken ones for each, and what becomes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from corpus_pipeline.errors import BadAnswer, SampleSkipped, UsageError
from corpus_pipeline.formats import by_name, export_line
from corpus_pipeline.model import Answer, Conversation, Turn, Usage
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages.augment.requests import request_key
from corpus_pipeline.stages.augment.strategies import TASKS, build
from corpus_pipeline.stages.augment.strategies.base import accept
from corpus_pipeline.stages.skip_reasons import SkipReason

SOURCE = Turn(
    system="Be exact.",
    prompt="How high is the tower of the old town hall?",
    response="The tower was finished in 1478 and is 64 metres high. It leans a little to the west.",
)
GOOD: dict[str, Any] = {
    "back_translation": {"instruction": "Tell me when the tower of the town hall was finished and how high it is."},
    "grounded_question": {
        "question": "In which year was the tower of the town hall finished?",
        "evidence": "The tower was finished in 1478",
        "answer": "It was finished in 1478.",
    },
    "persona_question": {
        "persona": "A roofer who has to hang a net from the tower.",
        "question": "How long must the ropes be if I want to hang a net from the top of the town hall's tower?",
        "answer": "Take ropes of at least 70 metres: the tower has 64, and knots need some.",
    },
    "flawed_rewrite": {
        "flaw": "The height is wrong.",
        "response": "The tower was finished in 1478 and is 46 metres high. It leans a little to the west.",
    },
    "weaker_answer": "It is a very high tower, some 90 metres.",
    "desirability": {"because": "It answers the question.", "desirable": True},
    "verifiable_answer": {"final_answer": "64 metres"},
}
MADE = {
    "back_translation": Turn(prompt=GOOD["back_translation"]["instruction"], response=SOURCE.response),
    "grounded_question": Turn(
        prompt=f"{SOURCE.response}\n\n{GOOD['grounded_question']['question']}", response="It was finished in 1478."
    ),
    "persona_question": Turn(prompt=GOOD["persona_question"]["question"], response=GOOD["persona_question"]["answer"]),
    "flawed_rewrite": SOURCE._replace(rejected=GOOD["flawed_rewrite"]["response"]),
    "weaker_answer": SOURCE._replace(rejected=GOOD["weaker_answer"]),
    "desirability": SOURCE._replace(extra={"label": True}),
    "verifiable_answer": Turn(system="Be exact.", prompt=SOURCE.prompt, response="64 metres"),
}
BROKEN: list[tuple[str, Any, str]] = [
    ("back_translation", {"instruction": "Tower?"}, "not_short"),
    ("back_translation", {"instruction": SOURCE.response}, "differs"),
    ("grounded_question", GOOD["grounded_question"] | {"evidence": "It was finished in 1487"}, "evidence_in_passage"),
    ("grounded_question", GOOD["grounded_question"] | {"question": "When?"}, "not_short"),
    ("persona_question", GOOD["persona_question"] | {"question": SOURCE.prompt}, "question_differs"),
    ("flawed_rewrite", GOOD["flawed_rewrite"] | {"response": f" {SOURCE.response}\n"}, "differs"),
    ("weaker_answer", SOURCE.response, "differs"),
    ("weaker_answer", "I'm sorry, but I can't assist with that request.", "refused"),
    ("desirability", {"because": "x", "desirable": "perhaps"}, "malformed"),
    ("verifiable_answer", {"final_answer": "65 metres"}, "in_response"),
    ("verifiable_answer", {"final_answer": " ".join(f"the tower number {i} is high" for i in range(12))}, "short"),
]


def row(*turns: Turn) -> Conversation:
    return Conversation(1, turns or (SOURCE,), "{}")


def as_file(turn: Turn) -> Conversation:
    """A row as a file of another format brought it, with the new turn."""
    said = [("system", SOURCE.system), ("user", SOURCE.prompt), ("assistant", SOURCE.response)]
    record = {"messages": [{"role": role, "content": text} for role, text in said]}
    return by_name("openai_sft").read(record, 1, source_line=1)._replace(turns=(turn,))


def strategy(name: str, **params: Any) -> Any:
    return build((NamedStep(name=name, params=params),), "m")[0]


def said(value: Any) -> tuple[Answer, ...]:
    return (Answer(value if isinstance(value, str) else json.dumps(value), "stop", "m", Usage(1, 1)),)


def test_there_is_a_good_answer_for_each_and_a_paper_behind_it() -> None:
    assert list(GOOD) == [kind.name for kind in TASKS] == list(MADE)
    assert all("arXiv:" in kind.source for kind in TASKS)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_answer_becomes_a_row(name: str) -> None:
    one = strategy(name)
    assert one.applies(row()) is None
    request = one.next_request(row())
    assert request is not None and request.messages[0]["content"].startswith(f"Task: {name}\nStep: ask\n\n")
    assert "old town hall" not in request.messages[0]["content"]
    assert accept(one, row(), said(GOOD[name])).turns == (MADE[name],)


@pytest.mark.parametrize(("name", "answer", "why"), BROKEN)
def test_a_broken_answer_is_refused_by_the_validator_for_it(name: str, answer: Any, why: str) -> None:
    with pytest.raises(BadAnswer) as error:
        accept(strategy(name), row(), said(answer))
    assert why in (error.value.validator, str(error.value.reason)) or why in error.value.detail


def test_the_evidence_of_a_grounded_answer_is_kept_beside_the_row() -> None:
    values = strategy("grounded_question").values_of(row(), said(GOOD["grounded_question"]))
    assert values == {"evidence": "The tower was finished in 1478"}
    assert strategy("persona_question").values_of(row(), said(GOOD["persona_question"])) == {
        "persona": GOOD["persona_question"]["persona"]
    }


@pytest.mark.parametrize("name", ["back_translation", "grounded_question"])
def test_documents_without_a_question_are_enough(name: str) -> None:
    document = row(Turn(response=SOURCE.response))
    assert strategy(name).applies(document) is None
    assert accept(strategy(name), document, said(GOOD[name])).turns == (MADE[name],)
    assert strategy(name).applies(row(Turn(prompt="Only a question?"))) is SkipReason.NO_INPUT


@pytest.mark.parametrize("name", ["flawed_rewrite", "weaker_answer", "desirability", "verifiable_answer"])
def test_what_compares_with_an_answer_needs_one(name: str) -> None:
    assert strategy(name).applies(row(Turn(prompt="Only a question?"))) in (SkipReason.NO_EXCHANGE, SkipReason.NO_INPUT)


@pytest.mark.parametrize("name", ["flawed_rewrite", "weaker_answer"])
@pytest.mark.parametrize(
    "form",
    [
        "openai_dpo",
        "sharegpt_preference",
        "trl_preference",
        "trl_preference_chat",
        "alpaca_preference",
        "trl_implicit_preference_chat",
    ],
)
def test_pairs_go_out_in_every_preference_format(name: str, form: str) -> None:
    (turn,) = accept(strategy(name), row(), said(GOOD[name])).turns
    source, target = by_name("openai_sft"), by_name(form)
    line, _ = export_line(as_file(turn), source, target, checked=True)
    again = target.read(json.loads(line), 1, source_line=1)
    assert again.turns[-1].rejected == turn.rejected and again.turns[-1].response == SOURCE.response


@pytest.mark.parametrize("form", ["trl_label", "trl_label_chat", "sharegpt_kto", "alpaca_kto"])
@pytest.mark.parametrize("label", [True, False])
def test_labels_go_out_in_every_format_of_kto(form: str, label: bool) -> None:
    (turn,) = accept(strategy("desirability"), row(), said({"because": "so", "desirable": label})).turns
    line, _ = export_line(as_file(turn), by_name("openai_sft"), by_name(form), checked=True)
    assert (by_name(form).read(json.loads(line), 1, source_line=1).turns[-1].extra or {})["label"] is label


TOOLS = json.dumps(
    [
        {
            "type": "function",
            "function": {
                "name": "tide",
                "parameters": {
                    "type": "object",
                    "properties": {"harbour": {"type": "string"}, "day": {"type": "integer", "minimum": 1}},
                    "required": ["harbour"],
                    "additionalProperties": False,
                },
            },
        }
    ]
)


def call(name: str = "tide", **arguments: Any) -> dict[str, str]:
    return {"name": name, "arguments": json.dumps(arguments), "result": '{"high": "06:12"}'}


def conversation_with(*calls: dict[str, str]) -> dict[str, Any]:
    return {"request": "When is high water at Emden on the 4th?", "calls": list(calls), "answer": "At 06:12."}


class TestToolCalls:
    def test_calls_become_messages_that_the_format_holds(self) -> None:
        answer = conversation_with(call(harbour="Emden", day=4), call(harbour="Borkum"))
        source = as_file(SOURCE)._replace(tools=TOOLS, turns=(SOURCE,))
        one = strategy("tool_calls")
        assert one.applies(source) is None
        turns = accept(one, source, said(answer)).turns
        assert [turn.prompt for turn in turns] == [answer["request"], '{"high": "06:12"}', '{"high": "06:12"}']
        assert [turn.response for turn in turns] == [None, None, "At 06:12."]
        line, _ = export_line(source._replace(turns=turns), by_name("openai_sft"), by_name("openai_sft"))
        again = by_name("openai_sft").read(json.loads(line), 1, source_line=1)
        assert again.turns == turns and json.loads(again.tools or "") == json.loads(TOOLS)

    @pytest.mark.parametrize(
        ("bad", "why"),
        [
            (call("ebb", harbour="Emden"), "not defined"),
            (call(day=4), "harbour"),
            (call(harbour="Emden", day="four"), "day"),
            (call(harbour="Emden", boat="x"), "boat"),
            (call(harbour="Emden") | {"arguments": "harbour=Emden"}, "no JSON"),
            (call(harbour="Emden") | {"arguments": "[1]"}, "no object"),
        ],
    )
    def test_a_call_that_does_not_fit_its_definition_fails(self, bad: dict[str, str], why: str) -> None:
        with pytest.raises(BadAnswer, match="malformed") as error:
            accept(strategy("tool_calls"), row()._replace(tools=TOOLS), said(conversation_with(call(harbour="a"), bad)))
        assert why in error.value.detail

    @pytest.mark.parametrize("tools", [None, "[]", "no JSON", '[{"type": "retrieval"}]'])
    def test_rows_without_definitions_are_skipped(self, tools: str | None) -> None:
        assert strategy("tool_calls").applies(row()._replace(tools=tools)) is SkipReason.NO_INPUT


def drive(one: Any, source: Conversation, answers: list[Any]) -> tuple[Answer, ...]:
    """Ask and answer as the engine does."""
    given: tuple[Answer, ...] = ()
    for answer in answers:
        assert one.next_request(source, given) is not None
        given += said(answer)
    assert one.next_request(source, given) is None
    return given


class TestBestAndWorst:
    ANSWERS = ("It is 64 metres high.", "It is high.", "It is 64 metres, they say.")

    def judged(self, *scores: str) -> list[Any]:
        return [*self.ANSWERS, *({"because": "so", "score": score} for score in scores)]

    def test_the_best_is_chosen_and_the_worst_rejected(self) -> None:
        one = strategy("best_and_worst", candidates=3)
        answers = drive(one, row(), self.judged("5", "1", "5"))
        assert one.questions == 6
        assert accept(one, row(), answers).turns == (
            SOURCE._replace(response="It is 64 metres high.", rejected="It is high."),
        )
        assert one.values_of(row(), answers) == {"best_score": 5, "worst_score": 1}

    def test_equally_good_answers_are_skipped_and_no_score_is_no_answer(self) -> None:
        one = strategy("best_and_worst", candidates=3)
        with pytest.raises(SampleSkipped, match="no_difference"):
            accept(one, row(), drive(one, row(), self.judged("3", "3", "3")))
        with pytest.raises(BadAnswer, match="not 1 to 5"):
            drive(one, row(), self.judged("3", "good", "1"))

    def test_every_question_is_another_one(self) -> None:
        one, asked, given = strategy("best_and_worst", candidates=3), set(), ()
        for sample in range(2):
            given = ()
            for answer in ["the same"] * 3 + [{"because": "x", "score": "2"}] * 3:
                asked.add(request_key(one.next_request(row(), given, sample), sample))
                given += said(answer)
        assert len(asked) == 12


class TestContinuation:
    def test_exchanges_are_added_behind_the_last_one(self) -> None:
        one = strategy("continuation", exchanges=2)
        first = [
            {"prompt": "And who paid for it, the town or the church?"},
            "The town paid for it, from its toll on salt.",
        ]
        second = [{"prompt": "Why does it lean to the west?"}, "The ground on that side is softer, and has given way."]
        turns = accept(one, row(), drive(one, row(), [*first, *second])).turns
        assert turns == (
            SOURCE,
            Turn(prompt=first[0]["prompt"], response=first[1]),  # type: ignore[index]
            Turn(prompt=second[0]["prompt"], response=second[1]),  # type: ignore[index]
        )

    @pytest.mark.parametrize(
        ("prompt", "response", "why"),
        [
            (SOURCE.prompt, "The town paid for it.", "unchanged"),
            ("And who paid for it?", SOURCE.response, "unchanged"),
            ("And who paid for it?", "And who paid for it?", "unchanged"),
            ("And who paid for it?", "I'm sorry, but I can't help with that.", "refused"),
            ("谁付的钱？是城市还是教会出的这笔钱？", "城市用盐税支付了这笔费用，教会没有出钱。", "off_language"),
        ],
    )
    def test_what_does_not_go_on_fails(self, prompt: str, response: str, why: str) -> None:
        one = strategy("continuation")
        with pytest.raises(BadAnswer) as error:
            accept(one, row(), drive(one, row(), [{"prompt": prompt}, response]))
        assert error.value.reason == why


def test_an_own_template_is_held_to_the_same_names() -> None:
    own = "Write a request.\n=== user ===\n{{ response }}"
    assert "Write a request." in strategy("back_translation", template=own).next_request(row()).messages[0]["content"]
    with pytest.raises(Exception, match="respnse"):
        strategy("back_translation", template="Write.\n=== user ===\n{{ respnse }}")


@pytest.mark.parametrize(
    ("params", "final", "goes_out"),
    [
        ({}, "", False),
        ({}, "64 metres", True),
        ({"kind": "number"}, "64", True),
        ({"kind": "number"}, "64 metres", True),
        ({"kind": "number"}, "metres", False),
        ({"kind": "label", "labels": ["West", "east"]}, "west", True),
        ({"kind": "label", "labels": ["north"]}, "west", False),
    ],
)
def test_rows_without_a_final_answer_of_the_wanted_kind_are_skipped(
    params: dict[str, Any], final: str, goes_out: bool
) -> None:
    one = strategy("verifiable_answer", **params)
    if goes_out:
        (turn,) = accept(one, row(), said({"final_answer": final})).turns
        assert turn.response == final
    else:
        with pytest.raises(SampleSkipped, match="no_final_answer"):
            accept(one, row(), said({"final_answer": final}))


def test_a_final_answer_is_held_to_the_mark_of_the_response() -> None:
    sums = Turn(prompt="What are 3 times 7 and 4?", response="3 * 7 = 21\n21 + 4 = 25\n#### 25")
    one = strategy("verifiable_answer", kind="number")
    assert accept(one, row(sums), said({"final_answer": "25"})).turns[-1].response == "25"
    with pytest.raises(BadAnswer) as fault:
        accept(one, row(sums), said({"final_answer": "21"}))
    assert fault.value.validator == "final_answer_kept"


@pytest.mark.parametrize("form", ["trl_grpo", "trl_grpo_chat", "swift_grpo"])
def test_final_answers_go_out_as_solutions(form: str) -> None:
    (turn,) = accept(strategy("verifiable_answer"), row(), said({"final_answer": "64 metres"})).turns
    line, _ = export_line(as_file(turn), by_name("openai_sft"), by_name(form), checked=True)
    assert json.loads(line)["solution"] == "64 metres"


@pytest.mark.parametrize("params", [{"kind": "label"}, {"labels": ["a", "b"]}])
def test_labels_and_their_kind_go_together(params: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="go together"):
        strategy("verifiable_answer", **params)
