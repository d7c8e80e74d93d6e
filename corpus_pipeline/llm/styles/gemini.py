"""Gemini's generateContent. https://ai.google.dev/api/generate-content

The answer is turned into the shape of a chat completion, so that finish reasons, thinking and usage are read in one place.
"""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from corpus_pipeline.llm import chat_completions, lenient_json, media
from corpus_pipeline.llm.adaptation import Learnt
from corpus_pipeline.llm.endpoint import Endpoint
from corpus_pipeline.llm.styles.base import Style, Wire
from corpus_pipeline.model import Answer, Medium, Request

_ROLES = {"assistant": "model"}


class Gemini(Style):
    """The key is the header `x-goog-api-key`; the model stands in the path."""

    name: ClassVar[str] = "gemini"
    media_kinds: ClassVar[frozenset[str]] = frozenset({"image", "audio", "video", "file"})

    def auth(self, where: Endpoint) -> dict[str, str]:
        """See `Style.auth`."""
        return {"x-goog-api-key": where.api_key} if where.api_key else {}

    def wire(self, where: Endpoint, request: Request, learnt: Learnt) -> Wire:
        """See `Style.wire`."""
        options = request.options
        config: dict[str, Any] = {"maxOutputTokens": request.max_output_tokens}
        if request.temperature is not None and "temperature" not in learnt.omitted:
            config["temperature"] = request.temperature
        if request.seed is not None and "seed" not in learnt.omitted:
            config["seed"] = request.seed
        if request.response_schema is not None and "response_format" not in learnt.omitted:
            config |= {"responseMimeType": "application/json", "responseJsonSchema": request.response_schema}
        if options.reasoning_effort is not None and "reasoning_effort" not in learnt.omitted:
            config["thinkingConfig"] = {"thinkingLevel": options.reasoning_effort.upper()}
        body: dict[str, Any] = {
            "contents": [
                {"role": _ROLES.get(m["role"], "user"), "parts": [{"text": m["content"]}]}
                for m in request.messages
                if m["role"] not in ("system", "developer")
            ],
            "generationConfig": config,
        }
        if request.media:
            body["contents"][-1]["parts"][:0] = media.parts(request, media.gemini_part)
        system = "\n\n".join(m["content"] for m in request.messages if m["role"] in ("system", "developer"))
        if system:
            body["systemInstruction"] = {"parts": [{"text": system}]}
        for key, value in (options.extra_body or {}).items():
            both = isinstance(value, dict) and isinstance(body.get(key), dict)
            body[key] = body[key] | value if both else value
        return Wire(f"/models/{quote(request.model, safe='')}:generateContent", {}, body)

    def media_part(self, medium: Medium) -> dict[str, Any] | None:
        """See `Style.media_part`."""
        return media.gemini_part(medium)

    def parse(self, raw: bytes, request: Request, *, request_id: str | None = None) -> Answer:
        """See `Style.parse`."""
        body = lenient_json.loads(raw)
        if body is None:
            raise chat_completions.BrokenAnswer("the body is not JSON")
        return chat_completions.parse_body(as_completion(body), request, request_id=request_id)

    def model_names(self, body: Any) -> list[str]:
        """See `Style.model_names`."""
        return [str(model["name"]).removeprefix("models/") for model in body["models"]]


def as_completion(body: Any) -> Any:
    """A response as a chat completion; what is none stays as it is, for the reader of errors.

    A prompt that is blocked has no candidate, and a reason: it was refused.
    """
    if not isinstance(body, dict) or body.get("error"):
        return body
    finish: Any
    feedback, candidates = body.get("promptFeedback"), body.get("candidates")
    candidate = candidates[0] if isinstance(candidates, list) and candidates else None
    if not isinstance(candidate, dict):
        blocked = feedback.get("blockReason") if isinstance(feedback, dict) else None
        if not blocked:
            return body
        said = feedback.get("blockReasonMessage") if isinstance(feedback, dict) else None
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "",
            "refusal": said or f"the prompt is blocked: {blocked}",
        }
        candidate, finish = {}, "SAFETY"
    else:
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        message = {"role": "assistant", "content": parts if isinstance(parts, list) else ""}
        finish = candidate.get("finishReason")
    return {
        "model": body.get("modelVersion"),
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": _usage(body.get("usageMetadata")),
    }


def _usage(said: Any) -> Any:
    """The usage in OpenAI's words: there the output holds the thinking, here it stands beside it."""
    if not isinstance(said, dict):
        return None

    def count(*names: str) -> int:
        return sum(value for name in names if isinstance(value := said.get(name), int))

    return {
        "prompt_tokens": count("promptTokenCount", "toolUsePromptTokenCount"),
        "completion_tokens": count("candidatesTokenCount", "thoughtsTokenCount"),
        "total_tokens": count("totalTokenCount"),
        "prompt_tokens_details": {"cached_tokens": count("cachedContentTokenCount")},
        "completion_tokens_details": {"reasoning_tokens": count("thoughtsTokenCount")},
    }
