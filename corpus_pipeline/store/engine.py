"""The store: one place where transactions begin, are checked against the lease, committed, redone or found done."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, bindparam, case, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from corpus_pipeline import failpoints
from corpus_pipeline.errors import Fenced, StoreUnavailable
from corpus_pipeline.model import TaskId
from corpus_pipeline.settings import masked_url
from corpus_pipeline.states import Stage
from corpus_pipeline.store.backends import GRANTS_STEP, Backend, Fault, backend_of
from corpus_pipeline.store.schema import leases
from corpus_pipeline.store.types import now_ms

T = TypeVar("T")
P = ParamSpec("P")

log = logging.getLogger(__name__)

_SILENT_SECONDS = 5  # then a wait is logged with its reason
_CROWDED_STEP = "Allow more there (max_connections), fewer here (CORPUS_DATABASE_CONNECTIONS), or run fewer processes"
_BUSY_SECONDS = 1  # for which a sign of life waits for another one, before it takes a connection of the pool
# a unit that looks, finds nothing and inserts may meet another one that did so at the same time: it is redone and finds it
_MOST_TAKEN = 3


# part of every guarded transaction: built once. A write is a sign of life, too: the heartbeat waits for its end, because both
# change this row, and one that takes long must not cost the lease
_TAKE = (
    update(leases)
    .where(
        leases.c.task_id == bindparam("task"),
        leases.c.stage == bindparam("of_stage"),
        leases.c.owner == bindparam("whose"),
        leases.c.epoch == bindparam("at_epoch"),
        leases.c.expires_at > 0,
    )
    .values(
        seq=bindparam("number"),
        expires_at=case((leases.c.expires_at > now_ms(), now_ms() + leases.c.ttl_ms), else_=leases.c.expires_at),
    )
)


class Guard:
    """The right to write for one stage of a task: an epoch, and the number of the last write that was committed.

    The number (`seq`) is raised in every guarded transaction, so that after a lost connection the row itself tells whether
    the commit arrived. One guard is used by one writer at a time (`lock`).

    ttl_seconds: the length of the lease. renewed: the monotonic clock at which it was last known to hold, before the database
    was asked; a guarded write moves it on as a heartbeat does.
    """

    def __init__(
        self,
        task_id: TaskId,
        stage: Stage,
        owner: str,
        epoch: int,
        seq: int,
        *,
        ttl_seconds: float = 30.0,
        renewed: float | None = None,
    ) -> None:
        self.task_id = task_id
        self.stage = stage
        self.owner = owner
        self.epoch = epoch
        self.seq = seq
        self.ttl_seconds = ttl_seconds
        self.renewed = time.monotonic() if renewed is None else renewed
        self.lock = threading.RLock()

    def has_run_out(self) -> bool:
        """Whether nothing is known to have renewed the lease within its length."""
        return time.monotonic() - self.renewed > self.ttl_seconds

    def renew(self, begun: float) -> None:
        """The lease was renewed in a transaction that was begun then."""
        self.renewed = max(self.renewed, begun)

    def check(self, connection: Connection) -> None:
        """Take the lease row for this transaction. Raises Fenced when the epoch is no longer ours."""
        touched = connection.execute(
            _TAKE,
            {
                "task": self.task_id,
                "of_stage": self.stage.value,
                "whose": self.owner,
                "at_epoch": self.epoch,
                "number": self.seq + 1,
            },
        )
        if touched.rowcount != 1:
            raise Fenced(
                f"another worker took over {self.stage} of task {self.task_id} (our epoch was {self.epoch});"
                " nothing of ours was written after that. `corpus status` shows who works on it."
            )

    def arrived(self, connection: Connection) -> bool:
        """Whether the transaction that was being committed is in the database.

        The row is locked: while the server still works on that transaction, this waits for its end.
        """
        row = connection.execute(
            select(leases.c.owner, leases.c.epoch, leases.c.seq)
            .where(leases.c.task_id == self.task_id, leases.c.stage == self.stage.value)
            .with_for_update()
        ).one()
        if (row.owner, row.epoch) != (self.owner, self.epoch):
            raise Fenced(f"another worker took over {self.stage} of task {self.task_id} while the database was away")
        return bool(row.seq == self.seq + 1)


def _nothing() -> None:
    """What is done before a read by default."""


class Store:
    """A relational corpus at a database URL.

    connections: the most that it opens to a database server at a time. idle_seconds: after which the server closes one that
    lies idle. patience: seconds for which a unit of work is redone while the database refuses or is away.
    """

    def __init__(self, url: str, *, patience: float = 120.0, connections: int = 15, idle_seconds: int = 600) -> None:
        self.url = url
        self.patience = patience
        self.backend: Backend = backend_of(url)
        self.engine = self.backend.create_engine(url, connections, idle_seconds)
        self.signs = SignsOfLife(self)
        self.before_read: Callable[[], None] = _nothing  # called before each read begins, in its thread

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A short read transaction. Keep it short: no model call, no file transfer inside."""
        self.before_read()
        with self.engine.connect() as connection, connection.begin():
            yield connection

    def fetch(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a read, `work(connection, *args, **kwargs)`; again while the database is away (up to `patience`)."""

        def once() -> T:
            with self.read() as connection:
                return work(connection, *args, **kwargs)

        return self._attempts(once)

    def write(
        self,
        work: Callable[[Connection], T],
        guard: Guard | None = None,
        *,
        repeatable: bool = False,
        name: str | None = None,
        patience: float | None = None,
    ) -> T:
        """Run `work` in one transaction and commit it. `work` must depend on its arguments and the database only: it is
        redone as a whole after a deadlock, a lock timeout or a lost connection.

        guard: checked first, in the same transaction; it also tells what a COMMIT without an answer did.
        repeatable: without a guard, whether the unit may be redone when the outcome of its COMMIT is not known.
        name: what the crash points around the commit are called. patience: instead of the store's.

        Raises Fenced, StoreUnavailable (time limit reached, disk full, outcome unknown), or what `work` raises.
        """
        name = name or getattr(work, "__name__", "unit").strip("_")
        if guard is None:
            return self._attempts(lambda: self._write_once(work, None, repeatable, name), patience)
        with guard.lock:
            return self._attempts(lambda: self._write_once(work, guard, repeatable, name), patience)

    def _write_once(self, work: Callable[[Connection], T], guard: Guard | None, repeatable: bool, name: str) -> T:
        committing = renews = False
        begun = time.monotonic()
        result: T
        try:
            with self.engine.connect().execution_options(write=True) as connection:
                with connection.begin() as transaction:
                    if guard is not None:
                        guard.check(connection)
                        renews = not guard.has_run_out()  # one that ran out by our clock may have by the database's
                    result = work(connection)
                    failpoints.point(f"before commit: {name}")
                    committing = True
                    transaction.commit()
                failpoints.point(f"after commit: {name}")
        except DBAPIError as error:
            if not committing or self.backend.fault(error) is not Fault.LOST:
                raise
            if guard is None:
                if repeatable:
                    raise
                raise StoreUnavailable(
                    "the connection was lost while a change was being committed, and whether it arrived is not known."
                    " Look with `corpus status` and repeat the command if the change is missing."
                ) from error
            if not self.fetch(guard.arrived):
                raise
        if guard is not None:
            guard.seq += 1
            if renews:
                guard.renew(begun)
        return result

    def _attempts(self, once: Callable[[], T], patience: float | None = None) -> T:
        patience = self.patience if patience is None else patience
        began = time.monotonic()
        deadline = began + patience
        pause, taken, told = 0.02, 0, False
        while True:
            try:
                return once()
            except PoolTimeout as error:
                raise StoreUnavailable(
                    "all connections that this process may open to the database are in use (CORPUS_DATABASE_CONNECTIONS)."
                    " Try again, or allow more"
                ) from error
            except DBAPIError as error:
                fault = self.backend.fault(error)
                if fault is Fault.DENIED:
                    said = getattr(error, "without_values", type(error).__name__)
                    raise StoreUnavailable(
                        f"the database {masked_url(self.url)} refuses this: {said}. {GRANTS_STEP}"
                    ) from error
                if fault is Fault.FULL:
                    raise StoreUnavailable(
                        f"the database {masked_url(self.url)} cannot write: {error.orig}."
                        " Make room or mend the disk, then run the same command again: it continues."
                    ) from error
                taken += fault is Fault.TAKEN
                if fault is Fault.WRONG or taken > _MOST_TAKEN:
                    raise
                is_crowded = fault is Fault.CROWDED
                if time.monotonic() + pause > deadline:
                    if is_crowded:
                        raise StoreUnavailable(
                            f"the server of {masked_url(self.url)} had no connection left for {patience:.0f} s: {error.orig}."
                            f" {_CROWDED_STEP}. Finished work is kept; run the same command again then."
                        ) from error
                    raise StoreUnavailable(
                        f"the database {masked_url(self.url)} did not answer for {patience:.0f} s: {error.orig}."
                        f"{self.backend.in_the_way(self.engine)}"
                        " Finished work is kept; run the same command again when it is back."
                    ) from error
                if not told and time.monotonic() - began > _SILENT_SECONDS:
                    said = (
                        f"its server has no connection left ({error.orig}). {_CROWDED_STEP}"
                        if is_crowded
                        else error.orig
                    )
                    log.warning("waiting up to %.0f s for the database: %s", patience, said)
                    told = True
            time.sleep(pause * (0.5 + random.random()))
            pause = min(pause * 2, 3.0)


class SignsOfLife:
    """The connection for signs of life of a process: taken before its lease and kept as long as somebody holds it, so that none
    waits for one that the work uses, or that the server has no more to give.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()  # of the connection
        self._count_lock = threading.Lock()
        self._holders = 0
        self._connection: Connection | None = None

    def hold(self) -> None:
        """From now on until `let_go` the connection is kept."""
        with self._count_lock:
            self._holders += 1

    def let_go(self) -> None:
        """The last one closes it; a sign of life that is under way then does so at its end."""
        with self._count_lock:
            self._holders -= 1
        self._tidy()

    def write(self, work: Callable[[Connection], T], *, name: str, patience: float | None = None) -> T:
        """As `Store.write` of a unit that may be repeated and has no guard; by the pool while another one takes long."""
        if not self._holders or not self._lock.acquire(timeout=_BUSY_SECONDS):
            return self._store.write(work, repeatable=True, name=name, patience=patience)
        try:
            return self._store._attempts(lambda: self._write_once(work, name), patience)
        finally:
            self._lock.release()
            self._tidy()

    def _write_once(self, work: Callable[[Connection], T], name: str) -> T:
        if self._connection is None:
            self._connection = self._store.engine.connect().execution_options(write=True)
        try:
            with self._connection.begin():
                result = work(self._connection)
                failpoints.point(f"before commit: {name}")
            failpoints.point(f"after commit: {name}")
        except DBAPIError as error:
            if self._connection is not None and self._store.backend.fault(error) is Fault.LOST:
                self._connection.invalidate()
                self._close()  # the next attempt takes another one
            raise
        return result

    def _tidy(self) -> None:
        if not self._holders and self._lock.acquire(blocking=False):
            try:
                self._close()
            finally:
                self._lock.release()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
