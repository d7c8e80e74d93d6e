"""What becomes of a task's answer: a new row, a new answer, a rejected answer, or values beside the row."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from corpus_pipeline.model import TEXT_FIELDS
from corpus_pipeline.stages.augment.strategies.tasks.outputs import Output

_WORDS: Final = ("row", "answer", "rejected", "desirable", "values", "score", "label", "tag")


class Makes(BaseModel):
    """One of these; where it names no field, the first one of the output is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    row: dict[str, str] | None = Field(
        None, description="a new row: its message (system, prompt, reasoning, response, rejected) to the field"
    )
    answer: str | None = Field(
        None, description="the field that is a new answer to the row's prompt, in a row of its own"
    )
    rejected: str | None = Field(None, description="the field that is the answer which loses against the row's own")
    desirable: str | None = Field(None, description="the field that says whether the row's own answer is good: for KTO")
    values: bool | None = Field(None, description="true: all fields are kept beside the row")
    score: str | None = Field(None, description="the same, and this field is a number")
    label: str | None = Field(None, description="the same, and this field is a word")
    tag: str | None = Field(
        None, description="the same, and the row is tagged with this field's word; or, if true, with the label"
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str) and value in _WORDS:
            return {value: True if value == "values" else {} if value == "row" else ""}
        if isinstance(value, str):
            raise ValueError(f"needs one of {', '.join(_WORDS)}, got {value!r}")
        return value

    @model_validator(mode="after")
    def _is_one(self) -> Makes:
        if sum(getattr(self, word) is not None for word in _WORDS) != 1 or self.values is False:
            raise ValueError(f"say one of {', '.join(_WORDS)}")
        for message in self.row or {}:
            if message not in TEXT_FIELDS:
                raise ValueError(f"a row has no message '{message}'; it has {', '.join(TEXT_FIELDS)}")
        return self

    @property
    def word(self) -> str:
        """Which of them it is."""
        return next(word for word in _WORDS if getattr(self, word) is not None)

    @property
    def is_row(self) -> bool:
        """Whether it makes rows; else values beside one."""
        return self.word in ("row", "answer", "rejected", "desirable")

    def field(self, output: Output) -> str:
        """The field that it is about."""
        said = getattr(self, self.word)
        return said if isinstance(said, str) and said else output.main

    def messages(self, output: Output) -> dict[str, str]:
        """Message to field of a new row; a field of the same name where the recipe names none."""
        return self.row or {name: name for name in TEXT_FIELDS if name in output.names}

    def beside(self, output: Output) -> tuple[str, ...]:
        """The fields that are kept beside the row: those that no text of a new row is made of."""
        texts = (
            set(self.messages(output).values())
            if self.word == "row"
            else {self.field(output)}
            if self.is_row
            else set()
        )
        return tuple(name for name in output.names if name not in texts)

    def fault(self, output: Output, others: frozenset[str]) -> str | None:
        """What is wrong with it for this output; `others`: further names that a row may be made of."""
        if self.word == "row":
            messages = self.messages(output)
            if not messages:
                return f"say which message comes from which field, as in `row: {{prompt: {output.main}}}`"
            unknown = sorted(set(messages.values()) - set(output.names) - others)
            if unknown:
                return f"{', '.join(unknown)}: no such field. There are {', '.join((*output.names, *sorted(others)))}"
            if not set(messages.values()) & set(output.names):
                return f"the row holds nothing of the answer ({', '.join(output.names)})"
            return None
        name = self.field(output)
        if name not in output.names:
            return f"{name}: no such field. There are {', '.join(output.names)}"
        wanted = _KINDS.get(self.word)
        if wanted is not None and output.kind_of(name) not in wanted:
            return f"{name} is no {' or '.join(wanted)}, so that it cannot be the {self.word}"
        return None


_KINDS: Final = {
    "answer": ("string",),
    "rejected": ("string",),
    "desirable": ("boolean",),
    "score": ("integer", "number"),
    "label": ("string",),
    "tag": ("string", "boolean"),
}


def default_for(output: Output) -> Makes:
    """What a task makes where the recipe does not say it."""
    if output.labels is not None:
        return Makes(label="label")
    if output.score is not None:
        return Makes(score="score")
    return Makes(values=True) if output.fields is not None else Makes(answer="text")
