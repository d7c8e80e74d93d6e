"""Running partitions through Dagster in this process, so that its UI shows these runs like any other."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import NamedTuple

import dagster as dg

from corpus_pipeline.defs import instance, partitions, run_liveness, run_tags
from corpus_pipeline.defs.build import LOCATION, PATH_JOB, own
from corpus_pipeline.defs.checks import ASSETS
from corpus_pipeline.defs.dagster_internals import (
    SINGLETON_REPOSITORY_NAME,
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from corpus_pipeline.defs.names import DEFAULT
from corpus_pipeline.defs.narration import COMMAND, STARTED_BY_TAG
from corpus_pipeline.defs.resources import kept
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage

# where the UI finds the job of a run: the code location of workspace.yaml
_ORIGIN = RemoteJobOrigin(
    RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(LOCATION), SINGLETON_REPOSITORY_NAME), PATH_JOB
)


class Launched(NamedTuple):
    """One Dagster run. error: the message of the step that failed, None when none did."""

    run_id: str
    success: bool
    error: str | None


class Launcher:
    """Launches runs of the path job in this process, one partition at a time."""

    def __init__(self, settings: Settings) -> None:
        self.instance = instance.instance(settings, prints=True)
        self._store = kept(settings).store
        run_liveness.end_lost(self.instance, self._store, settings.lease_seconds, DEFAULT.owns)
        self._job = own().resolve_job_def(PATH_JOB)
        logging.getLogger("dagster").setLevel(logging.CRITICAL)

    def register(self, names: Sequence[str]) -> list[str]:
        """Make the partitions that are missing."""
        return partitions.register(self.instance, names)

    def run(
        self,
        name: str,
        stages: Sequence[Stage],
        *,
        limit: int | None = None,
        spread: bool = False,
        run_id: str | None = None,
        started_by: str = COMMAND,
    ) -> Launched:
        """Materialize these stages of one partition; what a stage says about itself is in the corpus, not here.

        limit, spread: see `Work`. run_id: of the run, a new one by itself. started_by: see `narration.STARTED_BY_TAG`.

        Raises KeyboardInterrupt when a signal stopped it at a batch boundary.
        """
        run_id = run_id or str(uuid.uuid4())
        try:
            result = self._job.execute_in_process(
                run_id=run_id,
                partition_key=name,
                asset_selection=[dg.AssetKey(ASSETS[stage]) for stage in stages],
                instance=self.instance,
                raise_on_error=False,
                tags={STARTED_BY_TAG: started_by}
                | ({run_tags.LIMIT_TAG: str(limit)} if limit is not None else {})
                | ({run_tags.SPREAD_TAG: "yes"} if spread else {}),
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        except dg.DagsterExecutionInterruptedError as stop:
            if self._was_refused(run_id):
                return Launched(run_id, False, None)
            raise KeyboardInterrupt from stop
        finally:
            run_liveness.leave(self._store, self.instance.get_run_by_id(run_id))
        self._allow_another(result.run_id)
        if self._was_refused(run_id):
            return Launched(run_id, False, None)
        if _was_interrupted(result):  # Dagster may keep it to itself: between two steps it is a failure like any other
            raise KeyboardInterrupt
        return Launched(result.run_id, result.success, _error(result))

    def _was_refused(self, run_id: str) -> bool:
        """Whether somebody else works on it."""
        run = self.instance.get_run_by_id(run_id)
        return run is not None and run.tags.get(run_tags.END_TAG) == "held"

    def _allow_another(self, run_id: str) -> None:
        """A run of this process has no origin, and without one the UI's Re-execute ends in an error.

        It gets one when it is over: a daemon never tries a run again whose step failed, so that nothing begins by itself.
        """
        run = self.instance.get_run_by_id(run_id)
        if run is not None:
            self.instance.run_storage.replace_job_origin(run, _ORIGIN)


def _was_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    for event in result.all_events:
        error = event.step_failure_data.error if event.is_step_failure else None
        while error is not None:
            if error.cls_name in (dg.DagsterExecutionInterruptedError.__name__, KeyboardInterrupt.__name__):
                return True
            error = error.cause
    return False


def _error(result: dg.ExecuteInProcessResult) -> str | None:
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data is not None and data.user_failure_data.description:
                return str(data.user_failure_data.description)
            error = data.error
            while error is not None and error.cause is not None:
                error = error.cause
            return None if error is None else error.message.strip()
    failed = next((event for event in result.all_events if event.is_failure and event.message), None)
    if failed is None:
        return None
    error = getattr(failed.event_specific_data, "error", None)  # before the first step: a resource, a setting
    while error is not None and error.cause is not None:
        error = error.cause
    return failed.message if error is None else error.message.strip()
