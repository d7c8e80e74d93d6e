"""Whatever a provider sends, a call ends with an answer that can be booked and stored, or with one of the three failures."""

from __future__ import annotations

import asyncio
import copy
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.llm import batch_api, prices
from corpus_pipeline.llm.batch_styles import BATCH_STYLES
from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.endpoint import Endpoint, endpoint
from corpus_pipeline.llm.failures import CallFailed, CallRefused, CallRejected, Failure
from corpus_pipeline.llm.prices import TokenPrice
from corpus_pipeline.llm.styles import STYLES
from corpus_pipeline.llm.usage import MAX_TOKENS
from corpus_pipeline.model import Answer, Conversation, Turn
from corpus_pipeline.recipe import NamedStep
from corpus_pipeline.stages.augment.strategies import accept, build
from corpus_pipeline_tests.llm.conftest import ask
from corpus_pipeline_tests.servers.raw_http import RawServer, response, saying

REQUEST = ask("How are the beds watered?", model="m-1")
CONVERSATION = Conversation(1, (Turn(prompt="How are the beds watered?", response="At six, with a can."),), "{}")
(PARAPHRASE,) = build((NamedStep(name="paraphrase"),), "m-1")
DEAREST = TokenPrice(10**9, 10**9, 10**9, 10**9)
MOST_MONEY = 2**63 - 1
TEXT = '{"prompt": "In which way do the beds get their water?"}'

_CHAT: dict[str, Any] = {
    "id": "c-1",
    "object": "chat.completion",
    "model": "m-1",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": TEXT, "refusal": None, "reasoning_content": "so"},
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 90,
        "completion_tokens": 40,
        "total_tokens": 130,
        "prompt_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 7},
    },
    "service_tier": "default",
}
_MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "model": "m-1",
    "content": [{"type": "thinking", "thinking": "so"}, {"type": "text", "text": TEXT}],
    "stop_reason": "end_turn",
    "stop_details": None,
    "usage": {
        "input_tokens": 90,
        "output_tokens": 40,
        "cache_read_input_tokens": 8,
        "cache_creation_input_tokens": 3,
        "service_tier": "standard",
        "output_tokens_details": {"thinking_tokens": 7},
    },
}
_CONTENT: dict[str, Any] = {
    "modelVersion": "m-1",
    "responseId": "r-1",
    "promptFeedback": {},
    "candidates": [
        {
            "content": {"role": "model", "parts": [{"text": "so", "thought": True}, {"text": TEXT}]},
            "finishReason": "STOP",
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 90,
        "candidatesTokenCount": 33,
        "thoughtsTokenCount": 7,
        "totalTokenCount": 130,
        "cachedContentTokenCount": 8,
        "toolUsePromptTokenCount": 0,
    },
}
_ERRORS: list[dict[str, Any]] = [
    {"error": {"message": "busy", "type": "server_error", "code": "overloaded", "param": "temperature"}},
    {"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "7s"}]}},
    {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "r"},
    {"detail": [{"loc": ["body", "seed"], "msg": "extra fields", "type": "extra"}], "message": "no", "code": 400},
]
BODIES = {"openai": _CHAT, "azure": _CHAT, "anthropic": _MESSAGE, "gemini": _CONTENT}
USAGES = {"openai": "usage", "azure": "usage", "anthropic": "usage", "gemini": "usageMetadata"}


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with saying() as server:
        yield server


def where(server: RawServer, style: str) -> Endpoint:
    version = "v1" if style == "azure" else None
    return replace(endpoint(f"{server.origin}/v1", "sk-canary-77f1"), style=style, api_version=version)


def called(server: RawServer, style: str, *pieces: bytes, deadline: float = 5.0, **client: Any) -> Answer | Failure:
    """One call over a real connection; anything but the three failures is raised."""
    server.say = lambda request: pieces

    async def one() -> Answer | Failure:
        async with ModelClient(where(server, style), **client) as model:
            try:
                return await model.complete(REQUEST, attempt_id="a", attempt=1, deadline_seconds=deadline)
            except (CallFailed, CallRejected, CallRefused) as error:
                return error.failure

    return asyncio.run(one())


def must_be_bookable(found: Answer | Failure) -> None:
    """What the ledger, the database and the validators need of whatever came."""
    if isinstance(found, Failure):
        assert found.message.encode() and len(found.message) < 5000 and "sk-canary" not in found.message
        assert found.retry_after is None or found.retry_after >= 0
        return
    usage = found.usage
    for count in (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens):
        assert type(count) is int and 0 <= count <= 4 * MAX_TOKENS
    assert usage.cached_tokens + usage.cache_write_tokens <= usage.input_tokens
    assert usage.reasoning_tokens <= usage.output_tokens
    assert 0 <= prices.cost(usage, DEAREST) <= MOST_MONEY
    for text in (found.text, found.refusal, found.reasoning, found.finish_reason, found.model, found.service_tier):
        assert text is None or text.encode("utf-8") is not None
    assert len(found.finish_reason) <= 32 and len(found.model) <= 128
    try:
        accept(PARAPHRASE, CONVERSATION, (found,))
    except BadAnswer as fault:
        assert str(fault.reason) and fault.detail.encode("utf-8", "replace")


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a document."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from paths(part, (*at, key))


def put(document: Any, at: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at a place."""
    if not at:
        return value
    changed = copy.deepcopy(document)
    inner = changed
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return changed


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([-1, -(10**30), 10**30, 2**31, 2**63, 2**64, 1e308, -0.0, 1.5, MAX_TOKENS, MAX_TOKENS + 1]),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from(["", "0", "\ud83d", "\x00", "null", "1e9", "x" * 70_000, "<think>", "</think>x", "<|im_end|>"]),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=8,
    ),
    st.just([[[[{"text": [{"text": {"text": "x"}}]}]]]]),
    st.just([{"type": "text", "text": 5}, {"type": 7}, None, 3]),
)


def as_json(body: Any) -> bytes:
    return json.dumps(body).encode("utf-8")  # also NaN, Infinity and halves of characters, as other servers write them


@pytest.mark.parametrize("style", STYLES)
def test_any_value_in_any_place_of_an_answer(server: RawServer, style: str) -> None:
    body = BODIES[style]

    @given(st.lists(st.tuples(st.sampled_from(list(paths(body))), ODD), min_size=1, max_size=2))
    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    def check(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
        changed: Any = body
        for at, value in changes:
            try:
                changed = put(changed, at, value)
            except (KeyError, TypeError, IndexError):
                continue  # what it stood in is gone
        must_be_bookable(called(server, style, response(as_json(changed))))

    check()


@pytest.mark.parametrize("style", STYLES)
def test_any_value_in_any_place_of_an_error(server: RawServer, style: str) -> None:
    @given(
        st.sampled_from(_ERRORS), st.data(), st.sampled_from([200, 400, 401, 403, 404, 413, 422, 429, 500, 503, 529])
    )
    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    def check(error: dict[str, Any], data: st.DataObject, status: int) -> None:
        at = data.draw(st.sampled_from(list(paths(error))))
        changed = put(error, at, data.draw(ODD))
        must_be_bookable(called(server, style, response(as_json(changed), status)))
        must_be_bookable(called(server, style, response(as_json([changed]), status)))

    check()


@pytest.mark.parametrize("style", STYLES)
def test_wrong_sums_are_never_booked_below_what_was_said(server: RawServer, style: str) -> None:
    usage = USAGES[style]
    counts = [at for at in paths(BODIES[style][usage]) if at and isinstance(_at(BODIES[style][usage], at), int)]

    @given(st.dictionaries(st.sampled_from(counts), st.integers(-5, 10**7) | st.just(10**30), min_size=1))
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    def check(said: dict[tuple[Any, ...], int]) -> None:
        body: Any = BODIES[style]
        for at, value in said.items():
            body = put(body, (usage, *at), value)
        found = called(server, style, response(as_json(body)))
        must_be_bookable(found)
        assert isinstance(found, Answer)
        out = said.get(("completion_tokens",), said.get(("output_tokens",), said.get(("candidatesTokenCount",), 0)))
        if 0 <= out <= MAX_TOKENS and not found.usage.estimated:
            assert found.usage.output_tokens >= out

    check()


def _at(document: Any, at: tuple[Any, ...]) -> Any:
    for key in at:
        document = document[key]
    return document


def nested(depth: int, left: bytes = b"[", right: bytes = b"]") -> bytes:
    return left * depth + right * depth


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("depth", [200, 300, 950, 1100, 10_000, 200_000])
def test_nests_end_as_one_failure(server: RawServer, style: str, depth: int) -> None:
    raw = as_json(BODIES[style])
    where_to = (b'"so"', b"90", as_json(TEXT), b'"m-1"', b'"stop"', b'"STOP"', b'"end_turn"')
    for piece in where_to:
        for deep in (nested(depth), nested(depth, b'{"text":', b"}").replace(b":}", b":0}", 1)):
            must_be_bookable(called(server, style, response(raw.replace(piece, deep, 1))))
    for deep in (nested(depth), nested(depth, b'{"error":', b"}").replace(b":}", b":0}", 1)):
        for status in (200, 400, 429, 500):
            must_be_bookable(called(server, style, response(deep, status)))


@pytest.mark.parametrize("style", STYLES)
def test_a_body_that_is_cut_anywhere_is_a_failure_and_may_be_billed(server: RawServer, style: str) -> None:
    raw = as_json(BODIES[style])
    for cut in range(0, len(raw), 7):
        found = called(server, style, response(raw[:cut]))
        assert isinstance(found, Failure) and found.maybe_billed, raw[:cut]
    for cut in (0, 1, 30, len(raw) - 1):
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(raw)
        found = called(server, style, head + raw[:cut])
        assert isinstance(found, Failure) and found.maybe_billed
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s" % (len(raw), raw[:cut])
        found = called(server, style, chunked)
        assert isinstance(found, Failure) and found.maybe_billed


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("kind", ["text/html", "text/plain; charset=utf-16", "", "application/octet-stream", "a b"])
def test_what_the_content_type_says_does_not_matter(server: RawServer, style: str, kind: str) -> None:
    found = called(server, style, response(as_json(BODIES[style]), headers=[("Content-Type", kind)]))
    assert isinstance(found, Answer) and found.text.endswith(TEXT)


@pytest.mark.parametrize("style", STYLES)
def test_packing_that_was_not_asked_for_is_one_failure(server: RawServer, style: str) -> None:
    plain = as_json(BODIES[style])
    for raw in (gzip.compress(plain), zlib.compress(plain), b"\x1f\x8b" + plain, plain):
        for said in ("gzip", "deflate", "br", "zstd", "x-gzip", "identity", "nonsense"):
            for status in (200, 500):
                must_be_bookable(called(server, style, response(raw, status, [("Content-Encoding", said)])))


def test_a_body_without_an_end_is_cut_at_the_cap_or_at_the_deadline(server: RawServer) -> None:
    endless = (b"HTTP/1.1 200 OK\r\n\r\n", *[b'{"x": "' + b"y" * 65536] * 400)
    found = called(server, "openai", *endless, response_cap_bytes=1 << 20)
    assert isinstance(found, Failure) and "cap" in found.message and found.maybe_billed


@given(st.binary(max_size=600))
@example(b"")
@example(b"HTTP/1.1 999 \r\n\r\n")
@example(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}")
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}")
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}")
@example(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n{}")
@example(b"HTTP/1.1 204 No Content\r\n\r\n")
@example(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
@example(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
@example(b"HTTP/1.1 429 No\r\nRetry-After: -1\r\nx-ratelimit-limit-requests: \xff\r\nContent-Length: 0\r\n\r\n")
@example(
    b"HTTP/1.1 429 No\r\nRetry-After: 1e309\r\nx-ratelimit-reset-tokens: 99999999999h\r\nContent-Length: 0\r\n\r\n"
)
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\xff\xfe\x00")
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_at_all(server: RawServer, raw: bytes) -> None:
    must_be_bookable(called(server, "openai", raw))
    must_be_bookable(called(server, "gemini", response(raw)))
    must_be_bookable(called(server, "anthropic", response(raw, 400)))


@given(st.lists(st.sampled_from(
    [b"data: ", b"data:{", b"event: x\n", b"\n", b"\n\n", b"[DONE]", b": keepalive\n", b"}", b'{"choices":[]}', b'{"error":5}',
     b'{"choices":[{"delta":{"content":"a"}}]}', b'{"choices":[{"delta":{"content":[1]},"finish_reason":"stop"}]}',
     b'{"choices":[{"delta":{"content":{"a":1}}}],"usage":{"prompt_tokens":-3}}', b'{"choices":{"a":1},"usage":[]}', b"null"]
), max_size=12))  # fmt: skip
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_stream_of_events(server: RawServer, pieces: list[bytes]) -> None:
    must_be_bookable(called(server, "openai", response(b"data: " + b"".join(pieces))))


def test_the_bodies_are_answers_when_nothing_is_wrong(server: RawServer) -> None:
    for style, body in BODIES.items():
        found = called(server, style, response(orjson.dumps(body)))
        assert isinstance(found, Answer) and found.usage.output_tokens == 40 and found.reasoning == "so", style
        assert (
            accept(PARAPHRASE, CONVERSATION, (found,)).turns[-1].prompt == "In which way do the beds get their water?"
        )


LINES: dict[str, list[dict[str, Any]]] = {
    "openai": [
        {
            "id": "l",
            "custom_id": "r1",
            "response": {"status_code": 200, "request_id": "q", "body": _CHAT},
            "error": None,
        },
        {
            "id": "l",
            "custom_id": "r1",
            "response": {"status_code": 400, "request_id": "q", "body": _ERRORS[0]},
            "error": None,
        },
        {"id": "l", "custom_id": "r1", "response": None, "error": {"code": "batch_expired", "message": "late"}},
    ],
    "anthropic": [
        {"custom_id": "r1", "result": {"type": "succeeded", "message": _MESSAGE}},
        {"custom_id": "r1", "result": {"type": "errored", "error": _ERRORS[2]}},
        {"custom_id": "r1", "result": {"type": "expired"}},
    ],
    "gemini": [
        {"key": "r1", "response": _CONTENT},
        {"key": "r1", "error": {"code": 8, "message": "slow", "details": [{"retryDelay": "7s"}]}},
        {"metadata": {"key": "r1"}, "status": {"code": 13, "message": "no"}},
    ],
}


def taken_in(tmp_path: Path, style: str, raw: bytes) -> list[batch_api.Result | None]:
    """The results of a file, each of which can be booked; anything that is raised would stop the job."""
    path = tmp_path / "results.jsonl"
    path.write_bytes(raw)
    found = list(batch_api.results([path], {"r1": REQUEST}, BATCH_STYLES[style]))
    for result in found:
        if result is not None:
            assert result.custom_id == "r1" and (result.answer is None) != (result.failure is None)
            said = result.answer if result.answer is not None else result.failure
            assert said is not None
            must_be_bookable(said)
    return found


@pytest.mark.parametrize("style", LINES)
def test_any_value_in_any_place_of_a_batchs_line(tmp_path: Path, style: str) -> None:
    @given(st.sampled_from(LINES[style]), st.data())
    @settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
    def check(line: dict[str, Any], data: st.DataObject) -> None:
        at = data.draw(st.sampled_from(list(paths(line))))
        raw = as_json(put(line, at, data.draw(ODD)))
        taken_in(tmp_path, style, raw.replace(b"\n", b" ") + b"\n")

    check()


@pytest.mark.parametrize("style", LINES)
def test_a_batchs_file_that_is_cut_nested_or_garbage_gives_lines_that_cannot_be_read(
    tmp_path: Path, style: str
) -> None:
    for line in LINES[style]:
        raw = as_json(line)
        for cut in range(1, len(raw), 5):
            assert taken_in(tmp_path, style, raw[:cut]) == [None]
        for depth in (200, 300, 950, 1100, 10_000):
            for deep in (nested(depth), nested(depth, b'{"text":', b"}").replace(b":}", b":0}", 1)):
                for piece in (b'"so"', b"90", as_json(TEXT), b'"busy"', b"8,", b"13,", b'"Overloaded"', b'"late"'):
                    end = b"," if piece.endswith(b",") else b""
                    taken_in(tmp_path, style, raw.replace(piece, deep + end, 1))
    taken_in(tmp_path, style, b"\xff\xfe\n\n[]\nnull\n5\n{}\n" + b"\x00" * 1000 + b"\n" + b"[" * 100_000)
