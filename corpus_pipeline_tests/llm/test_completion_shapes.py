"""Answers in the shapes of gateways and of other APIs, from public bug reports: read, or blamed by their own words."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.llm import failures
from corpus_pipeline.llm.chat_completions import BrokenAnswer, ErrorAnswer, parse_completion
from corpus_pipeline.llm.failures import Failure, Reason
from corpus_pipeline.model import Answer, Request

REQUEST = Request("m", ({"role": "user", "content": "hi"},), 100)
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def chat(message: Any = None, finish: Any = "stop", **further: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": "Hello"} if message is None else message
    choice = {"index": 0, "message": said, "finish_reason": finish}
    return {"id": "x", "model": "m", "choices": [choice], "usage": USAGE, **further}


def chunk(**delta: Any) -> bytes:
    return b"data: " + orjson.dumps({"choices": [{"delta": delta}]}) + b"\n\n"


END = (
    b"data: "
    + orjson.dumps({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": USAGE})
    + b"\n\ndata: [DONE]\n\n"
)
RESPONSE = {
    "object": "response",
    "status": "completed",
    "output": [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "thought"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]},
    ],
    "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
}
OLLAMA = {"message": {"role": "assistant", "content": "Hello"}, "done": True, "done_reason": "stop"}
READ: dict[str, Any] = {
    "a gateway's envelope": {"code": 0, "msg": "ok", "data": chat()},
    "an envelope whose code is a text": {"code": "200", "message": "success", "data": chat()},
    "Cloudflare's envelope": {"result": chat(), "success": True, "errors": [], "messages": []},
    "a function's envelope": {"statusCode": 200, "body": json.dumps(chat())},
    "a list of one": [chat()],
    "JSON in JSON": json.dumps(json.dumps(chat())).encode(),
    "Workers AI": {"result": {"response": "Hello", "usage": USAGE}, "success": True},
    "the Responses API": RESPONSE,
    "Ollama's own API": OLLAMA | {"prompt_eval_count": 10, "eval_count": 5},
    "text completions": {"choices": [{"text": "Hello", "finish_reason": "stop"}], "usage": USAGE},
    "a delta": {"choices": [{"delta": {"content": "Hello"}, "finish_reason": "stop"}], "usage": USAGE},
    "messages": {"choices": [{"messages": [{"content": "Hello"}], "finish_reason": "stop"}], "usage": USAGE},
    "choices by number": {"choices": {"0": chat()["choices"][0]}, "usage": USAGE},
    "one part without a list": chat({"content": {"type": "text", "text": "Hello"}}),
    "a finish reason as an object": chat(finish={"type": "stop"}),
    "an error that says there is none": chat(error={"code": 0, "message": ""}),
    "an error in a word that says there is none": chat(error="none"),
    "keep-alive comments as data": b"data: : OPENROUTER PROCESSING\n\n" + chunk(content="Hello") + END,
    "comments between events": b": a\n\nevent: ping\ndata: {}\n\n" + chunk(content="Hello") + b":\n\n" + END + b": b\n",
    "comments before a document": b": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n" + orjson.dumps(chat()),
    "spaces that kept the line open": b"\n      \n\n" + orjson.dumps(chat()),
    "a byte order mark": b"\xef\xbb\xbf" + orjson.dumps(chat()),
    "UTF-16": json.dumps(chat()).encode("utf-16"),
    "a second document": orjson.dumps(chat()) + b"\n" + orjson.dumps({"usage": USAGE}),
    "NaN beside it": orjson.dumps(chat(extra="?")).replace(b'"?"', b"NaN"),
}


def read(body: Any) -> Answer | Failure | str:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    try:
        return parse_completion(raw, REQUEST)
    except ErrorAnswer as error:
        return failures.of_words(200, error.words, {}, in_band=True, billed=error.billed)
    except BrokenAnswer as error:
        return str(error)


@pytest.mark.parametrize("name", READ)
def test_it_is_read(name: str) -> None:
    answer = read(READ[name])
    assert isinstance(answer, Answer), answer
    assert (answer.text, answer.finish_reason) == ("Hello", "stop")
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.estimated) == (10, 5, False)


@pytest.mark.parametrize(
    ("content", "text"), [({"answer": 42}, '{"answer":42}'), (42, "42"), (True, "true"), ({"text": 1}, '{"text":1}')]
)
def test_an_answer_that_came_as_json_is_its_text(content: Any, text: str) -> None:
    answer = read(chat({"content": content}))
    assert isinstance(answer, Answer) and answer.text == text


def test_an_answer_without_a_choice_that_was_billed_is_an_empty_one_at_its_price() -> None:
    answer = read({"choices": [], "usage": USAGE | {"completion_tokens": 0, "total_tokens": 10}})
    assert isinstance(answer, Answer) and (answer.text, answer.usage.input_tokens) == ("", 10)
    assert isinstance(read({"choices": [], "usage": {"prompt_tokens": 0}}), str)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"code": 1113, "msg": "余额不足", "data": None}, Reason.QUOTA_GONE),
        (
            {"success": False, "errorCode": "RATE_LIMIT", "errorMessage": "too many requests", "data": None},
            Reason.RATE_LIMITED,
        ),
        ({"error_code": 18, "error_msg": "Open api qps request limit reached: too many requests"}, Reason.RATE_LIMITED),
        (chat(error={"code": 0, "message": "broken"}), Reason.SERVER_ERROR),
    ],
)
def test_an_envelope_without_an_answer_is_blamed_by_its_words(body: Any, reason: Reason) -> None:
    failure = read(body)
    assert isinstance(failure, Failure) and failure.reason is reason


@pytest.mark.parametrize(
    "body", [b"", b"null", b"{} x", {"request_id": "r", "status": "queued"}, {"data": {"data": {}}}, [[]]]
)
def test_what_holds_no_answer_is_broken(body: Any) -> None:
    assert isinstance(read(body), str)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (
            400,
            {"message": "Rate limit exceeded. Limit is 5 concurrent requests.", "type": "rate_limit"},
            Reason.RATE_LIMITED,
        ),
        (
            400,
            {"error": {"message": "The engine is currently overloaded, please try again later"}},
            Reason.RATE_LIMITED,
        ),
        (403, {"code": 30001, "message": "Sorry, your account balance is insufficient"}, Reason.QUOTA_GONE),
        (400, {"error": {"message": "temperature is not supported", "param": "temperature"}}, Reason.INVALID_REQUEST),
    ],
)
def test_a_status_that_says_less_than_the_words(status: int, body: Any, reason: Reason) -> None:
    assert failures.from_status(status, {}, orjson.dumps(body)).reason is reason


def test_a_wait_of_three_thousand_years_is_none() -> None:
    assert failures.from_status(429, {"retry-after": "99999999999"}, b"{}").retry_after is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "choices message content data result response body output usage error delta text done code".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_no_shape_breaks_it(body: Any) -> None:
    read(json.dumps(body).encode("utf-8", "surrogatepass"))
