"""What the client makes of every answer and every fault of a real server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus_pipeline.errors import BadAnswer, ProviderRefused, TransientCall
from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.endpoint import endpoint
from corpus_pipeline.llm.failures import CallFailed, CallRefused, CallRejected, Reason, from_status
from corpus_pipeline.llm_stub import RunningStub
from corpus_pipeline.llm_stub.faults import Fault
from corpus_pipeline.llm_stub.latency import Latency
from corpus_pipeline_tests.llm.conftest import KEY, ask, call, invoice

Start = Callable[..., RunningStub]

# fault -> (exception, reason, may have been billed)
FAILURES = [
    (Fault.RATE_LIMIT, CallFailed, Reason.RATE_LIMITED, False),
    (Fault.RATE_LIMIT_MS, CallFailed, Reason.RATE_LIMITED, False),
    (Fault.RATE_LIMIT_DATE, CallFailed, Reason.RATE_LIMITED, False),
    (Fault.RATE_LIMIT_BARE, CallFailed, Reason.RATE_LIMITED, False),
    (Fault.SERVER_ERROR, CallFailed, Reason.SERVER_ERROR, False),
    (Fault.BAD_GATEWAY, CallFailed, Reason.SERVER_ERROR, True),
    (Fault.OVERLOADED, CallFailed, Reason.SERVER_ERROR, False),
    (Fault.INVALID, CallRejected, Reason.INVALID_REQUEST, False),
    (Fault.CONTENT_POLICY, CallRejected, Reason.CONTENT_POLICY, False),
    (Fault.TOO_LONG, CallRejected, Reason.TOO_LONG, False),
    (Fault.BAD_KEY, CallRefused, Reason.BAD_KEY, False),
    (Fault.FORBIDDEN, CallRejected, Reason.FORBIDDEN, False),
    (Fault.QUOTA_GONE, CallRefused, Reason.QUOTA_GONE, False),
    (Fault.NO_SUCH_MODEL, CallRefused, Reason.UNKNOWN_MODEL, False),
    (Fault.REDIRECT, CallRefused, Reason.WRONG_ADDRESS, False),
    (Fault.TIMEOUT, CallFailed, Reason.TIMEOUT, True),
    (Fault.TRICKLE, CallFailed, Reason.TIMEOUT, True),
    (Fault.RESET, CallFailed, Reason.DROPPED, True),
    (Fault.ANSWERED_RESET, CallFailed, Reason.DROPPED, True),
    (Fault.BAD_BODY, CallFailed, Reason.BROKEN_BODY, True),
    (Fault.HTML, CallFailed, Reason.BROKEN_BODY, True),
    (Fault.GZIP, CallFailed, Reason.BROKEN_BODY, True),
]


def test_a_good_answer_arrives_whole(stub: RunningStub) -> None:
    answer = call(stub, ask("Buy 3 large apples for $x^2$ friends."))
    assert answer.finish_reason == "stop"
    assert answer.model == "corpus-stub"
    assert "3" in answer.text and "$x^2$" in answer.text and "(corpus-stub)" in answer.text
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0 and not answer.usage.estimated
    assert answer.provider_request_id is not None and answer.provider_request_id.startswith("req_stub_")


@pytest.mark.parametrize(("fault", "error", "reason", "billed"), FAILURES)
def test_every_fault_has_its_consequence(
    stub: RunningStub, fault: Fault, error: type[Exception], reason: Reason, billed: bool
) -> None:
    stub.meet(**{fault: 1.0})
    deadline = 0.3 if fault in (Fault.TIMEOUT, Fault.TRICKLE) else 5.0
    with pytest.raises(error) as caught:
        call(stub, ask("What is 2 + 2?"), deadline=deadline)
    failure = caught.value.failure
    assert (failure.reason, failure.maybe_billed) == (reason, billed)


def test_the_three_exceptions_are_those_of_the_common_tree() -> None:
    assert issubclass(CallRejected, BadAnswer)
    assert issubclass(CallFailed, TransientCall)
    assert issubclass(CallRefused, ProviderRefused)


@pytest.mark.parametrize("fault", [Fault.RATE_LIMIT, Fault.RATE_LIMIT_MS, Fault.RATE_LIMIT_DATE])
def test_retry_after_is_read_in_each_notation(stub: RunningStub, fault: Fault) -> None:
    stub.meet(**{fault: 1.0})
    with pytest.raises(CallFailed) as caught:
        call(stub, ask("x"))
    said = caught.value.failure.retry_after
    assert said is not None and 5.0 <= said <= 7.0
    assert not caught.value.failure.spends_retry


@pytest.mark.parametrize(
    ("fault", "finish", "text"),
    [(Fault.CUT, "length", None), (Fault.FILTERED, "content_filter", None), (Fault.EMPTY, "stop", "")],
)
def test_spoilt_answers_are_handed_on_as_they_are(
    stub: RunningStub, fault: Fault, finish: str, text: str | None
) -> None:
    stub.meet(**{fault: 1.0})
    answer = call(stub, ask("Say something longer, please."))
    assert answer.finish_reason == finish
    assert text is None or answer.text == text


def test_a_refusal_is_not_text(stub: RunningStub) -> None:
    stub.meet(refusal=1.0)
    answer = call(stub, ask("x"))
    assert answer.text == "" and answer.refusal


def test_the_answering_model_is_recorded(stub: RunningStub) -> None:
    stub.meet(wrong_model=1.0)
    assert call(stub, ask("x")).model == "some-other-model"


def test_usage_that_was_not_said_is_estimated(stub: RunningStub) -> None:
    stub.meet(no_usage=1.0)
    usage = call(stub, ask("Count to 10 for me.")).usage
    assert usage.estimated and usage.input_tokens > 10 and usage.output_tokens > 5


def test_reasoning_and_cached_tokens_are_told_apart(start: Start) -> None:
    usage = call(
        start(reasoning_tokens=40),
        ask("x", most=4000)._replace(
            messages=({"role": "system", "content": "Be brief. " * 600}, {"role": "user", "content": "Hello"})
        ),
    ).usage
    assert usage.reasoning_tokens == 40 < usage.output_tokens
    assert 1024 <= usage.cached_tokens < usage.input_tokens


def test_the_deadline_is_for_the_whole_call(start: Start) -> None:
    stub = start(faults={Fault.TRICKLE: 1.0}, trickle=0.05)  # every read is quick, the whole is not
    with pytest.raises(CallFailed) as error:
        call(stub, ask("x"), deadline=0.5)
    assert error.value.failure.reason == "timeout"


def test_a_server_that_is_not_there_was_not_paid() -> None:
    async def one() -> None:
        async with ModelClient(endpoint("http://127.0.0.1:9/v1", KEY)) as model:
            await model.complete(ask("x"), attempt_id="a", attempt=1, deadline_seconds=5)

    with pytest.raises(CallFailed) as caught:
        asyncio.run(one())
    assert caught.value.failure.reason is Reason.UNREACHABLE
    assert not caught.value.failure.maybe_billed


def test_a_long_response_is_cut_off(stub: RunningStub) -> None:
    with pytest.raises(CallFailed) as caught:
        call(stub, ask("many words " * 200), response_cap_bytes=1000)
    assert caught.value.failure.reason is Reason.BROKEN_BODY


def test_a_path_that_is_no_api_stops_the_job(stub: RunningStub) -> None:
    async def one() -> None:
        async with ModelClient(endpoint(stub.base_url + "/nowhere", KEY)) as model:
            await model.complete(ask("x"), attempt_id="a", attempt=1, deadline_seconds=5)

    with pytest.raises(CallRefused) as caught:
        asyncio.run(one())
    assert caught.value.failure.reason is Reason.WRONG_ADDRESS


def test_a_wrong_key_and_an_unknown_model_stop_the_job(start: Start) -> None:
    with pytest.raises(CallRefused) as caught:
        call(start(api_key="another"), ask("x"))
    assert caught.value.failure.reason is Reason.BAD_KEY
    with pytest.raises(CallRefused) as caught:
        call(start(api_key=KEY), ask("x", model="gpt-nowhere"))
    assert caught.value.failure.reason is Reason.UNKNOWN_MODEL


def test_nothing_is_retried_behind_our_back(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    stub = start(faults={Fault.SERVER_ERROR: 0.5, Fault.OVERLOADED: 0.5}, request_log=log)
    for number in range(3):
        with pytest.raises(CallFailed):
            call(stub, ask(f"row {number}"))
    assert len(invoice(log)) == 3


def test_three_hundred_calls_at_once(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    stub = start(latency=Latency("fixed", 0.2), request_log=log)

    async def many() -> list[str]:
        async with ModelClient(endpoint(stub.base_url, KEY), connections=320) as model:
            asked = [
                model.complete(ask(f"Row {n} is here."), attempt_id=f"id-{n}", attempt=1, deadline_seconds=20)
                for n in range(300)
            ]
            return [answer.text for answer in await asyncio.gather(*asked)]

    texts = asyncio.run(many())
    assert all(f"{number}" in text for number, text in enumerate(texts))
    assert sorted(line["attempt_id"] for line in invoice(log)) == sorted(f"id-{n}" for n in range(300))


def test_what_goes_out_is_known_to_the_last_header(stub: RunningStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Other: other-secret\nAuthorization: Bearer other-secret")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    seen: list[dict[bytes, bytes]] = []
    original = type(stub.app).__call__

    async def spy(self, scope, receive, send):  # type: ignore[no-untyped-def]
        seen.append(dict(scope["headers"]))
        await original(self, scope, receive, send)

    monkeypatch.setattr(type(stub.app), "__call__", spy)
    call(stub, ask("x"), attempt=4)
    known = {
        b"host",
        b"authorization",
        b"content-type",
        b"content-length",
        b"accept",
        b"accept-encoding",
        b"user-agent",
    }
    assert set(seen[0]) - {b"connection"} == known | {b"x-corpus-attempt", b"x-corpus-attempt-id"}
    assert seen[0][b"authorization"] == f"Bearer {KEY}".encode()
    assert seen[0][b"accept-encoding"] == b"identity"
    assert seen[0][b"x-corpus-attempt"] == b"4"


def test_the_models_are_listed(start: Start) -> None:
    stub = start(models=("house-model",))

    async def names() -> list[str]:
        async with ModelClient(endpoint(stub.base_url, KEY)) as model:
            return await model.models()

    assert asyncio.run(names()) == ["corpus-stub", "corpus-stub-mini", "house-model"]


@pytest.mark.parametrize("fault", [row[0] for row in FAILURES])
def test_no_error_and_no_log_holds_the_key_or_the_prompt(
    stub: RunningStub, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    stub.meet(**{fault: 1.0})
    caplog.set_level(logging.DEBUG)
    logging.getLogger("openai").setLevel(logging.WARNING)
    with pytest.raises((CallFailed, CallRefused, CallRejected)) as caught:
        call(stub, ask("canary-prompt-text"), deadline=0.5)
    error: BaseException | None = caught.value
    shown = caplog.text
    while error is not None:
        shown += f"{error!s} {error!r} {vars(error)!r}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert KEY not in shown and "canary-prompt-text" not in shown


def test_a_key_that_a_provider_echoes_is_redacted() -> None:
    body = f'{{"error":{{"message":"Incorrect key: {KEY}","code":"invalid_api_key"}}}}'.encode()
    failure = from_status(401, {}, body, secrets=(KEY,))
    assert KEY not in failure.message and "[redacted]" in failure.message


def test_loggers_that_write_requests_are_kept_quiet() -> None:
    for name in ("openai", "httpx", "httpx2", "httpcore", "httpcore2"):
        assert logging.getLogger(name).level >= logging.WARNING
