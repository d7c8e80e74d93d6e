"""`weaker_answer`: the answer of a weaker model, as the one that loses."""

from __future__ import annotations

from typing import Any, ClassVar

from corpus_pipeline.stages.augment.strategies.base import StrategyParams
from corpus_pipeline.stages.augment.strategies.tasks.checks import Check
from corpus_pipeline.stages.augment.strategies.tasks.makes import Makes
from corpus_pipeline.stages.augment.strategies.tasks.outputs import Output
from corpus_pipeline.stages.augment.strategies.tasks.task import Spec, Task


class WeakerAnswer(Task):
    """Lets a weaker model (say it in `model`) answer the last prompt; its answer loses against the row's own."""

    name: ClassVar[str] = "weaker_answer"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "the answer of a weaker model, as the one that loses"
    source: ClassVar[str] = (
        "Kim et al. (2023), Aligning Large Language Models through Synthetic Feedback, arXiv:2305.13735"
    )

    class Params(StrategyParams):
        """Parameters of `weaker_answer`."""

    def _spec(self, params: Any) -> Spec:
        return Spec(
            Output(), Makes(rejected="text"), checks=(Check(name="differs", field="text", differs_from="response"),)
        )
