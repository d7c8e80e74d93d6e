"""`score`: keeps rows by a score or label that a task gave them before, or that came in with the record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from corpus_pipeline.stages.clean.rules.base import View
from corpus_pipeline.stages.clean.rules.judging import Fault, JudgingRule

RECORD = "record."  # before the path of a value of the record
_SHOWN = 60


class Condition(BaseModel):
    """What a value must be. All that is set must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: str = Field(
        pattern=r"^([a-z0-9_-]{1,64}\.[\w-]{1,64}|record(\.[^.]+)+)$",
        description="TASK.FIELD, made of the file under an earlier recipe, or record.KEY.KEY of the record as it came in",
    )
    at_least: float | None = Field(None, description="lower numbers are at fault")
    at_most: float | None = Field(None, description="higher numbers are at fault")
    one_of: tuple[str, ...] | None = Field(None, min_length=1, description="other words are at fault")
    none_of: tuple[str, ...] | None = Field(None, min_length=1, description="these words are at fault")

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if all(said is None for said in (self.at_least, self.at_most, self.one_of, self.none_of)):
            raise ValueError("says nothing of the value: give it at_least, at_most, one_of or none_of")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"no row can pass: at_least {self.at_least:g} is above at_most {self.at_most:g}")
        return self

    def fault(self, found: Any) -> str | None:
        """What is wrong with a value, None when all holds."""
        number = float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
        word = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
        shown = f"{self.value} is {word[:_SHOWN] if number is None else f'{number:g}'}"
        if (self.at_least is not None or self.at_most is not None) and number is None:
            return f"{shown}, no number"
        if self.at_least is not None and number is not None and number < self.at_least:
            return f"{shown}, below {self.at_least:g}"
        if self.at_most is not None and number is not None and number > self.at_most:
            return f"{shown}, above {self.at_most:g}"
        if self.one_of is not None and word not in self.one_of:
            return f"{shown}, none of {', '.join(self.one_of)[:_SHOWN]}"
        return shown if self.none_of is not None and word in self.none_of else None


class Score(JudgingRule):
    """Tags or drops rows whose score or label is not as wanted."""

    name: ClassVar[str] = "score"
    summary: ClassVar[str] = (
        "Tags or drops rows by a score or label: of a task that ran on the file under an earlier recipe, or of the record."
    )
    words: ClassVar[tuple[str, ...]] = ("score",)
    reasons: ClassVar[tuple[str, ...]] = words
    tags: ClassVar[tuple[str, ...]] = words

    class Params(Condition, JudgingRule.Params):
        """Parameters of `score`."""

        further: tuple[Condition, ...] = Field((), max_length=32, description="more conditions of the same kind")
        without_value: Literal["keep", "fault"] = Field(
            "keep", description="what is said of rows without the value: nothing, or that they are at fault"
        )

    params: Params

    def __init__(self, **params: Any) -> None:
        """See `Rule.values` for what is read."""
        super().__init__(**params)
        named = (one.value for one in (self.params, *self.params.further))
        self.values = tuple(dict.fromkeys(name for name in named if not name.startswith(RECORD)))

    def fault(self, view: View) -> Fault | None:
        """See `JudgingRule.fault`; a new row, of which no task has said anything, has none."""
        if view.values is None:
            return None
        for condition in (self.params, *self.params.further):
            found = _value(condition.value, view.values, view.shape)
            if found is not None:
                wrong = condition.fault(found)
            else:
                wrong = f"{condition.value} is not there" if self.params.without_value == "fault" else None
            if wrong is not None:
                return Fault(self.words[0], detail=wrong)
        return None


def _value(name: str, values: Mapping[str, Any], shape: str | None) -> Any:
    if not name.startswith(RECORD):
        return values.get(name)
    found = None if shape is None else _record(shape)
    for key in name.removeprefix(RECORD).split("."):
        if isinstance(found, dict):
            found = found.get(key)
        elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return found


@lru_cache(maxsize=16)
def _record(shape: str) -> Any:
    try:
        return json.loads(shape).get("record")
    except (ValueError, AttributeError):
        return None
