"""The identity of a request."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from corpus_pipeline.model import Request


def shown_messages(request: Request) -> list[dict[str, Any]]:
    """The messages of a request for people: beside the last one what media went with it, without their bytes."""
    messages: list[dict[str, Any]] = list(request.messages)
    if request.media:
        messages[-1] = {**messages[-1], "media": [medium.described() for medium in request.media]}
    return messages


def request_key(request: Request, sample_index: int) -> str:
    """sha256 (hex) of all that shapes an answer: the same key is the same question, and is paid once.

    sample_index: tells apart several samples that are wanted for one and the same question.
    """
    body: dict[str, Any] = {
        "model": request.model,
        "messages": list(request.messages),
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "response_schema": request.response_schema,
        "seed": request.seed,
        "sample_index": sample_index,
    }
    if said := request.options.said():  # left out where nothing is said, so that earlier answers keep their keys
        body["options"] = said
    if request.media:
        body["media"] = [[medium.kind, medium.sha256] for medium in request.media]
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
