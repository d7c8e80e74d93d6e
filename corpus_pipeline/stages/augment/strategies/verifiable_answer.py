"""`verifiable_answer`: the prompt with the final answer alone, for rewards that a program can check."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from corpus_pipeline.stages.augment.strategies.base import StrategyParams
from corpus_pipeline.stages.augment.strategies.tasks.checks import Check
from corpus_pipeline.stages.augment.strategies.tasks.makes import Makes
from corpus_pipeline.stages.augment.strategies.tasks.outputs import Output
from corpus_pipeline.stages.augment.strategies.tasks.task import Spec, Task


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

    def _spec(self, params: Any) -> Spec:
        return Spec(
            Output(fields={"final_answer": {"type": "string"}}),
            Makes(row={"system": "system", "prompt": "prompt", "response": "final_answer"}),
            checks=(
                Check(name="short", field="final_answer", min_characters=1, max_characters=params.max_characters),
                Check(name="in_response", field="final_answer", found_in="response"),
            ),
        )
