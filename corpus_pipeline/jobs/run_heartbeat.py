"""The sign of life of a process that works runs: a thread with a connection for it (`Store.signs`), from the start of a run to
its end."""

from __future__ import annotations

import logging
import threading
from functools import partial

from corpus_pipeline import __version__, process_identity
from corpus_pipeline.errors import CorpusError, StopJob
from corpus_pipeline.states import Stage
from corpus_pipeline.store import Store, run_workers

log = logging.getLogger(__name__)

_MOST_SECONDS = 5.0  # between two beats
_AGAIN_SECONDS = 1.0  # while the database is away


class RunHeartbeat:
    """Says every few seconds that this process lives and what it works; of one run at a time.

    ttl_seconds: without a sign of life for so long (see `store.run_workers`) its run is ended and taken over.
    """

    def __init__(self, store: Store, ttl_seconds: float) -> None:
        self._store = store
        self._ttl = ttl_seconds
        self._pause = min(_MOST_SECONDS, ttl_seconds / 3)
        self._owner = process_identity.own()
        self._lock = threading.Lock()
        self._run_id: str | None = None
        self._holds = False  # the connection for signs of life
        self._last: str | None = None  # whose row may still be there
        self._lost: set[str] = set()
        self._at: tuple[str | None, Stage | None] = (None, None)
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, run_id: str, file_name: str | None = None) -> None:
        """This process works a run from now on, of this dataset file if it has only one."""
        enter = partial(
            run_workers.enter,
            run_id=run_id,
            owner=self._owner,
            version=__version__,
            ttl_ms=int(self._ttl * 1000),
            before=self._last if self._last != run_id else None,
            file_name=file_name,
        )
        with self._lock:
            if not self._holds:
                self._store.signs.hold()
            self._holds = True
        self._store.signs.write(enter, name="run begins")
        with self._lock:
            self._run_id = self._last = run_id
            self._at = (file_name, None)
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat, name="run heartbeat", daemon=True)
            self._thread.start()

    def at(self, file_name: str, stage: Stage) -> None:
        """What is worked now: it goes out with the next beat. Raises StopJob when this process counts as lost."""
        with self._lock:
            self._at = (file_name, stage)
            lost = self._run_id in self._lost
        if lost:
            raise StopJob(
                f"this run was ended because its worker gave no sign of life for {self._ttl:.0f} s; another run goes on"
                " with it from its last commit"
            )

    def end(self) -> None:
        """The run is over but for its last words: no more signs of life. Its row goes when these are said (`leave`), with the
        next run, or to the sensor."""
        with self._lock:
            self._run_id = None
            if self._holds:
                self._store.signs.let_go()
            self._holds = False

    def leave(self) -> None:
        """The last words of the run are said: nobody has to end it for this process."""
        with self._lock:
            last, self._last = self._last, None
        if last is not None:
            self._store.write(partial(run_workers.leave, run_id=last, owner=self._owner), repeatable=True)

    def _beat(self) -> None:
        pause = self._pause
        while not self._wake.wait(pause):
            with self._lock:
                run_id, (file_name, stage) = self._run_id, self._at
            if run_id is None or run_id in self._lost:
                pause = self._pause
                continue
            beat = partial(run_workers.beat, run_id=run_id, owner=self._owner, file_name=file_name, stage=stage)
            try:
                known = self._store.signs.write(beat, name="sign of life", patience=_AGAIN_SECONDS)
            except CorpusError:
                pause = _AGAIN_SECONDS  # the database is away
                continue
            pause = self._pause
            with self._lock:
                if not known and self._run_id == run_id:
                    self._lost.add(run_id)
                    log.warning("run %s was ended: this worker counted as lost", run_id)
