"""Leases: one holder, times of the database, an epoch that rises, and no write with an old one."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, select, update

from corpus_pipeline import process_identity
from corpus_pipeline.errors import Fenced, LeaseHeld
from corpus_pipeline.jobs.lease import holding
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import Guard, Store, cursors, leases, provider_workers, run_workers, schema
from corpus_pipeline.store.types import now_ms
from corpus_pipeline_tests.store import making


def expire(store: Store, made: making.Made) -> None:
    store.write(
        lambda c: c.execute(update(schema.leases).where(schema.leases.c.task_id == made.task_id).values(expires_at=1))
    )


def test_a_lease_keeps_others_out_until_it_is_released(store: Store) -> None:
    made = making.task(store)
    first = store.write(lambda c: leases.acquire(c, made.task_id, Stage.CLEAN, "one", 30_000))
    assert (first.epoch, first.seq) == (1, 0)
    assert 25_000 < first.left_ms <= 30_000
    with pytest.raises(LeaseHeld, match=r"worked on by one for 0 s; .*alive.* \(lease for another"):
        store.write(lambda c: leases.acquire(c, made.task_id, Stage.CLEAN, "two", 30_000))
    store.write(
        lambda c: leases.acquire(c, made.task_id, Stage.AUGMENT, "two", 30_000)
    )  # another stage is another lease
    store.write(lambda c: leases.release(c, made.task_id, Stage.CLEAN, "one", first.epoch))
    second = store.write(lambda c: leases.acquire(c, made.task_id, Stage.CLEAN, "two", 30_000))
    assert second.epoch == 2


def test_a_dead_holders_lease_ends_by_the_clock_of_the_database(store: Store) -> None:
    made = making.task(store)
    store.write(lambda c: leases.acquire(c, made.task_id, Stage.CLEAN, "dead", 300))
    with pytest.raises(LeaseHeld):
        store.write(lambda c: leases.acquire(c, made.task_id, Stage.CLEAN, "next", 30_000))
    time.sleep(0.35)
    assert store.write(lambda c: leases.acquire(c, made.task_id, Stage.CLEAN, "next", 30_000)).epoch == 2
    clock = store.fetch(lambda c: c.execute(select(now_ms())).scalar_one())
    assert abs(clock - time.time() * 1000) < 5_000


def test_nobody_writes_with_an_old_epoch(store: Store) -> None:
    made = making.task(store)
    zombie = making.held(store, made, owner="zombie")
    making.running(store, made, zombie)
    expire(store, made)
    store.write(lambda c: None, zombie)  # late, but nobody took over: nothing is lost by letting it write
    successor = making.held(store, made, owner="successor")
    assert successor.epoch == zombie.epoch + 1
    with pytest.raises(Fenced, match="another worker took over"):
        store.write(lambda c: cursors.advance(c, made.task_id, Stage.INGEST, "parse", last_id=0, rows=5), zombie)
    assert making.cursor(store, made).current_offset == 0
    assert not store.write(lambda c: leases.extend(c, made.task_id, Stage.INGEST, "zombie", zombie.epoch, 30_000))
    store.write(lambda c: leases.release(c, made.task_id, Stage.INGEST, "zombie", zombie.epoch))
    store.write(lambda c: None, successor)  # the zombie's release did not touch the successor's lease


def test_a_released_lease_writes_no_more(store: Store) -> None:
    made = making.task(store)
    guard = making.held(store, made)
    store.write(lambda c: leases.release(c, made.task_id, Stage.INGEST, "me", guard.epoch))
    with pytest.raises(Fenced):
        store.write(lambda c: None, guard)


def test_revoking_a_lease_that_ended_refuses_its_holder(store: Store) -> None:
    made = making.task(store)
    guard = making.held(store, made)
    store.write(lambda c: leases.revoke(c, made.task_id, Stage.INGEST))
    store.write(lambda c: None, guard)  # it holds: nothing was revoked
    expire(store, made)
    store.write(lambda c: leases.revoke(c, made.task_id, Stage.INGEST))
    with pytest.raises(Fenced):
        store.write(lambda c: None, guard)


def test_the_heartbeat_keeps_a_lease_longer_than_it_lasts(store: Store) -> None:
    made = making.task(store)
    with holding(store, made.task_id, Stage.CLEAN, 1.5) as lease:
        time.sleep(2.2)  # as long as a call that blocks every other thread of work would
        lease.check()
        with pytest.raises(LeaseHeld):
            store.write(lambda c: leases.acquire(c, made.task_id, Stage.CLEAN, "other", 1_500))
    assert store.write(lambda c: leases.acquire(c, made.task_id, Stage.CLEAN, "other", 1_500)).epoch == 2


def test_a_holder_that_cannot_renew_stops_by_itself(store: Store) -> None:
    """Another one took over while this one slept: the next heartbeat notices, and no call is made after that."""
    made = making.task(store)
    with holding(store, made.task_id, Stage.CLEAN, 0.9) as lease:
        expire(store, made)
        store.write(lambda c: leases.acquire(c, made.task_id, Stage.CLEAN, "other", 30_000))
        assert lease.lost.wait(5)
        with pytest.raises(Fenced, match="was lost"):
            lease.check()
    assert store.fetch(lambda c: leases.current(c, made.task_id, Stage.CLEAN)).owner == "other"


def test_of_two_starts_at_the_same_moment_one_gets_the_lease(store: Store) -> None:
    for _ in range(10):
        made = making.task(store)
        barrier, got = threading.Barrier(4), []

        def start(name: str, made: making.Made = made, barrier: threading.Barrier = barrier, got: list = got) -> None:
            barrier.wait()
            try:
                got.append(store.write(lambda c: leases.acquire(c, made.task_id, Stage.CLEAN, name, 30_000)))
            except LeaseHeld:
                got.append(None)

        threads = [threading.Thread(target=start, args=(f"starter {n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 4
        assert [lease.epoch for lease in got if lease is not None] == [1]


def test_every_guarded_write_raises_the_number_of_the_lease(store: Store) -> None:
    made = making.task(store)
    guard = making.held(store, made)
    before = guard.seq
    for _ in range(3):
        store.write(lambda c: None, guard)
    row = store.fetch(lambda c: leases.current(c, made.task_id, Stage.INGEST))
    assert row.seq == guard.seq == before + 3
    assert Status.PENDING is making.cursor(store, made).status
    assert isinstance(guard, Guard)


def test_a_guarded_write_renews_a_lease_that_holds(store: Store) -> None:
    made = making.task(store)
    guard = making.held(store, made)
    own = schema.leases.c
    mine = (own.task_id == made.task_id, own.stage == Stage.INGEST.value)
    store.write(lambda c: c.execute(update(schema.leases).where(*mine).values(expires_at=now_ms() + 5_000)))
    renewed = guard.renewed
    store.write(lambda c: None, guard)
    assert store.fetch(lambda c: leases.current(c, made.task_id, Stage.INGEST)).left_ms > 20_000
    assert guard.renewed > renewed and not guard.has_run_out()
    guard.renewed -= 31  # by our clock it has run out, so that the database's may have let it end as well
    store.write(lambda c: None, guard)
    assert guard.has_run_out()


def _worker_name(*, alive: bool) -> str:
    """The name of a holder in another process of this machine."""
    program = "from corpus_pipeline import process_identity; print(process_identity.own(), flush=True); input()"
    worker = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    name = worker.stdout.readline().strip()
    if not alive:
        worker.kill()
        worker.wait()
    else:
        _LIVING.append(worker)
    return name


_LIVING: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    while _LIVING:
        worker = _LIVING.pop()
        worker.kill()
        worker.communicate()


def test_a_holder_of_this_machine_that_is_gone_holds_nothing(store: Store) -> None:
    made = making.task(store)
    dead = store.write(lambda c: leases.acquire(c, made.task_id, Stage.CLEAN, _worker_name(alive=False), 30_000))
    assert dead.left_ms == 0
    assert made.task_id not in {lease.task_id for lease in store.fetch(leases.live)}
    store.write(lambda c: leases.bar(c, made.task_id, Stage.CLEAN, "it"))
    assert store.write(lambda c: leases.acquire(c, made.task_id, Stage.CLEAN, "next", 30_000)).epoch == dead.epoch + 2


def test_a_living_holder_and_one_that_cannot_be_seen_keep_what_they_hold(store: Store) -> None:
    made = making.task(store)
    living = _worker_name(alive=True)
    elsewhere = str(process_identity.parsed(_worker_name(alive=False))._replace(place="another-boot"))
    for stage, owner in ((Stage.CLEAN, living), (Stage.AUGMENT, elsewhere)):
        store.write(lambda c, stage=stage, owner=owner: leases.acquire(c, made.task_id, stage, owner, 30_000))
        with pytest.raises(LeaseHeld, match=r"process \d+ on .* alive.*lease for another"):
            store.write(lambda c, stage=stage: leases.acquire(c, made.task_id, stage, "next", 30_000))


def test_a_process_id_that_another_process_has_by_now_is_not_its_holder() -> None:
    name = process_identity.own()
    assert not process_identity.is_gone(name)
    assert process_identity.is_gone(str(process_identity.parsed(name)._replace(born="1")))
    assert not process_identity.is_gone("a name of another make")


def test_a_clock_that_was_set_back_locks_nobody_out(store: Store) -> None:
    made = making.task(store)
    store.write(lambda c: leases.acquire(c, made.task_id, Stage.CLEAN, "dead", 300))
    hour = 3_600_000
    own = schema.leases.c
    back = update(schema.leases).where(own.task_id == made.task_id).values(expires_at=own.expires_at + hour)
    store.write(lambda c: c.execute(back))
    assert store.fetch(lambda c: leases.current(c, made.task_id, Stage.CLEAN)).left_ms == 300
    with pytest.raises(LeaseHeld), holding(store, made.task_id, Stage.CLEAN, 30):
        pass
    time.sleep(0.35)
    with holding(store, made.task_id, Stage.CLEAN, 30) as lease:
        assert lease.epoch == 2


def test_a_seat_and_a_share_that_were_taken_before_the_clock_was_set_back_are_not_held_until_then(store: Store) -> None:
    """Of the host that took them nothing is seen any more."""
    hour = 3_600_000
    far = str(process_identity.parsed(process_identity.own())._replace(host="far", place="far"))  # type: ignore[union-attr]
    ours = process_identity.own()
    share = provider_workers.Learnt(None, 0, None, None)

    def step_back(connection: Connection) -> None:
        seats, shares = schema.run_workers, schema.provider_workers
        connection.execute(update(seats).values(beat_at=seats.c.beat_at + hour))
        connection.execute(update(shares).values(updated_at=shares.c.updated_at + hour))

    def others(connection: Connection) -> list[provider_workers.Other]:
        return provider_workers.exchange(connection, store.backend, "origin", ours, share)

    store.write(lambda c: run_workers.sit(c, "seat", far, "1", 300))
    store.write(lambda c: provider_workers.exchange(c, store.backend, "origin", far, share))
    assert len(store.write(others)) == 1
    store.write(step_back)
    assert store.write(others) == []
    held = store.write(lambda c: run_workers.sit(c, "seat", ours, "1", 300))
    assert held is not None and held.host == "far", "it may live: it has the length of its seat to say so"
    time.sleep(0.35)
    assert store.write(lambda c: run_workers.sit(c, "seat", ours, "1", 300)) is None


def test_a_holder_that_is_unlocked_writes_no_more(store: Store) -> None:
    made = making.task(store)
    guard = making.held(store, made)
    (lease,) = store.fetch(lambda c: leases.of_task(c, made.task_id))
    assert store.write(lambda c: leases.unlock(c, lease))
    assert not store.write(lambda c: leases.unlock(c, lease))
    with pytest.raises(Fenced):
        store.write(lambda c: None, guard)
