"""Length bounds: conversations that are too short to teach anything or too long to be one sample."""

from __future__ import annotations

from pydantic import Field

from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, View


class LengthBounds(Rule):
    name = "length_bounds"
    summary = "Drops conversations whose texts, whole length or number of turns lie outside bounds (in characters)."
    reasons = ("too_short", "too_long", "too_many_turns")

    class Params(Rule.Params):
        min_response_characters: int = Field(1, ge=0, description="of the answers of a conversation together")
        max_text_characters: int = Field(200_000, ge=1, description="of any one text")
        max_characters: int = Field(1_000_000, ge=1, description="of the whole conversation")
        max_turns: int = Field(500, ge=1)

    params: Params

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self._longest = min(self.params.max_text_characters, self.params.max_characters)
        self._has_minimum = self.params.min_response_characters > 1

    def screen(self, view: View) -> bool:
        return len(view.text) > self._longest or len(view.turns) > self.params.max_turns or self._has_minimum

    def apply(self, view: View) -> Outcome:
        turns = view.turns
        params = self.params
        if len(turns) > params.max_turns:
            return self.drop(turns, "too_many_turns", f"{len(turns)} > {params.max_turns}")
        total = answered = 0
        has_answer = False
        for number, turn in enumerate(turns, 1):
            for field, text in turn.texts():
                total += len(text)
                if len(text) > params.max_text_characters:
                    detail = f"{len(text)} > {params.max_text_characters}"
                    return self.drop(turns, "too_long", detail, turn=number, field=field)
            if turn.response is not None:
                # an answer that is a tool call is judged by its call, not by its text
                has_answer = has_answer or not (turn.extra and turn.extra.get("tool_calls"))
                answered += len(turn.response)
        if total > params.max_characters:
            return self.drop(turns, "too_long", f"{total} > {params.max_characters}")
        if has_answer and params.min_response_characters > max(1, answered):
            return self.drop(turns, "too_short", f"{answered} < {params.min_response_characters}", field="response")
        return Outcome(turns)
