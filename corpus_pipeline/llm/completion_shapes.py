"""Chat completions in other shapes: in the envelope of a gateway, as another API answers, or slightly off.

All become the shape of Chat Completions; what holds no answer stays as it is, for the reader of errors.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from corpus_pipeline.llm import lenient_json

_ENVELOPES: Final = ("data", "result", "response", "body", "output", "completion")
_DEEPEST: Final = 3  # envelopes within envelopes
_NO_ERROR: Final = frozenset({"", "0", "200", "none", "null", "ok", "success", "false"})


def as_completion(body: Any) -> Any:
    """The completion in a parsed body."""
    if isinstance(body, dict) and _choices(body):
        return _with_whole_choices(body)
    found = _unwrapped(body, _DEEPEST)
    if found is not None:
        return _with_whole_choices(found)
    return _of_another_api(body) or body


def text_of(content: Any) -> Any:
    """The content of a message as a text or a list of parts; an answer that came as JSON is its text."""
    if content is None or isinstance(content, str | list):
        return content
    if isinstance(content, dict) and isinstance(content.get("text"), str):
        return [content]
    return orjson.dumps(content).decode()


def word_of(said: Any) -> Any:
    """A finish reason that came as an object is its type."""
    return said.get("type") or said.get("reason") if isinstance(said, dict) else said


def is_no_error(error: Any) -> bool:
    """Whether the `error` beside an answer says that there was none."""
    if isinstance(error, dict):
        return not error.get("message") and str(error.get("code") or "").lower() in _NO_ERROR
    return isinstance(error, str | int) and str(error).lower() in _NO_ERROR


def _choices(body: dict[str, Any]) -> Any:
    choices = body.get("choices")
    return choices if isinstance(choices, list | dict) and choices else None


def _unwrapped(body: Any, depth: int) -> dict[str, Any] | None:
    """What is a completion inside of an envelope: an object, the text of one, a list of one."""
    if isinstance(body, str) and body.lstrip()[:1] in ("{", '"'):
        body = lenient_json.loads(body.encode("utf-8", "replace"))
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    if not depth or not isinstance(body, dict):
        return None
    if _choices(body):
        return body
    return next((found for key in _ENVELOPES if (found := _unwrapped(body.get(key), depth - 1)) is not None), None)


def _with_whole_choices(body: dict[str, Any]) -> dict[str, Any]:
    """The same, its choices a list whose first one has a message, and without an error that says there was none."""
    choices = body["choices"]
    first = next(iter(choices.values())) if isinstance(choices, dict) else _first_choice(choices)
    if isinstance(first, dict) and not isinstance(first.get("message"), dict):
        message = _message(first)
        first = first if message is None else first | {"message": message}
    if isinstance(choices, dict) or first is not choices[0]:
        body = body | {"choices": [first]}
    if (
        body.get("error")
        and isinstance(first, dict)
        and isinstance(first.get("message"), dict)
        and is_no_error(body["error"])
    ):
        body = {key: value for key, value in body.items() if key != "error"}
    return body


def _first_choice(choices: list[Any]) -> Any:
    """The choice that says it is the first one, in whatever order they came."""
    return next((one for one in choices if isinstance(one, dict) and one.get("index") == 0), choices[0])


def _message(choice: dict[str, Any]) -> dict[str, Any] | None:
    said = choice.get("messages")
    if isinstance(said, list) and said and isinstance(said[-1], dict):
        return said[-1]
    if isinstance(choice.get("delta"), dict):
        return choice["delta"]
    return {"content": choice["text"]} if isinstance(choice.get("text"), str) else None


def _of_another_api(body: Any) -> dict[str, Any] | None:
    """An answer of the Responses API, of Ollama's own, of Workers AI, or one that holds no choice but was billed."""
    if not isinstance(body, dict):
        return None
    usage = body.get("usage")
    if isinstance(body.get("output"), list) and body.get("object") == "response":
        return _completion(body, _of_responses(body["output"]), _end_of_response(body), usage)
    if isinstance(body.get("message"), dict) and isinstance(body.get("done"), bool) and "content" in body["message"]:
        counted = {"prompt_tokens": body.get("prompt_eval_count"), "completion_tokens": body.get("eval_count")}
        return _completion(body, body["message"], body.get("done_reason"), counted)
    result = body.get("result")
    if isinstance(result, dict) and isinstance(result.get("response"), str):
        return _completion(body, {"content": result["response"]}, "stop", result.get("usage"))
    if body.get("choices") == [] and isinstance(usage, dict) and usage.get("prompt_tokens") and not body.get("error"):
        return _completion(body, {"content": ""}, None, usage)
    return None


def _of_responses(output: list[Any]) -> dict[str, Any]:
    content: list[Any] = []
    thoughts: list[Any] = []
    for item in output:
        if isinstance(item, dict) and isinstance(item.get("content"), list) and item.get("type") != "reasoning":
            content += item["content"]
        elif isinstance(item, dict) and isinstance(item.get("summary"), list):
            thoughts += [part.get("text") for part in item["summary"] if isinstance(part, dict)]
    refusals = [part.get("refusal") for part in content if isinstance(part, dict) and part.get("type") == "refusal"]
    return {
        "content": content,
        "refusal": refusals[0] if refusals else None,
        "reasoning": "".join(text for text in thoughts if isinstance(text, str)),
    }


def _end_of_response(body: dict[str, Any]) -> Any:
    details = body.get("incomplete_details")
    return details.get("reason") if isinstance(details, dict) else "stop" if body.get("status") == "completed" else None


def _completion(body: dict[str, Any], message: dict[str, Any], finish: Any, usage: Any) -> dict[str, Any]:
    if isinstance(usage, dict) and "input_tokens" in usage:
        usage = {
            "prompt_tokens": usage["input_tokens"],
            "completion_tokens": usage.get("output_tokens"),
            "total_tokens": usage.get("total_tokens"),
            "prompt_tokens_details": usage.get("input_tokens_details"),
            "completion_tokens_details": usage.get("output_tokens_details"),
        }
    kept = {key: body.get(key) for key in ("id", "model", "service_tier")}
    return kept | {"choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage}
