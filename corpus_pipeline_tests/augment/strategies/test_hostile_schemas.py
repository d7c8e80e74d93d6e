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
