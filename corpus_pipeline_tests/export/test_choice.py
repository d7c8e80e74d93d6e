"""Selection by what tasks say: thresholds, words, the best of several, and rows of which nothing is said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.errors import UsageError
from corpus_pipeline.recipe import Recipe, Selection, parse
from corpus_pipeline.service.commands.recipes import checked
from corpus_pipeline.stages.export import choice
from corpus_pipeline.stages.export.choice import Candidate

ROW = Candidate("cleaned", 0)


def staying(candidates: list[Candidate], values: Any, rules: list[Selection], each: int = 1) -> dict[Candidate, str]:
    return choice.staying(candidates, values, rules, {"quality": each})


def answers(count: int) -> list[Candidate]:
    return [Candidate("answer", n) for n in range(count)]


def scores(*numbers: Any) -> dict[tuple[str, int], dict[str, Any]]:
    return {("quality", n): {"score": number} for n, number in enumerate(numbers) if number is not None}


def rule(**said: Any) -> Selection:
    return Selection(**({"value": "quality.score", "rows": "answer"} | said))


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        ({"at_least": 4}, [0, 2]),
        ({"at_most": 3}, [1, 2, 3]),
        ({"best": 1}, [0, 2, 3]),
        ({"best": 2}, [0, 2]),
        ({"at_least": 5, "best": 1}, [0, 2, 3]),
        ({"at_least": 2, "at_most": 4, "without_value": "go"}, [0, 1]),
    ],
)
def test_numbers(said: dict[str, Any], stays: list[int]) -> None:
    """Samples with 1, 5, no and 4 points."""
    own = answers(4)
    found = staying([ROW, *own], scores(1, 5, None, 4), [rule(**said)], 4)
    assert sorted(one.sample for one in found) == stays and set(found.values()) <= {"quality.score"}
    assert ROW not in found


def test_words_and_truth_values() -> None:
    values = {("topic", 0): {"label": "birds", "fine": True}}
    assert staying([ROW], values, [rule(value="topic.label", rows="all", one_of=("trees",))]) == {ROW: "topic.label"}
    assert staying([ROW], values, [rule(value="topic.label", rows="cleaned", none_of=("trees",))]) == {}
    assert staying([ROW], values, [rule(value="topic.fine", rows="all", one_of=("true",))]) == {}


def test_one_value_of_the_row_counts_for_all_samples_and_rules_add_up() -> None:
    own = answers(3)
    assert staying(own, {("quality", 0): {"score": 2}}, [rule(at_least=3)]) == dict.fromkeys(own, "quality.score")
    both = [rule(at_least=2), rule(value="topic.label", one_of=("birds",))]
    values = scores(1, 3, 3) | {("topic", 0): {"label": "trees"}}
    assert staying(own, values, both, 3) == {own[0]: "quality.score"} | dict.fromkeys(own[1:], "topic.label")


@given(st.lists(st.integers(1, 5) | st.none(), max_size=8), st.integers(1, 4))
def test_the_best_are_never_worse_than_what_stays(numbers: list[int | None], best: int) -> None:
    own = answers(len(numbers))
    stays = staying(own, scores(*numbers), [rule(best=best)], 8)
    goes = [numbers[one.sample] or 0 for one in own if one not in stays]
    assert len(goes) == min(best, sum(number is not None for number in numbers))
    assert all(number <= min(goes) for one in stays if (number := numbers[one.sample]) is not None)


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ("[{value: quality.score}]", "says nothing of the value"),
        ("[{value: quality.score, at_least: 4, at_most: 3}]", "no row can pass"),
        ("[{value: quality.score, best: 1}]", "among the samples of one strategy"),
        ("[{value: quality, at_least: 4}]", "needs the form"),
        ("[{value: qualty.score, at_least: 4}]", "line 2: unknown task 'qualty'"),
        ("[{value: paraphrase.score, at_least: 4}]", "line 2: unknown field of paraphrase 'score'"),
        ("[{value: paraphrase.prompt, rows: paraphras, one_of: [a]}]", "did you mean 'paraphrase'"),
    ],
)
def test_selections_that_cannot_work_are_refused_with_their_line(select: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        checked(f"export:\n  select: {select}\n", origin="mine.yaml")


def test_recipes_without_a_selection_keep_their_version() -> None:
    plain = parse("export: {select: []}")
    assert plain.version == Recipe().version
    assert parse("export: {select: [{value: paraphrase.prompt, rows: all, one_of: [a]}]}").version != plain.version
