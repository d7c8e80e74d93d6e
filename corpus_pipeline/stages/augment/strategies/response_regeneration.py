"""`response_regeneration`: the same request, answered anew by the model."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from corpus_pipeline.model import Answer, Conversation, Request, Turn
from corpus_pipeline.stages.augment.strategies.base import Step, Strategy, StrategyParams
from corpus_pipeline.stages.augment.strategies.exchange import SkipReason, context_of, last_exchange, replaced
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.final_answer import FinalAnswerKept
from corpus_pipeline.stages.augment.validators.form import (
    FieldsFilled,
    LengthRatio,
    NoLeakedInstruction,
    NotEchoed,
    NotRepetitive,
    NotUnchanged,
    PlainText,
)
from corpus_pipeline.stages.augment.validators.language import Language
from corpus_pipeline.stages.augment.validators.scripts import weight_of

_ANSWER = Step("answer", ("source_prompt",), ("source_system", "conversation", "source_response"))
_FIELDS = ("response",)


class ResponseRegeneration(Strategy):
    """Answers the last prompt in the model's own words, with the source response as a reference unless switched off."""

    name: ClassVar[str] = "response_regeneration"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "the same request, answered anew in the model's own words"
    source: ClassVar[str] = (
        "Yang et al. (2024), Self-Distillation Bridges Distribution Gap in Language Model Fine-Tuning, arXiv:2402.13669"
    )
    steps: ClassVar[tuple[Step, ...]] = (_ANSWER,)

    class Params(StrategyParams):
        """Parameters of `response_regeneration`."""

        show_reference: bool = Field(True, description="let the model see the source response")
        min_response_letters: int = Field(25, ge=1, description="shorter ones are skipped; a Han character counts 3")
        min_length_ratio: float = Field(0.2, gt=0, le=1, description="shorter, in proportion to the source: too_short")
        max_length_ratio: float = Field(6.0, ge=1, description="longer, in proportion to the source: too_long")

    params: Params

    def _skips(self, conversation: Conversation, index: int) -> SkipReason | None:
        response = (conversation.turns[index].response or "").strip()
        return SkipReason.TOO_SHORT if weight_of(response) < self.params.min_response_letters else None

    def _ask(self, conversation: Conversation, answers: tuple[Answer, ...], sample_index: int) -> Request | None:
        if answers:
            return None
        index = last_exchange(conversation)
        turn = conversation.turns[index]
        texts = {
            **context_of(conversation, index),
            "source_prompt": turn.prompt,
            "source_response": turn.response if self.params.show_reference else None,
        }
        return self.request(_ANSWER, texts, sample_index=sample_index)

    def parse(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """See `Strategy.parse`."""
        source = conversation.turns[last_exchange(conversation)]
        reasoning = self.reasoning_of(answers[0]) if source.reasoning else None
        return replaced(conversation, response=self.text_of(answers[0]), reasoning=reasoning)

    def _validators(self) -> tuple[Validator, ...]:
        return (
            FieldsFilled(_FIELDS),
            NoLeakedInstruction(_FIELDS),
            PlainText(_FIELDS),
            NotUnchanged(_FIELDS),
            NotEchoed(),
            LengthRatio(_FIELDS, low=self.params.min_length_ratio, high=self.params.max_length_ratio, floor=80),
            NotRepetitive(_FIELDS),
            FinalAnswerKept(_FIELDS),
            Language(_FIELDS),
        )
