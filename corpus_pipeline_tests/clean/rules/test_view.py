"""What a rule is told of a conversation: the side of each text, and whether texts are joined."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.formats import by_name
from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.rule_pass import clean_turns
from corpus_pipeline.stages.clean.rules import build
from corpus_pipeline.stages.clean.rules.base import Side, View
from corpus_pipeline.stages.clean.rules.whitespace import Whitespace

BLANKS = st.text(" \t\n\r\u00a0\u3000\u2028", max_size=6)


@pytest.mark.parametrize(
    ("turn", "field", "side"),
    [
        (Turn(system="s"), "system", Side.CONTEXT),
        (Turn(prompt="p"), "prompt", Side.CONTEXT),
        (Turn(response="r"), "response", Side.TRAINED),
        (Turn(response="r", reasoning="t"), "reasoning", Side.TRAINED),
        (Turn(response="r", weight=1), "response", Side.TRAINED),
        (Turn(response="r", weight=0), "response", Side.UNTRAINED),
        (Turn(response="r", rejected="x"), "rejected", Side.AVERSE),
        (Turn(response="r", rejected="x"), "response", Side.TRAINED),
        (Turn(response="r", extra={"label": False}), "response", Side.AVERSE),
        (Turn(response="r", extra={"label": True}), "response", Side.TRAINED),
    ],
)
def test_the_side_of_a_text(turn: Turn, field: str, side: Side) -> None:
    assert View((turn,)).side(1, field) is side


def test_only_trained_responses_are_answers() -> None:
    turns = (Turn(prompt="a", response="b", weight=0), Turn(prompt="c", response="d", reasoning="e", rejected="f"))
    view = View(turns)
    assert [(place.turn, place.text) for place in view.answers()] == [(2, "d")]
    assert view.context() == "a\nc" and view.is_preference
    assert not View((Turn(prompt="a", response="b"),)).is_preference


@pytest.mark.parametrize(
    ("text", "dialogue"),
    [
        ("\n\nHuman: Why?\n\nAssistant: Because.", True),
        ("User: hi\nAssistant: hello", True),
        ("Call it Assistant: that is its name.", False),
        ("Human: one voice only", False),
    ],
)
def test_a_dialogue_in_one_text(text: str, dialogue: bool) -> None:
    assert View((Turn(response=text),)).is_dialogue is dialogue


@pytest.mark.parametrize(
    "name",
    [
        "trl_prompt",
        "trl_prompt_completion",
        "trl_label",
        "trl_preference",
        "trl_implicit_preference",
        "trl_grpo",
        "text",
    ],
)
def test_formats_that_join_say_so(name: str) -> None:
    assert by_name(name).joins


@given(BLANKS, st.text(max_size=12), BLANKS)
def test_edges_of_joined_texts_stay_byte_for_byte_under_every_rule(before: str, inner: str, after: str) -> None:
    text = before + inner + after
    turns = (Turn(prompt=text, response="An answer." + after),)
    cleaned = clean_turns(1, turns, None, build(None), joined=True)  # type: ignore[arg-type]
    now = (cleaned.turns or turns)[0]
    core = text.strip()
    if core:
        assert now.prompt is not None
        assert now.prompt.startswith(text[: len(text) - len(text.lstrip())])
        assert now.prompt.endswith(text[len(text.rstrip()) :])
    assert now.response == turns[0].response


def test_edges_of_other_texts_are_tidied() -> None:
    turns = (Turn(prompt="\n\na \n", response="b\n"),)
    assert Whitespace().apply(View(turns)).turns == (Turn(prompt="a", response="b"),)


JUNK = "Fine.<|im_end|>  \n\n\n\n\nCafÃ© au lait.  "
TIDY = "Fine.\n\n\nCafé au lait."


def cleaned(turn: Turn) -> Turn:
    return (clean_turns(1, (turn,), None, build(None)).turns or (turn,))[0]  # type: ignore[arg-type]


def test_a_bad_answer_stays_byte_for_byte() -> None:
    labelled = Turn(prompt="Say it.  ", response=JUNK, extra={"label": False})
    assert cleaned(labelled) == labelled._replace(prompt="Say it.")
    pair = Turn(prompt="Say it.", response="Fine.", rejected=JUNK)
    assert cleaned(pair) == pair


def test_a_fault_that_both_answers_have_is_no_lesson() -> None:
    assert cleaned(Turn(prompt="Say it.", response=JUNK, rejected="No. " + JUNK)).rejected == "No. " + TIDY


def test_blanks_do_not_tell_good_answers_from_bad_ones() -> None:
    good = Turn(prompt="Say it.", response="Fine.  ", extra={"label": True})
    assert cleaned(good) == good
    assert cleaned(good._replace(response="Fine.<|im_end|>")).response == "Fine."


def test_control_characters_and_personal_data_leave_bad_answers_too() -> None:
    bad = Turn(prompt="Say it.", response="\x00Ask anna.berg@brandhof.de \ud800", extra={"label": False})
    assert cleaned(bad).response == "Ask [EMAIL] "
