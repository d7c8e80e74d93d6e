"""What a task wants of a model: a text, one of several labels, a score, or fields by JSON schema; and how it is read."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.augment import foreign_schemas
from corpus_pipeline.stages.augment.strategies import structured
from corpus_pipeline.stages.augment.strategies.tasks import schemas
from corpus_pipeline.stages.augment.validators.words import BadReason

MAX_LABELS: Final = 500
MAX_LABEL: Final = 64  # characters, as of a tag
_FIELD: Final = lazily(r"[A-Za-z0-9_-]{1,64}")
_AROUND: Final = " \t\r\n\"'`*_.,:;!()[]{}<>“”‘’«»。，、；：！「」『』《》〈〉【】（）［］،؛।॥․·"
_NAMED: Final = lazily(r"\A\W*(?:label|category|class|answer)\W*[:=：]\s*(?=\S)", re.IGNORECASE)


class Score(BaseModel):
    """A whole number with a reason before it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min: int = Field(1, description="the lowest score")
    max: int = Field(5, description="the highest score")

    @model_validator(mode="after")
    def _has_room(self) -> Score:
        if self.min >= self.max:
            raise ValueError(f"a score from {self.min} to {self.max} says nothing: `max` must be above `min`")
        return self


class Output(BaseModel):
    """One of `labels`, `score`, `fields`; none of them: a text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    labels: tuple[str, ...] | None = Field(None, description="the answer is one of these words")
    score: Score | None = Field(None, description="the answer is a number from `min` to `max`, with a reason")
    fields: dict[str, Any] | None = Field(None, description="a JSON schema of an object, or one schema for each field")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if value == "text":
            return {}
        if value == "score":
            return {"score": {}}
        if isinstance(value, dict) and "schema" in value:
            if "fields" in value:
                raise ValueError("say `fields` or `schema`, not both")
            return {**{key: part for key, part in value.items() if key != "schema"}, "fields": value["schema"]}
        return value

    @field_validator("labels", mode="before")
    @classmethod
    def _are_texts(cls, labels: Any) -> Any:
        other = next((one for one in labels if not isinstance(one, str)), None) if isinstance(labels, list) else None
        if isinstance(other, bool):
            said = "yes, on, true" if other else "no, off, false"
            raise ValueError(
                f'YAML reads a bare {said} as {str(other).lower()}: put labels in quotes, as in ["yes", "no"]'
            )
        if isinstance(other, (int, float)) or (isinstance(labels, list) and None in labels):
            raise ValueError(f'{json.dumps(other)} is no text: put labels in quotes, as in ["1", "2"]')
        return labels

    @field_validator("labels")
    @classmethod
    def _tell_apart(cls, labels: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if labels is None:
            return None
        plain = [_plain(label) for label in labels]
        if len(labels) < 2:
            raise ValueError("one label says nothing: give at least two")
        if len(labels) > MAX_LABELS:
            raise ValueError(f"{len(labels)} labels; {MAX_LABELS} are the most")
        if any(not 0 < len(label) <= MAX_LABEL or label != label.strip() or "|" in label for label in labels):
            raise ValueError(f"a label has 1 to {MAX_LABEL} characters, no `|`, and no blank at its ends")
        if len(set(plain)) < len(plain) or "" in plain:
            raise ValueError("two labels differ in case or punctuation alone, or one has no letter")
        return labels

    @model_validator(mode="after")
    def _can_be_met(self) -> Output:
        if sum(part is not None for part in (self.labels, self.score, self.fields)) > 1:
            raise ValueError("say one of `labels`, `score`, `fields`")
        if self.fields is not None:
            if not self.names:
                raise ValueError("`fields` names no field")
            for name in self.names:
                if not _FIELD.fullmatch(name):
                    raise ValueError(f"{name[:80]!r} cannot name a field: letters, digits, _ and -, at most 64")
            fault = schemas.fault_of(schemas.object_schema(self.fields))
            if fault is not None:
                raise ValueError(f"no answer can fit this schema: {fault}")
        return self

    @property
    def schema(self) -> dict[str, Any] | None:  # type: ignore[override]
        """The JSON schema of an answer, None when it is a text."""
        if self.labels is not None:
            return schemas.object_schema({"label": {"type": "string", "enum": list(self.labels)}})
        if self.score is not None:
            number = {"type": "integer", "enum": list(range(self.score.min, self.score.max + 1))}
            return schemas.object_schema({"because": {"type": "string"}, "score": number})
        return None if self.fields is None else schemas.object_schema(self.fields)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that an answer has."""
        schema = self.schema
        return ("text",) if schema is None else tuple(schema["properties"])

    def values_of(self, name: str) -> tuple[Any, ...] | None:
        """The values that a field may have where the output lists them, None where it does not."""
        own = (self.schema or {}).get("properties", {}).get(name)
        values = own.get("enum") if isinstance(own, dict) else None
        return tuple(values) if isinstance(values, list) and values else None

    @property
    def main(self) -> str:
        """The field that counts where none is named."""
        return "score" if self.score is not None else self.names[0]

    def kind_of(self, name: str) -> str | None:
        """The JSON type of a field; None when it may have several."""
        schema = self.schema
        if schema is None:
            return "string"
        own = schema["properties"].get(name)
        said = own.get("type") if isinstance(own, dict) else None
        if said is None and isinstance(own, dict) and all(isinstance(v, str) for v in own.get("enum", (None,))):
            return "string"
        return said if isinstance(said, str) else None

    def read(self, text: str) -> dict[str, Any]:
        """The fields of an answer's text. Raises BadAnswer."""
        if self.labels is not None:
            return {"label": self._label(text)}
        schema = self.schema
        if schema is None:
            return {"text": text.strip()}
        found = [schemas.fitted(_by_name(one, self.names), schema) for one in structured.objects(text)]
        fitting = [one for one in found if foreign_schemas.misfit(one, schema) is None]
        if len(fitting) > 1 and any(one != fitting[0] for one in fitting):
            raise BadAnswer(BadReason.MALFORMED, f"{len(fitting)} JSON objects that say different things")
        if not found:
            raise BadAnswer(BadReason.MALFORMED, f"no JSON object with the keys {', '.join(self.names)}")
        value = (fitting or found)[0]
        if schema.get("additionalProperties") is False:  # more than was asked for does no harm
            value = {key: part for key, part in value.items() if key in schema["properties"]}
        fault = foreign_schemas.misfit(value, schema)
        if fault is not None:
            raise BadAnswer(BadReason.MALFORMED, f"does not fit its schema: {fault}")
        return {key: structured.whole(part) for key, part in value.items()}

    def _label(self, text: str) -> str:
        """The label that an answer names: in JSON, or as all of its text but quotation marks, case and full stop."""
        found = structured.first_object(text)
        said = _by_name(found, ("label",)).get("label") if found else _NAMED.sub("", text, count=1)
        if isinstance(said, list) and len(said) == 1:
            said = said[0]
        known = {_plain(label): label for label in self.labels or ()}
        label = known.get(_plain(said)) if isinstance(said, str) else None
        if label is None:
            raise BadAnswer(BadReason.MALFORMED, f"{json.dumps(said, ensure_ascii=False)[:80]} is none of the labels")
        return label


def _by_name(found: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """An object whose keys are the wanted ones where they differ from them in case alone."""
    if all(name in found for name in names):
        return found
    wanted = {name.casefold(): name for name in names if name not in found}
    return {wanted.get(key.casefold(), key) if len(wanted) else key: part for key, part in found.items()}


def _plain(text: str) -> str:
    return " ".join(text.strip(_AROUND).casefold().split())
