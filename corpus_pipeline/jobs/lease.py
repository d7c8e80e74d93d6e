"""Holding a lease: acquire, keep alive from a thread of its own, notice its loss, give it back."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from corpus_pipeline import crashpoints
from corpus_pipeline.errors import CorpusError, Fenced
from corpus_pipeline.model import TaskId
from corpus_pipeline.states import Stage
from corpus_pipeline.store import Guard, Store, leases


def owner_name() -> str:
    """Who we are, for leases: host, process and a part that no later process repeats."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


class HeldLease:
    """A lease that is being kept alive. `guard` goes with every write; `check()` is for between the writes.

    The heartbeat runs on its own thread and connection, so that a busy event loop does not end the lease. When it could not
    be renewed for its whole length, or somebody else holds it, `lost` is set: no call may be made from then on.
    """

    def __init__(self, store: Store, lease: leases.Lease, ttl_seconds: float) -> None:
        self.guard = Guard(lease.task_id, lease.stage, lease.owner, lease.epoch, lease.seq)
        self.lost = threading.Event()
        self._store = store
        self._ttl = ttl_seconds
        self._renewed = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{lease.stage}", daemon=True)
        self._thread.start()

    @property
    def epoch(self) -> int:
        return self.guard.epoch

    def check(self) -> None:
        """Raises Fenced when the lease is lost or could not be renewed in time."""
        if time.monotonic() - self._renewed > self._ttl:
            self.lost.set()
        if self.lost.is_set():
            raise Fenced(
                f"the lease on {self.guard.stage} of task {self.guard.task_id} was lost; another worker may hold it."
                " Run the same command again: it continues where the database stands."
            )

    def _beat(self) -> None:
        guard = self.guard
        while not self._stop.wait(self._ttl / 3):
            try:
                held = self._store.write(
                    lambda connection: leases.extend(
                        connection, guard.task_id, guard.stage, guard.owner, guard.epoch, int(self._ttl * 1000)
                    ),
                    repeatable=True,
                )
            except CorpusError:
                continue  # the database is away; check() ends the work when the lease has run out
            crashpoints.point("heartbeat")
            if not held:
                self.lost.set()
                return
            self._renewed = time.monotonic()

    def release(self) -> None:
        """Stop the heartbeat and give the lease back, so that the next one need not wait."""
        self._stop.set()
        self._thread.join(timeout=self._ttl)
        guard = self.guard
        if not self.lost.is_set():
            self._store.write(
                lambda connection: leases.release(connection, guard.task_id, guard.stage, guard.owner, guard.epoch),
                repeatable=True,
            )


@contextmanager
def holding(store: Store, task_id: TaskId, stage: Stage, ttl_seconds: float) -> Iterator[HeldLease]:
    """Hold the lease of a stage of a task. Raises LeaseHeld at once while another process works on it."""
    owner = owner_name()
    lease = store.write(
        lambda connection: leases.acquire(connection, task_id, stage, owner, int(ttl_seconds * 1000)), repeatable=True
    )
    held = HeldLease(store, lease, ttl_seconds)
    try:
        yield held
    finally:
        held.release()
