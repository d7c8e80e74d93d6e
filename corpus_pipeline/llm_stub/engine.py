"""From a chat request to what goes back, and onto the invoice. No network here; the Batch API uses it too."""

from __future__ import annotations

import time
from collections import Counter
from email.utils import formatdate
from typing import Any, NamedTuple

import orjson

from corpus_pipeline.llm import prices, tokens
from corpus_pipeline.llm.chat_completions import request_hash
from corpus_pipeline.llm_stub import answers
from corpus_pipeline.llm_stub.faults import REFUSED, Fault, FaultMix, uniform
from corpus_pipeline.llm_stub.invoice import Invoice, Line
from corpus_pipeline.llm_stub.options import MODELS, StubOptions
from corpus_pipeline.model import NanoDollars, Usage

Headers = list[tuple[bytes, bytes]]
NOTHING = Usage(0, 0)
DOOR_SECONDS = 0.02  # who is turned away at the door does not wait as long as for an answer
_CACHE_UNIT = 128  # OpenAI caches prompts in steps of 128


class Outcome(NamedTuple):
    """What a request comes to. `line` is still to be written to the invoice, before the first byte goes out."""

    status: int
    headers: Headers
    body: bytes
    fault: Fault | None
    latency: float
    line: Line


class Engine:
    """Answers chat requests by the options; the fault mix may be exchanged while it runs."""

    def __init__(self, options: StubOptions, invoice: Invoice) -> None:
        self.options = options
        self.invoice = invoice
        self.mix = FaultMix(options.faults, options.seed)
        self.models = (*MODELS, *options.models)
        self._seen: Counter[str] = Counter()

    def answer(self, body: Any, *, attempt: int | None, attempt_id: str | None, batch: str | None = None) -> Outcome:
        """attempt: as the client counts; None: the stand-in's own count of equal requests, 1 at first sight."""
        complaint = _complaint(body)
        digest = request_hash(body) if complaint is None else ""
        if attempt is None:
            self._seen[digest] += 1
            attempt = self._seen[digest]
        line = Line(digest, attempt, attempt_id, "", 200, "refused", None, NOTHING, NanoDollars(0), batch)
        if complaint is not None:
            return self._refusal(line, 400, "invalid_request_error", None, complaint)
        if body["model"] not in self.models:
            what = f"The model `{body['model']}` does not exist here; this stand-in has {', '.join(self.models)}."
            return self._refusal(line, 404, "invalid_request_error", "model_not_found", what)
        fault = self.mix.draw(digest, attempt)
        latency = self.options.latency.seconds(uniform(self.options.seed, digest, attempt, "latency"))
        line = line._replace(fault=fault, model=_answering(body["model"]))
        if fault in REFUSED:
            outcome = self._fault_refusal(line, fault)
            return outcome._replace(latency=min(latency, DOOR_SECONDS) if outcome.status < 500 else latency)
        return self._completion(body, line, fault, latency)

    def _completion(self, body: dict[str, Any], line: Line, fault: Fault | None, latency: float) -> Outcome:
        order = answers.read_order(body, line.request_hash)
        reply = answers.reply(order, fault)
        usage = self._usage(body, reply)
        tier = self._tier(body, line)
        price = prices.price_of(line.model).of(tier, usage.input_tokens)
        line = line._replace(outcome="answered", usage=usage, nano_dollars=prices.cost(usage, price))
        said: dict[str, Any] = {
            "id": f"chatcmpl-stub-{line.request_hash[:24]}-{line.attempt}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": "some-other-model" if fault is Fault.WRONG_MODEL else line.model,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": reply.content, "refusal": reply.refusal},
                    "finish_reason": reply.finish_reason,
                    "logprobs": None,
                }
            ],
            "system_fingerprint": "corpus-stub",
            "service_tier": tier,
        }
        if fault is not Fault.NO_USAGE:
            said["usage"] = {
                "prompt_tokens": usage.input_tokens,
                "completion_tokens": usage.output_tokens,
                "total_tokens": usage.input_tokens + usage.output_tokens,
                "prompt_tokens_details": {
                    "cached_tokens": usage.cached_tokens,
                    "cache_write_tokens": usage.cache_write_tokens,
                },
                "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
            }
        return Outcome(200, [], orjson.dumps(said), fault, latency, line)

    def _tier(self, body: dict[str, Any], line: Line) -> str:
        if line.batch is not None:
            return prices.BATCH
        asked, own = body.get("service_tier"), self.options.tiers
        if (isinstance(asked, str) and asked not in ("", "auto")) or not own:
            return str(asked or "default")
        return own[int(uniform(self.options.seed, line.request_hash, line.attempt, "tier") * len(own))]

    def _usage(self, body: dict[str, Any], reply: answers.Reply) -> Usage:
        sizes = [_size_of(message.get("content", "")) + 4 for message in body["messages"]]
        whole = sum(sizes)
        cached = sizes[0] // _CACHE_UNIT * _CACHE_UNIT if whole >= self.options.cache_from else 0
        written = whole - cached if self.options.cache_writes and whole >= self.options.cache_from else 0
        reasoning = self.options.reasoning_tokens
        # the texts do not look at the limit, but no one may be billed for more than was asked for
        most = body.get("max_completion_tokens") or body.get("max_tokens") or 1 << 30
        spoken = tokens.expected(reply.content or reply.refusal or "")
        return Usage(whole, min(spoken + reasoning, most), cached, min(reasoning, most), cache_write_tokens=written)

    def _fault_refusal(self, line: Line, fault: Fault) -> Outcome:
        wait = self.options.retry_after
        match fault:
            case Fault.RATE_LIMIT | Fault.RATE_LIMIT_MS | Fault.RATE_LIMIT_DATE | Fault.RATE_LIMIT_BARE:
                return self.rate_limited(line, fault, wait)
            case Fault.QUOTA_GONE:
                return self._refusal(line, 429, "insufficient_quota", "insufficient_quota", "You exceeded your quota.")
            case Fault.OVERLOADED:
                headers = [(b"retry-after", f"{wait:g}".encode())]
                return self._refusal(line, 503, "server_error", None, "The server is overloaded.", headers)
            case Fault.SERVER_ERROR:
                return self._refusal(line, 500, "server_error", None, "The server had an error.")
            case Fault.BAD_GATEWAY:
                page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
                outcome = self._refusal(line, 502, "", None, "")
                return outcome._replace(body=page, headers=[(b"content-type", b"text/html")])
            case Fault.INVALID:
                return self._refusal(line, 400, "invalid_request_error", "invalid_value", "Invalid value in messages.")
            case Fault.CONTENT_POLICY:
                what = "Your request was rejected by the safety system."
                return self._refusal(line, 400, "invalid_request_error", "content_policy_violation", what)
            case Fault.TOO_LONG:
                what = "This model's maximum context length is exceeded."
                return self._refusal(line, 400, "invalid_request_error", "context_length_exceeded", what)
            case Fault.BAD_KEY:
                return self._refusal(line, 401, "invalid_request_error", "invalid_api_key", "Incorrect API key.")
            case Fault.FORBIDDEN:
                return self._refusal(line, 403, "invalid_request_error", "forbidden", "This key may not use it.")
            case Fault.NO_SUCH_MODEL:
                what = "The model does not exist or you do not have access to it."
                return self._refusal(line, 404, "invalid_request_error", "model_not_found", what)
            case Fault.REDIRECT:
                headers = [(b"location", b"http://169.254.169.254/latest/meta-data/")]
                return self._refusal(line, 307, "", None, "Moved.", headers)
            case _:
                raise AssertionError(f"{fault} is no refusal")

    def rate_limited(self, line: Line, fault: Fault | None, wait: float, headers: Headers | None = None) -> Outcome:
        """A 429 that asks to wait this many seconds, in the notation of the fault."""
        said: Headers = list(headers or ())
        if fault is Fault.RATE_LIMIT_DATE:
            said.append((b"retry-after", formatdate(time.time() + wait, usegmt=True).encode()))
        elif fault is Fault.RATE_LIMIT_MS:
            said.append((b"retry-after-ms", str(round(wait * 1000)).encode()))
        elif fault is not Fault.RATE_LIMIT_BARE:
            said.append((b"retry-after", f"{wait:.3f}".rstrip("0").rstrip(".").encode()))
        return self._refusal(line, 429, "requests", "rate_limit_exceeded", "Rate limit reached; try again later.", said)

    def _refusal(
        self, line: Line, status: int, kind: str, code: str | None, message: str, headers: Headers | None = None
    ) -> Outcome:
        body = error_body(kind, code, message)
        line = line._replace(status=status, outcome="refused")
        return Outcome(status, headers or [], body, _fault(line.fault), 0.0, line)


def _size_of(content: Any) -> int:
    """The tokens of a message: a picture and the like count as much as the client expects of a picture."""
    if not isinstance(content, list):
        return tokens.expected(str(content))
    texts = (str(part["text"]) if isinstance(part, dict) and "text" in part else None for part in content)
    return sum(tokens.EXPECTED_IMAGE if text is None else tokens.expected(text) for text in texts)


def error_body(kind: str, code: str | None, message: str) -> bytes:
    """An error in OpenAI's shape; the message says who speaks."""
    error = {"message": f"{message} (corpus-stub)", "type": kind, "param": None, "code": code}
    return orjson.dumps({"error": error})


def _fault(name: str | None) -> Fault | None:
    return None if name is None else Fault(name)


def _answering(model: str) -> str:
    return model if model in MODELS else MODELS[0]


def _complaint(body: Any) -> str | None:
    """What is wrong with a chat request, None when nothing is."""
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        return "The body must be a JSON object with a model."
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) and "role" in m for m in messages):
        return "messages must be a list of messages, each with a role."
    if body.get("stream"):
        return "This stand-in does not stream."
    return None
