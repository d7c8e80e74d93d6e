"""Short ways to make turns and to look at what a rule does to one text."""

from __future__ import annotations

from typing import Any

from corpus_pipeline.model import Change, Turn
from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, TextRule, View


def one(
    prompt: str | None = "How are you?", response: str | None = "Well, thank you.", **more: Any
) -> tuple[Turn, ...]:
    """A conversation of one turn."""
    return (Turn(prompt=prompt, response=response, **more),)


def outcome(rule: Rule, turns: tuple[Turn, ...]) -> Outcome:
    """What the pass gets from a rule: nothing when its screen says no, and then `apply` would have said nothing."""
    applied = rule.apply(View(turns))
    if not rule.screen(View(turns)):
        assert applied == Outcome(turns), "the screen hides something from the rule"
    return applied


def fixed(rule: TextRule, text: str) -> str:
    """The text after the rule, as a response; holds the rule to a change for every difference and to idempotence."""
    after = outcome(rule, one(response=text)).turns[0].response
    assert after is not None
    result = outcome(rule, one(response=text))
    assert bool(result.changes) == (after != text)
    assert all(isinstance(change, Change) and change.turn == 1 and change.count > 0 for change in result.changes)
    assert outcome(rule, one(response=after)).turns[0].response == after, "a second time changes more"
    return after
