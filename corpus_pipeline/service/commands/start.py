"""Starting what is unfinished, from where there is no Dagster: a request that the `pause_flags` sensor, or a worker, answers
with a run; and taking a file for a worker's run."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from corpus_pipeline.errors import UsageError
from corpus_pipeline.states import Stage
from corpus_pipeline.store import Store, audit_log, dataset_files, pauses, run_workers, start_requests
from corpus_pipeline.store.dataset_files import DatasetFile

ACTION = "start"
BACKFILL = "backfill"


def backfill(store: Store, stage: Stage, who: str) -> bool:
    """Ask for one backfill, up to a stage, of all that has failed or is missing then; False when it is asked for already."""

    def write(connection: Connection) -> bool:
        if not start_requests.add(connection, start_requests.EVERY_FILE, stage, who):
            return False
        audit_log.log(connection, who, BACKFILL, "failed and missing", {"to": stage.value})
        return True

    return store.write(write, repeatable=True)


def start(store: Store, names: Sequence[str], stage: Stage, who: str) -> list[str]:
    """Ask for a run of each of these files up to a stage. Returns those for which the same was not asked before.

    Raises UnknownName for a file that is not registered, UsageError where a pause flag covers the stage.
    """

    def write(connection: Connection) -> list[str]:
        dataset_files.current_files(connection, names)
        for name in names:
            flag = pauses.covering(connection, name, stage)
            if flag is not None:
                raise UsageError(f"{stage} of {name} is {flag}. Resume it: that starts it, too")
        asked = [name for name in names if start_requests.add(connection, name, stage, who)]
        for name in asked:
            audit_log.log(connection, who, ACTION, name, {"to": stage.value})
        return asked

    return store.write(write, repeatable=True)


def claim(connection: Connection, file: DatasetFile, run_id: str, owner: str, version: str, ttl_ms: int) -> bool:
    """Take a dataset file for a run that is about to begin; False when another worker did. Of two that ask at the same moment
    one waits for the other: the row of the file is locked."""
    dataset_files.lock(connection, file.id)
    for worker in run_workers.listed(connection):
        if worker.file_name == file.name and not worker.is_missing and not worker.is_lost:
            return False
    run_workers.enter(connection, run_id, owner, version, ttl_ms, file_name=file.name)
    return True
