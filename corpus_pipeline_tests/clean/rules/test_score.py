"""The rule `score`: what it finds in values of tasks and of records, and what it leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from corpus_pipeline.errors import UsageError
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages.clean.rules import build
from corpus_pipeline.stages.clean.rules.base import View
from corpus_pipeline.stages.clean.rules.score import Score
from corpus_pipeline_tests.clean.rules.making import one


def seen(values: dict[str, Any] | None, record: Any = None) -> View:
    return View(one(), values=values, shape=None if record is None else json.dumps({"record": record}))


def detail(rule: Score, view: View) -> str | None:
    found = rule.fault(view)
    return None if found is None else found.detail


@pytest.mark.parametrize(
    ("params", "value", "wrong"),
    [
        ({"at_least": 4}, 3, "q.s is 3, below 4"),
        ({"at_least": 4}, 4, None),
        ({"at_most": 0.5}, 0.75, "q.s is 0.75, above 0.5"),
        ({"at_least": 1}, "many", "q.s is many, no number"),
        ({"at_least": 1}, True, "q.s is true, no number"),
        ({"one_of": ["river", "sea"]}, "lake", "q.s is lake, none of river, sea"),
        ({"one_of": ["river"]}, "river", None),
        ({"none_of": ["true"]}, True, "q.s is true"),
    ],
)
def test_conditions(params: dict[str, Any], value: Any, wrong: str | None) -> None:
    assert detail(Score(value="q.s", **params), seen({"q.s": value})) == wrong


def test_rows_without_the_value_stay_unless_the_recipe_says_otherwise() -> None:
    assert detail(Score(value="q.s", at_least=4), seen({})) is None
    strict = Score(value="q.s", at_least=4, without_value="fault")
    assert detail(strict, seen({})) == "q.s is not there"
    assert detail(strict, seen(None)) is None, "a new row, of which no task has said anything"


def test_values_of_the_record_and_further_conditions() -> None:
    rule = Score(
        value="record.meta.stars.0", at_least=3, further=[{"value": "topic.label", "one_of": ["sea"]}], do="drop"
    )
    assert rule.values == ("topic.label",)
    assert detail(rule, seen({"topic.label": "sea"}, {"meta": {"stars": [5]}})) is None
    assert detail(rule, seen({"topic.label": "sea"}, {"meta": {"stars": [2]}})) == "record.meta.stars.0 is 2, below 3"
    assert detail(rule, seen({"topic.label": "sky"}, {"meta": {}})) == "topic.label is sky, none of sea"
    assert rule.apply(seen({"topic.label": "sky"})).drop_reason == "score"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"value": "q.s"}, "says nothing of the value"),
        ({"value": "q.s", "at_least": 3, "at_most": 2}, "no row can pass: at_least 3 is above at_most 2"),
        ({"value": "stars", "at_least": 3}, "value"),
    ],
)
def test_what_nothing_can_meet_is_refused(params: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        build([NamedStep(name="score", params=params)])
