"""Rows that a person keeps as their source brought them: no rule changes them. Personal data go out in none of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from corpus_pipeline.model import Cleaned, Tag, changing_rules
from corpus_pipeline.stages.clean.rule_pass import KEPT_ANYWAY
from corpus_pipeline.stages.clean.rules.base import Rule
from corpus_pipeline.stages.clean.rules.personal_data import MaskingRule

KEPT_UNCHANGED = "kept_unchanged"  # the tag of a row that a rule would change and a person keeps as it was


def unchanged(clean: Callable[..., Cleaned], rules: Sequence[Rule]) -> Cleaned:
    """The verdict of those `rules` that change nothing in a row, with the tag KEPT_UNCHANGED if others would.

    clean: `clean_turns` for the row. It is the verdict of all rules where one of them finds personal data, in the row as it
    came or as the others leave it: what a hidden character conceals is seen in mended text only. Rows with such data that the
    recipe drops are dropped.
    """
    whole = verdict = clean(rules)
    left = list(rules)
    while changing := _changing(left, verdict):
        if any(isinstance(rule, MaskingRule) for rule in changing):
            asked = any(isinstance(rule, MaskingRule) and Tag(KEPT_ANYWAY, rule.name) in whole.tags for rule in rules)
            return clean(rules, keep=False) if asked else whole
        left = [rule for rule in left if rule not in changing]
        verdict = clean(left)
    if len(left) == len(rules):
        return whole
    first = next(rule.name for rule in rules if rule not in left)
    return verdict._replace(tags=(*verdict.tags, Tag(KEPT_UNCHANGED, first)))


def _changing(rules: Sequence[Rule], verdict: Cleaned) -> list[Rule]:
    names = changing_rules(verdict.changes)
    return [rule for rule in rules if rule.name in names]
