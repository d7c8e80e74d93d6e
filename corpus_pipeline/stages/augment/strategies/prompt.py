"""`prompt`: a task without code. The recipe says what is asked, what the answer is, and what becomes of it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from corpus_pipeline.errors import UsageError
from corpus_pipeline.stages.augment.strategies.base import USER_PART, StrategyParams
from corpus_pipeline.stages.augment.strategies.tasks.checks import Check
from corpus_pipeline.stages.augment.strategies.tasks.makes import Makes, default_for
from corpus_pipeline.stages.augment.strategies.tasks.outputs import Output
from corpus_pipeline.stages.augment.strategies.tasks.task import Spec, Task


class Prompt(Task):
    """Asks one question, of the recipe's own words, about each row."""

    name: ClassVar[str] = "prompt"
    version: ClassVar[int] = 1
    summary: ClassVar[str] = "a task of your own: a template, an output, and what is made of it"
    source: ClassVar[str] = "your own"

    class Params(StrategyParams):
        """Parameters of `prompt`."""

        inputs: dict[str, str] = Field(
            default_factory=dict,
            max_length=64,
            description="further names that the template may show: TASK.FIELD of another task, record.KEY, turns.-1.prompt",
        )
        output: Output = Field(
            Output(), description="text, {labels: [..]}, {score: {min, max}} or {fields: JSON schema}"
        )
        makes: Makes | None = Field(
            None,
            description="row, answer, rejected, values, score, label or tag; null: what goes with the output",
        )
        validators: tuple[Check, ...] = Field((), max_length=64, description="what the fields of an answer must be")
        fences: bool = Field(
            True, description="false: texts of the row stand bare in the prompt, where they can pose as it"
        )

    params: Params

    def _spec(self, params: Params) -> Spec:
        makes = params.makes or default_for(params.output)
        return Spec(params.output, makes, params.inputs, params.validators, params.fences)

    @classmethod
    def bundled_template(cls, step: str) -> str:
        """No text: a recipe always has its own."""
        return ""

    def _template_texts(self) -> dict[str, str]:
        said = self.params.template
        if isinstance(said, dict) and set(said) <= {"system", "user"} and "user" in said:
            said = f"{said.get('system', '').strip()}\n{USER_PART}\n{said['user']}"
        if isinstance(said, dict) and set(said) == {self.steps[0].name}:
            said = said[self.steps[0].name]
        if not isinstance(said, str) or not said.strip():
            raise UsageError(
                f"strategy prompt needs `template`: {{system: .., user: ..}}, or one text with the line '{USER_PART}'"
                " between them"
            )
        return {self.steps[0].name: said}
