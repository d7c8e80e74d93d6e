"""Every fault that the stand-in can show, and the seeded decision whether a request meets one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from enum import StrEnum

from corpus_pipeline.errors import UnknownName, UsageError


class Fault(StrEnum):
    """What goes wrong, by the name that `--fault NAME=SHARE` takes."""

    # refused with a status; not billed
    RATE_LIMIT = "429"  # Retry-After in seconds
    RATE_LIMIT_MS = "429_ms"  # retry-after-ms
    RATE_LIMIT_DATE = "429_date"  # Retry-After as an HTTP date
    RATE_LIMIT_BARE = "429_bare"  # no hint how long to wait
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502"  # HTML from a gateway
    OVERLOADED = "503"
    INVALID = "400"
    CONTENT_POLICY = "content_policy"  # 400 with that code
    TOO_LONG = "too_long"  # 400 context_length_exceeded
    BAD_KEY = "401"
    FORBIDDEN = "403"
    QUOTA_GONE = "insufficient_quota"  # 429 that no waiting helps
    NO_SUCH_MODEL = "model_not_found"
    REDIRECT = "redirect"
    # the wire; billed
    TIMEOUT = "timeout"  # no byte comes
    TRICKLE = "trickle"  # one byte at a time
    RESET = "rst"  # connection reset in the middle of the body
    ANSWERED_RESET = "answered_rst"  # connection reset before the first byte, but the work is done and billed
    BAD_BODY = "bad_body"  # 200 and half a JSON document
    HTML = "html"  # 200 and a web page
    GZIP = "gzip"  # 200 and a small body that unpacks to a large one
    # the answer; billed
    CUT = "cut"  # finish_reason length
    FILTERED = "content_filter"  # finish_reason content_filter
    REFUSAL = "refusal"  # the refusal field
    SORRY = "sorry"  # a refusal in prose
    EMPTY = "empty"
    WHITESPACE = "whitespace"
    MALFORMED = "malformed"  # prose where JSON was asked, JSON where prose was
    WRONG_LANGUAGE = "wrong_language"
    ECHO = "echo"  # the source text, unchanged
    LOOP = "loop"  # the same words again and again
    NO_USAGE = "no_usage"
    WRONG_MODEL = "wrong_model"  # another model's name in the answer
    # the Batch API only
    EXPIRED = "expired"  # the request is not worked before the batch expires


REFUSED = frozenset(list(Fault)[: list(Fault).index(Fault.TIMEOUT)])
WIRE = frozenset(list(Fault)[list(Fault).index(Fault.TIMEOUT) : list(Fault).index(Fault.CUT)])


class FaultMix:
    """Shares of faults. The same seed, request and attempt meet the same fault in every run."""

    def __init__(self, shares: Mapping[Fault, float], seed: int) -> None:
        if any(share < 0 for share in shares.values()) or sum(shares.values()) > 1 + 1e-9:
            raise UsageError("fault shares must be 0 or more and add up to 1 at most, as in --fault 429=0.1")
        self.shares = dict(shares)
        self._seed = seed
        self._steps: list[tuple[float, Fault]] = []
        top = 0.0
        for fault in Fault:  # in the order of the enum, so that the order of the options does not matter
            if share := self.shares.get(fault, 0.0):
                top += share
                self._steps.append((top, fault))

    def draw(self, request_hash: str, attempt: int) -> Fault | None:
        """The fault that this attempt meets; None is a good answer."""
        if not self._steps:
            return None
        point = uniform(self._seed, request_hash, attempt, "fault")
        return next((fault for top, fault in self._steps if point < top), None)


def uniform(seed: int, request_hash: str, attempt: int, purpose: str) -> float:
    """A number in [0, 1) that depends on nothing but its arguments."""
    digest = hashlib.blake2b(f"{seed}|{request_hash}|{attempt}|{purpose}".encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big") / (1 << 56)


def parse_shares(texts: Iterable[str]) -> dict[Fault, float]:
    """Shares from `NAME=SHARE` texts. Raises UsageError or UnknownName."""
    shares: dict[Fault, float] = {}
    for text in texts:
        name, _, share = text.partition("=")
        shares[fault_named(name.strip())] = _share(text, share)
    return shares


def fault_named(name: str) -> Fault:
    """The fault of that name. Raises UnknownName."""
    try:
        return Fault(name)
    except ValueError:
        raise UnknownName("fault", name, list(Fault)) from None


def _share(text: str, share: str) -> float:
    try:
        return float(share)
    except ValueError:
        raise UsageError(f"{text!r} is no fault share; write NAME=SHARE, as in 429=0.1") from None
