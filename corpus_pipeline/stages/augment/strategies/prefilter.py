"""A cheap look before the dear question: `first` in a strategy's parameters says which rows are worth it.

A rule costs nothing and is asked of every row. A judge is a small model that scores the row from 1 to 5; its call is one
of its own, with its own label in the ledger (`<label>.first`), and its answer is kept like any other.

Chen et al. (2023), FrugalGPT: How to Use Large Language Models While Reducing Cost and Improving Performance,
arXiv:2305.05176
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import re2
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from corpus_pipeline.model import Turn
from corpus_pipeline.recipe import CallParams


class Rule(BaseModel):
    """A rule over one text of the exchange that is worked on. All that is set must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: Literal["prompt", "response"] = Field("response", description="the text that is looked at")
    min_characters: int | None = Field(None, ge=0, description="shorter ones are left alone")
    max_characters: int | None = Field(None, ge=0, description="longer ones are left alone")
    matches: str | None = Field(None, max_length=1000, description="an expression of RE2 that must be found")
    matches_not: str | None = Field(None, max_length=1000, description="one that must not be found")

    @field_validator("matches", "matches_not")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            return value if value is None else _compiled(value).pattern
        except re2.error as error:
            said = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
            raise ValueError(f"not a regular expression of RE2: {said}") from error

    def holds(self, turn: Turn) -> bool:
        """Whether the turn is worth the strategy."""
        text = (turn.prompt if self.field == "prompt" else turn.response) or ""
        text = text.encode("utf-8", "replace").decode()  # RE2 reads no lone surrogates
        return (
            (self.min_characters is None or len(text) >= self.min_characters)
            and (self.max_characters is None or len(text) <= self.max_characters)
            and (self.matches is None or _compiled(self.matches).search(text) is not None)
            and (self.matches_not is None or _compiled(self.matches_not).search(text) is None)
        )


class First(CallParams):
    """Which rows go to the strategy at all: those for which the rule holds, and that the judge scores high enough."""

    rule: Rule | None = Field(None, description="asked first; it costs nothing")
    model: str | None = Field(None, description="of the judge; null: the recipe's or the installation's model")
    share: tuple[str, ...] = Field((), description="the judge's model at further endpoints")
    fallback_models: tuple[str, ...] = Field((), description="judges that are asked while `model` is down")
    structured_output: bool | None = Field(None, description="null: as the strategy")
    criterion: str | None = Field(
        None, max_length=2000, description="what a judge scores from 1 (not at all) to 5 (fully)"
    )
    at_least: int = Field(3, ge=1, le=5, description="rows with a lower score are skipped")
    temperature: float | None = Field(0.0, ge=0, le=2, description="of the judge; null: the provider's default")
    max_output_tokens: int = Field(256, ge=1, description="of the judge's answer")
    template: str | None = Field(None, description="own prompt text of the judge; it may show {{ criterion }}")
    provider_batch: bool = Field(
        False, description="ask the judge by the provider's Batch API, whichever way the strategy goes"
    )

    @model_validator(mode="after")
    def _says_something(self) -> First:
        if self.rule is None and self.criterion is None:
            raise ValueError("say `rule`, or `criterion` for a judge, or both")
        if self.provider_batch and self.criterion is None:
            raise ValueError("a rule asks nobody: leave `provider_batch` out here, or say the `criterion` of a judge")
        return self


@cache
def _compiled(pattern: str) -> Any:
    """An expression of RE2, whose time is linear in the text."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)
