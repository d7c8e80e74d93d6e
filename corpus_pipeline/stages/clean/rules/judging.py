"""The frame of rules that only judge: each finds one fault, and the recipe says whether it tags or drops the row."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal, NamedTuple

from pydantic import Field

from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, View


class Fault(NamedTuple):
    """Where a fault is and what it is. turn: 1-based, 0 is the whole conversation; word: a reason of the rule."""

    word: str
    turn: int = 0
    field: str = ""
    detail: str = ""


class JudgingRule(Rule):
    """A rule with one verdict. Its words are both the tags and the reasons."""

    words: ClassVar[tuple[str, ...]]

    class Params(Rule.Params):
        do: Literal["tag", "drop"] = Field("tag", description="what becomes of a row with the fault")

    params: Params

    @abstractmethod
    def fault(self, view: View) -> Fault | None:
        """The first fault of a conversation, None when it has none."""

    def apply(self, view: View) -> Outcome:
        found = self.fault(view)
        if found is None:
            return Outcome(view.turns)
        if self.params.do == "drop":
            return self.drop(view.turns, found.word, found.detail, turn=found.turn, field=found.field)
        return Outcome(view.turns, tags=(self.tag(found.word, turn=found.turn, field=found.field),))
