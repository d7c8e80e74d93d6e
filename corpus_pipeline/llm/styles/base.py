"""What an API style is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

from corpus_pipeline.llm.adaptation import Learnt
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.model import Answer, Medium, Request


class Wire(NamedTuple):
    """A request as it goes out: the path below the base URL, headers beside those of every request, the JSON body."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Style(ABC):
    """One way of asking. Instances hold no state."""

    name: ClassVar[str]
    media_kinds: ClassVar[frozenset[str]] = frozenset()
    models_path: ClassVar[str | None] = "/models"

    @abstractmethod
    def auth(self, where: Endpoint) -> dict[str, str]:
        """The headers that carry the key; none without one."""

    @abstractmethod
    def wire(self, where: Endpoint, request: Request, learnt: Learnt) -> Wire:
        """The request as it goes to this endpoint."""

    @abstractmethod
    def parse(self, raw: bytes, request: Request, *, request_id: str | None = None) -> Answer:
        """The answer in a body. Raises `chat_completions.BrokenAnswer` or `ErrorAnswer`."""

    def media_part(self, medium: Medium) -> dict[str, Any] | None:
        """A medium as a part of a message; None where this API does not take such a one."""
        return None

    def model_names(self, body: Any) -> list[str]:
        """The names in a list of models. Raises KeyError or TypeError when it is none."""
        return [str(model["id"]) for model in body["data"]]
