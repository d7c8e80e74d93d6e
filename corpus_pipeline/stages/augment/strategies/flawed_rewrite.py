"""`flawed_rewrite`: the answer with one flaw in it, as the one that loses."""

from __future__ import annotations

from typing import Any, ClassVar

from corpus_pipeline.stages.augment.strategies.base import StrategyParams
from corpus_pipeline.stages.augment.strategies.tasks.checks import Check
from corpus_pipeline.stages.augment.strategies.tasks.makes import Makes
from corpus_pipeline.stages.augment.strategies.tasks.outputs import Output
from corpus_pipeline.stages.augment.strategies.tasks.task import Spec, Task


class FlawedRewrite(Task):
    """Rewrites the last response with one flaw that a reader can find; it loses against the row's own."""

    name: ClassVar[str] = "flawed_rewrite"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "the answer with one flaw in it, as the one that loses"
    source: ClassVar[str] = (
        "Yang et al. (2023), RLCD: Reinforcement Learning from Contrastive Distillation for Language Model Alignment, "
        "arXiv:2307.12950"
    )

    class Params(StrategyParams):
        """Parameters of `flawed_rewrite`."""

    def _spec(self, params: Any) -> Spec:
        return Spec(
            Output(fields={"flaw": {"type": "string"}, "response": {"type": "string"}}),
            Makes(rejected="response"),
            checks=(
                Check(name="differs", field="response", differs_from="response"),
                Check(name="flaw_said", field="flaw", min_characters=3),
            ),
        )
