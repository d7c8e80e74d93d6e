"""Patterns of the recipe: keep, drop, change or tag rows by regular expressions, without code.

The expressions are RE2's, whose time is linear in the text whatever a recipe says.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal

import re2
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from corpus_pipeline.model import Change, Tag, Turn
from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, View

Fields = tuple[Literal["system", "prompt", "reasoning", "response", "rejected"], ...]


class Pattern(BaseModel):
    """One expression and what it decides."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,47}$", description="the reason of a drop, the word of a tag")
    match: str = Field(min_length=1, max_length=2000, description="an expression of RE2; ^ and $ are borders of lines")
    do: Literal["drop", "keep", "replace", "tag"] = Field(
        "tag", description="drop rows that match; keep only rows that match; replace each match; tag"
    )
    by: str | None = Field(None, description="what replaces a match; \\1 is its first group")
    fields: Fields = Field(("response",), min_length=1, description="the texts that are looked at")
    ignore_case: bool = Field(False, description="letter case does not count")

    @field_validator("match")
    @classmethod
    def _is_expression(cls, value: str) -> str:
        compiled(value, False)
        return value

    @model_validator(mode="after")
    def _has_replacement(self) -> Pattern:
        if (self.do == "replace") != (self.by is not None):
            raise ValueError("`by` says what `do: replace` writes instead, and only that")
        groups = compiled(self.match, False).groups
        if any(int(number) > groups for number in re.findall(r"\\(\d)", self.by or "")):
            raise ValueError(f"by: {self.by!r} names a group that the expression does not have; it has {groups}")
        return self


@lru_cache(maxsize=1000)
def compiled(expression: str, ignore_case: bool) -> Any:
    """An expression of RE2. Raises ValueError that says what is wrong with it."""
    options = re2.Options()
    options.case_sensitive, options.log_errors = not ignore_case, False
    try:
        return re2.compile(f"(?m){expression}", options)
    except re2.error as error:
        raise ValueError(f"no expression of RE2: {error}") from error


class Patterns(Rule):
    name = "patterns"
    summary = (
        "Keeps, drops, changes or tags rows by regular expressions of the recipe, each with a name of its own that is the "
        "reason or the tag; off by default."
    )
    rewrites = True

    class Params(Rule.Params):
        patterns: tuple[Pattern, ...] = Field((), max_length=200, description="in the order in which they work")

        @field_validator("patterns")
        @classmethod
        def _named_once(cls, value: tuple[Pattern, ...]) -> tuple[Pattern, ...]:
            names = [pattern.name for pattern in value]
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{', '.join(twice)}: named twice")
            return value

    params: Params

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        by_act = {
            act: tuple(p.name for p in self.params.patterns if p.do in act) for act in (("drop", "keep"), ("tag",))
        }
        self.reasons, self.tags = by_act[("drop", "keep")], by_act[("tag",)]  # type: ignore[misc]

    def screen(self, view: View) -> bool:
        return bool(self.params.patterns)

    def apply(self, view: View) -> Outcome:
        turns, changes, tags = view.turns, list[Change](), list[Tag]()
        for pattern in self.params.patterns:
            if pattern.do == "replace":
                turns, made = self._replaced(pattern, turns)
                changes += made
                continue
            turn, field = _place_of(pattern, turns)
            if pattern.do == "tag" and turn:
                tags.append(self.tag(pattern.name, turn=turn, field=field))
            elif (pattern.do == "drop" and turn) or (pattern.do == "keep" and not turn):
                dropped = self.drop(turns, pattern.name, pattern.match[:100], turn=turn, field=field)
                return dropped._replace(changes=(*changes, *dropped.changes), tags=tuple(tags))
        return Outcome(turns, tuple(changes), tags=tuple(tags))

    def _replaced(self, pattern: Pattern, turns: tuple[Turn, ...]) -> tuple[tuple[Turn, ...], list[Change]]:
        expression, changes, out = compiled(pattern.match, pattern.ignore_case), list[Change](), list(turns)
        for number, turn in enumerate(turns, 1):
            for field, text in turn.texts():
                if field not in pattern.fields or _encodable(text) != text:
                    continue
                fixed, count = expression.subn(pattern.by or "", text)
                if fixed != text:
                    out[number - 1] = out[number - 1]._replace(**{field: fixed})
                    changes.append(Change(self.name, self.version, number, field, count, pattern.name))
        return (tuple(out), changes) if changes else (turns, changes)


def _place_of(pattern: Pattern, turns: tuple[Turn, ...]) -> tuple[int, str]:
    """(turn, field) of the first text that matches, (0, "") when none does."""
    expression = compiled(pattern.match, pattern.ignore_case)
    for number, turn in enumerate(turns, 1):
        for field, text in turn.texts():
            if field in pattern.fields and expression.search(_encodable(text)):
                return number, field
    return 0, ""


def _encodable(text: str) -> str:
    """A text that RE2 can read: lone surrogates cannot be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text
