"""`reasoning_distillation`: the steps that lead to the answer, written down."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from corpus_pipeline.model import Answer, Conversation, Request, Turn
from corpus_pipeline.stages.augment.strategies.base import Step, Strategy, StrategyParams
from corpus_pipeline.stages.augment.strategies.exchange import replaced, sections_of
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
)
from corpus_pipeline.stages.augment.validators.language import Language
from corpus_pipeline.stages.augment.validators.noise import NotNoise
from corpus_pipeline.stages.augment.validators.subject import OnSubject
from corpus_pipeline.stages.skip_reasons import SkipReason

_EXPLAIN = Step(
    "explain",
    ("source_prompt",),
    ("source_system", "conversation", "source_response"),
    ("reasoning", "response"),
)


class ReasoningDistillation(Strategy):
    """Gives the last exchange a reasoning and a response that follows from it; the final answer must stay the same.

    With the known answer in sight the model rationalizes, without it (`show_reference: false`) it solves, and only what
    comes to the same end is kept.
    """

    name: ClassVar[str] = "reasoning_distillation"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "the steps that lead to the answer, written down"
    source: ClassVar[str] = (
        "Hsieh et al. (2023), Distilling Step-by-Step! Outperforming Larger Language Models with Less Training Data "
        "and Smaller Model Sizes, arXiv:2305.02301; rationales for known answers: Zelikman et al. (2022), STaR: "
        "Bootstrapping Reasoning With Reasoning, arXiv:2203.14465"
    )
    steps: ClassVar[tuple[Step, ...]] = (_EXPLAIN,)

    class Params(StrategyParams):
        """Parameters of `reasoning_distillation`."""

        max_output_tokens: int = Field(4096, ge=1, description="an answer that needs more is cut and fails")
        show_reference: bool = Field(True, description="let the model see the source response")
        replace: bool = Field(False, description="also work on exchanges that have a reasoning already")
        max_length_ratio: float = Field(8.0, ge=1, description="longer, in proportion to the source: too_long")

    params: Params

    def _skips(self, conversation: Conversation, index: int) -> SkipReason | None:
        if not self.params.replace and (conversation.turns[index].reasoning or "").strip():
            return SkipReason.HAS_REASONING
        return None

    def _ask(self, conversation: Conversation, answers: tuple[Answer, ...], sample_index: int) -> Request | None:
        if answers:
            return None
        texts = sections_of(conversation, with_response=self.params.show_reference)
        return self.request(_EXPLAIN, texts, sample_index=sample_index)

    def parse(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """See `Strategy.parse`."""
        parts = self.object_of(answers[0], _EXPLAIN.keys)
        return replaced(conversation, reasoning=parts["reasoning"].strip(), response=parts["response"].strip())

    def _validators(self) -> tuple[Validator, ...]:
        return (
            FieldsFilled(("reasoning", "response")),
            NoControls(("reasoning", "response")),
            NoLeakedInstruction(("response",)),
            NotEchoed(),
            LengthRatio(("response",), low=0.05, high=self.params.max_length_ratio, floor=200),
            NotRepetitive(("reasoning", "response")),
            NotNoise(("reasoning", "response")),
            FinalAnswerKept(("response",)),
            Language(("reasoning", "response")),
            Complete(("reasoning", "response")),
            OnSubject("reasoning"),
        )
