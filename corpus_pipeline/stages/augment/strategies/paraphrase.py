"""`paraphrase`: the same request in other words, with the answer that it already has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from corpus_pipeline.model import Answer, Conversation, Request, Turn
from corpus_pipeline.stages.augment.strategies.base import Step, Strategy
from corpus_pipeline.stages.augment.strategies.exchange import context_of, has_calls
from corpus_pipeline.stages.augment.strategies.tool_rows import CarryingParams, asked_at, lines_with_calls
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.calls import ArgumentsKept
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
from corpus_pipeline.stages.skip_reasons import SkipReason

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

    class Params(CarryingParams):
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
        index = self.worked_on(conversation)
        assert index is not None
        texts = {**context_of(conversation, index), "source_prompt": conversation.turns[index].prompt}
        if has_calls(conversation):
            texts["conversation"] = lines_with_calls(conversation.turns[:index])
        return self.request(_REWRITE, texts, sample_index=sample_index)

    def worked_on(self, conversation: Conversation) -> int | None:
        """See `Strategy.worked_on`: of a row with tool calls, what a person asks."""
        return asked_at(conversation) if has_calls(conversation) else super().worked_on(conversation)

    def parse(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """See `Strategy.parse`; calls, results and the answer behind the request stay."""
        index = self.worked_on(conversation)
        assert index is not None
        behind = conversation.turns[index + 1 :] if has_calls(conversation) else ()
        turn = conversation.turns[index]._replace(prompt=self.object_of(answers[0], _REWRITE.keys)["prompt"].strip())
        return (*conversation.turns[:index], turn, *behind)

    def judge(
        self, validators: Sequence[Validator], conversation: Conversation, turns: tuple[Turn, ...], answer: Answer
    ) -> tuple[str, ...]:
        """What was reworded is the last turn that is looked at."""
        index = self.worked_on(conversation)
        return super().judge(validators, conversation, turns[: None if index is None else index + 1], answer)

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
            ArgumentsKept(),
            Language(_FIELDS),
            Complete(_FIELDS),
            AsksStill(_FIELDS),
            OnSubject("prompt"),
        )
