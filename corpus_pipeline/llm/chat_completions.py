"""The Chat Completions format: a request to its JSON body, a body to an `Answer`. Pure; shared with the Batch API."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from corpus_pipeline.llm import tokens
from corpus_pipeline.model import Answer, Request, Usage

CHAT_PATH = "/v1/chat/completions"
# what is kept of a provider's words; a longer one would not fit into the ledger
MOST_NAME, _MOST_FINISH = 128, 32
_MOST_TOKENS = 10**9  # of one call; more was never billed, and is no count


class BrokenAnswer(ValueError):
    """A body that says success and is no chat completion."""


def request_body(request: Request) -> dict[str, Any]:
    """The JSON body of a request, without what it leaves to the provider."""
    body: dict[str, Any] = {
        "model": request.model,
        "messages": list(request.messages),
        "max_completion_tokens": request.max_output_tokens,
    }
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.seed is not None:
        body["seed"] = request.seed
    if request.response_schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": request.response_schema},
        }
    return body


def request_hash(body: dict[str, Any]) -> str:
    """sha256 (hex) of a body in canonical JSON: the identity of a request on both sides of the wire."""
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def parse_completion(raw: bytes, request: Request, *, request_id: str | None = None) -> Answer:
    """The answer in a body. Raises BrokenAnswer when it is no chat completion with one choice at least."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BrokenAnswer("the body is not JSON") from error
    return parse_body(body, request, request_id=request_id)


def parse_body(body: Any, request: Request, *, request_id: str | None = None) -> Answer:
    """As `parse_completion`, from parsed JSON."""
    try:
        choice = body["choices"][0]
        message = choice["message"]
        text, refusal = _text(message.get("content")), message.get("refusal")
        finish = str(choice.get("finish_reason") or "")[:_MOST_FINISH]
        model = str(body.get("model") or "")[:MOST_NAME]
        reasoning = message.get("reasoning_content") or message.get("reasoning")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise BrokenAnswer("the body is JSON, but no chat completion") from error
    return Answer(
        text=text,
        finish_reason=finish,
        model=model,
        usage=_usage(body.get("usage")) or tokens.estimated_usage(request, text),
        refusal=refusal if isinstance(refusal, str) and refusal else None,
        reasoning=reasoning if isinstance(reasoning, str) and reasoning else None,
        provider_request_id=None if request_id is None else request_id[:MOST_NAME],
    )


def _text(content: Any) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part.get("type") == "text")


def _usage(said: Any) -> Usage | None:
    """None when the provider did not say, or said what cannot be."""
    if not isinstance(said, dict):
        return None
    prompt, completion = said.get("prompt_tokens"), said.get("completion_tokens")
    if not isinstance(prompt, int) or not isinstance(completion, int) or min(prompt, completion) < 0:
        return None
    if max(prompt, completion) > _MOST_TOKENS:
        return None
    return Usage(
        input_tokens=prompt,
        output_tokens=completion,
        cached_tokens=_detail(said.get("prompt_tokens_details"), "cached_tokens", prompt),
        reasoning_tokens=_detail(said.get("completion_tokens_details"), "reasoning_tokens", completion),
    )


def _detail(details: Any, key: str, most: int) -> int:
    value = details.get(key) if isinstance(details, dict) else None
    return min(max(value, 0), most) if isinstance(value, int) else 0
