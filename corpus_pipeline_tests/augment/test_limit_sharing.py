"""Processes that share a provider's limits, each with its own part."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from corpus_pipeline import process_identity
from corpus_pipeline.jobs.augment import limit_sharing
from corpus_pipeline.llm.limits import Limiter
from corpus_pipeline.store import Store, migrate


@pytest.mark.parametrize("rate", [120, None])
def test_the_others_have_made_room_before_the_first_call_of_a_newcomer(
    rate: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit_sharing, "EVERY_SECONDS", 0.5)
    store = Store(f"sqlite:///{tmp_path / 'corpus.db'}")
    migrate.ensure(store)
    limiters = [Limiter(8, requests_per_minute=rate) for _ in range(2)]
    own = process_identity.own()
    sharings = []
    for limiter, owner in zip(limiters, (own, own.replace(own.split(":")[2], "far")), strict=True):
        monkeypatch.setattr(process_identity, "own", lambda owner=owner: owner)
        sharings.append(limit_sharing.Sharing(store, "https://provider", limiter))

    async def start() -> list[int]:
        await sharings[0].join()
        running = asyncio.create_task(sharings[0].run())
        await sharings[1].join()
        found = [limiter.concurrency for limiter in limiters]
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return found

    # without a rate nothing is waited for: calls at once that are too many for a moment break no promise
    assert asyncio.run(start()) == ([4, 4] if rate else [8, 4])
    store.close()
