"""The identity of a request."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from corpus_pipeline.model import Request


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
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
