"""What a failed call means: park the sample, try again, or stop the job.

One record, `Failure`, says it; `failure.error()` is the exception of its consequence:

CallRejected (BadAnswer)          this request will never be answered: content policy, invalid, too long
CallFailed (TransientCall)        a later attempt may do better: 429, 5xx, timeout, dropped wire, broken body
CallRefused (ProviderRefused)     no call will be answered: bad key, unknown model, quota gone, wrong address
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, NamedTuple, assert_never

import httpcore2
import httpx2
import orjson

from corpus_pipeline.errors import BadAnswer, ProviderRefused, TransientCall
from corpus_pipeline.llm.redaction import redact


class Consequence(StrEnum):
    """Whom a failure concerns."""

    PARK = "park"  # the sample
    AGAIN = "again"  # this attempt
    STOP = "stop"  # the job


class Reason(StrEnum):
    """Why a call failed, in one word for ledgers and queues."""

    CONTENT_POLICY = "content_policy"  # the provider will not work on this content
    TOO_LONG = "too_long"  # the request does not fit the model's context
    INVALID_REQUEST = "invalid_request"  # the provider does not accept this request
    RATE_LIMITED = "rate_limited"  # 429: too much at once; spends no retry
    SERVER_ERROR = "server_error"  # 5xx
    TIMEOUT = "timeout"  # the call's deadline passed, or the provider's
    UNREACHABLE = "unreachable"  # no connection: nothing was sent
    DROPPED = "dropped"  # the wire was cut after the request was sent
    BROKEN_BODY = "broken_body"  # success by status, but not by content
    BAD_KEY = "bad_key"  # 401, 403
    UNKNOWN_MODEL = "unknown_model"
    QUOTA_GONE = "quota_gone"  # no money left at the provider
    WRONG_ADDRESS = "wrong_address"  # 404 or a redirect: there is no such API at the base URL


_CONSEQUENCES: dict[Reason, Consequence] = {
    Reason.CONTENT_POLICY: Consequence.PARK,
    Reason.TOO_LONG: Consequence.PARK,
    Reason.INVALID_REQUEST: Consequence.PARK,
    Reason.RATE_LIMITED: Consequence.AGAIN,
    Reason.SERVER_ERROR: Consequence.AGAIN,
    Reason.TIMEOUT: Consequence.AGAIN,
    Reason.UNREACHABLE: Consequence.AGAIN,
    Reason.DROPPED: Consequence.AGAIN,
    Reason.BROKEN_BODY: Consequence.AGAIN,
    Reason.BAD_KEY: Consequence.STOP,
    Reason.UNKNOWN_MODEL: Consequence.STOP,
    Reason.QUOTA_GONE: Consequence.STOP,
    Reason.WRONG_ADDRESS: Consequence.STOP,
}

_NEXT_STEP: dict[Reason, str] = {
    Reason.BAD_KEY: "Check OPENAI_API_KEY and OPENAI_BASE_URL, then `corpus doctor`.",
    Reason.UNKNOWN_MODEL: "Name a model that the provider has (recipe or CORPUS_MODEL), then `corpus doctor`.",
    Reason.QUOTA_GONE: "Top up or raise the limit at the provider, then `corpus run`: finished work is kept.",
    Reason.WRONG_ADDRESS: "Check OPENAI_BASE_URL (it usually ends in /v1), then `corpus doctor`.",
}


class Failure(NamedTuple):
    """One failed attempt.

    retry_after: seconds that the provider asked to wait. maybe_billed: the provider may have worked, so the attempt is
    booked as unknown at its upper bound. message: redacted and cut, fit to be stored.
    """

    reason: Reason
    message: str
    status: int | None = None
    code: str | None = None
    retry_after: float | None = None
    maybe_billed: bool = False
    request_id: str | None = None

    @property
    def consequence(self) -> Consequence:
        return _CONSEQUENCES[self.reason]

    @property
    def spends_retry(self) -> bool:
        """Whether this attempt counts against the retries of the recipe: being sent away by a 429 does not."""
        return self.reason is not Reason.RATE_LIMITED

    def error(self) -> CallRejected | CallFailed | CallRefused:
        """The exception of the consequence, carrying this record as `failure`."""
        match self.consequence:
            case Consequence.PARK:
                return CallRejected(self)
            case Consequence.AGAIN:
                return CallFailed(self)
            case Consequence.STOP:
                return CallRefused(self)
            case _:
                assert_never(self.consequence)


class CallRejected(BadAnswer):
    """The provider will not answer this request; the sample is parked."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason, failure.message)
        self.failure = failure


class CallFailed(TransientCall):
    """This attempt failed; a later one may not."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.reason}: {failure.message}")
        self.failure = failure


class CallRefused(ProviderRefused):
    """The provider refuses every call."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.reason}: {failure.message} {_NEXT_STEP[failure.reason]}")
        self.failure = failure


def from_status(
    status: int, headers: Mapping[str, str], raw: bytes, *, secrets: tuple[str | None, ...] = ()
) -> Failure:
    """The failure that a response other than 200 stands for. `headers` is looked up in lower case."""
    code, kind, said = _error_fields(raw)
    reason = _reason(status, code, kind, said)
    return Failure(
        reason=reason,
        message=redact(f"HTTP {status} {said}".strip(), *secrets),
        status=status,
        code=redact(code, *secrets, limit=64) or None,
        retry_after=retry_after(headers, now=time.time()),
        maybe_billed=status in _MAYBE_BILLED,
        request_id=_short(headers.get("x-request-id")),
    )


# what a gateway says when it stopped waiting for the model, which may have gone on working
_MAYBE_BILLED = frozenset({408, 502, 504, 520, 522, 524})
_QUOTA_CODES = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "insufficient_balance", "billing_not_active"}
)
_MODEL_CODES = frozenset({"model_not_found", "invalid_model", "unsupported_model"})
_LENGTH_CODES = frozenset({"context_length_exceeded", "string_above_max_length", "request_too_large"})


# servers that have no code for it: "The model `x` does not exist.", 'model "x" not found'
_NAMES_A_MODEL = re.compile(
    r"\bmodel\b.{0,200}\b(?:not found|does not exist|not exist|unknown)\b", re.IGNORECASE | re.DOTALL
)


def _reason(status: int, code: str, kind: str, said: str) -> Reason:
    if code in _QUOTA_CODES or kind in _QUOTA_CODES or status == 402:
        return Reason.QUOTA_GONE
    if code in _MODEL_CODES:
        return Reason.UNKNOWN_MODEL
    if status in (401, 403):
        return Reason.BAD_KEY
    if status == 429:
        return Reason.RATE_LIMITED
    if status in (408, 504, 522, 524):
        return Reason.TIMEOUT
    if status >= 500 or status in (409, 425):
        return Reason.SERVER_ERROR
    if status == 404 and _NAMES_A_MODEL.search(said):
        return Reason.UNKNOWN_MODEL
    if status in (404, 405) or 300 <= status < 400:
        return Reason.WRONG_ADDRESS
    if "content" in code or "policy" in code or "policy" in kind or "moderation" in code:
        return Reason.CONTENT_POLICY
    if code in _LENGTH_CODES or status == 413 or "maximum context length" in said:
        return Reason.TOO_LONG
    return Reason.INVALID_REQUEST


def _error_fields(raw: bytes) -> tuple[str, str, str]:
    """(code, type, message) of an error body; OpenAI's shape, or the flat ones of compatible servers."""
    try:
        body: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return "", "", raw[:200].decode("utf-8", "replace")
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return "", "", str(error)[:400]
    message = error.get("message") or error.get("detail") or ""
    return str(error.get("code") or "").lower(), str(error.get("type") or "").lower(), str(message)[:2000]


def from_exception(error: BaseException, *, secrets: tuple[str | None, ...] = ()) -> Failure | None:
    """The failure that a broken call stands for; None when the error is not the network's (a bug, a cancellation)."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, _NETWORK):
        cause = cause.__cause__
    if cause is None:
        return None
    name = type(cause).__name__
    message = redact(f"{name}: {cause}" if str(cause) else name, *secrets)
    if isinstance(cause, _NOT_SENT):
        return Failure(Reason.UNREACHABLE, message)
    if isinstance(cause, (TimeoutError, httpcore2.TimeoutException, httpx2.TimeoutException)):
        return Failure(Reason.TIMEOUT, message, maybe_billed=True)
    return Failure(Reason.DROPPED, message, maybe_billed=True)


_NETWORK = (
    TimeoutError,
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpx2.TransportError,
    ConnectionError,
)
_NOT_SENT = (
    httpcore2.ConnectError,
    httpcore2.ConnectTimeout,
    httpcore2.PoolTimeout,
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    ConnectionRefusedError,
)


def broken_body(message: str, *, status: int = 200, request_id: str | None = None) -> Failure:
    """A response that says success and is none: what was billed for it is not known."""
    return Failure(Reason.BROKEN_BODY, redact(message), status, maybe_billed=True, request_id=_short(request_id))


def _short(request_id: str | None) -> str | None:
    """As much of a request id as the ledger holds."""
    return None if request_id is None else request_id[:128]


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds to wait: `retry-after-ms`, or `retry-after` as seconds or as an HTTP date (RFC 9110, 10.2.3).

    now: Unix time, for dates. None when nothing usable is said; never negative.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000.0)
    said = headers.get("retry-after")
    seconds = _number(said)
    if seconds is not None:
        return max(0.0, seconds)
    if not said:
        return None
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None
