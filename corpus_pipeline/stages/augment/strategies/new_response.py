"""What strategies have in common that put another response in the place of the source's."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from corpus_pipeline.model import Conversation
from corpus_pipeline.stages.augment.strategies.base import Strategy, StrategyParams
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.complete import Complete
from corpus_pipeline.stages.augment.validators.final_answer import FinalAnswerKept
from corpus_pipeline.stages.augment.validators.form import (
    FieldsFilled,
    LengthRatio,
    NoControls,
    NoLeakedInstruction,
    NotEchoed,
    NotRepetitive,
    NotUnchanged,
    PlainText,
)
from corpus_pipeline.stages.augment.validators.language import Language
from corpus_pipeline.stages.augment.validators.noise import NotNoise
from corpus_pipeline.stages.augment.validators.scripts import weight_of
from corpus_pipeline.stages.augment.validators.subject import OnOwnRow, OnSubject
from corpus_pipeline.stages.skip_reasons import SkipReason

RESPONSE: Final = ("response",)


class NewResponse(Strategy):
    """Leaves short responses alone, and holds the new one to form, length, language and final answer of the source's."""

    class Params(StrategyParams):
        """Parameters of all of them."""

        min_response_letters: int = Field(25, ge=1, description="shorter ones are skipped; a Han character counts 3")
        min_length_ratio: float = Field(0.2, gt=0, le=1, description="shorter, in proportion to the source: too_short")
        max_length_ratio: float = Field(6.0, ge=1, description="longer, in proportion to the source: too_long")

    params: Params

    def _skips(self, conversation: Conversation, index: int) -> SkipReason | None:
        response = (conversation.turns[index].response or "").strip()
        return SkipReason.TOO_SHORT if weight_of(response) < self.params.min_response_letters else None

    def _validators(self) -> tuple[Validator, ...]:
        low, high = self.params.min_length_ratio, self.params.max_length_ratio
        return (
            FieldsFilled(RESPONSE),
            NoControls(RESPONSE),
            NoLeakedInstruction(RESPONSE),
            PlainText(RESPONSE),
            NotUnchanged(RESPONSE),
            NotEchoed(),
            LengthRatio(RESPONSE, low=low, high=high, floor=80),
            NotRepetitive(RESPONSE),
            NotNoise(RESPONSE),
            FinalAnswerKept(RESPONSE),
            Language(RESPONSE),
            Complete(RESPONSE),
            OnOwnRow("response", self.neighbours),
            OnSubject("response"),
        )
