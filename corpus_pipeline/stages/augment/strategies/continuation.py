"""`continuation`: the conversation goes on. One question plays the user, the next one answers as the assistant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from corpus_pipeline.model import Answer, Conversation, Request, Turn
from corpus_pipeline.stages.augment.strategies.base import Step, Strategy, StrategyParams
from corpus_pipeline.stages.augment.strategies.exchange import effective_system, last_exchange
from corpus_pipeline.stages.augment.strategies.sections import messages_as_lines
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.form import (
    FieldsFilled,
    NoLeakedInstruction,
    NotEchoed,
    NotRepetitive,
    NotUnchanged,
    PlainText,
)
from corpus_pipeline.stages.augment.validators.language import Language

_USER = Step("user", ("source_prompt", "source_response"), ("source_system", "conversation"), ("prompt",))
_ASSISTANT = Step("assistant", ("source_prompt", "source_response", "next_prompt"), ("source_system", "conversation"))
_FIELDS = ("prompt", "response")


class Continuation(Strategy):
    """Adds exchanges behind the last one: what the same user asks next, and the answer to it."""

    name: ClassVar[str] = "continuation"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "further exchanges: what the user asks next, and the answer to it"
    source: ClassVar[str] = (
        "Ding et al. (2023), Enhancing Chat Language Models by Scaling High-quality Instructional Conversations "
        "(UltraChat), arXiv:2305.14233"
    )
    steps: ClassVar[tuple[Step, ...]] = (_USER, _ASSISTANT)

    class Params(StrategyParams):
        """Parameters of `continuation`."""

        temperature: float | None = Field(0.9, ge=0, le=2, description="null: the provider's default")
        exchanges: int = Field(1, ge=1, le=8, description="exchanges that are added")

    params: Params

    @property
    def questions(self) -> int:
        """Two for each exchange that is added."""
        return 2 * self.params.exchanges

    def _turns(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """The conversation up to its last exchange, and what was added so far."""
        turns = conversation.turns[: last_exchange(conversation) + 1]
        for at in range(0, len(answers) - 1, 2):
            turns = (*turns, Turn(prompt=self._prompt_of(answers[at]), response=self.text_of(answers[at + 1])))
        return turns

    def _prompt_of(self, answer: Answer) -> str:
        return self.object_of(answer, _USER.keys)["prompt"].strip()

    def _ask(self, conversation: Conversation, answers: tuple[Answer, ...], sample_index: int) -> Request | None:
        if len(answers) == self.questions:
            return None
        turns = self._turns(conversation, answers)
        texts = {
            "source_system": effective_system(turns, len(turns) - 1),
            "conversation": messages_as_lines(turns[:-1]),
            "source_prompt": turns[-1].prompt,
            "source_response": turns[-1].response,
        }
        if len(answers) % 2 == 0:
            return self.request(_USER, texts, sample_index=sample_index)
        next_prompt = self._prompt_of(answers[-1])
        return self.request(_ASSISTANT, {**texts, "next_prompt": next_prompt}, sample_index=sample_index)

    def parse(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """See `Strategy.parse`."""
        return self._turns(conversation, answers)

    def judge(
        self, validators: Sequence[Validator], conversation: Conversation, turns: tuple[Turn, ...], answer: Answer
    ) -> tuple[str, ...]:
        """Each new exchange, compared with the one before it."""
        if not turns:  # an answer as it arrived
            return super().judge(validators, conversation, turns, answer)
        found: list[str] = []
        for end in range(len(turns) - self.params.exchanges + 1, len(turns) + 1):
            before = conversation._replace(turns=(*turns[: end - 1], turns[end - 2]))
            found += super().judge(validators, before, turns[:end], answer)
        return tuple(found)

    def _validators(self) -> tuple[Validator, ...]:
        return (
            FieldsFilled(_FIELDS),
            NoLeakedInstruction(_FIELDS),
            PlainText(("response",)),
            NotUnchanged(_FIELDS),
            NotEchoed(),
            NotRepetitive(_FIELDS),
            Language(_FIELDS),
        )
