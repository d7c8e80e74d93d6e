"""`corpus worker --celery`: a Celery worker that executes the runs which Dagster's daemon hands out."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import dagster as dg
import psutil
from celery import Celery
from celery.signals import worker_shutting_down
from dagster_celery.make_app import make_app
from dagster_shared.serdes import unpack_value

from corpus_pipeline.defs import instance as defs_instance
from corpus_pipeline.defs.celery_launcher import BROKER_VARIABLE, CELERY_SETTINGS, EXECUTE
from corpus_pipeline.defs.dagster_internals import ExecuteRunArgs, _execute_run_command_body
from corpus_pipeline.errors import SettingMissing
from corpus_pipeline.settings import Settings, host_name

QUEUE = "dagster"
_WAITING = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED)


def run(settings: Settings, concurrency: int) -> int:
    """Execute runs until SIGTERM or Ctrl-C, `concurrency` at a time. Raises SettingMissing without a broker."""
    if settings.celery_broker is None:
        raise SettingMissing(
            f"set {BROKER_VARIABLE}, for example to redis://host:6379/0, here and where `corpus ui` runs"
        )
    defs_instance.instance(settings)  # its databases are made before two processes come to it
    worker_shutting_down.connect(_stop_runs)
    made(settings.celery_broker).worker_main(
        [
            "worker",
            "--loglevel=WARNING",
            f"--concurrency={concurrency}",
            f"--queues={QUEUE}",
            f"--hostname=corpus-{os.getpid()}@{host_name()}",
            "-O",
            "fair",
            "--without-gossip",
            "--without-mingle",
        ]
    )
    return 0


def made(broker: str) -> Celery:
    """The Celery application with the task that executes a run."""
    make: Callable[[dict[str, Any]], Celery] = make_app
    app = make({"broker": broker, "backend": None, "config_source": CELERY_SETTINGS, "task_default_queue": QUEUE})

    @app.task(bind=True, name=EXECUTE)
    def execute_job(_task: Any, execute_job_args_packed: Any) -> None:
        args = unpack_value(execute_job_args_packed, as_type=ExecuteRunArgs)
        with dg.DagsterInstance.get() as instance:
            found = instance.get_run_by_id(args.run_id)
            # handed out a second time: another worker has begun it, or it was ended while it waited
            if found is not None and found.status in _WAITING:
                _execute_run_command_body(
                    run_id=args.run_id,
                    instance=instance,
                    write_stream_fn=lambda event: None,
                    set_exit_code_on_failure=False,
                )

    return app


def _stop_runs(**_: Any) -> None:
    """Let the runs of this worker stop at their next batch boundary: Celery waits for its processes, and tells them nothing."""
    for child in psutil.Process().children():
        child.send_signal(signal.SIGTERM)
