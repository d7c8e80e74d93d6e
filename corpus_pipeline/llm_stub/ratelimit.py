"""Requests and tokens per minute as a provider counts them: buckets that fill evenly, and headers that tell."""

from __future__ import annotations

from typing import NamedTuple


class Verdict(NamedTuple):
    """headers: x-ratelimit-*; retry_after: seconds until the request would pass, None when it passed."""

    headers: list[tuple[bytes, bytes]]
    retry_after: float | None


class _Bucket:
    def __init__(self, per_minute: int, now: float) -> None:
        self.limit = per_minute
        self.level = float(per_minute)
        self._at = now

    def refill(self, now: float) -> None:
        self.level = min(float(self.limit), self.level + (now - self._at) * self.limit / 60.0)
        self._at = now

    def seconds_until(self, amount: float) -> float:
        return max(0.0, (min(amount, self.limit) - self.level) * 60.0 / self.limit)


class RateLimits:
    """Both limits of one key; None is no limit and no headers of it."""

    def __init__(self, requests_per_minute: int | None, tokens_per_minute: int | None, now: float) -> None:
        self._buckets = {
            "requests": _Bucket(requests_per_minute, now) if requests_per_minute else None,
            "tokens": _Bucket(tokens_per_minute, now) if tokens_per_minute else None,
        }

    def take(self, tokens: int, now: float) -> Verdict:
        """Book one request of this many tokens, or say how long to wait; a refused request books nothing."""
        wanted = {"requests": 1.0, "tokens": float(tokens)}
        wait = 0.0
        for name, bucket in self._buckets.items():
            if bucket is not None:
                bucket.refill(now)
                wait = max(wait, bucket.seconds_until(wanted[name]))
        headers: list[tuple[bytes, bytes]] = []
        for name, bucket in self._buckets.items():
            if bucket is None:
                continue
            if wait == 0.0:
                bucket.level -= wanted[name]
            said = (
                ("limit", str(bucket.limit)),
                ("remaining", str(max(0, int(bucket.level)))),
                ("reset", duration(bucket.seconds_until(bucket.limit))),
            )
            headers += [(f"x-ratelimit-{what}-{name}".encode(), value.encode()) for what, value in said]
        return Verdict(headers, wait if wait > 0.0 else None)


def duration(seconds: float) -> str:
    """As OpenAI writes it: 20ms, 1.5s, 6m0s."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + f"{minutes}m{rest}s"
