"""A worker without an engine: a loop over the files with work left, through Dagster in this process, whose UI shows the runs.

Any number of them, on any number of hosts, work beside each other on one database: each takes the fairest file that no
other works (see `service.queries.due`) through its stages. They also do what a daemon would: end the runs of lost workers
and deliver webhooks.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Collection
from typing import NamedTuple

from dagster import DagsterRunStatus

from corpus_pipeline.defs import run_liveness
from corpus_pipeline.defs.launch import Launcher
from corpus_pipeline.defs.names import DEFAULT
from corpus_pipeline.defs.narration import WORKER
from corpus_pipeline.defs.resources import kept
from corpus_pipeline.errors import CorpusError
from corpus_pipeline.service.queries.due import Due
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store.dataset_files import is_elsewhere

log = logging.getLogger(__name__)

POLL_SECONDS = 5.0
_WEBHOOK_SECONDS = 30.0
_AGAIN_SECONDS, _MOST_SECONDS = 30.0, 900.0  # before a file that stopped for a reason of its own is tried again
STOPPED_TAG = "corpus/stopped_by"  # a run that ended with its worker, and not because somebody terminated it


class Worked(NamedTuple):
    """One file that was worked. problem: what a step that failed said, None when none did."""

    name: str
    run_id: str
    problem: str | None


class Worker:
    """The loop of one process. consumers: whose files it works; none: everybody's.

    Keeps in mind which files stopped here for a reason of their own (a budget, a provider that is away), and waits for longer
    each time before it tries them again.
    """

    def __init__(self, settings: Settings, to: Stage, consumers: Collection[str] = ()) -> None:
        self._settings, self._to, self._consumers = settings, to, consumers
        self._launcher = Launcher(settings)
        self._corpus = kept(settings)
        self._waits: dict[str, tuple[float, float]] = {}  # name: (not before, how long it waited)
        self._said = set[str]()
        self._webhooks_at = 0.0

    def run(self, stopping: Callable[[], bool], told: Callable[[Worked], None], *, once: bool = False) -> None:
        """Work files until a stop is asked for; with `once` until no work is left.

        Raises KeyboardInterrupt when a signal stopped a stage at its batch boundary.
        """
        while not stopping():
            try:
                worked = self._next()
            except CorpusError as problem:  # the database is away, say: there may be no other worker
                log.warning("%s", problem)
                worked = None
            if worked is not None:
                told(worked)
            elif once:
                return
            else:
                time.sleep(POLL_SECONDS)  # a signal cuts it short

    def _next(self) -> Worked | None:
        """Work the fairest file; None when there is none."""
        self._do_what_a_daemon_does()
        for one in self._corpus.due(self._to, self._consumers):
            if self._waits.get(one.file.name, (0.0, 0.0))[0] > time.monotonic() or not self._can_be_worked(one):
                continue
            run_id = str(uuid.uuid4())
            if self._corpus.claim(one.file, run_id):
                return self._work(one, run_id)
        return None

    def _work(self, one: Due, run_id: str) -> Worked:
        name = one.file.name
        stages = self._corpus.incomplete_stages(name, one.to)
        if one.request is not None:
            self._corpus.take_request(one.request, run_id)
        self._launcher.register([name])
        try:
            launched = self._launcher.run(name, stages, run_id=run_id, started_by=WORKER)
        except KeyboardInterrupt:
            self._launcher.instance.add_run_tags(run_id, {STOPPED_TAG: WORKER})
            raise
        (state,) = self._corpus.status([name])
        if any(state["stages"][stage]["status"] != Status.DONE for stage in stages):
            _, before = self._waits.get(name, (0.0, 0.0))
            pause = min(max(_AGAIN_SECONDS, before * 2), _MOST_SECONDS)
            self._waits[name] = (time.monotonic() + pause, pause)
        else:
            self._waits.pop(name, None)
        return Worked(name, run_id, launched.error)

    def _can_be_worked(self, one: Due) -> bool:
        """Whether this host has what the file needs; and no person ended its last run in Dagster, who will go on with it."""
        name = one.file.name
        if one.stage is Stage.INGEST and is_elsewhere(one.file):
            return self._not(f"{name} is not on this host: {one.file.path}")
        order = list(Stage)
        if order.index(one.stage) <= order.index(Stage.AUGMENT) <= order.index(one.to):
            try:
                self._corpus.require_models(one.file)
            except CorpusError as problem:
                return self._not(f"{name}: {problem}")
        if one.status is Status.INTERRUPTED and one.run_id is not None and one.request is None:
            run = self._launcher.instance.get_run_by_id(one.run_id)
            if run is not None and run.status is DagsterRunStatus.CANCELED and STOPPED_TAG not in run.tags:
                return self._not(f"{name} was ended by somebody in Dagster: start it there, or by `corpus run {name}`")
        return True

    def _not(self, why: str) -> bool:
        if why not in self._said:
            self._said.add(why)
            log.warning("%s", why)
        return False

    def _do_what_a_daemon_does(self) -> None:
        corpus = self._corpus
        run_liveness.end_lost(self._launcher.instance, corpus.store, self._settings.lease_seconds, DEFAULT.owns)
        corpus.mark_flags()
        if time.monotonic() - self._webhooks_at > _WEBHOOK_SECONDS:
            corpus.deliver_webhooks()
            self._webhooks_at = time.monotonic()
