"""Narration in Dagster: what a running stage says becomes log lines and observations of its run."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dagster as dg

from corpus_pipeline.cancellation import StopSignal
from corpus_pipeline.jobs.narration import Progress, fields
from corpus_pipeline.plain_text import plain
from corpus_pipeline.settings import Settings

log = logging.getLogger(__name__)

STARTED_BY_TAG = "corpus/started_by"
COMMAND = "corpus run"  # its value where a person sits before the run
WORKER = "corpus worker"  # where none does
_OBSERVED_SHARE = 0.05  # the part of the rows after which the asset's page gets a point
_FIRST_LOOK_SECONDS, _LOOK_SECONDS = 2.0, 1.0  # before a stop, and after it


class DagsterNarrator:
    """Tells a run, and the command that works it, if there is one. Log lines come at the rhythm of the work; observations,
    which the asset's page plots, at most twenty a stage."""

    def __init__(self, context: dg.AssetExecutionContext, key: dg.AssetKey, link: str) -> None:
        self._context, self._key, self._link = context, key, link
        self._observed = 0.0
        self._by_command = STARTED_BY_TAG in context.run.tags
        self._run = {"run": context.run.run_id}

    def notice(self, text: str) -> None:
        text = plain(text)  # it may quote a provider, and Dagster prints its log lines as they are
        self._context.log.warning(text)
        log.info("%s", text, extra=self._run | {"event": "notice"})
        if self._by_command and not logging.getLogger("corpus_pipeline").handlers:
            print(text, file=sys.stderr, flush=True)

    def progress(self, progress: Progress) -> None:
        say = self._context.log.warning if progress.troubles else self._context.log.info
        say(plain(f"{progress}. {self._link}"))
        log.info("%s", progress, extra=self._run | fields(progress))
        share = progress.share
        if share is None or share - self._observed < _OBSERVED_SHARE:
            return
        self._observed = share
        self._context.log_event(
            dg.AssetObservation(
                asset_key=self._key,
                partition=progress.name,
                description=plain(str(progress)),
                metadata={
                    "status": "running",
                    "processed": progress.processed,
                    "total": progress.total or 0,
                    "rows_per_second": round(progress.rate, 3),
                    "eta_seconds": round(progress.eta_seconds or 0),
                    "cost_usd": progress.cost_usd,
                    "rows": dg.MetadataValue.url(self._link),
                },
                tags={"corpus/status": "running"},
            )
        )


@contextmanager
def heeding_force(context: dg.AssetExecutionContext, stop: StopSignal) -> Iterator[None]:
    """Stop when somebody terminates the run, also where Dagster cannot send its process a signal because it is on another
    host; and urgently when somebody forces it: Dagster marks it as cancelled in its books and tells the process nothing."""
    over = threading.Event()
    run_id, instance = context.run.run_id, context.instance
    grace = Settings.from_env().stop_grace_seconds

    def look() -> None:
        while not over.wait(_LOOK_SECONDS if stop.is_set() else _FIRST_LOOK_SECONDS):
            with suppress(Exception):  # Dagster's database is away: at the next look
                run = instance.get_run_by_id(run_id)
                if run is None or run.status is dg.DagsterRunStatus.STARTED:
                    continue
                if run.status is dg.DagsterRunStatus.CANCELING:
                    if not stop.is_set():
                        stop.set("Terminate in Dagster", grace_seconds=grace)
                elif run.status is dg.DagsterRunStatus.CANCELED:
                    if not stop.is_set():
                        stop.set("Terminate in Dagster", grace_seconds=0.0)
                    stop.hurry("a forced termination")
                    return

    thread = threading.Thread(target=look, name="force watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=_LOOK_SECONDS)
