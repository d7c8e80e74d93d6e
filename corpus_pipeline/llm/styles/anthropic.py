"""Anthropic's Messages. https://docs.anthropic.com/en/api/messages

The answer is turned into the shape of a chat completion, so that finish reasons, thinking and usage are read in one place.
"""

from __future__ import annotations

from typing import Any, ClassVar

from corpus_pipeline.llm import chat_completions, lenient_json, media
from corpus_pipeline.llm.adaptation import Learnt
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.styles.base import Style, Wire
from corpus_pipeline.model import Answer, Medium, Request

VERSION = "2023-06-01"


class Anthropic(Style):
    """The key is the header `x-api-key`; the system text stands beside the messages."""

    name: ClassVar[str] = "anthropic"
    media_kinds: ClassVar[frozenset[str]] = frozenset({"image", "file"})

    def auth(self, where: Endpoint) -> dict[str, str]:
        """See `Style.auth`."""
        return {"x-api-key": where.api_key} if where.api_key else {}

    def wire(self, where: Endpoint, request: Request, learnt: Learnt) -> Wire:
        """See `Style.wire`."""
        options = request.options
        system = "\n\n".join(m["content"] for m in request.messages if m["role"] in ("system", "developer"))
        body: dict[str, Any] = {
            "model": request.model,
            "max_tokens": request.max_output_tokens,
            "messages": media.placed(
                [dict(m) for m in request.messages if m["role"] not in ("system", "developer")],
                request,
                media.anthropic_part,
            ),
        }
        if system:
            body["system"] = system
        if request.temperature is not None:
            body["temperature"] = min(request.temperature, 1.0)
        config: dict[str, Any] = {}
        if request.response_schema is not None and "response_format" not in learnt.omitted:
            config["format"] = {"type": "json_schema", "schema": request.response_schema}
        if options.reasoning_effort is not None:
            config["effort"] = options.reasoning_effort
        if config:
            body["output_config"] = config
        if options.service_tier is not None:
            body["service_tier"] = options.service_tier
        body |= options.extra_body or {}
        body = {name: value for name, value in body.items() if name not in learnt.omitted}
        return Wire("/messages", {"anthropic-version": VERSION}, body)

    def media_part(self, medium: Medium) -> dict[str, Any] | None:
        """See `Style.media_part`."""
        return media.anthropic_part(medium)

    def parse(self, raw: bytes, request: Request, *, request_id: str | None = None) -> Answer:
        """See `Style.parse`."""
        body = lenient_json.loads(raw)
        if body is None:
            raise chat_completions.BrokenAnswer("the body is not JSON")
        return chat_completions.parse_body(as_completion(body), request, request_id=request_id)


def as_completion(body: Any) -> Any:
    """A message as a chat completion; what is none stays as it is, for the reader of errors."""
    if not isinstance(body, dict) or not isinstance(body.get("content"), list):
        return body
    details = body.get("stop_details")
    explained = details.get("explanation") if isinstance(details, dict) else None
    refused = body.get("stop_reason") == "refusal"
    message = {"role": "assistant", "content": body["content"], "refusal": explained if refused else None}
    return {
        "model": body.get("model"),
        "choices": [{"index": 0, "message": message, "finish_reason": body.get("stop_reason")}],
        "usage": _usage(body.get("usage")),
        "service_tier": (body.get("usage") or {}).get("service_tier") if isinstance(body.get("usage"), dict) else None,
    }


def _usage(said: Any) -> Any:
    """The usage in OpenAI's words: there the input holds what was read from the cache and written to it, here not."""
    if not isinstance(said, dict):
        return None
    names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    counts = [said.get(name) or 0 for name in names]
    if not all(isinstance(count, int) for count in counts):
        return None
    fresh, written, cache_read, cache_write = counts
    details = said.get("output_tokens_details")
    thinking = details.get("thinking_tokens") if isinstance(details, dict) else None
    total = fresh + cache_read + cache_write
    return {
        "prompt_tokens": total,
        "completion_tokens": written,
        "total_tokens": total + written,
        "prompt_tokens_details": {"cached_tokens": cache_read, "cache_write_tokens": cache_write},
        "completion_tokens_details": {"reasoning_tokens": thinking or 0},
    }
