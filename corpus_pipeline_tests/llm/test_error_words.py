"""What error bodies of many providers mean, the waits that they ask for, and answers in a stream."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.llm import chat_completions, error_bodies, event_stream, waits
from corpus_pipeline.llm.chat_completions import BrokenAnswer, ErrorAnswer
from corpus_pipeline.llm.failures import Reason, from_status, of_words
from corpus_pipeline.model import Request

NOW = 1_800_000_000.0
REQUEST = Request("m", ({"role": "user", "content": "Say it."},), 100)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2m7.5s"}, 127.5),
        ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "0"}, 360.0),
        (
            {
                "x-ratelimit-reset-requests": "120ms",
                "x-ratelimit-reset-tokens": "1h",
                "x-ratelimit-remaining-requests": "0",
            },
            0.12,
        ),
        ({"x-ratelimit-reset-tokens": "9s", "x-ratelimit-reset-requests": "1s"}, 1.0),
        ({"x-ratelimit-reset": str(int((NOW + 42) * 1000))}, 42.0),
        ({"x-ratelimit-reset": str(int(NOW + 42))}, 42.0),
        ({"x-ratelimit-reset": "17"}, 17.0),
        ({"anthropic-ratelimit-requests-reset": "2027-01-15T08:00:30Z"}, 30.0),
        ({"x-ratelimit-reset": "next week"}, None),
    ],
)
def test_waits_in_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert waits.of_headers(headers, now=NOW) == (None if seconds is None else pytest.approx(seconds, abs=1e-3))


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"error": {"message": "Rate limit reached. Please try again in 2m7.5s. Visit our page."}}, 127.5),
        ({"error": {"message": "Too many requests, retry after 20 seconds"}}, 20.0),
        ({"error": {"message": "try again in 210ms"}}, 0.21),
        ({"error": {"message": "Please wait 1 minute and try once more"}}, 60.0),
        ([{"error": {"details": [{"@type": "x/google.rpc.RetryInfo", "retryDelay": "11.5s"}]}}], 11.5),
        ({"error": {"details": [{"retryDelay": {"seconds": 3, "nanos": 500000000}}]}}, 3.5),
        ({"error": {"metadata": {"retry_after_ms": 1500}}}, 1.5),
        ({"retry_after": 4}, 4.0),
        ({"error": {"message": "The model is in 20 seconds of overload"}}, None),
        ({"error": {"message": "no wait is named"}}, None),
        ({"retry_after": -4}, None),
        ({"retry_after": True}, None),
    ],
)
def test_waits_in_bodies(body: Any, seconds: float | None) -> None:
    assert waits.of_body(body) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (403, {"error": {"message": "Your prompt was flagged for self-harm.", "code": 403}}, Reason.CONTENT_POLICY),
        (403, {"error": {"message": "The API key is invalid or missing api key"}}, Reason.BAD_KEY),
        (403, {"message": "Request blocked by the firewall"}, Reason.FORBIDDEN),
        (400, {"code": "data_inspection_failed", "message": "Input may hold it."}, Reason.CONTENT_POLICY),
        (
            400,
            {"error": {"code": "400", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
            Reason.CONTENT_POLICY,
        ),
        (400, [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}], Reason.BAD_KEY),
        (
            400,
            {"type": "error", "error": {"type": "x", "message": "Your credit balance is too low"}},
            Reason.QUOTA_GONE,
        ),
        (400, {"error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}}, Reason.TOO_LONG),
        (404, {"error": {"code": "DeploymentNotFound", "message": "no such deployment"}}, Reason.UNKNOWN_MODEL),
        (498, {"error": {"message": "flex tier capacity exceeded"}}, Reason.RATE_LIMITED),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, Reason.SERVER_ERROR),
    ],
)
def test_reasons_of_many_providers(status: int, body: Any, reason: Reason) -> None:
    assert from_status(status, {}, orjson.dumps(body)).reason is reason


def test_a_quota_by_the_day_is_told_from_one_by_the_minute() -> None:
    day = [{"error": {"code": 429, "message": "Quota exceeded", "details": [{"quotaId": "RequestsPerDayPerProject"}]}}]
    minute = [{"error": {"code": 429, "message": "Quota exceeded for requests per minute."}}]
    assert from_status(429, {}, orjson.dumps(day)).per_day
    assert not from_status(429, {}, orjson.dumps(minute)).per_day


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        ({"error": {"message": "Slow down, please.", "code": 429}}, Reason.RATE_LIMITED, "Slow down"),
        ({"error": "upstream overloaded"}, Reason.SERVER_ERROR, "overloaded"),
        ({"error": {"type": "insufficient_quota", "message": "Top up."}}, Reason.QUOTA_GONE, "Top up"),
        ({"choices": [{"error": {"code": 502, "message": "Provider gone"}}]}, Reason.SERVER_ERROR, "Provider gone"),
        ({"choices": None, "error": {"code": 401, "message": "No auth"}}, Reason.BAD_KEY, "No auth"),
        ([{"error": {"code": 503, "message": "try later", "status": "UNAVAILABLE"}}], Reason.SERVER_ERROR, "later"),
        ({"object": "error", "message": "engine died", "code": 500}, Reason.SERVER_ERROR, "engine died"),
        ({"message": "Internal mistake"}, Reason.SERVER_ERROR, "Internal mistake"),
    ],
)
def test_an_error_inside_of_a_success_says_what_it_says(body: Any, reason: Reason, words: str) -> None:
    with pytest.raises(ErrorAnswer) as caught:
        chat_completions.parse_completion(orjson.dumps(body), REQUEST)
    failure = of_words(200, caught.value.words, {}, in_band=True, billed=caught.value.billed)
    assert failure.reason is reason and words in failure.message and not failure.maybe_billed


def test_a_web_page_is_quoted_without_its_markup() -> None:
    page = b"<html><head><style>p{}</style></head><body><p>Checking your <b>browser</b></p></body></html>"
    assert error_bodies.quoted(page) == "Checking your browser"
    assert len(error_bodies.quoted(b"x" * 9000)) == error_bodies.QUOTED_CHARACTERS


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["error", "choices", "message", "content", "usage", "code", "delta", "detail", "text", "type", "model"]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


def _odd(body: Any) -> bytes:
    try:
        return orjson.dumps(body)
    except (orjson.JSONEncodeError, TypeError):  # half of an emoji, a number without end
        return json.dumps(body).encode()


@given(_JSON, st.integers(300, 599))
def test_no_body_is_too_odd_for_a_failure(body: Any, status: int) -> None:
    failure = from_status(status, {}, _odd(body))
    assert isinstance(failure.message, str) and failure.error().failure is failure


@given(_JSON)
def test_every_body_is_an_answer_an_error_or_broken(body: Any) -> None:
    for raw in (_odd(body), b"data: " + _odd(body) + b"\n\ndata: [DONE]\n\n"):
        try:
            answer = chat_completions.parse_completion(raw, REQUEST)
        except (BrokenAnswer, ErrorAnswer):
            continue
        answer.text.encode("utf-8")
        assert 0 <= answer.usage.input_tokens < 2**62 and 0 <= answer.usage.output_tokens < 2**62


@pytest.mark.parametrize("raw", [b"[" * 10_000 + b"]" * 10_000, b'{"choices":' * 5_000, b"", b"\xff\xfe", b'"\\ud83d"'])
def test_bodies_that_break_readers_are_broken(raw: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        chat_completions.parse_completion(raw, REQUEST)


def test_half_of_an_emoji_costs_one_character() -> None:
    raw = rb'{"choices":[{"message":{"content":"fine \ud83d end"},"finish_reason":"stop"}],"model":"m"}'
    assert chat_completions.parse_completion(raw, REQUEST).text == "fine \ufffd end"


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": "a", "reasoning_content": "r"}, "a", "r"),
        ({"content": "a", "reasoning": "r"}, "a", "r"),
        ({"content": "a", "reasoning_details": [{"type": "reasoning.text", "text": "r"}, {"data": "x"}]}, "a", "r"),
        ({"content": [{"type": "thinking", "thinking": [{"text": "r"}]}, {"type": "text", "text": "a"}]}, "a", "r"),
        ({"content": [{"text": "r", "thought": True}, {"text": "a"}]}, "a", "r"),
        ({"content": None, "refusal": "no"}, "", None),
    ],
)  # fmt: skip
def test_thinking_in_every_field_is_reasoning(message: Any, text: str, reasoning: str | None) -> None:
    body = {"choices": [{"message": message, "finish_reason": "stop"}]}
    answer = chat_completions.parse_body(body, REQUEST)
    assert (answer.text, answer.reasoning) == (text, reasoning)


def test_a_stream_folds_into_the_answer_that_it_is() -> None:
    chunks = [
        {"model": "m", "choices": [{"delta": {"role": "assistant", "reasoning_content": "because "}}]},
        {"choices": [{"delta": {"content": "It "}}]},
        {"choices": [{"delta": {"content": "rains."}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7}},
    ]
    raw = b": ping\n\n" + b"".join(b"data: " + orjson.dumps(c) + b"\r\n\r\n" for c in chunks) + b"data: [DONE]\n\n"
    answer = chat_completions.parse_completion(raw, REQUEST)
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("It rains.", "because ", "stop")
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.estimated) == (5, 7, False)
    assert event_stream.fold(b"data: " + orjson.dumps(chunks[1]) + b"\n\n") is None  # cut on the wire
    with pytest.raises(ErrorAnswer):
        chat_completions.parse_completion(b'data: {"error":{"message":"died","code":500}}\n\n', REQUEST)
