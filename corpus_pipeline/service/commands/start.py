"""Starting what is unfinished, from where there is no Dagster: a request that the `pause_flags` sensor answers with a run."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from corpus_pipeline.errors import UsageError
from corpus_pipeline.states import Stage
from corpus_pipeline.store import Store, audit_log, dataset_files, pauses, start_requests

ACTION = "start"


def start(store: Store, names: Sequence[str], stage: Stage, who: str) -> list[str]:
    """Ask for a run of each of these files up to a stage. Returns those for which nobody had asked the same before.

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
