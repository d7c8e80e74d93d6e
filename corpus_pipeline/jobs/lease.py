"""Holding a lease: acquire, keep alive from a thread of its own, notice its loss, give it back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from corpus_pipeline import process_identity
from corpus_pipeline.errors import CorpusError, Fenced, LeaseHeld
from corpus_pipeline.model import TaskId
from corpus_pipeline.states import Stage
from corpus_pipeline.store import Guard, Store, leases, migrate

log = logging.getLogger(__name__)


class HeldLease:
    """A lease that is being kept alive. `guard` goes with every write; `check()` is for between the writes.

    The heartbeat runs on its own thread and connection (`Store.signs`), so that neither a busy event loop nor a lack of
    connections ends the lease; each guarded write renews it as well. When it could not be renewed for its whole length, or
    somebody else holds it, `lost` is set: no call may be made from then on.
    """

    def __init__(self, store: Store, lease: leases.Lease, ttl_seconds: float, taken: float) -> None:
        """taken: the monotonic clock before the lease was asked for; by the database's clock it began later."""
        self.guard = Guard(
            *(lease.task_id, lease.stage, lease.owner, lease.epoch, lease.seq), ttl_seconds=ttl_seconds, renewed=taken
        )
        self.lost = threading.Event()
        self._store = store
        self._ttl = ttl_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{lease.stage}", daemon=True)
        self._thread.start()

    @property
    def epoch(self) -> int:
        return self.guard.epoch

    def check(self) -> None:
        """Raises Fenced when the lease is lost or could not be renewed in time."""
        if self.guard.has_run_out():
            self.lost.set()
        if self.lost.is_set():
            raise Fenced(
                f"the lease on {self.guard.stage} of task {self.guard.task_id} was lost; another worker may hold it."
                " Run the same command again: it continues where the database stands."
            )

    def _beat(self) -> None:
        guard = self.guard

        def extend(connection: Connection) -> float | None:
            begun = time.monotonic()
            ttl_ms = int(self._ttl * 1000)
            held = leases.extend(connection, guard.task_id, guard.stage, guard.owner, guard.epoch, ttl_ms)
            return begun if held else None

        while not self._stop.wait(self._ttl / 3):
            try:
                renewed = self._store.signs.write(extend, name="heartbeat", patience=self._ttl)
            except CorpusError:
                continue  # the database is away; check() ends the work when the lease has run out
            if renewed is None:
                self.lost.set()
                return
            guard.renew(renewed)

    def release(self) -> None:
        """Stop the heartbeat and give the lease back, so that the next one need not wait.

        When the database is away, the lease ends by itself: that must not hide what ended the work.
        """
        self._stop.set()
        self._thread.join(timeout=self._ttl)
        guard = self.guard
        if self.lost.is_set():
            return

        def release(connection: Connection) -> None:
            leases.release(connection, guard.task_id, guard.stage, guard.owner, guard.epoch)

        try:
            self._store.signs.write(release, name="lease release", patience=min(self._ttl, 10.0))
        except CorpusError as error:
            log.warning("the lease on %s of task %s ends by itself: %s", guard.stage, guard.task_id, error)


@contextmanager
def holding(store: Store, task_id: TaskId, stage: Stage, ttl_seconds: float) -> Iterator[HeldLease]:
    """Hold the lease of a stage of a task. Raises LeaseHeld at once while another process works on it, SchemaMismatch when
    the schema was changed since the program began."""
    owner = process_identity.own()

    def acquire(connection: Connection) -> tuple[leases.Lease, float]:
        begun = time.monotonic()
        migrate.still_fits(connection)
        return leases.acquire(connection, task_id, stage, owner, int(ttl_seconds * 1000)), begun

    store.signs.hold()  # before the lease: what cannot give signs of life takes none
    try:
        try:
            lease, taken = store.signs.write(acquire, name="lease acquire")
        except LeaseHeld:
            store.signs.write(leases.cap, name="lease cap")
            raise
        held = HeldLease(store, lease, ttl_seconds, taken)
        try:
            yield held
        finally:
            held.release()
    finally:
        store.signs.let_go()
