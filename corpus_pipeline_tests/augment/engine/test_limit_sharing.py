"""Limits across processes: each takes its part, and what one learns of the provider holds for all."""

from __future__ import annotations

import time
from typing import Any

from corpus_pipeline.store import Store, migrate, provider_workers
from corpus_pipeline.store.provider_workers import Learnt

FREE = Learnt(None, 0, None, None)


def test_workers_see_each_other_until_they_leave(database_url: str) -> None:
    store = Store(database_url)
    migrate.ensure(store)

    def says(owner: str, learnt: Learnt, origin: str = "https://a:443") -> list[provider_workers.Other]:
        return store.write(
            lambda c: provider_workers.exchange(c, store.backend, origin, owner, learnt), repeatable=True
        )

    careful = Learnt(12.5, 3000, 600.0, None)
    assert says("one", careful) == []
    assert says("elsewhere", FREE, "https://b:443") == []
    (seen,) = says("two", FREE)
    assert (seen.owner, seen.learnt) == ("one", careful) and seen.age_ms < 5000
    says("one", FREE)
    assert [other.learnt for other in says("two", FREE)] == [FREE]
    store.write(lambda c: provider_workers.leave(c, "https://a:443", "one"), repeatable=True)
    assert says("two", FREE) == []
    store.close()


def test_two_partitions_share_the_calls_in_flight(make_kit: Any, wait_until: Any) -> None:
    kit = make_kit(latency="fixed:0.3")
    for name, temperature in (("left", 0.2), ("right", 0.3)):
        kit.add(150, name, strategies=[{"paraphrase": {"temperature": temperature}}], concurrency=16)
    with kit.running("left") as left, kit.running("right") as right:
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM provider_workers") == 2)
        joined = time.time()
        left.wait()
        right.wait()
    assert kit.one("SELECT COUNT(*) FROM provider_workers") == 0
    spans = [(line["time"] - 0.3, line["time"]) for line in kit.invoice()]
    settled = [(begun, ended) for begun, ended in spans if begun > joined + 2.5]
    most = max(sum(begun <= moment < ended for begun, ended in settled) for moment, _ in settled)
    assert 8 < most <= 16, f"{most} calls were on the wire at once"
