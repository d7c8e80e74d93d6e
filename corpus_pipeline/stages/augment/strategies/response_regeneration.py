"""`response_regeneration`: the same request, answered again by the model."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from corpus_pipeline.model import Answer, Conversation, Request, Turn
from corpus_pipeline.stages.augment.strategies.base import Step
from corpus_pipeline.stages.augment.strategies.exchange import has_calls, last_exchange, replaced, sections_of
from corpus_pipeline.stages.augment.strategies.new_response import NewResponse
from corpus_pipeline.stages.augment.strategies.tool_rows import (
    TOOLS_LINE,
    CarryingParams,
    is_of_person,
    lines_with_calls,
)
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.numbers import FiguresKept
from corpus_pipeline.stages.skip_reasons import SkipReason

_ANSWER = Step("answer", ("source_prompt",), ("source_system", "conversation", "source_response"))


class ResponseRegeneration(NewResponse):
    """Answers the last prompt in the model's own words, with the source response as a reference unless switched off."""

    name: ClassVar[str] = "response_regeneration"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "the same request, answered anew in the model's own words"
    source: ClassVar[str] = (
        "Yang et al. (2024), Self-Distillation Bridges Distribution Gap in Language Model Fine-Tuning, arXiv:2402.13669"
    )
    steps: ClassVar[tuple[Step, ...]] = (_ANSWER,)

    class Params(CarryingParams, NewResponse.Params):
        """Parameters of `response_regeneration`."""

        show_reference: bool = Field(True, description="let the model see the source response")
        # an answer in the model's own words may share no content word with a short source and be right all the same
        tag_only: tuple[str, ...] = Field(
            ("on_subject",),
            description="names of validators that tag the new row (`invalid:NAME`) instead of failing the sample",
        )

    params: Params

    def _validators(self) -> tuple[Validator, ...]:
        own = super()._validators()
        return (*own, FiguresKept(("response",))) if self.params.show_reference else own

    def _ask(self, conversation: Conversation, answers: tuple[Answer, ...], sample_index: int) -> Request | None:
        if answers:
            return None
        texts = sections_of(conversation, with_response=self.params.show_reference)
        lines = None
        if has_calls(conversation):
            texts |= _texts_with_calls(conversation)
            lines = TOOLS_LINE
        return self.request(_ANSWER, texts, sample_index=sample_index, lines=lines)

    def _skips(self, conversation: Conversation, index: int) -> SkipReason | None:
        """An answer that is itself a call, or goes with one, would have to be called again."""
        if (conversation.turns[index].extra or {}).get("tool_calls") or not _asked_by(conversation, index):
            return SkipReason.TOOLS
        return super()._skips(conversation, index)

    def parse(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """See `Strategy.parse`."""
        source = conversation.turns[last_exchange(conversation)]
        reasoning = self.reasoning_of(answers[0]) if source.reasoning else None
        return replaced(conversation, response=self.text_of(answers[0]), reasoning=reasoning)


def _asked_by(conversation: Conversation, index: int) -> str | None:
    """What a person asked last before the answer at `index`."""
    return next((turn.prompt for turn in reversed(conversation.turns[: index + 1]) if is_of_person(turn)), None)


def _texts_with_calls(conversation: Conversation) -> dict[str, str | None]:
    """The sections of a row with calls: what a person asked, and behind all that was said the calls and their results."""
    index = last_exchange(conversation)
    asks_here = is_of_person(conversation.turns[index])
    shown = conversation.turns[:index] if asks_here else conversation.turns[: index + 1]
    return {
        "source_prompt": _asked_by(conversation, index),
        "conversation": lines_with_calls(shown, but_the_answer=not asks_here),
    }
