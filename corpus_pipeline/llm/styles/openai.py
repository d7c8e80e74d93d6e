"""Chat Completions as OpenAI and those compatible with it speak it. https://platform.openai.com/docs/api-reference/chat"""

from __future__ import annotations

from typing import ClassVar

from corpus_pipeline.llm import chat_completions
from corpus_pipeline.llm.adaptation import Learnt
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.styles.base import Style, Wire
from corpus_pipeline.model import Answer, Request


class OpenAI(Style):
    """The key is a bearer token; the model is named in the body."""

    name: ClassVar[str] = "openai"

    def auth(self, where: Endpoint) -> dict[str, str]:
        """See `Style.auth`."""
        return {"Authorization": f"Bearer {where.api_key}"} if where.api_key else {}

    def wire(self, where: Endpoint, request: Request, learnt: Learnt) -> Wire:
        """See `Style.wire`."""
        return Wire("/chat/completions", {}, chat_completions.request_body(request, learnt))

    def parse(self, raw: bytes, request: Request, *, request_id: str | None = None) -> Answer:
        """See `Style.parse`."""
        return chat_completions.parse_completion(raw, request, request_id=request_id)
