"""Requests to start what is unfinished, on every database."""

from __future__ import annotations

from corpus_pipeline.states import Stage
from corpus_pipeline.store import Store, start_requests


def test_a_request_waits_until_it_is_taken_and_is_made_once(store: Store) -> None:
    assert store.write(lambda c: start_requests.add(c, "barley", Stage.EXPORT, "ann"))
    assert not store.write(lambda c: start_requests.add(c, "barley", Stage.EXPORT, "bob"))
    (wish,) = store.fetch(lambda c: start_requests.waiting(c, "barley"))
    assert (wish.stage, wish.requested_by) == (Stage.EXPORT, "ann") and wish.requested_at > 0
    assert store.fetch(lambda c: start_requests.waiting(c, "millet")) == []
    store.write(lambda c: start_requests.take(c, wish.id, None))
    assert store.fetch(lambda c: start_requests.waiting(c, "barley")) == []
