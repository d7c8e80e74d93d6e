"""The Chat Completions format: a request to its JSON body, a body to an `Answer`. Pure; shared with the Batch API."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from corpus_pipeline.errors import ControlFlow
from corpus_pipeline.llm import completion_shapes, error_bodies, event_stream, lenient_json, media, tokens
from corpus_pipeline.llm.adaptation import NOTHING_LEARNT, Learnt
from corpus_pipeline.llm.error_bodies import Words
from corpus_pipeline.llm.json_schemas import is_strict
from corpus_pipeline.llm.usage import read_usage
from corpus_pipeline.model import Answer, Request, Usage

CHAT_PATH = "/v1/chat/completions"
# what is kept of a provider's words; a longer one would not fit into the ledger
MOST_NAME, _MOST_FINISH = 128, 32


class BrokenAnswer(ControlFlow, ValueError):
    """A body that says success and is no chat completion."""


class ErrorAnswer(ControlFlow, ValueError):
    """A body that says success and holds an error. billed: something was answered, too."""

    def __init__(self, words: Words, *, billed: bool) -> None:
        super().__init__(words.message)
        self.words, self.billed = words, billed


def request_body(request: Request, learnt: Learnt = NOTHING_LEARNT) -> dict[str, Any]:
    """The JSON body of a request, without what it leaves to the provider and what its endpoint refuses."""
    options = request.options
    body: dict[str, Any] = {
        "model": request.model,
        "messages": _messages(request, learnt.system or options.system or "role"),
    }
    limit = learnt.output_limit or options.output_limit or "max_completion_tokens"
    for name in ("max_completion_tokens", "max_tokens"):
        if limit in (name, "both"):
            body[name] = request.max_output_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.seed is not None:
        body["seed"] = request.seed
    if request.response_schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {
                "name": "answer",
                "strict": is_strict(request.response_schema),
                "schema": request.response_schema,
            },
        }
    if options.reasoning_effort is not None:
        body["reasoning_effort"] = options.reasoning_effort
    if options.service_tier is not None:
        body["service_tier"] = options.service_tier
    if options.stream if learnt.stream is None else learnt.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    body |= (options.extra_body or {}) | dict(learnt.extra)
    return {name: value for name, value in body.items() if name not in learnt.omitted}


def _messages(request: Request, system: str) -> list[dict[str, Any]]:
    """The messages, the system text where the endpoint takes it, media before the last text."""
    return media.placed(_texts(request, system), request, media.openai_part)


def _texts(request: Request, system: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = list(request.messages)
    if system == "role" or messages[0]["role"] != "system":
        return messages
    if system == "developer" or len(messages) == 1:
        return [messages[0] | {"role": "developer" if system == "developer" else "user"}, *messages[1:]]
    first, second, *rest = messages
    return [second | {"content": f"{first['content']}\n\n{second['content']}"}, *rest]


def request_hash(body: dict[str, Any]) -> str:
    """sha256 (hex) of a body in canonical JSON: the identity of a request on both sides of the wire."""
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def parse_completion(raw: bytes, request: Request, *, request_id: str | None = None) -> Answer:
    """The answer in a body, whole or as a stream of events.

    Raises BrokenAnswer when it is no chat completion with one choice at least, ErrorAnswer when it holds an error.
    """
    is_stream = event_stream.is_stream(raw)
    body = event_stream.fold(raw) if is_stream else lenient_json.loads(raw)
    if body is None:
        raise BrokenAnswer("the stream of events broke off" if is_stream else "the body is not JSON")
    return parse_body(body, request, request_id=request_id)


def parse_body(body: Any, request: Request, *, request_id: str | None = None) -> Answer:
    """As `parse_completion`, from parsed JSON."""
    body = completion_shapes.as_completion(body)
    if (words := error_bodies.in_band(body)) is not None:
        raise ErrorAnswer(words, billed=_said_something(body))
    try:
        choice = body["choices"][0]
        message = choice["message"]
        text, thought = parts_of(completion_shapes.text_of(message.get("content")))
        refusal = message.get("refusal")
        finish = word(completion_shapes.word_of(choice.get("finish_reason")), _MOST_FINISH)
        model = word(body.get("model"), MOST_NAME)
        reasoning = thought or _reasoning(message)
        used = body.get("usage") or choice.get("usage") or _usage_beside(body)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise BrokenAnswer("the body is JSON, but no chat completion") from error
    return Answer(
        text=text,
        finish_reason=finish,
        model=model,
        usage=_counted(read_usage(used), request, text),
        refusal=refusal if isinstance(refusal, str) and refusal else None,
        reasoning=reasoning or None,
        provider_request_id=None if request_id is None else request_id[:MOST_NAME],
        service_tier=word(body.get("service_tier"), _MOST_FINISH) or None,
        response_id=word(body.get("id"), MOST_NAME) or None,
    )


def _usage_beside(body: dict[str, Any]) -> Any:
    """The usage in the place of one server: Groq's own field, or Ollama's counts."""
    own = body.get("x_groq")
    if isinstance(own, dict) and own.get("usage"):
        return own["usage"]
    if "prompt_eval_count" in body:
        return {"prompt_tokens": body["prompt_eval_count"], "completion_tokens": body.get("eval_count")}
    return None


def _counted(said: Usage | None, request: Request, text: str) -> Usage:
    """The usage as said; what says nothing, or that a text was written of no tokens, is estimated."""
    if said is None:
        return tokens.estimated_usage(request, text)
    if said.output_tokens or not text.strip():
        return said
    guess = tokens.estimated_usage(request, text)
    remark = f"no tokens for {len(text):,} characters written"
    return said._replace(
        input_tokens=said.input_tokens or guess.input_tokens,
        output_tokens=guess.output_tokens,
        estimated=True,
        remark=f"{said.remark}; {remark}" if said.remark else remark,
    )


def word(value: Any, most: int) -> str:
    """A word of the provider as the ledger holds it; "" for what is none."""
    return value[:most] if isinstance(value, str) else ""


def parts_of(content: Any) -> tuple[str, str]:
    """(text, thinking) of a message's content: a text, or a list of parts of any type."""
    if content is None:
        return "", ""
    if isinstance(content, str):
        return content, ""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in content:
        if isinstance(part, str):
            texts.append(part)
            continue
        kind = str(part.get("type") or "text")
        is_thought = kind in _THINKING_PARTS or part.get("thought") is True
        said = _nested_text(
            next((part[key] for key in ("text", "thinking", "reasoning", "content") if part.get(key)), "")
        )
        if is_thought:
            thoughts.append(said)
        elif kind in _TEXT_PARTS:
            texts.append(said)
    return "".join(texts), "".join(thoughts)


_TEXT_PARTS = frozenset({"text", "output_text"})
_THINKING_PARTS = frozenset({"thinking", "reasoning", "reasoning_text", "thought", "redacted_thinking", "summary_text"})


def _nested_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_nested_text(part.get("text") if isinstance(part, dict) else part) for part in value)
    return ""


def _reasoning(message: dict[str, Any]) -> str:
    """The thinking that came in a field of its own: one text, or details of which some are encrypted."""
    for key in ("reasoning_content", "reasoning", "thinking"):
        if said := _nested_text(message.get(key)):
            return said
    details = message.get("reasoning_details")
    found = [part.get("text") or part.get("summary") for part in details or () if isinstance(part, dict)]
    return "".join(text for text in found if isinstance(text, str))


def _said_something(body: Any) -> bool:
    """Whether tokens were written beside an error, which are then billed."""
    usage = body.get("usage") if isinstance(body, dict) else None
    written = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return isinstance(written, int) and written > 0
