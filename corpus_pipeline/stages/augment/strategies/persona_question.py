"""`persona_question`: a question of another person about the same subject, with its answer."""

from __future__ import annotations

from typing import Any, ClassVar

from corpus_pipeline.stages.augment.strategies.base import StrategyParams
from corpus_pipeline.stages.augment.strategies.tasks.checks import Check
from corpus_pipeline.stages.augment.strategies.tasks.makes import Makes
from corpus_pipeline.stages.augment.strategies.tasks.outputs import Output
from corpus_pipeline.stages.augment.strategies.tasks.task import Spec, Task


class PersonaQuestion(Task):
    """Asks what a certain person would ask about the subject of the row, and answers it; each sample is another person."""

    name: ClassVar[str] = "persona_question"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "a question of another person about the same subject, with its answer"
    source: ClassVar[str] = (
        "Ge et al. (2024), Scaling Synthetic Data Creation with 1,000,000,000 Personas, arXiv:2406.20094"
    )

    class Params(StrategyParams):
        """Parameters of `persona_question`."""

    def _spec(self, params: Any) -> Spec:
        return Spec(
            Output(fields={name: {"type": "string"} for name in ("persona", "question", "answer")}),
            Makes(row={"prompt": "question", "response": "answer"}),
            checks=(
                Check(name="not_short", field="question", min_characters=10),
                Check(name="question_differs", field="question", differs_from="prompt"),
                Check(name="answer_differs", field="answer", differs_from="response"),
            ),
        )
