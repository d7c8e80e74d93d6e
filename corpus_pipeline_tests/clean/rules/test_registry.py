from __future__ import annotations

import pickle

import pytest

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages.clean.rules import DEFAULT_RULES, RULES, build, rules_code_hash


def test_names_are_unique_and_match_their_files() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.__module__.endswith(f".{rule.name}") for rule in RULES)


def test_every_rule_is_documented() -> None:
    for rule in RULES:
        assert rule.summary.endswith(".")
        assert rule.version >= 1
        assert all(reason.isidentifier() for reason in rule.reasons)


def test_reason_words_belong_to_one_rule() -> None:
    words = [reason for rule in RULES for reason in rule.reasons]
    assert len(words) == len(set(words))


def test_no_steps_give_the_default_rules_in_their_order() -> None:
    assert tuple(rule.name for rule in build(None)) == DEFAULT_RULES
    assert "language" not in DEFAULT_RULES
    assert build([]) == ()


def test_steps_give_their_order_and_parameters() -> None:
    rules = build([NamedStep(name="repetition", params={"min_loops": 9}), NamedStep(name="unicode")])
    assert [rule.name for rule in rules] == ["repetition", "unicode"]
    assert rules[0].params.model_dump()["min_loops"] == 9


@pytest.mark.parametrize(
    ("steps", "error", "says"),
    [
        ([NamedStep(name="unicod")], UnknownName, "did you mean 'unicode'"),
        ([NamedStep(name="unicode"), NamedStep(name="unicode")], UsageError, "clean.rules[1]"),
        (
            [NamedStep(name="length_bounds", params={"max_turn": 3})],
            UsageError,
            "clean.rules[0].length_bounds.max_turn",
        ),
        ([NamedStep(name="length_bounds", params={"max_turns": "many"})], UsageError, "length_bounds.max_turns"),
    ],
)
def test_a_fault_in_a_recipe_names_its_place(steps: list[NamedStep], error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        build(steps)
    assert says in str(caught.value)


def test_rules_go_to_another_process_and_back() -> None:
    again = pickle.loads(pickle.dumps(build(None)))
    assert [(rule.name, rule.params) for rule in again] == [(rule.name, rule.params) for rule in build(None)]


def test_the_code_hash_is_a_sha256() -> None:
    assert len(bytes.fromhex(rules_code_hash())) == 32
