"""Reading Retry-After, classifying statuses, backing off, redacting."""

from __future__ import annotations

import random
import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.llm.backoff import full_jitter, wait_seconds
from corpus_pipeline.llm.failures import Consequence, Failure, Reason, from_exception, from_status
from corpus_pipeline.llm.redaction import MAX_CHARACTERS, redact
from corpus_pipeline.llm.waits import is_per_day, of_body, retry_after

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "90000"}, 90000.0),
        ({"retry-after-ms": "150"}, 0.15),
        ({"retry-after-ms": "150", "retry-after": "1"}, 0.15),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        ({"retry-after": formatdate(NOW + 90, usegmt=True)}, 90.0),
        ({"retry-after": formatdate(NOW - 90, usegmt=True)}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=NOW) == seconds


@given(st.text(max_size=40))
def test_retry_after_never_breaks(text: str) -> None:
    seconds = retry_after({"retry-after": text}, now=NOW)
    assert seconds is None or seconds >= 0.0


@given(st.integers(300, 599), st.binary(max_size=200))
def test_every_status_has_a_reason_whatever_the_body(status: int, raw: bytes) -> None:
    failure = from_status(status, {}, raw)
    assert failure.error().failure is failure
    assert len(failure.message) <= MAX_CHARACTERS


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, b'{"error":{"code":"model_not_found"}}', Reason.UNKNOWN_MODEL),
        (400, b'{"error":{"code":"content_filter"}}', Reason.CONTENT_POLICY),
        (400, b'{"message":"This model\'s maximum context length is 10"}', Reason.TOO_LONG),
        (402, b"", Reason.QUOTA_GONE),
        (404, b'{"detail":"Not Found"}', Reason.WRONG_ADDRESS),
        (404, b'{"object":"error","message":"The model `x` does not exist.","code":404}', Reason.UNKNOWN_MODEL),
        (404, b'{"error":{"message":"model \'x\' not found"}}', Reason.UNKNOWN_MODEL),
        (413, b"", Reason.TOO_LONG),
        (422, b'{"detail":[{"loc":["body"]}]}', Reason.INVALID_REQUEST),
        (429, b'{"error":{"type":"insufficient_quota"}}', Reason.QUOTA_GONE),
        (429, b"slow down", Reason.RATE_LIMITED),
        (504, b"<html>", Reason.TIMEOUT),
        (424, b'{"message":"The model had a hiccup."}', Reason.SERVER_ERROR),
        (429, b'{"error":{"message":"This request is too large for your tier. Shorten the prompt."}}', Reason.TOO_LONG),
        (429, b'{"error":{"message":"Too many tokens in this minute."}}', Reason.RATE_LIMITED),
        (500, b'{"error":"Jinja error: this model has no system role"}', Reason.INVALID_REQUEST),
        (500, b'{"error":"the worker has crashed"}', Reason.SERVER_ERROR),
        (529, b"", Reason.SERVER_ERROR),
    ],
)
def test_statuses_of_compatible_servers(status: int, body: bytes, reason: Reason) -> None:
    assert from_status(status, {}, body).reason is reason


@pytest.mark.parametrize(
    "words", ["the model mixtral is still being loaded", "Loading the model into memory", "warming up"]
)
def test_a_model_that_is_being_loaded_spends_no_retry(words: str) -> None:
    loading, down = (from_status(503, {}, said.encode()) for said in (words, "the service is down"))
    assert (loading.reason, loading.spends_retry) == (Reason.SERVER_ERROR, False)
    assert down.spends_retry


def test_a_moment_in_a_body_is_a_wait() -> None:
    moment = time.time() + 50
    for body in ({"resets_at": moment}, {"error": {"headers": {"X-RateLimit-Reset": f"{moment * 1000:.0f}"}}}):
        assert 45 < (of_body(body) or 0) <= 51
    assert of_body({"resets_at": moment - 90}) is None and of_body({"reset_time": "never"}) is None
    assert of_body({"error": "starting", "estimated_time": 7.5}) == 7.5


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("Your weekly allowance is gone", True),
        ("每日额度已满", True),
        ("try again in a minute", False),
        ("请稍后再试", False),
    ],
)
def test_quotas_by_the_day_or_longer_in_words(words: str, right: bool) -> None:
    assert is_per_day(words) is right


def test_a_wait_of_nothing_is_no_reason_to_hurry() -> None:
    failure, rng = Failure(Reason.RATE_LIMITED, "slow down", 429, retry_after=0.0), random.Random(3)
    assert sum(wait_seconds(failure, 3, rng, cap_seconds=30.0) for _ in range(200)) / 200 > 1.0


def test_job_level_messages_end_with_the_next_step() -> None:
    failures = [Failure(reason, "said the provider.") for reason in Reason]
    stopping = [str(failure.error()) for failure in failures if failure.consequence is Consequence.STOP]
    assert len(stopping) > 3
    assert [text for text in stopping if not text.endswith(".") or "`corpus" not in text] == []


def test_a_bug_is_not_taken_for_the_network() -> None:
    assert from_exception(KeyError("x")) is None


@given(st.integers(1, 200), st.floats(0.1, 10_000), st.integers(0, 2**32))
def test_jitter_stays_below_the_cap(attempt: int, cap: float, seed: int) -> None:
    assert 0.0 <= full_jitter(attempt, random.Random(seed), cap_seconds=cap) <= min(cap, 2.0 ** (attempt - 1)) + 1e-9


def test_a_long_retry_after_is_honoured_beyond_the_cap() -> None:
    failure = Failure(Reason.RATE_LIMITED, "x", retry_after=3600.0)
    waits = [wait_seconds(failure, 1, random.Random(n), cap_seconds=600.0) for n in range(50)]
    assert min(waits) >= 3600.0 and max(waits) <= 3960.0 and len(set(waits)) > 40


def test_the_same_seed_waits_the_same() -> None:
    failure = Failure(Reason.SERVER_ERROR, "x")
    assert wait_seconds(failure, 3, random.Random(5), cap_seconds=600) == wait_seconds(
        failure, 3, random.Random(5), cap_seconds=600
    )


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcDEF1234567890",
        "sk-ab***************yz",
        "AKIAIOSFODNN7EXAMPLE",
        "Bearer eyJhbGciOiJIUzI1NiJ9.x.y",
        "https://user:hunter2@example.org/",
        "https://s3.example.org/x?X-Amz-Signature=deadbeefdeadbeef&x=1",
    ],
)
def test_secrets_are_redacted(secret: str) -> None:
    shown = redact(f"it broke at {secret} there")
    for part in ("sk-proj", "sk-ab", "AKIA", "eyJ", "hunter2", "deadbeef"):
        assert part not in shown
    assert "it broke" in shown and "there" in shown


@given(st.text(max_size=3000))
def test_redacted_text_is_one_short_line(text: str) -> None:
    shown = redact(text, "a-known-secret")
    assert len(shown) <= MAX_CHARACTERS and "\n" not in shown and "a-known-secret" not in shown
