"""Echoed questions: an answer that says the question again, alone or before it answers."""

from __future__ import annotations

from pydantic import Field

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.rules.base import View
from corpus_pipeline.stages.clean.rules.code import may_be_code
from corpus_pipeline.stages.clean.rules.judging import Fault, JudgingRule

_OTHER = lazily(r"[\W_]+")


class EchoedQuestion(JudgingRule):
    name = "echoed_question"
    summary = (
        "Finds an answer that repeats the whole question before it, or is nothing else; letter case, blanks and "
        "punctuation aside; programs, whose comments say what was asked, are none; off by default."
    )
    version = 2
    words = reasons = tags = ("echoed_question",)

    class Params(JudgingRule.Params):
        min_characters: int = Field(
            30, ge=1, description="letters and digits of a question, from which on a repetition counts"
        )

    params: Params

    def screen(self, view: View) -> bool:
        return len(view.texts) > 1 and not view.joined

    def fault(self, view: View) -> Fault | None:
        for answer in view.answers():
            asked = view.turns[answer.turn - 1].prompt
            if not asked or len(answer.text) < self.params.min_characters:
                continue
            question = _folded(asked)
            if (
                len(question) >= self.params.min_characters
                and _folded(answer.text[: 4 * len(asked) + 100]).startswith(question)
                and not may_be_code(answer.text)
            ):
                return Fault("echoed_question", answer.turn, answer.field, asked[:60])
        return None


def _folded(text: str) -> str:
    return _OTHER.sub("", text).casefold()
