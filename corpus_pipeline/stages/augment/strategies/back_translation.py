"""`back_translation`: a request to which the text of the row is the answer."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from corpus_pipeline.stages.augment.strategies.base import StrategyParams
from corpus_pipeline.stages.augment.strategies.tasks.checks import Check
from corpus_pipeline.stages.augment.strategies.tasks.makes import Makes
from corpus_pipeline.stages.augment.strategies.tasks.outputs import Output
from corpus_pipeline.stages.augment.strategies.tasks.task import Spec, Task


class BackTranslation(Task):
    """Writes the request to which the row's text is the answer; works on rows without a prompt, too."""

    name: ClassVar[str] = "back_translation"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "a request to which the text of the row is the answer"
    source: ClassVar[str] = "Li et al. (2023), Self-Alignment with Instruction Backtranslation, arXiv:2308.06259"

    class Params(StrategyParams):
        """Parameters of `back_translation`."""

        min_characters: int = Field(15, ge=1, description="a shorter request fails")

    def _spec(self, params: Any) -> Spec:
        return Spec(
            Output(fields={"instruction": {"type": "string"}}),
            Makes(row={"prompt": "instruction", "response": "response"}),
            checks=(
                Check(name="not_short", field="instruction", min_characters=params.min_characters),
                Check(name="differs", field="instruction", differs_from="response"),
            ),
        )
