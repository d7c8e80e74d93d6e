"""No expression of the rules, and no rule, takes more than its share for any text, however it is made.

Work is measured as processor time of a text and of one twice as long: twice the time is right, four times is a fault.
Only what takes long enough to be measured is compared, and only what grows so three times in a row is a fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from time import process_time

import pytest

from corpus_pipeline.model import Turn
from corpus_pipeline.stages import refusals
from corpus_pipeline.stages.clean import normalize, personal_data, rules
from corpus_pipeline.stages.clean.rules import BUILT_IN
from corpus_pipeline.stages.clean.rules.base import Rule, View
from corpus_pipeline_tests.clean.hostile import Expression, attack, expressions, pieces

# Applied to so many characters at most, which the test of whole rules shows
BOUNDED = {
    "clean.rules.truncated_answer._ADDRESS": "the last line, 400 characters",
    "clean.rules.truncated_answer._ATTRIBUTION": "the last line, 400 characters",
    "clean.personal_data.phones._TOUCHED_BEFORE": "48 characters before a number",
    "refusals._LEAD": "the head of an answer, 220 characters",
    "refusals._WRITES": "an answer, 1,000 characters",
}
EXPRESSIONS = expressions(rules, personal_data, normalize, refusals)
_SMALL, _LARGE = 1_000, 12_000  # characters
_NOTICEABLE = 0.02  # seconds; less is not compared
_TOO_MUCH = 3.0  # times as long for twice the text
_ROUNDS = 3


def is_superlinear(work: Callable[[str], object], text: Callable[[int], str]) -> bool:
    """Whether work grows faster than its text."""

    def seconds(size: int) -> float:
        made = text(size)
        begun = process_time()
        work(made)
        return process_time() - begun

    size = _SMALL
    small = seconds(size)
    if small < _NOTICEABLE / 12:  # what is linear takes no more at the larger size
        size = _LARGE
        small = seconds(size)
    rounds = 0
    while rounds < _ROUNDS:
        if small < _NOTICEABLE and size >= _LARGE:
            return False
        size *= 2
        large = min(seconds(size), seconds(size)) if small >= _NOTICEABLE else seconds(size)
        if small >= _NOTICEABLE:
            if large < _TOO_MUCH * small:
                return False
            rounds += 1
        small = large
    return True


def faults_of(expression: Expression) -> Iterator[str]:
    """The texts for which an expression takes too long, each one looked for when it is asked for."""
    for before, body in pieces(expression.pattern):
        if is_superlinear(expression.work, partial(attack, before, body)):
            yield f"{before[-40:]!r} then {body[:60]!r} again and again"


def is_bounded(name: str) -> bool:
    """Whether an expression, or the collection that it is one of, is applied to few characters at most."""
    return name.partition("[")[0] in BOUNDED


def test_there_are_expressions_to_look_at() -> None:
    assert len(EXPRESSIONS) > 100
    assert set(BOUNDED) <= {name.partition("[")[0] for name in EXPRESSIONS}


@pytest.mark.parametrize("name", [name for name in EXPRESSIONS if not is_bounded(name)])
def test_no_expression_grows_faster_than_its_text(name: str) -> None:
    assert next(faults_of(EXPRESSIONS[name]), None) is None


def test_a_superlinear_expression_is_found() -> None:
    assert any(faults_of(Expression(re.compile(r"\s+$"), at_one_place=False)))
    assert not any(faults_of(Expression(re.compile(r"\s+$"), at_one_place=True)))
    assert not any(faults_of(Expression(re.compile(r"[a-z]++@"), at_one_place=True)))


# rules that do nothing without parameters
_WITH_WORK: dict[str, dict[str, object]] = {
    "patterns": {"patterns": [{"name": "many", "match": r"(a+)+\d", "do": "drop"}]},
    "score": {"value": "record.score", "at_least": 1},
}


@pytest.mark.parametrize(
    "piece",
    ["a ", "1 ", " ", "\n", "<", "<!--", "```", "`", "&amp;", "a.", "(", "1-", "@a", "://", "\\", "é", "的", "a\n"],
)
def test_no_rule_grows_faster_than_its_text(piece: str) -> None:
    """Every rule with what it does first, on 200 and 400 kB."""
    faults = []
    for name, kind in BUILT_IN.items():
        rule = kind(**_WITH_WORK.get(name, {}))

        def work(text: str, rule: Rule = rule) -> None:
            view = View((Turn(prompt="Why?", response=text),))
            if rule.screen(view):
                rule.apply(view)

        def seconds(size: int, work: Callable[[str], None] = work) -> float:
            text = attack("", piece, size)
            begun = process_time()
            work(text)
            return process_time() - begun

        half, whole = seconds(200_000), seconds(400_000)
        if whole > 0.2 and whole > _TOO_MUCH * half and seconds(400_000) > _TOO_MUCH * seconds(200_000):
            faults.append((name, half, whole))
    assert faults == []
