"""Several partitions at a time: processes that run one partition after the other through Dagster.

A run of a tiny partition is mostly the program's own work, so a second processor nearly halves the time of many of them. Each
partition has a run of its own, as everywhere.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from corpus_pipeline import child_processes
from corpus_pipeline.defs.dagster_internals import RUN_MODULES
from corpus_pipeline.defs.launch import Launched, Launcher
from corpus_pipeline.plain_text import filtered_streams
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage

_LOOK_SECONDS = 0.5
# imported once, by the process that the workers are forked from
_PRELOAD = [
    "corpus_pipeline.defs.launch",
    "corpus_pipeline.defs.storage",
    "corpus_pipeline.stages.augment.strategies",
    "openai",
    *RUN_MODULES,
]


class Job(NamedTuple):
    """Stages of one partition to be materialized; limit, spread: see `Launcher.run`."""

    name: str
    stages: tuple[Stage, ...]
    limit: int | None = None
    spread: bool = False


def run_jobs(
    jobs: Sequence[Job], processes: int, ended: Callable[[str, Launched | None], None], stops: Sequence[int]
) -> None:
    """Run the jobs in `processes` processes, in their order; `ended(name, launched)` is called at each end, None for a stop.

    stops: the signals that arrived so far, appended to by the caller's handler; the first lets the workers stop at their
    next batch boundary and begins no other job, the second stops them at once.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    waiting = list(reversed(jobs))
    busy: dict[Connection, tuple[str, BaseProcess]] = {}

    def hand_out(connection: Connection, worker: BaseProcess) -> None:
        if waiting and not stops:
            job = waiting.pop()
            connection.send(job)
            busy[connection] = (job.name, worker)
        else:
            connection.close()  # it ends by itself

    for _ in range(min(processes, len(jobs))):
        mine, its = context.Pipe()
        worker: BaseProcess = context.Process(target=_work, args=(its, dict(os.environ)), daemon=False)
        worker.start()
        its.close()
        hand_out(mine, worker)
    told = 0
    while busy:
        for connection in [c for c in wait(list(busy), _LOOK_SECONDS) if isinstance(c, Connection)]:
            name, process = busy.pop(connection)
            try:
                launched = connection.recv()
            except (EOFError, ConnectionResetError):  # killed: the next run takes over from its last commit
                gone = f"the process that worked on it ended; the next run continues (corpus run {name})"
                ended(name, Launched("", False, gone))
                continue
            ended(name, launched)
            hand_out(connection, process)
        while told < len(stops):
            told += 1
            child_processes.send((process.pid for _, process in busy.values() if process.pid), signal.SIGINT)


def _work(jobs: Connection, environment: Mapping[str, str]) -> None:
    """What a worker does until its pipe is closed."""
    os.setsid()  # Ctrl-C on the terminal reaches us through our parent, once
    os.environ.clear()
    os.environ.update(environment)
    at_work = _AtWork(jobs)
    with filtered_streams(), suppress(KeyboardInterrupt, EOFError, BrokenPipeError):
        launcher = Launcher(Settings.from_env())
        at_work.start()
        while True:
            job: Job = jobs.recv()
            at_work.set(True)
            try:
                launched = launcher.run(job.name, job.stages, limit=job.limit, spread=job.spread)
            except KeyboardInterrupt:
                launched = None
            at_work.set(False)
            jobs.send(launched)


class _AtWork(threading.Thread):
    """Stops a job, as Ctrl-C would, when the process that launched it has ended: its result would be lost."""

    def __init__(self, jobs: Connection) -> None:
        super().__init__(name="orphan-watch", daemon=True)
        self._jobs = jobs
        self._lock = threading.Lock()
        self._working = False

    def set(self, working: bool) -> None:
        with self._lock:
            self._working = working

    def run(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            with self._lock:
                # while a job is under way nothing is sent to us: the pipe can only be read because it was closed
                if self._working and self._jobs.poll(0):
                    os.kill(os.getpid(), signal.SIGINT)
                    return
