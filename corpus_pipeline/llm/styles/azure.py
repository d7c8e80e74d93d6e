"""Azure OpenAI: the body of Chat Completions, another address and another header for the key.

With an `api_version` the model is a deployment in the path, without one the base URL ends in `/openai/v1`.
https://learn.microsoft.com/azure/ai-foundry/openai/reference
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote

from corpus_pipeline.llm import chat_completions
from corpus_pipeline.llm.adaptation import Learnt
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.styles.base import Wire
from corpus_pipeline.llm.styles.openai import OpenAI
from corpus_pipeline.model import Request


class Azure(OpenAI):
    """The key is the header `api-key`."""

    name: ClassVar[str] = "azure"

    def auth(self, where: Endpoint) -> dict[str, str]:
        """See `Style.auth`."""
        return {"api-key": where.api_key} if where.api_key else {}

    def wire(self, where: Endpoint, request: Request, learnt: Learnt) -> Wire:
        """See `Style.wire`."""
        body = chat_completions.request_body(request, learnt)
        if where.api_version is None:
            return Wire("/chat/completions", {}, body)
        base = "" if where.base_url.endswith("/openai") else "/openai"
        deployment = quote(request.model, safe="")
        path = f"{base}/deployments/{deployment}/chat/completions?api-version={quote(where.api_version)}"
        return Wire(path, {}, body)
