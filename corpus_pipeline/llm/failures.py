"""What a failed call means: park the sample, try again, or stop the job.

One record, `Failure`, says it; `failure.error()` is the exception of its consequence:

CallRejected (BadAnswer)          this request will never be answered: content policy, invalid, too long
CallFailed (TransientCall)        a later attempt may do better: 429, 5xx, timeout, dropped wire, broken body
CallRefused (ProviderRefused)     no call will be answered: bad key, unknown model, quota gone, wrong address
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import NamedTuple, assert_never

from corpus_pipeline.errors import BadAnswer, ProviderRefused, TransientCall
from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.llm import error_bodies, waits
from corpus_pipeline.llm.connections import TooMuch, Unsendable
from corpus_pipeline.llm.error_bodies import Words
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
    FORBIDDEN = "forbidden"  # 403 that does not speak of the key: a firewall, a region, one text
    BAD_KEY = "bad_key"  # 401, and 403 that speaks of the key
    UNKNOWN_MODEL = "unknown_model"
    QUOTA_GONE = "quota_gone"  # no money left at the provider
    WRONG_ADDRESS = "wrong_address"  # 404 or a redirect: there is no such API at the base URL
    UNTRUSTED = "untrusted"  # the certificate is not signed by an authority that is known here
    PROXY = "proxy"  # the HTTP proxy of the deployment lets no request through
    NOT_SENT = "not_sent"  # the request cannot be put on the wire: a setting holds what no header can


_CONSEQUENCES: dict[Reason, Consequence] = {
    Reason.CONTENT_POLICY: Consequence.PARK,
    Reason.TOO_LONG: Consequence.PARK,
    Reason.INVALID_REQUEST: Consequence.PARK,
    Reason.FORBIDDEN: Consequence.PARK,
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
    Reason.UNTRUSTED: Consequence.STOP,
    Reason.PROXY: Consequence.STOP,
    Reason.NOT_SENT: Consequence.STOP,
}

_NEXT_STEP: dict[Reason, str] = {
    Reason.BAD_KEY: "Check OPENAI_API_KEY and OPENAI_BASE_URL, then `corpus doctor`.",
    Reason.UNKNOWN_MODEL: "Name a model that the provider has (recipe or CORPUS_MODEL), then `corpus doctor`.",
    Reason.QUOTA_GONE: "Top up or raise the limit at the provider, then `corpus run`: finished work is kept.",
    Reason.WRONG_ADDRESS: "Check OPENAI_BASE_URL (it usually ends in /v1), then `corpus doctor`.",
    Reason.UNTRUSTED: "Name the file with your authority in CORPUS_CA_FILE (or SSL_CERT_FILE), then `corpus doctor`.",
    Reason.PROXY: (
        "Check HTTPS_PROXY (http://USER:PASSWORD@HOST:PORT where it wants a password) and NO_PROXY, then `corpus doctor`."
    ),
    Reason.NOT_SENT: "Check the key and the headers of the endpoint, then `corpus doctor`.",
}


def next_step_of(reason: Reason) -> str:
    """What a person can do about a reason that concerns the whole job."""
    return _NEXT_STEP.get(reason, "Look at the provider's words, then `corpus doctor --probe`.")


class Failure(NamedTuple):
    """One failed attempt.

    retry_after: seconds that the provider asked to wait. maybe_billed: the provider may have worked, so the attempt is
    booked as unknown at its upper bound. message: redacted and cut, fit to be stored.
    param: the parameter that the provider names. per_day: a quota by the day is used up.
    """

    reason: Reason
    message: str
    status: int | None = None
    code: str | None = None
    retry_after: float | None = None
    maybe_billed: bool = False
    request_id: str | None = None
    param: str | None = None
    per_day: bool = False

    @property
    def consequence(self) -> Consequence:
        return _CONSEQUENCES[self.reason]

    @property
    def spends_retry(self) -> bool:
        """Whether this attempt counts against the retries of the recipe: a 429 does not, nor a model that is being loaded."""
        is_loading = self.reason is Reason.SERVER_ERROR and _LOADING.search(self.message) is not None
        return self.reason is not Reason.RATE_LIMITED and not is_loading

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
        super().__init__(f"{failure.reason}: {failure.message} {next_step_of(failure.reason)}")
        self.failure = failure


def from_status(
    status: int, headers: Mapping[str, str], raw: bytes, *, secrets: tuple[str | None, ...] = ()
) -> Failure:
    """The failure that a response other than 200 stands for. `headers` is looked up in lower case."""
    return of_words(status, error_bodies.read(raw), headers, secrets=secrets)


def of_words(
    status: int,
    words: Words,
    headers: Mapping[str, str],
    *,
    in_band: bool = False,
    billed: bool = False,
    secrets: tuple[str | None, ...] = (),
) -> Failure:
    """The failure that an error's words stand for, whether they came with `status` or inside of a success (in_band).

    billed: something was answered beside the error.
    """
    meant = (words.status or 500) if in_band else status
    shown = f"HTTP {status}, error {words.status}:" if in_band and words.status else f"HTTP {status}"
    stated = [w for w in (waits.of_headers(headers, now=time.time()), words.wait) if w is not None]
    limited = meant in (429, 498, 503, 529)
    return Failure(
        reason=_reason(meant, words),
        message=redact(f"{shown} {words.message}".strip(), *secrets),
        status=status,
        code=redact(words.code, *secrets, limit=64) or None,
        retry_after=max(stated, default=None) if limited else waits.retry_after(headers, now=time.time()),
        maybe_billed=billed or (not in_band and status in _MAYBE_BILLED),
        request_id=_short(headers.get("x-request-id")),
        param=redact(words.param, *secrets, limit=200) or None,
        per_day=words.per_day and meant == 429,
    )


# what a gateway says when it stopped waiting for the model, which may have gone on working
_MAYBE_BILLED = frozenset({408, 502, 504, 520, 522, 524})
_QUOTA = lazily(
    r"insufficient_(?:quota|balance|credits|funds)|billing_(?:hard_limit_reached|not_active)|credit_balance|arrearage|"
    r"insufficient (?:credits|funds|balance|account balance)|balance is (?:insufficient|not enough)|credit balance is too low|"
    r"exceeded (?:your )?current quota, please check your plan|exceeded_current_quota|"
    r"free quota has been exhausted|freetieronly|"
    r"budget_exceeded|budget has been exceeded|exceeded ?budget|over budget|(?:spending|billing) limit|past invoices|"
    r"余额不足|欠费|额度不足|请充值",
    re.IGNORECASE,
)
# words of a limit by the minute, which some say with the code of an empty account, and some with 400 or 500
_THROTTLED = lazily(
    r"throttl(?:ing|ed)|error-code#token-limit|request queue is full|rate limit (?:exceeded|reached)|"
    r"too many (?:concurrent )?requests|concurrent requests|overloaded[^.]{0,40}try again|访问量过大|请求过于频繁",
    re.IGNORECASE,
)
_LOADING = lazily(
    r"\bloading (?:the )?model|\bmodel\b[^.]{0,100}\b(?:is|being|currently|still) (?:being )?load(?:ing|ed)\b|warming up|"
    r"still starting|模型[^。]{0,20}加载中",
    re.IGNORECASE,
)
# one request that is larger than a limit by the minute: it fits into no minute, however long one waits
_LARGER_THAN_A_LIMIT = lazily(
    r"request (?:is )?too large|(?:reduce|shorten) (?:your|the) (?:message|prompt|input|request)|tokens must be reduced",
    re.IGNORECASE,
)
# the template of the model on the server refuses the messages, and the server takes that for a fault of its own
_TEMPLATE = lazily(r"\bjinja|raise_exception|chat template|roles must alternate|system role (?:is )?not", re.IGNORECASE)
_NO_MODEL = lazily(
    r"on-demand throughput isn.t supported|don.t have access to the model with|no models? (?:is |are )?loaded",
    re.IGNORECASE,
)
_MODEL_CODES = frozenset(
    {"model_not_found", "invalid_model", "unsupported_model", "deploymentnotfound", "model_not_exist"}
)
_TOO_LONG = lazily(
    r"context_length_exceeded|string_above_max_length|request_too_large|maximum context length|context window|"
    r"(?:prompt|input) is too long|(?:prompt|input)[^.]{0,60}exceeds? the|too many (?:input )?tokens|"
    r"input token count[^.]{0,60}exceeds|exceed_context_size|exceeds? the available context|"
    r"max_tokens must be at least 1, got -?\d|max_new_tokens`? must be <=|超长|超出(?:模型)?(?:最大)?(?:上下文|长度)",
    re.IGNORECASE,
)
_POLICY = lazily(
    r"content[ _-]?(?:policy|filter|moderat|management)|responsibleaipolicy|moderation|data_inspection|"
    r"\bflagged\b|safety (?:system|policy|filter)|inappropriate content|sensitive (?:content|information)|"
    r"violat\w+ (?:our|the|of)|content exists risk|usage policies|cyber_policy|prohibited_content|敏感内容|不安全|违规",
    re.IGNORECASE,
)
_KEY = lazily(
    r"(?:invalid|incorrect|missing|expired|revoked|no|unknown)[ _-](?:\w+[ _-])?(?:api[ _-]?key|credential|access token)|"
    r"api[ _-]?key (?:is )?(?:not |in)valid|api_key_invalid|invalid_api_key|(?:un|not )authenticated|unauthorized|"
    r"security token[^.]{0,60}(?:expired|invalid)|(?:令牌|密钥)(?:已过期|无效|不正确)",
    re.IGNORECASE,
)
# servers that have no code for it: "The model `x` does not exist.", 'model "x" not found'
_NAMES_A_MODEL = lazily(
    r"\bmodels?\b.{0,200}\b(?:not found|does not exist|not exist|unknown)\b", re.IGNORECASE | re.DOTALL
)


def _reason(status: int, words: Words) -> Reason:
    code, said = words.code, f"{words.code} {words.kind} {words.message}"
    is_throttled = _THROTTLED.search(said) is not None
    if status == 402 or (_QUOTA.search(said) and not words.per_day and words.wait is None and not is_throttled):
        return Reason.QUOTA_GONE
    if status == 429 and _LARGER_THAN_A_LIMIT.search(said):
        return Reason.TOO_LONG
    if is_throttled and status in (400, 403, 429, 500, 503):
        return Reason.RATE_LIMITED
    if code in _MODEL_CODES or _NO_MODEL.search(said) or (status in (400, 404) and words.param == "model"):
        return Reason.UNKNOWN_MODEL
    if status == 401 or (status in (400, 403) and _KEY.search(said)):
        return Reason.BAD_KEY
    if status in (400, 403, 422, 451) and _POLICY.search(said):
        return Reason.CONTENT_POLICY
    if status == 403:
        return Reason.FORBIDDEN
    if status in (429, 498):  # 498: no capacity of this tier at the moment
        return Reason.RATE_LIMITED
    if status in (408, 504, 522, 524):
        return Reason.TIMEOUT
    if status == 500 and _TOO_LONG.search(f"{code} {words.kind}"):  # by its own code: another attempt is as long
        return Reason.TOO_LONG
    if status == 500 and _TEMPLATE.search(said):
        return Reason.INVALID_REQUEST
    if (
        status >= 500 or status in (409, 424, 425, 499) or "model is unloaded" in said.lower()
    ):  # it is loaded again when asked
        return Reason.SERVER_ERROR
    if status == 404 and _NAMES_A_MODEL.search(said):
        return Reason.UNKNOWN_MODEL
    if status in (404, 405) or 300 <= status < 400:
        return Reason.WRONG_ADDRESS
    if status == 413 or _TOO_LONG.search(said):
        return Reason.TOO_LONG
    return Reason.INVALID_REQUEST


def of_call(error: Exception, *, secrets: tuple[str | None, ...] = ()) -> Failure | None:
    """As `from_exception`, of one call with a deadline around it."""
    if isinstance(error, TooMuch):
        return broken_body(str(error))
    if type(error) is TimeoutError:
        return Failure(Reason.TIMEOUT, "the deadline of the call passed", maybe_billed=True)
    return from_exception(error, secrets=secrets)


def from_exception(error: BaseException, *, secrets: tuple[str | None, ...] = ()) -> Failure | None:
    """The failure that a broken call stands for; None when the error is not the network's (a bug, a cancellation)."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, _network()):
        cause = cause.__cause__
    if cause is None:
        return None
    name = type(cause).__name__
    message = redact(f"{name}: {cause}" if str(cause) else name, *secrets)
    if _is_untrusted(cause):
        return Failure(Reason.UNTRUSTED, message)
    if isinstance(cause, Unsendable):
        return Failure(Reason.NOT_SENT, message)
    import aiohttp

    if isinstance(cause, aiohttp.ClientHttpProxyError) and cause.status < 500:  # no other attempt is let through either
        said = redact(f"the proxy answers {cause.status} {cause.message}".rstrip(), *secrets)
        return Failure(Reason.PROXY, said, cause.status)
    if isinstance(cause, _not_sent()):
        return Failure(Reason.UNREACHABLE, message)
    if isinstance(cause, TimeoutError):
        return Failure(Reason.TIMEOUT, message, maybe_billed=True)
    return Failure(Reason.DROPPED, message, maybe_billed=True)


def _is_untrusted(error: BaseException | None) -> bool:
    """Whether a certificate was refused, somewhere in the chain of causes."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


# aiohttp is imported when a call fails: it takes a quarter of a second, and most of what imports this makes no call
@cache
def _network() -> tuple[type[BaseException], ...]:
    import aiohttp

    return TimeoutError, ConnectionError, aiohttp.ClientError, Unsendable


@cache
def _not_sent() -> tuple[type[BaseException], ...]:
    """No connection was made, so that nothing was sent."""
    import aiohttp

    return (
        aiohttp.ClientConnectorError,
        aiohttp.ClientHttpProxyError,
        aiohttp.ConnectionTimeoutError,
        ConnectionRefusedError,
    )


def broken_body(message: str, *, status: int = 200, request_id: str | None = None, raw: bytes = b"") -> Failure:
    """A response that says success and is none: what was billed for it is not known. raw: the body, of which some is quoted."""
    quote = error_bodies.quoted(raw)
    said = f"{message}: {quote}" if quote else message
    return Failure(Reason.BROKEN_BODY, redact(said), status, maybe_billed=True, request_id=_short(request_id))


def _short(request_id: str | None) -> str | None:
    """As much of a request id as the ledger holds."""
    return None if request_id is None else request_id[:128]
