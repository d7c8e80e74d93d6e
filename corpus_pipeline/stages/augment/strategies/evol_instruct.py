"""`evol_instruct`: a more demanding request, and an answer to it."""

from __future__ import annotations

import hashlib
from typing import ClassVar, Final, Literal

from pydantic import Field

from corpus_pipeline.model import Answer, Conversation, Request, Turn
from corpus_pipeline.stages.augment.strategies.base import Step, Strategy, StrategyParams
from corpus_pipeline.stages.augment.strategies.exchange import context_of, last_exchange, replaced
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.complete import Complete
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
from corpus_pipeline.stages.augment.validators.subject import OnSubject

_EVOLVE = Step("evolve", ("source_prompt",), ("source_system", "conversation"), ("prompt",))
_ANSWER = Step("answer", ("evolved_prompt",), ("source_system", "conversation"))

Operation = Literal["constrain", "deepen", "concretize", "reason", "complicate", "vary"]
OPERATIONS: Final[tuple[Operation, ...]] = ("constrain", "deepen", "concretize", "reason", "complicate", "vary")


class EvolInstruct(Strategy):
    """Develops the last prompt by one operation, then answers it. A rejected response belongs to the old prompt and is
    left out.

    The operation follows from the prompt's text and the sample's index: the same row always gets the same one, and
    several samples of a row get different ones.
    """

    name: ClassVar[str] = "evol_instruct"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "a more demanding request, and an answer to it"
    source: ClassVar[str] = (
        "Xu et al. (2023), WizardLM: Empowering Large Language Models to Follow Complex Instructions, arXiv:2304.12244"
    )
    steps: ClassVar[tuple[Step, ...]] = (_EVOLVE, _ANSWER)

    class Params(StrategyParams):
        """Parameters of `evol_instruct`."""

        temperature: float | None = Field(0.9, ge=0, le=2, description="null: the provider's default")
        operations: tuple[Operation, ...] = Field(OPERATIONS, min_length=1, description="ways to develop a prompt")
        max_length_ratio: float = Field(6.0, ge=1, description="longer, in proportion to the source: too_long")

    params: Params

    def operation_for(self, prompt: str, sample_index: int) -> Operation:
        """The operation for a prompt and a sample."""
        offset = int.from_bytes(hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()[:4], "big")
        return self.params.operations[(offset + sample_index) % len(self.params.operations)]

    def _ask(self, conversation: Conversation, answers: tuple[Answer, ...], sample_index: int) -> Request | None:
        index = last_exchange(conversation)
        context = context_of(conversation, index)
        prompt = conversation.turns[index].prompt or ""
        if not answers:
            lines = {"Operation": self.operation_for(prompt, sample_index)}
            return self.request(_EVOLVE, {**context, "source_prompt": prompt}, sample_index=sample_index, lines=lines)
        if len(answers) == 1:
            evolved = self._evolved(answers)
            # judged before its answer is paid for
            self.judge(self._prompt_validators(), conversation, replaced(conversation, prompt=evolved), answers[0])
            return self.request(_ANSWER, {**context, "evolved_prompt": evolved}, sample_index=sample_index)
        return None

    def _evolved(self, answers: tuple[Answer, ...]) -> str:
        return self.object_of(answers[0], _EVOLVE.keys)["prompt"].strip()

    def parse(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """See `Strategy.parse`."""
        source = conversation.turns[last_exchange(conversation)]
        return replaced(
            conversation,
            prompt=self._evolved(answers),
            response=self.text_of(answers[1]),
            reasoning=self.reasoning_of(answers[1]) if source.reasoning else None,
            rejected=None,
        )

    def _prompt_validators(self) -> tuple[Validator, ...]:
        return (*self._judges(("prompt",)), Language(("prompt",)))

    def _validators(self) -> tuple[Validator, ...]:
        fields = ("prompt", "response")
        response = ("response",)
        return (
            *self._judges(fields),
            PlainText(response),
            NotEchoed(),
            Language(fields),
            Complete(fields),
            OnSubject("response"),
        )

    def _judges(self, fields: tuple[str, ...]) -> tuple[Validator, ...]:
        return (
            FieldsFilled(fields),
            NoControls(fields),
            NoLeakedInstruction(fields),
            NotUnchanged(fields),
            LengthRatio(("prompt",), low=0.5, high=self.params.max_length_ratio, floor=100),
            NotRepetitive(fields),
            NotNoise(fields),
        )
