"""`grounded_question`: a question about a passage, answered from it, with the passage kept as context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from corpus_pipeline.model import Conversation, Turn
from corpus_pipeline.stages.augment.strategies.base import StrategyParams
from corpus_pipeline.stages.augment.strategies.tasks.checks import Check
from corpus_pipeline.stages.augment.strategies.tasks.inputs import worked_on
from corpus_pipeline.stages.augment.strategies.tasks.makes import Makes
from corpus_pipeline.stages.augment.strategies.tasks.outputs import Output
from corpus_pipeline.stages.augment.strategies.tasks.task import Spec, Task


class GroundedQuestion(Task):
    """Asks a question that a passage answers, and answers it from the passage alone; the passage stays in the prompt."""

    name: ClassVar[str] = "grounded_question"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "a question about a passage, answered from it, with the passage kept as context"
    source: ClassVar[str] = (
        "Alberti et al. (2019), Synthetic QA Corpora Generation with Roundtrip Consistency, arXiv:1906.05416"
    )

    class Params(StrategyParams):
        """Parameters of `grounded_question`."""

    def _spec(self, params: Any) -> Spec:
        return Spec(
            Output(fields={name: {"type": "string"} for name in ("question", "evidence", "answer")}),
            Makes(row={"prompt": "question", "response": "answer"}),
            checks=(
                Check(name="evidence_in_passage", field="evidence", min_characters=3, found_in="response"),
                Check(name="not_short", field="question", min_characters=10),
                Check(name="question_differs", field="question", differs_from="response"),
            ),
        )

    def _new_row(self, conversation: Conversation, values: Mapping[str, Any]) -> tuple[Turn, ...]:
        """The passage, then the question; the evidence is kept beside the row."""
        (turn,) = super()._new_row(conversation, values)
        passage = conversation.turns[worked_on(conversation) or 0].response
        return (turn._replace(prompt=f"{passage}\n\n{turn.prompt}"),)
