"""Refusals: conversations whose every answer that is trained on says that the assistant will not or cannot answer."""

from __future__ import annotations

from pydantic import Field

from corpus_pipeline.stages import refusals
from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, Text, View


class Refusals(Rule):
    name = "refusals"
    version = 6
    summary = (
        "Drops conversations whose every answer is a refusal and nothing else (17 languages). A refusal that is the lesson "
        "is tagged and stays: the answers of preference data, a harmful question, tools at hand."
    )
    reasons = ("refusal",)
    tags = ("refusal",)

    class Params(Rule.Params):
        max_characters: int = Field(
            refusals.MAX_CHARACTERS, ge=1, description="a longer answer says more than no and is kept"
        )

    params: Params

    def screen(self, view: View) -> bool:
        longest = self.params.max_characters
        return any(
            turn.response
            and len(turn.response) <= longest
            and refusals.refusal_of(turn.response, turn.prompt or "") is not None
            for turn in view.turns
        )

    def apply(self, view: View) -> Outcome:
        answers = list(view.answers())
        if not answers or any(turn.extra and turn.extra.get("tool_calls") for turn in view.turns):
            return Outcome(view.turns)
        if not all(self._is_refusal(view, answer) for answer in answers):
            return Outcome(view.turns)
        if self._is_the_lesson(view, answers):
            return Outcome(view.turns, tags=(self.tag("refusal", turn=answers[-1].turn, field="response"),))
        turn = 1 if len(view.turns) == 1 else 0
        return self.drop(view.turns, "refusal", turn=turn, field="response")

    def _is_refusal(self, view: View, answer: Text) -> bool:
        asked = view.turns[answer.turn - 1].prompt or ""
        system = "\n".join(turn.system for turn in view.turns if turn.system)
        return refusals.is_refusal(answer.text, asked or system, self.params.max_characters)

    def _is_the_lesson(self, view: View, answers: list[Text]) -> bool:
        """Whether declining is what the row teaches."""
        if view.is_preference or (view.tools is not None and view.tools.strip() not in ("", "[]")):
            return True
        for answer in answers:
            asked = view.turns[answer.turn - 1].prompt or ""
            refusal = refusals.refusal_of(answer.text, asked)
            if refusal is not None and refusals.is_harmful(asked, refusal.language):
                return True
        return False
