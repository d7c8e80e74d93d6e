"""The wait that a provider asks for, wherever it says so: headers in every notation, fields of the body, plain words."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from corpus_pipeline.lazy_patterns import lazily

MAX_SECONDS: Final = 31 * 86_400.0  # more is no wait but a mistake of units, or a refusal
_MAX_DEPTH, _MAX_FIELDS = 8, 400
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SPAN: Final = lazily(
    r"(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])",
    re.IGNORECASE,
)
_ASKED_IN_WORDS: Final = lazily(
    r"(?:try(?:ing)? (?:\w+ )?again|retry(?:ing)?|wait|resets?|available|back) (?:\w+ ){0,3}?(?:in|after|for|at least)?\s*"
    r"((?:\d+(?:\.\d+)?\s*[a-z]+[\s,]*(?:and\s+)?)+)",
    re.IGNORECASE,
)
# names of fields without their dashes, and the unit of a bare number in them
_FIELDS: Final = {
    "retrydelay": 1.0,
    "retryafter": 1.0,
    "retryafterseconds": 1.0,
    "retryafterms": 0.001,
    "retryinseconds": 1.0,
    "estimatedtime": 1.0,  # of a model that is being loaded
}
# names of fields that hold the moment in which a limit is filled again: Unix time, or a date
_MOMENTS: Final = frozenset({"xratelimitreset", "ratelimitreset", "resetat", "resetsat", "resettime", "resetstime"})
_PER_DAY: Final = lazily(
    r"per[ _-]?day|\bdaily\b|\bweekly\b|\bmonthly (?:usage |request |token )?(?:limit|quota)|PerDay|"
    r"今[日天]|每[日天]|当[日天]|明天再|本周|\b(?:RPD|TPD)\b|\bday(?:'s)? (?:limit|quota)|per 24 hours|"
    r"(?:calls|requests|tokens|messages) ?(?:/|per|a|each) ?(?:day|week|month)\b",
    re.IGNORECASE,
)


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds to wait: `retry-after-ms`, or `retry-after` as seconds, a span ("2m7.5s") or an HTTP date (RFC 9110, 10.2.3).

    now: Unix time, for dates. None when nothing usable is said; never negative.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000.0)
    said = headers.get("retry-after")
    seconds = _number(said)
    if seconds is None:
        seconds = None if not said else _moment_or_span(said, now)
    return None if seconds is None or seconds > MAX_SECONDS else max(0.0, seconds)


def of_headers(headers: Mapping[str, str], *, now: float) -> float | None:
    """As `retry_after`, else until the exhausted limit of a response is filled again (`x-ratelimit-reset-*` and the like)."""
    asked = retry_after(headers, now=now)
    if asked is not None:
        return asked
    kinds = [*_RESETS, *(name for name in headers if _ANTHROPIC_RESETS.fullmatch(name))]
    resets = {kind: wait for kind in kinds if (wait := _reset(headers, kind, now)) is not None}
    exhausted = [wait for kind, wait in resets.items() if _number(headers.get(kind.replace("reset", "remaining"))) == 0]
    if exhausted:
        return max(exhausted)
    return min(resets.values(), default=None)


_RESETS: Final = (
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "x-ratelimit-reset",
    "ratelimit-reset",
)
_ANTHROPIC_RESETS: Final = lazily(r"anthropic-ratelimit-[a-z-]+-reset")


def of_body(body: Any) -> float | None:
    """The longest wait that an error body asks for, in a field of its own or in the words of its messages."""
    found: list[float] = []
    for name, value in _fields(body):
        factor = _FIELDS.get(re.sub(r"[_\-]", "", name).lower())
        seconds = None if factor is None else _span_of(value, factor)
        if factor is None and re.sub(r"[_\-]", "", name).lower() in _MOMENTS:
            seconds = _until(value)
        if seconds is None and isinstance(value, str):
            seconds = in_words(value)
        if seconds is not None:
            found.append(seconds)
    return max(found, default=None)


def _until(value: Any) -> float | None:
    """Seconds to a moment: Unix time in seconds or milliseconds, or a date; None for what is no moment to come."""
    number = _plain_number(value) if not isinstance(value, str) else _number(value)
    now = time.time()
    if number is None:
        seconds = _moment_or_span(value, now) if isinstance(value, str) else None
        return seconds if seconds is not None and seconds <= MAX_SECONDS else None
    return next((moment - now for moment in (number / 1000.0, number) if 0 <= moment - now <= MAX_SECONDS), None)


def in_words(text: str) -> float | None:
    """Seconds of "try again in 2m7.5s", "retry after 20 seconds"; None when a text asks for no wait."""
    waits = [_sum(match.group(1)) for match in _ASKED_IN_WORDS.finditer(text[:4000])]
    return max((wait for wait in waits if wait is not None and wait <= MAX_SECONDS), default=None)


def is_per_day(text: str) -> bool:
    """Whether words speak of a quota by the day, or by more than that."""
    return _PER_DAY.search(text[:8000]) is not None


def _reset(headers: Mapping[str, str], kind: str, now: float) -> float | None:
    said = headers.get(kind)
    if not said:
        return None
    number = _number(said)
    if number is None:
        return _moment_or_span(said, now)
    for moment in (number / 1000.0, number):  # Unix time, in milliseconds or seconds
        if abs(moment - now) < MAX_SECONDS:
            return max(0.0, moment - now)
    return number if 0 <= number <= MAX_SECONDS else None


def _moment_or_span(said: str, now: float) -> float | None:
    text = said.strip()[:200]
    seconds = _sum(text) if text[:1].isdigit() and text[-1:].isalpha() and "-" not in text else None
    if seconds is not None:
        return seconds
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return max(0.0, read(text).timestamp() - now)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _span_of(value: Any, factor: float) -> float | None:
    if isinstance(value, dict):  # {"seconds": 5, "nanos": 500000000}
        parts = (_plain_number(value.get("seconds")), _plain_number(value.get("nanos")))
        if parts == (None, None):
            return None
        seconds: float | None = (parts[0] or 0.0) + (parts[1] or 0.0) / 1e9
    elif isinstance(value, str):
        number = _number(value)
        seconds = _sum(value) if number is None else number * factor
    else:
        number = _plain_number(value)
        seconds = None if number is None else number * factor
    return seconds if seconds is not None and 0 <= seconds <= MAX_SECONDS else None


def _sum(text: str) -> float | None:
    spans = _SPAN.findall(text[:200])
    if not spans:
        return None
    return sum(
        float(number) * _UNITS["ms" if unit.lower().startswith(("ms", "mil")) else unit[0].lower()]
        for number, unit in spans
    )


def _fields(body: Any) -> Iterator[tuple[str, Any]]:
    """Every (name, value) of nested JSON, as far as an error is ever nested; the elements of a list have the list's name."""
    waiting: list[tuple[str, Any, int]] = [("", body, 0)]
    for _ in range(_MAX_FIELDS):
        if not waiting:
            return
        name, value, depth = waiting.pop()
        yield name, value
        if depth < _MAX_DEPTH:
            pairs = (
                value.items()
                if isinstance(value, dict)
                else ((name, e) for e in value)
                if isinstance(value, list)
                else ()
            )
            waiting += [(str(key), part, depth + 1) for key, part in pairs]


def _plain_number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return float(value) if is_number else None


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None
