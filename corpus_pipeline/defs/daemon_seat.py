"""One Dagster daemon at a time for a corpus, on whatever host: two would each start what the sensors ask for.

The seat is a row of the corpus (see `store.run_workers`). Who has it keeps it by a sign of life; every other `corpus ui`
serves its pages, looks every few seconds, and starts its own daemon when the seat is free.
"""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable
from functools import partial

from corpus_pipeline import __version__, child_processes, process_identity
from corpus_pipeline.defs.clock_steps import ClockWatch
from corpus_pipeline.errors import CorpusError
from corpus_pipeline.store import Store, run_workers
from corpus_pipeline.store.run_workers import RunWorker

log = logging.getLogger(__name__)

SEAT = "(daemon)"
_LOOK_SECONDS = 2.0
_END_SECONDS = 60.0  # in which the daemon may end by itself


class DaemonSeat:
    """Starts the daemon as soon as the seat is ours, and ends it when it is not any more.

    start: starts the process. ended: called when the process ended by itself. said: called with a sentence when the seat is
    another's, and when it becomes ours. set_back: mends what Dagster keeps of times that lie ahead. It is called before
    each start; when the clock was set back, the daemon is started again, because it waits by that clock.
    """

    def __init__(
        self,
        store: Store,
        ttl_seconds: float,
        start: Callable[[], subprocess.Popen[bytes]],
        ended: Callable[[], None],
        said: Callable[[str], None],
        set_back: Callable[[], object],
        clock: ClockWatch | None = None,
    ) -> None:
        self._store, self._ttl, self._start, self._ended, self._said = store, ttl_seconds, start, ended, said
        self._set_back, self._clock = set_back, clock or ClockWatch()
        self._owner = process_identity.own()
        self._is_alone = store.url.startswith("sqlite")  # a file of this host: `corpus ui` holds a lock beside it
        self._over = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._told = ""
        self._thread = threading.Thread(target=self._keep, name="daemon seat", daemon=True)

    def __enter__(self) -> DaemonSeat:
        self._look(self._store.patience)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=_LOOK_SECONDS + 5)
        if self._process is not None:
            self._end()
            if self._is_alone:
                return
            leave = partial(run_workers.leave, run_id=SEAT, owner=self._owner)
            try:
                self._store.write(leave, repeatable=True, patience=5)
            except CorpusError as problem:  # it ends by itself
                log.warning("the seat of the daemon was not given back: %s", problem)

    def _keep(self) -> None:
        kept = time.monotonic()
        while not self._over.wait(_LOOK_SECONDS):
            begun = time.monotonic()
            try:
                self._look(_LOOK_SECONDS)
                kept = begun
            except CorpusError:  # the database is away: by the end of our time another host may have the seat
                if time.monotonic() - kept > self._ttl and self._process is not None:
                    self._end()

    def _look(self, patience: float) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._over.set()
            self._ended()
            return
        if self._process is not None and self._clock.was_set_back():
            self._said("the clock was set back: the Dagster daemon, which waits by it, is started again")
            self._end()
        other = None if self._is_alone else self._sit(patience)
        if other is None and self._process is None:
            if self._told:
                self._said("the seat of the Dagster daemon is free: it runs here now")
            self._set_back()
            self._process = self._start()
        elif other is not None:
            if self._process is not None:
                self._end()
            words = f"the Dagster daemon runs on {other.host} (process {other.pid}); this one stands by"
            if words != self._told:
                self._said(words)
            self._told = words

    def _sit(self, patience: float) -> RunWorker | None:
        """Keep the seat, or take it when it is free; who else has it."""
        sit = partial(run_workers.sit, seat=SEAT, owner=self._owner, version=__version__, ttl_ms=int(self._ttl * 1000))
        return self._store.write(sit, repeatable=True, patience=patience)

    def _end(self) -> None:
        assert self._process is not None
        child_processes.end([self._process], _END_SECONDS)
        self._process = None
