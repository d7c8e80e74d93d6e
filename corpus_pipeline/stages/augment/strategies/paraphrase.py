"""`paraphrase`: the same request in other words, with the answer that it already has."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from corpus_pipeline.model import Answer, Conversation, Request, Turn
from corpus_pipeline.stages.augment.strategies.base import Step, Strategy, StrategyParams
from corpus_pipeline.stages.augment.strategies.exchange import SkipReason, context_of, last_exchange, replaced
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.code import CodeKept, LatexKept
from corpus_pipeline.stages.augment.validators.complete import Complete
from corpus_pipeline.stages.augment.validators.form import (
    FieldsFilled,
    LengthRatio,
    NoControls,
    NoLeakedInstruction,
    NotRepetitive,
    NotUnchanged,
)
from corpus_pipeline.stages.augment.validators.language import Language
from corpus_pipeline.stages.augment.validators.noise import NotNoise
from corpus_pipeline.stages.augment.validators.numbers import NumbersKept
from corpus_pipeline.stages.augment.validators.scripts import weight_of
from corpus_pipeline.stages.augment.validators.subject import AsksStill, OnSubject

_REWRITE = Step("rewrite", ("source_prompt",), ("source_system", "conversation"), ("prompt",))
_FIELDS = ("prompt",)


class Paraphrase(Strategy):
    """Rewrites the last prompt; system message, reasoning, response and rejected response stay."""

    name: ClassVar[str] = "paraphrase"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "the same request in other words, with the answer that it already has"
    source: ClassVar[str] = (
        "rephrasing as in Yu et al. (2023), MetaMath: Bootstrap Your Own Mathematical Questions for Large Language "
        "Models, arXiv:2309.12284"
    )
    steps: ClassVar[tuple[Step, ...]] = (_REWRITE,)
    writes_response: ClassVar[bool] = False

    class Params(StrategyParams):
        """Parameters of `paraphrase`."""

        min_prompt_letters: int = Field(12, ge=1, description="shorter prompts are skipped; a Han character counts 3")
        min_length_ratio: float = Field(0.3, gt=0, le=1, description="shorter, in proportion to the source: too_short")
        max_length_ratio: float = Field(3.0, ge=1, description="longer, in proportion to the source: too_long")

    params: Params

    def _skips(self, conversation: Conversation, index: int) -> SkipReason | None:
        prompt = (conversation.turns[index].prompt or "").strip()
        return SkipReason.TOO_SHORT if weight_of(prompt) < self.params.min_prompt_letters else None

    def _ask(self, conversation: Conversation, answers: tuple[Answer, ...], sample_index: int) -> Request | None:
        if answers:
            return None
        index = last_exchange(conversation)
        texts = {**context_of(conversation, index), "source_prompt": conversation.turns[index].prompt}
        return self.request(_REWRITE, texts, sample_index=sample_index)

    def parse(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """See `Strategy.parse`."""
        return replaced(conversation, prompt=self.object_of(answers[0], _REWRITE.keys)["prompt"].strip())

    def _validators(self) -> tuple[Validator, ...]:
        return (
            FieldsFilled(_FIELDS),
            NoControls(_FIELDS),
            NoLeakedInstruction(_FIELDS),
            NotUnchanged(_FIELDS),
            LengthRatio(_FIELDS, low=self.params.min_length_ratio, high=self.params.max_length_ratio),
            NotRepetitive(_FIELDS),
            NotNoise(_FIELDS),
            CodeKept(_FIELDS),
            LatexKept(_FIELDS),
            NumbersKept(_FIELDS),
            Language(_FIELDS),
            Complete(_FIELDS),
            AsksStill(_FIELDS),
            OnSubject("prompt"),
        )
