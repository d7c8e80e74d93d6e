"""`verifiable_answer`: the prompt with the final answer alone, for rewards that a program can check."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from corpus_pipeline.errors import SampleSkipped
from corpus_pipeline.model import Answer, Conversation, Turn
from corpus_pipeline.stages.augment.strategies.base import StrategyParams
from corpus_pipeline.stages.augment.strategies.tasks.checks import Check
from corpus_pipeline.stages.augment.strategies.tasks.makes import Makes
from corpus_pipeline.stages.augment.strategies.tasks.outputs import Output
from corpus_pipeline.stages.augment.strategies.tasks.task import Spec, Task
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.final_answer import FinalAnswerKept, is_number
from corpus_pipeline.stages.skip_reasons import SkipReason


class VerifiableAnswer(Task):
    """Takes the final answer out of the response, short enough to be compared by a program: a prompt for GRPO."""

    name: ClassVar[str] = "verifiable_answer"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "the prompt with the final answer alone, for rewards that a program can check"
    source: ClassVar[str] = (
        "verifiable rewards as in Lambert et al. (2024), Tulu 3: Pushing Frontiers in Open Language Model Post-Training, "
        "arXiv:2411.15124"
    )

    class Params(StrategyParams):
        """Parameters of `verifiable_answer`."""

        max_characters: int = Field(100, ge=1, le=2000, description="a longer final answer fails")
        kind: Literal["any", "number", "label"] = Field(
            "any", description="number, label: rows whose final answer is none are skipped"
        )
        labels: tuple[str, ...] = Field((), description="of kind label: the words of which it is one")

        @model_validator(mode="after")
        def _has_labels(self) -> VerifiableAnswer.Params:
            if (self.kind == "label") != bool(self.labels):
                raise ValueError("kind: label and labels: [..] go together")
            return self

    params: Params

    def _spec(self, params: Any) -> Spec:
        return Spec(
            Output(fields={"final_answer": {"type": "string"}}),
            Makes(row={"system": "system", "prompt": "prompt", "response": "final_answer"}),
            checks=(
                Check(name="short", field="final_answer", max_characters=params.max_characters),
                Check(name="in_response", field="final_answer", found_in="response"),
            ),
        )

    def parse(self, conversation: Conversation, answers: tuple[Answer, ...]) -> tuple[Turn, ...]:
        """See `Strategy.parse`. Raises SampleSkipped where there is no final answer of the wanted kind."""
        turns = super().parse(conversation, answers)
        found = (turns[-1].response or "").strip()
        if not found or not self._is_of_kind(found):
            raise SampleSkipped(str(SkipReason.NO_FINAL_ANSWER))
        return turns

    def _is_of_kind(self, found: str) -> bool:
        if self.params.kind == "number":
            return is_number(found)
        return self.params.kind == "any" or found.casefold() in {label.casefold() for label in self.params.labels}

    def _validators(self) -> tuple[Validator, ...]:
        return (*super()._validators(), FinalAnswerKept(("response",)))
