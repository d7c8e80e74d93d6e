"""Which runs have lost their process: those whose worker gives no sign of life (see `store.run_workers`), on whatever host.

Dagster's default launcher does not notice a worker that died while the daemon was down, or whose daemon died with it: such a
run would stay "started" for ever, and its backfill with it. A stage's lease tells only of a worker that was inside a stage.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Protocol, runtime_checkable

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

from corpus_pipeline.defs import dagster_internals
from corpus_pipeline.defs.dagster_internals import GRPC_INFO_TAG
from corpus_pipeline.errors import CorpusError, StopJob, UsageError
from corpus_pipeline.jobs.run_heartbeat import RunHeartbeat
from corpus_pipeline.states import Stage
from corpus_pipeline.store import Store, run_workers
from corpus_pipeline.store.run_workers import RunWorker


@runtime_checkable
class SendsAgain(Protocol):
    """A launcher by way of a queue that may lose what it was given."""

    def is_lost(self, run: dg.DagsterRun) -> bool: ...

    def send_again(self, run: dg.DagsterRun) -> None: ...


_UNDER_WAY = [DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
_BY_STEPS = {DagsterEventType.STEP_WORKER_STARTING, DagsterEventType.STEP_WORKER_STARTED}
_PARTITION_TAG = "dagster/partition"
_STEP_TASK = "execute_plan"  # of dagster-celery's executor
_beats: dict[str, RunHeartbeat] = {}


def hold(store: Store, ttl_seconds: float, run: dg.DagsterRun, instance: dg.DagsterInstance) -> None:
    """Say that this process works a run, until `let_go`. Raises StopJob for a run that was ended before, UsageError where a
    single step of a run is worked by a Celery worker."""
    task = getattr(sys.modules.get("celery"), "current_task", None)
    if task and task.name == _STEP_TASK:
        raise UsageError(
            "steps of a run cannot be worked on several hosts (celery_executor): a run is the unit. Use the in-process"
            " executor and CeleryRunLauncher: corpus worker --celery"
        )
    _beats.setdefault(store.url, RunHeartbeat(store, ttl_seconds)).begin(run.run_id, run.tags.get(_PARTITION_TAG))
    now = instance.get_run_by_id(run.run_id)
    if now is not None and now.is_finished:
        raise StopJob(f"this run was ended before its worker began ({now.status.value}); another run goes on with it")


def at(store: Store, name: str, stage: Stage) -> None:
    """This process works a stage of a dataset file. Raises StopJob when its run was ended for want of a sign of life."""
    if store.url in _beats:
        _beats[store.url].at(name, stage)


def let_go(store: Store) -> None:
    """The run is over but for its last words."""
    if store.url in _beats:
        _beats[store.url].end()


def leave(store: Store, run: dg.DagsterRun | None) -> None:
    """This process worked a run, and Dagster knows how it ended: it is no worker that one may miss."""
    if store.url in _beats and run is not None and run.is_finished:
        with suppress(CorpusError):  # the database is away: the row goes to the sensor
            _beats[store.url].leave()


def end_lost(
    instance: dg.DagsterInstance, store: Store, ttl_seconds: float, owns: Callable[[dg.DagsterRun], bool]
) -> list[str]:
    """End the runs whose worker is lost, as far as this Dagster instance knows them; returns their ids. Dagster tries those of
    a daemon again, and they go on from their cursors. Rows of runs that are over are taken out."""
    workers = {worker.run_id: worker for worker in store.fetch(run_workers.listed)}
    for run in _without_worker(instance, owns):
        if run.run_id not in workers:
            expect = partial(run_workers.expect, run_id=run.run_id, ttl_ms=int(ttl_seconds * 1000))
            store.write(expect, repeatable=True)
    if any(worker.is_ahead for worker in workers.values()):
        store.write(run_workers.cap, repeatable=True)
    if any(worker.is_missing for worker in workers.values()):
        store.write(run_workers.note_missing, repeatable=True)
    ended = []
    for worker in workers.values():
        if _end(instance, store, worker):
            ended.append(worker.run_id)
    return ended


def _end(instance: dg.DagsterInstance, store: Store, worker: RunWorker) -> bool:
    """End the run of a lost worker, and forget the worker of a run that is over; whether it was ended."""
    if not worker.is_missing and not worker.is_lost:
        return False
    run = instance.get_run_by_id(worker.run_id)  # after its process was seen to be gone: it may have come to its end
    if run is None:
        return False  # of another instance
    if run.is_finished:
        store.write(partial(run_workers.leave, run_id=worker.run_id, owner=worker.owner), repeatable=True)
        return False
    if not worker.is_lost or _is_by_steps(instance, run):
        return False
    if not store.write(partial(run_workers.strike, worker=worker), repeatable=True):
        return False
    report_dead(instance, run, worker)
    return True


def _without_worker(instance: dg.DagsterInstance, owns: Callable[[dg.DagsterRun], bool]) -> Iterator[dg.DagsterRun]:
    """Runs that should have a worker: those under way, and those whose code server, which was to start one, does not answer."""
    launcher = instance.run_launcher
    for run in instance.get_runs(RunsFilter(statuses=[*_UNDER_WAY, DagsterRunStatus.STARTING])):
        if run.status is DagsterRunStatus.STARTING and isinstance(launcher, SendsAgain):
            if owns(run) and launcher.is_lost(run):
                launcher.send_again(run)
            continue
        if owns(run) and (run.status is not DagsterRunStatus.STARTING or _has_lost_its_server(run)):
            yield run


def _has_lost_its_server(run: dg.DagsterRun) -> bool:
    """Whether a run of the default launcher was handed to a code server that does not answer. One that does looks after the
    processes that it starts; other launchers look after theirs, and a run may wait in their queue for long."""
    tag = run.tags.get(GRPC_INFO_TAG)
    if tag is None:
        return False
    place = json.loads(tag)
    client = dagster_internals.DagsterGrpcClient(  # imported now: it brings grpc, which `corpus run` can do without
        host=place.get("host"),
        port=place.get("port"),
        socket=place.get("socket"),
        use_ssl=bool(place.get("use_ssl", False)),
    )
    try:
        client.ping("")
    except Exception:  # whatever it is: it does not answer
        return True
    return False


def _is_by_steps(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether each step of a run has a process of its own: between two of them no one says that he lives, and the executor
    looks after them."""
    return bool(instance.all_logs(run.run_id, of_type=_BY_STEPS))


def report_dead(instance: dg.DagsterInstance, run: dg.DagsterRun, worker: RunWorker | None = None) -> dg.DagsterRun:
    """End a run in Dagster's books whose worker has ended: the default launcher does not notice a lost host.

    A worker that comes back is refused by the epoch of its lease."""
    who = f"process {worker.pid} on {worker.host}" if worker is not None and worker.owner else "no process is known"
    message = f"This run's worker is gone ({who}): its process has ended, or it gave no sign of life."
    if run.status is dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, message=message)
    else:
        instance.report_run_failed(run, message=message)
    return instance.get_run_by_id(run.run_id) or run
