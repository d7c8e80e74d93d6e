"""Near-empty answers: hardly a letter is left of what is trained towards."""

from __future__ import annotations

from pydantic import Field

from corpus_pipeline.stages.clean.rules.base import Outcome, View
from corpus_pipeline.stages.clean.rules.judging import Fault, JudgingRule


class NearEmpty(JudgingRule):
    name = "near_empty"
    summary = (
        "Finds rows whose answers together hold fewer letters and digits than said, once the rules before it are through; "
        "a letter or a number may be the right answer, so that `do: drop` drops rows without any and tags the others; off by "
        "default."
    )
    words = reasons = tags = ("near_empty",)

    class Params(JudgingRule.Params):
        min_letters: int = Field(3, ge=1, description="letters and digits of all answers that are trained on")

    version = 2
    params: Params

    def apply(self, view: View) -> Outcome:
        found = self.fault(view)
        if found is not None and self.params.do == "drop" and any(map(str.isalnum, found.detail)):
            return Outcome(view.turns, tags=(self.tag(found.word, turn=found.turn, field=found.field),))
        return super().apply(view)

    def fault(self, view: View) -> Fault | None:
        answers = list(view.answers())
        if not answers or any(turn.extra and turn.extra.get("tool_calls") for turn in view.turns):
            return None
        left = self.params.min_letters
        for answer in answers:
            left -= sum(map(str.isalnum, answer.text[: 50 * self.params.min_letters]))
            if left <= 0:
                return None
        said = " ".join(answer.text[: 50 * self.params.min_letters] for answer in answers)
        return Fault("near_empty", answers[-1].turn, answers[-1].field, said[:200])
