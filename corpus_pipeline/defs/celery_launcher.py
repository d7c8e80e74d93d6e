"""Runs as tasks of Celery, for workers on several hosts (`corpus worker --celery`). dagster.yaml names the launcher when
CORPUS_CELERY_BROKER is set.

What differs from dagster-celery's own: the row in the corpus says whether a run lives and not the broker, so that
a broker that was restarted ends none; a run that waits in the broker is not late; a message that the broker has lost is sent
again; and Terminate reaches a worker on whatever host by the run itself.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import dagster as dg
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from kombu.exceptions import KombuError

from corpus_pipeline.defs.dagster_internals import LaunchRunContext

BROKER_VARIABLE = "CORPUS_CELERY_BROKER"
EXECUTE = "execute_job"  # dagster-celery's name of the task
_VISIBILITY_SECONDS = 60  # then a message is handed out again whose worker has not said that it is through with it
_LOST_SECONDS = 30.0  # a run whose message the broker does not have for so long is sent again
CELERY_SETTINGS: dict[str, Any] = {
    # a message is done with when its run is: that of a worker that was killed goes to another one
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    # none waits at a worker that is busy while another is idle
    "worker_prefetch_multiplier": 1,
    "broker_transport_options": {"visibility_timeout": _VISIBILITY_SECONDS, "max_retries": 3, "interval_max": 0.5},
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "task_ignore_result": True,
    "worker_hijack_root_logger": False,
}


class CorpusRunLauncher(CeleryRunLauncher):
    """Sends each run to the broker as one task, which a worker executes from its start to its end."""

    def __init__(self, default_queue: str, config_source: dict[str, Any] | None = None, **given: Any) -> None:
        super().__init__(default_queue=default_queue, config_source=CELERY_SETTINGS | (config_source or {}), **given)

    # the workers' own rows tell who lives: a broker that was restarted knows nothing of its tasks
    supports_check_run_worker_health = False
    supports_resume_run = False

    def terminate(self, run_id: str) -> bool:
        """Ask a run to end: its worker looks every two seconds. One that has not begun is ended here."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        waiting = run.status in (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED)
        self._instance.report_run_canceling(run)
        if waiting:  # the worker that gets its message finds that it is over
            self._instance.report_run_canceled(run)
        return True

    def is_lost(self, run: dg.DagsterRun) -> bool:
        """Whether a run that waits for a worker is waiting in vain: the broker has no message for it, after a restart, say.

        Only Redis can be asked; RabbitMQ keeps its messages on disk."""
        task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        record = self._instance.get_run_record_by_id(run.run_id)
        if task_id is None or record is None or time.time() - record.update_timestamp.timestamp() < _LOST_SECONDS:
            return False
        with suppress(OSError, KombuError), self.celery.connection_for_write() as connection:
            client = getattr(connection.default_channel, "client", None)
            if client is None or connection.transport.driver_type != "redis":
                return False
            kept = [
                entry
                for key in client.keys(f"{self.default_queue}*")
                if client.type(key) == b"list"
                for entry in client.lrange(key, 0, -1)
            ]
            kept += client.hvals("unacked")
            return not any(task_id.encode() in entry for entry in kept)
        return False  # it is away

    def send_again(self, run: dg.DagsterRun) -> None:
        """Send a run once more; of two messages for a run the second finds it begun."""
        self._instance.report_engine_event("The broker has lost this run's message; it is sent again.", run)
        self.launch_run(LaunchRunContext(dagster_run=run, workspace=None))
