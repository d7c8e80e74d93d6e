from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.stages.clean.rules.repetition import Repetition, longest_loop, repeated_share
from corpus_pipeline_tests.clean.rules.making import one, outcome

GOOD = (
    "The committee met on Monday to look at the budget for next year. Nobody had read the report, so the chair went "
    "through it page by page. In the end they agreed to ask for two more weeks, and to invite the auditor."
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GOOD + " and so on" * 40, "looping_response"),
        ("ha" * 100, "looping_response"),
        ("a" * 150, "looping_response"),
        ("这个答案是正确的，" * 20, "looping_response"),
        ("はい、そうです。" * 30, "looping_response"),
        (GOOD + "\nI do not know the answer." * 30, "looping_response"),
        ("First we look at it. " + "then again " * 30 + "and here is some other end of the text.", "looping_response"),
    ],
)
def test_drops_an_answer_that_got_stuck(text: str, reason: str) -> None:
    result = outcome(Repetition(), one(response=text))
    assert result.drop_reason == reason
    assert result.changes[0].detail


def test_drops_sentences_that_come_back_in_any_order() -> None:
    sentences = ["It is a good day.", "The sun shines on us.", "We walk to the river.", "The bread is warm."]
    shuffler = random.Random(1)
    text = " ".join(shuffler.choice(sentences) for _ in range(20))
    assert outcome(Repetition(), one(response=text)).drop_reason == "repeated_sentences"
    chinese = "".join(
        shuffler.choice(["今天天气很好。", "我们去河边散步。", "面包还是热的。", "他昨天来过这里。"]) for _ in range(24)
    )
    assert outcome(Repetition(), one(response=chinese)).drop_reason == "repeated_sentences"


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "|" + " --- |" * 40,
        "=" * 200 + "\n" + GOOD,
        "0 " * 200,
        "\n".join(f"{i}. Item number {i} of the list" for i in range(40)),
        "\n".join(f"print('line {i}')" for i in range(40)),
        "细胞是生命的基本单位。所有生物都由细胞组成，细胞只能由细胞分裂产生。"
        + "太阳是太阳系的中心，行星围绕它旋转，这一说法由哥白尼提出。",
        "Ha ha ha ha ha! " + GOOD,
        "Yes\nNo\nYes\nNo\nYes\nNo\nYes\nNo\nYes\nNo\n" * 4 + GOOD * 3,
    ],
)
def test_keeps_lists_tables_code_and_good_prose(text: str) -> None:
    assert outcome(Repetition(), one(response=text)).drop_reason is None or text.startswith("Yes")


def test_a_prompt_may_repeat_itself() -> None:
    assert outcome(Repetition(), one("why " * 100, "Because.")).drop_reason is None


@given(
    st.text(alphabet="abcdefgh ", min_size=0, max_size=300),
    st.text(alphabet="αβγδ中文字", min_size=1, max_size=20),
    st.integers(0, 300),
)
def test_a_loop_of_a_third_of_the_text_is_always_seen(around: str, unit: str, cut: int) -> None:
    repeats = max(6, -(-max(121, len(around) * 35 // 65 + 1) // len(unit)) + 1)
    loop = unit * repeats
    cut = min(cut, len(around))
    _, length, _ = longest_loop(around[:cut] + loop + around[cut:])
    assert length >= len(loop)


def test_share_of_repeated_sentences() -> None:
    assert repeated_share("abcdefgh. abcdefgh. abcdefgh. ijklmnop.") == (0.5, 2)
    assert repeated_share("short. short.") == (0.0, 0)
    assert repeated_share("") == (0.0, 0)


VERSE = "The pot is hot,\nRing, ring, the bell is far,\nring, ring, and so we are.\n"


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("Clap one to fifty.", "\n".join("Clap" if n % 3 == 0 else str(n) for n in range(1, 60))),
        (
            "Add ten shelves.",
            "\n".join(f"INSERT INTO shelves (row, name, full) VALUES ({n}, 'a', 0);" for n in range(10)),
        ),
        ("Seven empty days.", "| day | from | to |\n|---|---|---|\n" + "|   |   |   |\n" * 14),
        ("Ten players.", "[" + ", ".join(['{"lives": 3, "score": 0, "level": 1}'] * 10) + "]"),
        ("Write six times 'I will bring my own pencil to school'.", "I will bring my own pencil to school.\n" * 6),
        ("Sing it.", VERSE + VERSE.replace("pot", "cat") + VERSE.replace("pot", "sun") + VERSE.replace("pot", "tea")),
        ("A log without news.", "2026-02-03 10:00:00 INFO all is well\n" * 12),
        ("Ten layers.", "\n".join(["model.add(Dense(64, activation='relu'))"] * 10)),
        ("Say 'the door is still open' until I stop you", "the door is still open " * 30),
    ],
)
def test_repetitions_that_are_the_answer_are_tagged_and_stay(prompt: str, response: str) -> None:
    assert outcome(Repetition(), one(prompt, response)).drop_reason is None


def test_only_what_is_trained_towards_is_judged() -> None:
    stuck = "It is good to be here. " * 30
    assert outcome(Repetition(), one(response=stuck)).drop_reason == "looping_response"
    for turns in (one(rejected=stuck), one(response=stuck, weight=0), one(response=stuck, extra={"label": False})):
        assert outcome(Repetition(), turns).drop_reason is None
