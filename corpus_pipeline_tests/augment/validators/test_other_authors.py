"""What sets of other authors showed to be missing, in our own words: sums, short foreign sentences, invented words."""

from __future__ import annotations

import pytest

from corpus_pipeline.stages.augment.validators.base import Pair
from corpus_pipeline.stages.augment.validators.final_answer import same_answer
from corpus_pipeline.stages.augment.validators.language import Language
from corpus_pipeline.stages.augment.validators.noise import NotNoise
from corpus_pipeline.stages.augment.validators.refusing import declines
from corpus_pipeline.stages.augment.validators.scripts import prose

ROOF = "Slate lasts for more than a century and does not burn."
SUM = "Ten crates hold 10 * 12 = 120 pears.\nA: 120"


@pytest.mark.parametrize(
    ("answer", "same"),
    [
        ("Each crate has a dozen, so 12 * 10 makes 120.\nA: 120", True),
        ("There are 10 + 12 pears.\nA: 22", False),
        ("Each crate has 12 pears.\n**Result:** 120", True),
        ("12 times 10, which is 120 pears in all.", True),
    ],
)
def test_a_labelled_last_line_is_the_final_answer(answer: str, same: bool) -> None:
    assert same_answer(SUM, answer) is same


def test_a_list_of_choices_is_no_final_answer() -> None:
    assert same_answer("Pick one.\nA: oak\nB: elm\nC: lime", "Choose.\nA: elm\nB: oak\nC: lime") is None


@pytest.mark.parametrize(
    "answer", ["Egentligen beror det på hur mycket tid man vill lägga ner.", "Añadir más leña no sería útil después."]
)
def test_letters_beside_accented_ones_are_no_variables(answer: str) -> None:
    assert prose(answer) == answer
    fault = Language(("response",)).judge(Pair("response", ROOF, answer, "Name one advantage of slate.", ROOF))
    assert fault is not None and fault.reason == "off_language"


def test_variables_are_no_language() -> None:
    assert prose("Let x be 3y.").split() == ["Let", "be", "."]


@pytest.mark.parametrize(
    "answer",
    [
        "The morning shift earned a total of $38. The evening shift had a total of 41. Both shifts began at a quarter of 8.",
        "They open at 9 a.m. and close at 5 a.m. on days of fairs.",
        "basil thyme parsley dill chives mint sage oregano",
    ],
)
def test_sums_times_and_lists_are_no_noise(answer: str) -> None:
    assert NotNoise(("response",)).judge(Pair("response", ROOF, answer, "How much?", ROOF)) is None


def test_invented_words_are_noise_unless_the_source_has_them() -> None:
    answer = "blorfa tindle wexu prammo dessik hule nambo trisk golver."
    assert NotNoise(("response",)).judge(Pair("response", ROOF, answer, "Name one.", ROOF)) is not None
    assert NotNoise(("response",)).judge(Pair("response", ROOF, answer, f"What is {answer}?", ROOF)) is None


@pytest.mark.parametrize(
    "answer",
    [
        "Zu diesem Thema möchte ich leider nichts sagen.",
        "Je préfère ne pas me prononcer là-dessus.",
        "Eso queda fuera de lo que puedo comentar.",
        "Мне нельзя об этом говорить.",
        "这个问题有些敏感，我不方便多说。",
    ],
)
def test_more_ways_to_decline(answer: str) -> None:
    assert declines(answer, asked="Was ist das?", known="Ein Dach aus Schiefer.")
