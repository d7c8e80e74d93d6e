"""Turn order: who speaks when. A conversation for training ends with an answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from corpus_pipeline.model import Change, Turn
from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, View

Choice = Literal["keep", "trim", "drop"]


def _answers(turn: Turn) -> bool:
    return (
        turn.response is not None
        or turn.rejected is not None
        or (turn.extra is not None and bool(turn.extra.get("tool_calls") or turn.extra.get("refusal")))
        or (turn.extra is not None and "response" in turn.extra.get("bare", ()))  # empty, but there
    )


def _is_tool_result(turn: Turn) -> bool:
    return turn.prompt is not None and turn.extra is not None and turn.extra.get("prompt_role") in ("tool", "function")


class TurnOrder(Rule):
    name = "turn_order"
    summary = (
        "Looks at who speaks when: a last prompt without an answer, a first answer without a prompt, a tool result "
        "that nobody asked for. Conversations without any answer (prompt collections) and plain texts are left alone."
    )
    reasons = ("dangling_prompt", "answer_first", "orphan_tool_result", "no_answer")

    class Params(Rule.Params):
        dangling_prompt: Choice = Field("drop", description="a last prompt or tool result without an answer")
        answer_first: Choice = Field("keep", description="an answer (a greeting, say) before the first prompt")
        orphan_tool_result: Literal["keep", "drop"] = Field("drop", description="a tool result before any answer")
        no_answer: Literal["keep", "drop"] = Field("keep", description="a conversation without any answer")

    params: Params

    def screen(self, view: View) -> bool:
        # one prompt and one answer, the usual case, is in order whatever the parameters say
        turns = view.turns
        return len(turns) != 1 or turns[0].prompt is None or turns[0].response is None or turns[0].extra is not None

    def apply(self, view: View) -> Outcome:
        turns = view.turns
        if not any(_answers(turn) for turn in turns):
            return self.drop(turns, "no_answer") if self.params.no_answer == "drop" else Outcome(turns)
        order = self._tool_result(turns) or self._first(turns)
        if order is not None and order.drop_reason:
            return order
        rest = self._last(order.turns if order else turns)
        return rest._replace(changes=order.changes + rest.changes) if order else rest

    def _tool_result(self, turns: tuple[Turn, ...]) -> Outcome | None:
        first = turns[0]
        if self.params.orphan_tool_result == "drop" and _is_tool_result(first):
            return self.drop(turns, "orphan_tool_result", turn=1, field="prompt")
        return None

    def _first(self, turns: tuple[Turn, ...]) -> Outcome | None:
        first = turns[0]
        if len(turns) == 1 or first.prompt is not None or not _answers(first) or self.params.answer_first == "keep":
            return None
        if self.params.answer_first == "drop":
            return self.drop(turns, "answer_first", turn=1, field="response")
        second = turns[1]
        if second.system is None:
            second = second._replace(system=first.system)  # the system message opens what remains
        change = Change(self.name, self.version, 1, "response", 1, "answer before the first prompt cut off")
        return Outcome((second, *turns[2:]), (change,))

    def _last(self, turns: tuple[Turn, ...]) -> Outcome:
        keep = len(turns)
        while keep and not _answers(turns[keep - 1]):
            keep -= 1
        if keep == len(turns) or not keep or self.params.dangling_prompt == "keep":
            return Outcome(turns)
        if self.params.dangling_prompt == "drop":
            return self.drop(turns, "dangling_prompt", turn=keep + 1, field="prompt")
        change = Change(
            self.name, self.version, keep + 1, "prompt", len(turns) - keep, "turns without an answer cut off the end"
        )
        return Outcome(turns[:keep], (change,))
