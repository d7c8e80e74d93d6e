"""`self_refine`: a review of the answer, then the answer improved by it."""

from __future__ import annotations

from typing import ClassVar, Final

from pydantic import Field

from corpus_pipeline.model import Answer, Conversation, Request, Turn
from corpus_pipeline.stages.augment.strategies.base import Step
from corpus_pipeline.stages.augment.strategies.exchange import replaced, sections_of
from corpus_pipeline.stages.augment.strategies.new_response import RESPONSE, NewResponse
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.form import (
    NotEchoed,
    NotRepetitive,
    NotUnchanged,
    PlainText,
)

_CONTEXT = ("source_system", "conversation")
_FEEDBACK = Step("feedback", ("source_prompt", "source_response"), _CONTEXT)
_REFINE = Step("refine", ("source_prompt", "source_response", "feedback"), _CONTEXT)
# a review that is none spoils the refinement that is paid for next; it is judged as if it were the response
_FEEDBACK_JUDGES: Final[tuple[Validator, ...]] = (
    PlainText(RESPONSE),
    NotUnchanged(RESPONSE),
    NotEchoed(),
    NotRepetitive(RESPONSE),
)


class SelfRefine(NewResponse):
    """Feedback and refinement, in turns, `rounds` times; each round works on the answer of the one before."""

    name: ClassVar[str] = "self_refine"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "a review of the answer, then the answer improved by it"
    source: ClassVar[str] = (
        "Madaan et al. (2023), Self-Refine: Iterative Refinement with Self-Feedback, arXiv:2303.17651"
    )
    steps: ClassVar[tuple[Step, ...]] = (_FEEDBACK, _REFINE)

    class Params(NewResponse.Params):
        """Parameters of `self_refine`."""

        rounds: int = Field(1, ge=1, le=4, description="feedback and refinement, so many times")
        min_length_ratio: float = Field(0.3, gt=0, le=1, description="shorter, in proportion to the source: too_short")

    params: Params

    def _ask(self, conversation: Conversation, answers: tuple[Answer, ...], sample_index: int) -> Request | None:
        if len(answers) == 2 * self.params.rounds:
            return None
        texts = sections_of(conversation)
        if refined := len(answers) // 2:
            texts["source_response"] = self.text_of(answers[2 * refined - 1])
        if len(answers) % 2 == 0:
            return self.request(_FEEDBACK, texts, sample_index=sample_index)
        feedback = self.text_of(answers[-1])
        self.judge(_FEEDBACK_JUDGES, conversation, replaced(conversation, response=feedback), answers[-1])
        return self.request(_REFINE, {**texts, "feedback": feedback}, sample_index=sample_index)

    def parse(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """See `Strategy.parse`."""
        return replaced(conversation, response=self.text_of(answers[-1]))
