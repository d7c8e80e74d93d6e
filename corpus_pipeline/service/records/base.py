"""What several records share."""

from __future__ import annotations

from typing import Any, TypeAlias

from typing_extensions import TypedDict

# a document of another program or of a recipe, whose keys are not ours: a tool schema, parameters, an audit detail
JsonObject: TypeAlias = dict[str, Any]


class Removal(TypedDict):
    """Who removed or kept a row, when (milliseconds UTC) and why."""

    by: str
    at: int
    reason: str


class Source(TypedDict):
    """The version of a dataset file that a row came from."""

    path: str
    sha256: str
    version: int


class TurnTexts(TypedDict, total=False):
    """A turn without what it does not have. rejected: the answer that lost; weight: whether the response is trained on."""

    system: str
    prompt: str
    reasoning: str
    response: str
    rejected: str
    weight: float
    extra: JsonObject
