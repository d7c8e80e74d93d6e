"""Chat Completions as OpenAI and those compatible with it speak it. https://platform.openai.com/docs/api-reference/chat"""

from __future__ import annotations

from typing import Any, ClassVar

from corpus_pipeline.llm import chat_completions, media
from corpus_pipeline.llm.adaptation import Learnt
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.styles.base import Style, Wire
from corpus_pipeline.model import Answer, Medium, Request


class OpenAI(Style):
    """The key is a bearer token; the model is named in the body."""

    name: ClassVar[str] = "openai"
    media_kinds: ClassVar[frozenset[str]] = frozenset({"image", "audio", "file"})

    def auth(self, where: Endpoint) -> dict[str, str]:
        """See `Style.auth`."""
        return {"Authorization": f"Bearer {where.api_key}"} if where.api_key else {}

    def wire(self, where: Endpoint, request: Request, learnt: Learnt) -> Wire:
        """See `Style.wire`."""
        return Wire("/chat/completions", {}, chat_completions.request_body(request, learnt))

    def media_part(self, medium: Medium) -> dict[str, Any] | None:
        """See `Style.media_part`."""
        return media.openai_part(medium)

    def parse(self, raw: bytes, request: Request, *, request_id: str | None = None) -> Answer:
        """See `Style.parse`."""
        return chat_completions.parse_completion(raw, request, request_id=request_id)
