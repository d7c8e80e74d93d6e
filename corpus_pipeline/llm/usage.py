"""What a provider says that a call used: every notation is read, and where two statements disagree the larger one counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpus_pipeline.model import Usage

MAX_TOKENS = 10**9  # of one call; more was never billed, and is no count


def read_usage(said: Any) -> Usage | None:
    """The usage in a body; None when it does not say, or says what cannot be.

    A `remark` is set where the provider's numbers do not agree with each other.
    """
    if not isinstance(said, Mapping):
        return None
    billed = said.get("billed_units")  # of Cohere, beside what the model read and wrote
    if isinstance(billed, Mapping) and "input_tokens" not in said and "prompt_tokens" not in said:
        said = billed
    usage = _gemini(said) if "promptTokenCount" in said else _chat(said)
    if usage is None or usage.input_tokens > MAX_TOKENS or usage.output_tokens > MAX_TOKENS:
        return None
    return usage


def _chat(said: Mapping[str, Any]) -> Usage | None:
    """Chat Completions, Responses and Anthropic Messages, and what gateways make of them."""
    inner = _details(said, "prompt_tokens_details", "input_tokens_details")
    outer = _details(said, "completion_tokens_details", "output_tokens_details")
    cached = _first(inner, "cached_tokens", "cache_read_tokens")
    if cached is None:
        cached = _first(said, "prompt_cache_hit_tokens", "cache_read_input_tokens", "cached_tokens")
    written = _first(inner, "cache_write_tokens", "cache_creation_tokens")
    if written is None:
        written = _first(said, "cache_creation_input_tokens", "cache_write_tokens")
    if written is None:
        written = _total_of(said.get("cache_creation"))
    prompt, completion = _first(said, "prompt_tokens"), _first(said, "completion_tokens", "output_tokens")
    if prompt is None:
        prompt = _first(said, "input_tokens")
        beside = "cache_creation_input_tokens" in said or "cache_read_input_tokens" in said
        if prompt is not None and beside:  # Anthropic counts the cache beside the input
            prompt += (cached or 0) + (written or 0)
    hits, misses = _first(said, "prompt_cache_hit_tokens"), _first(said, "prompt_cache_miss_tokens")
    if prompt is None and hits is not None and misses is not None:
        prompt = hits + misses
    total = _first(said, "total_tokens")
    reasoning = _first(outer, "reasoning_tokens")
    if reasoning is None:
        reasoning = _first(said, "reasoning_tokens")
    return _weighed(prompt, completion, total, cached or 0, written or 0, reasoning or 0)


def _gemini(said: Mapping[str, Any]) -> Usage | None:
    thoughts = _first(said, "thoughtsTokenCount") or 0
    prompt, spoken = _first(said, "promptTokenCount"), _first(said, "candidatesTokenCount") or 0
    if prompt is not None:
        prompt += _first(said, "toolUsePromptTokenCount") or 0
    cached = _first(said, "cachedContentTokenCount") or 0
    return _weighed(prompt, spoken + thoughts, _first(said, "totalTokenCount"), cached, 0, thoughts)


def _weighed(
    prompt: int | None, completion: int | None, total: int | None, cached: int, written: int, reasoning: int
) -> Usage | None:
    if prompt is None and total is not None and completion is not None:
        prompt = max(0, total - completion)
    if completion is None and total is not None and prompt is not None:
        completion = max(0, total - prompt)
    if prompt is None or completion is None:
        return None
    remarks = []
    read = prompt
    if cached + written > prompt:
        read = cached + written
        remarks.append(f"{cached} cached and {written} written tokens of {prompt} prompt tokens")
    output = completion
    if reasoning > completion:  # counted beside the completion, whatever the total says
        output = completion + reasoning
        if total is not None and total < prompt + output:
            remarks.append(f"{reasoning} reasoning tokens of {completion} completion tokens, {total} in all")
    if total is not None and total > prompt + output:
        beside = total - prompt
        if beside != completion + reasoning:
            remarks.append(f"{prompt} prompt and {completion} completion tokens, but {total} in all")
        output = beside
    elif total is not None and total < prompt + completion:
        remarks.append(f"{prompt} prompt and {completion} completion tokens, but only {total} in all")
    return Usage(
        input_tokens=read,
        output_tokens=output,
        cached_tokens=min(cached, read),
        reasoning_tokens=min(reasoning, output),
        cache_write_tokens=min(written, read),
        remark="; ".join(remarks) or None,
    )


def _details(said: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        if isinstance(found := said.get(name), Mapping):
            return found
    return {}


def _first(said: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        if name in said and (number := _count(said[name])) is not None:
            return number
    return None


def _total_of(parts: Any) -> int | None:
    if not isinstance(parts, Mapping):
        return None
    return sum(_count(value) or 0 for value in parts.values())


def _count(value: Any) -> int | None:
    """A count of tokens, None for what is none: words, a truth value, a negative number, a fraction."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(MAX_TOKENS)):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_TOKENS:
        return None
    return value
