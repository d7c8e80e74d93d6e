"""The validators on labelled answers: bad ones are refused, good ones are not, in every language and of every kind."""

from __future__ import annotations

from collections import Counter

import pytest

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.model import Answer, Conversation, Turn, Usage
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages.augment.strategies import accept, build
from corpus_pipeline_tests.augment.answers import answers_of_part
from corpus_pipeline_tests.augment.answers.making import LANGUAGES, Labelled, labelled

# every validator refuses here, also the one that response_regeneration only lets tag
_PARAMS = {
    "paraphrase": {"min_prompt_letters": 1},
    "response_regeneration": {"min_response_letters": 1, "tag_only": []},
}


def refused(one: Labelled) -> BadAnswer | None:
    params = {"target_language": one.target} if one.target else _PARAMS[one.strategy]
    (strategy,) = build([NamedStep(name=one.strategy, params=params)], "model")
    conversation = Conversation(1, (Turn(prompt=one.asked, response=one.known),), "{}")
    assert strategy.applies(conversation) is None, one
    try:
        accept(strategy, conversation, (Answer(one.answer, "stop", "model", Usage(1, 1)),))
    except BadAnswer as fault:
        return fault
    return None


@pytest.fixture(scope="module")
def judged() -> list[tuple[Labelled, BadAnswer | None]]:
    return [(one, refused(one)) for one in labelled()]


def test_the_set_is_large_and_mixed() -> None:
    every = labelled()
    kinds = {one.kind for one in every if one.label == "bad"}
    assert len(every) >= 800 and len(kinds) >= 15 and {one.language for one in every} == set(LANGUAGES)
    assert 0.4 < sum(one.label == "bad" for one in every) / len(every) < 0.6


@pytest.mark.parametrize("part", ["tune", "held"])
def test_bad_answers_are_refused_and_good_ones_are_not(
    judged: list[tuple[Labelled, BadAnswer | None]], part: str
) -> None:
    counts = Counter((one.label, fault is not None) for one, fault in judged if one.part == part)
    assert counts["bad", True] >= 0.9 * (counts["bad", True] + counts["bad", False])
    assert counts["good", True] <= 0.02 * (counts["good", True] + counts["good", False])


def test_no_kind_and_no_language_is_left_out(judged: list[tuple[Labelled, BadAnswer | None]]) -> None:
    for key in ("kind", "language"):
        counts = Counter((getattr(one, key), fault is not None) for one, fault in judged if one.label == "bad")
        assert len({value for value, _ in counts}) >= 6
        for value in {value for value, _ in counts}:
            assert counts[value, True] >= 0.75 * (counts[value, True] + counts[value, False]), value


def test_who_refuses_is_named_and_shows_where(judged: list[tuple[Labelled, BadAnswer | None]]) -> None:
    faults = [(one, fault) for one, fault in judged if fault is not None]
    assert all(fault.validator and fault.detail for _, fault in faults)
    shown = [one for one, fault in faults if fault.evidence]
    assert len(shown) > 0.8 * len(faults)


@pytest.mark.parametrize("part", ["second", "tuning", "third", "fourth", "fifth"])
def test_answers_that_were_written_out_are_judged_as_the_page_says(part: str) -> None:
    """What the validators reach today; docs/answers.md has the shares of before the misses were read."""
    counts: Counter[tuple[str, bool]] = Counter()
    for row in answers_of_part(part):
        one = Labelled(
            row["label"], row["kind"], row["language"], part, row["strategy"], row.get("target"),
            row["prompt"], row["response"], row["answer"],
        )  # fmt: skip
        counts[row["label"], refused(one) is not None] += 1
    bad, good = (counts[label, True] / (counts[label, True] + counts[label, False]) for label in ("bad", "good"))
    assert bad >= {"fourth": 0.9, "fifth": 0.78}.get(part, 0.9)
    assert good <= {"tuning": 0.055, "fourth": 0.025, "fifth": 0.05}.get(part, 0.02)


def test_a_line_of_a_poem_is_no_choice() -> None:
    asked, known = "Complete the poem with a line: 'I sang at the foot of the hill'", "and the hill sang back to me."
    answer = "I have no song, it said, for a foot."
    one = Labelled("good", "asked for", "en", "tune", "response_regeneration", None, asked, known, answer)
    assert refused(one) is None


@pytest.mark.parametrize(
    ("answer", "by"),
    [
        ("Das Wasser ывап кипит цукенг при фывап ста градусах.", "not_noise"),
        ("Der Tee zieht drei Minuten.", None),
        ("(The wording was changed, the meaning kept as required.) Boil the water, then let the tea draw for three minutes.", "no_leaked_instruction"),
        ("Okay, first I should mention the water. Then I will explain how long it draws. Boil it, and wait three minutes.", "no_leaked_instruction"),
        ("Please ask a professional.", "not_refused"),
        ("Bring the water to the boil (95 degrees will do) and let the tea draw for three minutes.", None),
    ],
)  # fmt: skip
def test_kinds_that_the_fifth_set_showed(answer: str, by: str | None) -> None:
    if answer.startswith("Der"):
        asked, known = "Wie macht man Tee?", "Man kocht Wasser und lässt den Tee drei Minuten ziehen."
    elif by == "not_noise":
        asked, known = "Как заварить чай?", "Вскипятите воду, залейте чай и подождите три минуты."
        answer = "Вскипятите ывап воду цукенг чай фывап и подождите."
    else:
        asked, known = "How do I make tea?", "Boil water, pour it over the tea and let it draw for three minutes."
    fault = refused(Labelled("bad", "kind", "en", "tune", "response_regeneration", None, asked, known, answer))
    assert (fault and fault.validator) == by


def test_a_part_of_the_prompt_is_no_answer_and_a_label_in_the_negative_is_another_one() -> None:
    text = "The old mill by the river was sold to a family from the next town."
    echoed = Labelled("bad", "echo", "en", "tune", "response_regeneration", None, f"Translate to French: {text}",
                      "Le vieux moulin au bord de la rivière a été vendu à une famille de la ville voisine.", text)  # fmt: skip
    fault = refused(echoed)
    assert fault is not None and fault.validator in ("not_echoed", "language")
    label = Labelled(
        "bad", "label", "en", "tune", "response_regeneration", None, "Is this review fake?", "fake", "Not fake."
    )
    fault = refused(label)
    assert fault is not None and fault.validator == "figures_kept"
