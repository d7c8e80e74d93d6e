"""Options of a stand-in server."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from corpus_pipeline.llm_stub.faults import Fault
from corpus_pipeline.llm_stub.latency import NO_LATENCY, Latency

MODELS = ("corpus-stub", "corpus-stub-mini")


@dataclass(frozen=True)
class StubOptions:
    """All times in seconds.

    models: further names that are answered; every answer still says a `corpus-stub` model. api_key: the only key that
    is let in; None lets all in. retry_after: what 429 and 503 ask for. trickle: time between two bytes. batch: how
    long a provider batch takes. request_log: a JSON Lines file, appended to.
    """

    seed: int = 0
    latency: Latency = NO_LATENCY
    faults: dict[Fault, float] = field(default_factory=dict)
    retry_after: float = 1.0
    trickle: float = 1.0
    batch: float = 2.0
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    models: tuple[str, ...] = ()
    api_key: str | None = field(default=None, repr=False)
    reasoning_tokens: int = 0
    request_log: Path | None = None
    fsync: bool = False
    cache_from: int = 1024  # input tokens from which a prompt is cached
    tiers: tuple[str, ...] = ()  # service tiers in which answers come, by chance, where a request names none
    cache_writes: bool = False  # the rest of a prompt that long is written to the cache, and billed so
