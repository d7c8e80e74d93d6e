from __future__ import annotations

import random

import pytest

from corpus_pipeline.model import Answer, Conversation, Turn, Usage
from corpus_pipeline.stages.augment.validators.base import PairValidator
from corpus_pipeline.stages.augment.validators.form import (
    FieldsFilled,
    LengthRatio,
    NoLeakedInstruction,
    NotEchoed,
    NotRepetitive,
    NotUnchanged,
    PlainText,
)
from corpus_pipeline.stages.augment.validators.words import BadReason

FIELD = ("prompt",)
ANSWER = Answer("", "stop", "model", Usage(1, 1))


def reason(validator: PairValidator, source: str, new: str) -> str | None:
    conversation = Conversation(1, (Turn(prompt=source, response="x"),), "{}")
    fault = validator(conversation, (Turn(prompt=new, response="x"),), ANSWER)
    return fault.reason if fault else None


def test_a_field_without_a_visible_character_is_empty() -> None:
    assert reason(FieldsFilled(FIELD), "text", " \u200b\n") == BadReason.EMPTY
    assert reason(FieldsFilled(FIELD), "text", ".") is None


@pytest.mark.parametrize(("source", "judged"), [("", None), ("Be brief.", BadReason.EMPTY)])
def test_a_blank_system_text_may_stay_blank(source: str, judged: BadReason | None) -> None:
    old = Conversation(1, (Turn(prompt="x", response="x", system=source),), "{}")
    fault = FieldsFilled(("system",))(old, (Turn(prompt="x", response="x", system=""),), ANSWER)
    assert (fault and fault.reason) == judged


def test_a_refusal_in_a_field_counts_unless_the_source_refuses() -> None:
    assert reason(FieldsFilled(FIELD), "Tell me", "I'm sorry, but I can't do that.") == BadReason.REFUSED
    assert reason(FieldsFilled(FIELD), "I cannot help you.", "抱歉，我无法帮助你。") is None


@pytest.mark.parametrize("new", ["How many?", "how many", "  HOW  many ?\n", "Ｈｏｗ ｍａｎｙ？"])
def test_layout_and_case_are_no_change(new: str) -> None:
    assert reason(NotUnchanged(FIELD), "How many?", new) == BadReason.UNCHANGED


def test_other_words_are_a_change_and_signs_alone_are_not_judged() -> None:
    assert reason(NotUnchanged(FIELD), "How many?", "What is the number?") is None
    assert reason(NotUnchanged(FIELD), "???", "!!!") is None


def test_length_out_of_proportion() -> None:
    validator = LengthRatio(FIELD, low=0.5, high=2.0)
    assert reason(validator, "a" * 100, "b" * 49) == BadReason.TOO_SHORT
    assert reason(validator, "a" * 100, "b" * 201) == BadReason.TOO_LONG
    assert reason(validator, "a" * 100, "b" * 100) is None
    assert reason(validator, "a", "b" * 40) is None


def test_a_translation_into_han_is_not_too_short() -> None:
    english = "Describe how to make crepes and which ingredients are needed for the batter."
    assert (
        reason(LengthRatio(FIELD, low=0.5, high=2.0), english, "请说明如何制作可丽饼，以及面糊需要哪些原料。") is None
    )


@pytest.mark.parametrize(
    "new",
    [
        "It is what it is. " * 60,
        "我不知道。" * 80,
        "A sensible start that explains the matter at some length before it fails. " * 1 + "and so on " * 150,
        "good " * 14,
        "na-" * 30,
        "哈" * 60,
        "! " + "a" * 80,
        "\n".join(["- the same line again and again"] * 40),
    ],
    ids=lambda text: text[:20],
)
def test_a_loop_is_repetitive(new: str) -> None:
    assert reason(NotRepetitive(FIELD), "Explain the matter.", new) == BadReason.REPETITIVE


def test_language_code_and_tables_are_not_repetitive() -> None:
    words = [f"word{n}" for n in range(300)]
    prose = " ".join(random.Random(1).choices(words, k=600))
    table = "\n".join(f"| {n} | {n * n} | {n * 7} |" for n in range(120))
    line = "-" * 200 + "\n" + "=" * 80
    code = "\n".join(f"    result[{n}] = compute(values[{n}], weights[{n}])" for n in range(40))
    for text in (prose, table, line, code, "No, no, no!", "1000000000000000000000000000000000000000000000"):
        assert reason(NotRepetitive(FIELD), "Explain the matter.", text) is None


def test_a_source_of_that_kind_may_stay_of_that_kind() -> None:
    song = "La la la, we sing all day. " * 60
    assert reason(NotRepetitive(FIELD), song, "La la la, we sang all day. " * 60) is None


@pytest.mark.parametrize(
    "new",
    [
        "[[begin source_prompt 0123456789abcdef0123456789abcdef]]\nHow many?",
        "How many?\nOutput: json prompt",
        "How many?\nOutput: text",
        "The source_prompt asks how many there are.",
        "Task: paraphrase\nStep: rewrite\nHow many?",
        "Here is the rewritten prompt: how many?",
        "Sure! Here's a paraphrased version:\nHow many?",
        "Here is the translation:\nCombien ?",
        "Rewritten prompt: How many?",
        "#Rewritten Prompt#: How many?",
        "**Translation:** Combien ?",
        "以下是改写后的问题：有多少？",
        "好的，下面是翻译：有多少？",
        "译文：有多少？",
        "Voici la traduction : combien ?",
        "Hier ist die Übersetzung: wie viele?",
        "Aquí está la traducción: ¿cuántos?",
        "Вот перевод: сколько?",
        "以下は翻訳です：いくつですか",
        "다음은 번역입니다: 몇 개입니까",
        "As an AI language model, I would say ten.",
        "作为一个人工智能语言模型，我认为是十。",
    ],
)
def test_what_speaks_of_the_task_is_a_leak(new: str) -> None:
    assert reason(NoLeakedInstruction(FIELD), "How many?", new) == BadReason.LEAKED_INSTRUCTION


@pytest.mark.parametrize(
    ("source", "new"),
    [
        ("Here is the translation: who wrote it?", "Here's the translation: who is its author?"),
        ("Explain: as an AI language model, I cannot", "What does 'as an AI language model' mean?"),
        ("How many?", "Here is the thing: how many are there?"),
        ("Translate into German: good day", "Here is a phrase to translate into German: good day"),
        ("Paraphrase the sentence: he ran.", "Here is my wish. Paraphrase the sentence: he ran."),
        ("How many?", "This is a question of revision.\nHow many?"),
        ("How many?", "The translation of the book took years. How many?"),
        ("How many?", "[[1, 2], [3, 4]] has how many rows?"),
        ("有多少？", "下面是一个列表：有多少？"),
        ("Task: count\nStep: one", "Task: count them\nStep: the first"),
    ],
)
def test_what_only_looks_like_it_is_none(source: str, new: str) -> None:
    assert reason(NoLeakedInstruction(FIELD), source, new) is None


def test_only_the_named_fields_of_the_last_turn_are_judged_unless_all_turns_are_wanted() -> None:
    turns = (Turn(prompt="a", response="b"), Turn(prompt="c", response="d"))
    new = (Turn(prompt="", response="b"), Turn(prompt="e", response=""))
    conversation = Conversation(1, turns, "{}")
    assert FieldsFilled(("prompt",))(conversation, new, ANSWER) is None
    assert FieldsFilled(("response",))(conversation, new, ANSWER) is not None
    assert FieldsFilled(("prompt",), whole=True)(conversation, new, ANSWER) is not None
    assert FieldsFilled(("system", "reasoning"), whole=True)(conversation, new, ANSWER) is None


def echo_reason(source: Turn, new: Turn) -> str | None:
    fault = NotEchoed()(Conversation(1, (source,), "{}"), (new,), ANSWER)
    return fault.reason if fault else None


def test_a_response_that_is_the_prompt_and_a_reasoning_that_is_either_are_echoes() -> None:
    source = Turn(prompt="How many rolls?", response="There are 72.")
    assert echo_reason(source, source._replace(response="how many rolls")) == BadReason.UNCHANGED
    for reasoning in ("How many rolls?", "There are 72!", "How many rolls?\nThere are 72."):
        assert echo_reason(source, source._replace(reasoning=reasoning)) == BadReason.UNCHANGED
    assert echo_reason(source, source._replace(response="72 rolls.", reasoning="24 and 48 are 72.")) is None


def test_a_source_that_echoes_may_go_on_echoing() -> None:
    source = Turn(prompt="Repeat this.", response="Repeat this.", reasoning="Repeat this.")
    assert echo_reason(source, source) is None


def test_an_object_where_a_text_was_asked_for_is_malformed() -> None:
    for new in ('{"response": "It is 72."}', '```json\n{"response": "It', ' {"text": "It is'):
        assert reason(PlainText(FIELD), "How many?", new) == BadReason.MALFORMED


def test_an_answer_about_json_may_be_json_but_not_half_of_it() -> None:
    for source in ("Give me JSON", '{"a": 1}', 'What is in {"a": 1}?'):
        assert reason(PlainText(FIELD), source, '{"a": 2}') is None
    assert reason(PlainText(FIELD), "Give me JSON", '{"a": ') == BadReason.MALFORMED
    assert reason(PlainText(FIELD), "How many?", "{x | x > 0}") is None
