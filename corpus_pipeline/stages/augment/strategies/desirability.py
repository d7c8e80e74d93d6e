"""`desirability`: whether the answer is one to learn from, as the label that KTO wants."""

from __future__ import annotations

from typing import Any, ClassVar

from corpus_pipeline.stages.augment.strategies.base import StrategyParams
from corpus_pipeline.stages.augment.strategies.tasks.makes import Makes
from corpus_pipeline.stages.augment.strategies.tasks.outputs import Output
from corpus_pipeline.stages.augment.strategies.tasks.task import Spec, Task


class Desirability(Task):
    """Says whether the row's own answer is one to learn from: the label of a row for KTO."""

    name: ClassVar[str] = "desirability"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "whether the answer is one to learn from, as the label that KTO wants"
    source: ClassVar[str] = (
        "Ethayarajh et al. (2024), KTO: Model Alignment as Prospect Theoretic Optimization, arXiv:2402.01306"
    )

    class Params(StrategyParams):
        """Parameters of `desirability`."""

    def _spec(self, params: Any) -> Spec:
        return Spec(
            Output(fields={"because": {"type": "string"}, "desirable": {"type": "boolean"}}),
            Makes(desirable="desirable"),
        )
