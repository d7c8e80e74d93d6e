"""Which runs have lost their process. Each worker locks a file named by its run as long as it lives; the kernel releases it.

Dagster's default launcher does not notice a worker that died while the daemon was down, or whose daemon died with it: such a
run would stay "started" for ever, and its backfill with it. A stage's lease tells only of a worker that was inside a stage.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

import dagster as dg

from corpus_pipeline import file_locks

_held: IO[str] | None = None


def folder(home: Path) -> Path:
    """Where the files are."""
    return home / "runs"


def hold(home: Path, run_id: str) -> None:
    """Say that this process works a run, until it ends or works another one."""
    global _held
    if _held is not None:
        _held.close()
    folder(home).mkdir(mode=0o700, parents=True, exist_ok=True)
    _held = (folder(home) / run_id).open("w", encoding="utf-8")
    file_locks.wait_for_process(_held.fileno())


def without_process(home: Path) -> Iterator[tuple[str, Path]]:
    """(run id, its file) for each run whose process has ended. Not for a process that works a run itself."""
    for path in folder(home).glob("*"):
        with path.open("r+", encoding="utf-8") as file:
            if not file_locks.take_for_process(file.fileno()):
                continue
        yield path.name, path


def end_without_process(instance: dg.DagsterInstance, home: Path) -> list[str]:
    """End the runs without a process; returns their ids. Dagster tries those of a daemon again, and they go on from their
    cursors."""
    ended = []
    for run_id, path in without_process(home):
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            report_dead(instance, run)
            ended.append(run_id)
        path.unlink(missing_ok=True)
    return ended


def report_dead(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRun:
    """End a run in Dagster's books whose worker has ended: the default launcher does not notice a lost host.

    A worker that comes back is refused by the epoch of its lease."""
    message = "This run's worker is gone: its process has ended, or its lease has without a sign of life."
    if run.status is dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, message=message)
    else:
        instance.report_run_failed(run, message=message)
    return instance.get_run_by_id(run.run_id) or run
