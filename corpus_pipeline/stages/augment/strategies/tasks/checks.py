"""A recipe's own validators, each an expression over one field of an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import re2
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.model import Answer, Conversation, Turn
from corpus_pipeline.stages.augment import foreign_schemas
from corpus_pipeline.stages.augment.strategies.tasks import schemas
from corpus_pipeline.stages.augment.validators.base import Validator
from corpus_pipeline.stages.augment.validators.words import BadReason

_PAIRS: Final = (("min", "max"), ("min_characters", "max_characters"))


class Check(BaseModel):
    """What a field must be. All that is set must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str = Field(description="the field of the answer that is looked at")
    name: str | None = Field(
        None, pattern=r"^[a-z0-9_]{1,64}$", description="what `without` and failed samples call it"
    )
    matches: str | None = Field(None, max_length=1000, description="a regular expression (RE2) that must be found")
    matches_not: str | None = Field(None, max_length=1000, description="one that must not be found")
    min_characters: int | None = Field(None, ge=0, description="shorter ones fail")
    max_characters: int | None = Field(None, ge=0, description="longer ones fail")
    min: float | None = Field(None, description="lower numbers fail")
    max: float | None = Field(None, description="higher numbers fail")
    equals: str | None = Field(None, description="a name that the template may show: the field says the same")
    differs_from: str | None = Field(
        None, description="a name that the template may show: the field says something else"
    )
    found_in: str | None = Field(
        None, description="a name that the template may show: its text holds the field, word for word"
    )
    one_of: tuple[str, ...] | None = Field(None, min_length=1, description="the field is one of these texts")
    fits: dict[str, Any] | None = Field(None, description="a JSON schema that the field, or the JSON in its text, fits")

    @field_validator("matches", "matches_not")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                _compiled(value)
        except re2.error as error:
            raise ValueError(f"not a regular expression of RE2: {error}") from error
        return value

    @field_validator("fits")
    @classmethod
    def _can_be_met(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        fault = None if value is None else schemas.fault_of(value)
        if fault is not None:
            raise ValueError(f"no answer can fit this schema: {fault}")
        return value

    @model_validator(mode="after")
    def _says_something(self) -> Check:
        if not self._said():
            raise ValueError(
                "says nothing of its field: give it `matches`, `min_characters`, `min`, `equals` or the like"
            )
        for low, high in _PAIRS:
            least, most = getattr(self, low), getattr(self, high)
            if least is not None and most is not None and least > most:
                raise ValueError(f"no answer can pass: {low} {least} is above {high} {most}")
        return self

    def _said(self) -> list[str]:
        return [key for key, value in self if value is not None and key not in ("field", "name")]

    @property
    def label(self) -> str:
        """Its name, or one made of what it says."""
        return self.name or f"{self.field}_{'_'.join(self._said())}"[:64]

    @property
    def other_names(self) -> tuple[str, ...]:
        """What it compares with."""
        return tuple(name for name in (self.equals, self.differs_from, self.found_in) if name is not None)

    def fault(self, value: Any, others: Mapping[str, Any]) -> str | None:
        """What is wrong with a value; None when all holds. others: the texts that the template may show."""
        text = as_text(value)
        if self.matches is not None and not _compiled(self.matches).search(text):
            return f"does not match {self.matches}"
        if self.matches_not is not None and (found := _compiled(self.matches_not).search(text)):
            return f"matches {self.matches_not}: {found.group()[:80]}"
        if self.min_characters is not None and len(text) < self.min_characters:
            return f"has {len(text)} characters, fewer than {self.min_characters}"
        if self.max_characters is not None and len(text) > self.max_characters:
            return f"has {len(text)} characters, more than {self.max_characters}"
        return self._number_fault(value) or self._comparison_fault(text, others) or self._schema_fault(value, text)

    def _number_fault(self, value: Any) -> str | None:
        if self.min is None and self.max is None:
            return None
        number = _number(value)
        if number is None:
            return f"is no number: {as_text(value)[:60]}"
        if self.min is not None and number < self.min:
            return f"is {number:g}, below {self.min:g}"
        if self.max is not None and number > self.max:
            return f"is {number:g}, above {self.max:g}"
        return None

    def _comparison_fault(self, text: str, others: Mapping[str, Any]) -> str | None:
        if self.one_of is not None and text.strip() not in self.one_of:
            return f"is none of {', '.join(self.one_of)[:120]}: {text[:60]}"
        if self.equals is not None and text.strip() != as_text(others.get(self.equals)).strip():
            return f"is not what {self.equals} says: {text[:60]}"
        if self.differs_from is not None and text.split() == as_text(others.get(self.differs_from)).split():
            return f"is {self.differs_from}, word for word"
        if self.found_in is not None and _words(text) not in _words(as_text(others.get(self.found_in))):
            return f"is not in {self.found_in}: {text[:80]}"
        return None

    def _schema_fault(self, value: Any, text: str) -> str | None:
        if self.fits is None:
            return None
        if isinstance(value, str):
            try:
                value = json.loads(text, strict=False)
            except (ValueError, RecursionError):
                return f"is no JSON: {text[:60]}"
        return foreign_schemas.misfit(value, self.fits)


@cache
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def as_text(value: Any) -> str:
    """A value as the template and the checks see it: a text as it is, everything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _words(text: str) -> str:
    return " ".join(text.casefold().split())


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(str(value).strip())
    except ValueError:
        return None


class Checked(Validator):
    """A check of a recipe. read: the fields of an answer, and the texts that the template may show."""

    def __init__(
        self, check: Check, read: Callable[[Conversation, Answer], tuple[Mapping[str, Any], Mapping[str, Any]]]
    ) -> None:
        self.name = check.label  # type: ignore[misc]  # one class, a name for each check
        self._check, self._read = check, read

    def __call__(self, conversation: Conversation, turns: tuple[Turn, ...], answer: Answer) -> BadAnswer | None:
        """See `Validator`."""
        fields, others = self._read(conversation, answer)
        fault = self._check.fault(fields.get(self._check.field), others)
        return None if fault is None else BadAnswer(BadReason.CHECK_FAILED, f"{self.name}: {self._check.field} {fault}")
