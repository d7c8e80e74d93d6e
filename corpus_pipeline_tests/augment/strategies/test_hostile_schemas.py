"""Schemas and selections that nothing can satisfy are refused when the recipe is checked."""

from __future__ import annotations

from typing import Any

import pytest

from corpus_pipeline.errors import UsageError
from corpus_pipeline.recipe import parse
from corpus_pipeline.service.commands import recipes
from corpus_pipeline.stages.augment.strategies.tasks.schemas import fault_of


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {}},
        {"not": True},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        {"type": "array", "items": {"type": "string"}, "allOf": [{"type": "object"}]},
        {"type": "integer", "exclusiveMinimum": 11, "exclusiveMaximum": 12},
        {"type": "integer", "minimum": 1.2, "maximum": 1.8},
        {"type": "number", "minimum": 5, "maximum": 9, "multipleOf": 20},
        {"type": "array", "uniqueItems": True, "minItems": 4, "items": {"enum": ["red", "green", "blue"]}},
    ],
)
def test_a_schema_without_a_value(schema: dict[str, Any]) -> None:
    assert fault_of(schema) is not None


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {"type": "null"}},
        {"type": "number", "allOf": [{"type": "integer"}, {"minimum": 3}]},
        {"allOf": [{"maxLength": 9}, {"type": "string"}]},
        {"type": "number", "exclusiveMinimum": 11, "exclusiveMaximum": 12},
        {"type": "integer", "minimum": -0.5, "maximum": 0.5},
        {"type": "number", "minimum": 0.3, "maximum": 0.3, "multipleOf": 0.1},
        {"type": "number", "minimum": 0, "maximum": float("inf"), "multipleOf": 7},
        {"type": "array", "uniqueItems": True, "minItems": 3, "items": {"enum": ["red", "green", "blue"]}},
    ],
)
def test_a_schema_with_one(schema: dict[str, Any]) -> None:
    assert fault_of(schema) is None


RECIPE = """
augment:
  model: corpus-stub
  strategies:
    - prompt:
        label: quality
        template: {system: Rate it., user: "{{ prompt }}"}
        output: {score: {min: 1, max: 10}}
export:
  select:
    - {value: quality.score, %s}
"""


@pytest.mark.parametrize("bound", ["at_least: 11", "at_most: 0"])
def test_a_bound_that_no_score_reaches(bound: str) -> None:
    with pytest.raises(UsageError, match="no row can pass: the scores of quality go from 1 to 10"):
        recipes.checked(RECIPE % bound, origin="r.yaml")


@pytest.mark.parametrize("bound", ["at_least: 10", "at_most: 1", "at_least: 4"])
def test_one_that_some_reach(bound: str) -> None:
    assert recipes.checked(RECIPE % bound, origin="r.yaml").version == parse(RECIPE % bound).version


LABELS = """
augment:
  model: corpus-stub
  strategies:
    - prompt:
        label: mood
        template: {system: Name it., user: "{{ prompt }}"}
        output: {labels: [glad, sad]}
        validators: [{field: label, %s}]
export:
  select:
    - {value: mood.label, %s}
"""


@pytest.mark.parametrize(
    ("check", "select", "words"),
    [
        ("one_of: [angry]", "one_of: [sad]", "no answer can pass: each value of label fails"),
        ("max_characters: 2", "one_of: [sad]", "no answer can pass"),
        ("one_of: [sad]", "one_of: [angry]", "no row can pass: the labels of mood are glad, sad"),
        ("one_of: [sad]", "none_of: [sad, glad]", "no row can pass"),
    ],
)
def test_labels_that_nothing_lets_through_are_refused(check: str, select: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        recipes.checked(LABELS % (check, select), origin="r.yaml")


def test_labels_of_which_one_passes_are_taken() -> None:
    recipes.checked(LABELS % ("one_of: [sad, angry]", "one_of: [glad, angry]"), origin="r.yaml")
    recipes.checked(LABELS % ("matches: a", "none_of: [sad]"), origin="r.yaml")
