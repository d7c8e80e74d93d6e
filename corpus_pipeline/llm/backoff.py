"""How long to wait before a call is tried again. Pure functions of the attempt and a random source."""

from __future__ import annotations

from random import Random

from corpus_pipeline.llm.failures import Failure

FIRST_SECONDS = 1.0


def full_jitter(attempt: int, rng: Random, *, cap_seconds: float, first_seconds: float = FIRST_SECONDS) -> float:
    """Seconds before the next try after failed attempt number `attempt` (1 is the first).

    Uniform between nothing and an exponentially growing ceiling, so that calls that failed together do not come back
    together: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    ceiling = min(cap_seconds, first_seconds * 2.0 ** min(max(attempt, 1) - 1, 60))
    return rng.uniform(0.0, ceiling)


def wait_seconds(failure: Failure, attempt: int, rng: Random, *, cap_seconds: float) -> float:
    """Seconds to wait after `failure`. The provider's Retry-After is honoured whatever its length; jitter comes on top,
    so that the calls it sent away do not return in the same instant."""
    jitter = full_jitter(attempt, rng, cap_seconds=cap_seconds)
    if not failure.retry_after:  # a wait of nothing would have everybody ask on without a pause
        return jitter
    return failure.retry_after + min(jitter, max(0.05, failure.retry_after * 0.1))
