"""Pausing, resuming, replaying, dismissing: requests by people, each with its line in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from corpus_pipeline.errors import UsageError
from corpus_pipeline.model import TaskId
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import (
    Store,
    audit_log,
    cursors,
    dataset_files,
    leases,
    pauses,
    tasks,
)
from corpus_pipeline.store.pauses import PauseFlag


def pause(
    store: Store, names: Sequence[str], stage: Stage | None, everything: bool, reason: str, who: str
) -> list[PauseFlag]:
    """Set a flag for each named file, for a stage of all files, or for everything. Setting one twice is the same as once.

    Raises UsageError when the scope is not said, UnknownName for a file that is not registered.
    """
    if not names and stage is None and not everything:
        raise UsageError("say what to pause: names of dataset files, --stage, or --all")
    if not reason.strip():
        raise UsageError("say why: `corpus pause ... --reason TEXT`; whoever finds the job paused will want to know")

    def write(connection: Connection) -> list[PauseFlag]:
        dataset_files.current_files(connection, names)
        scopes: list[str | None] = list(names) if names else [None]
        flags = [
            pauses.set_flag(connection, stage=stage, file_name=name, reason=reason, requested_by=who) for name in scopes
        ]
        for flag in flags:
            audit_log.log(connection, who, "pause", scope_text(flag), {"reason": reason})
        return flags

    return store.write(write, repeatable=True)


def resume(store: Store, names: Sequence[str], stage: Stage | None, everything: bool, who: str) -> list[PauseFlag]:
    """Clear the flags of exactly this scope (`everything`: all there are). Returns those that were set."""
    if not names and stage is None and not everything:
        raise UsageError("say what to resume: names of dataset files, --stage, or --all")

    def write(connection: Connection) -> list[PauseFlag]:
        dataset_files.current_files(connection, names)
        flags = pauses.clear(connection, stage=stage, file_names=names, everything=everything, cleared_by=who)
        for flag in flags:
            audit_log.log(connection, who, "resume", scope_text(flag))
        return flags

    return store.write(write, repeatable=True)


def scope_text(flag: PauseFlag) -> str:
    """The scope of a flag in words."""
    where = f"file {flag.file_name}" if flag.file_name else "every file"
    return f"{flag.stage or 'every stage'} of {where}"


class Resumable(NamedTuple):
    """A stage that may go on: its flag was cleared (`resume`), or its worker died (`takeover`).

    generation: changes with every pause, every clearing of a flag and every new holder, so that each is answered by one run.
    """

    task_id: TaskId
    name: str
    stage: Stage
    run_id: str | None
    why: str
    generation: str


def mark_flags(store: Store) -> list[PauseFlag]:
    """Mark what runs below a set flag as pausing; also for flags that another client inserted. Returns the set flags."""
    store.write(leases.cap, repeatable=True)
    flags = store.fetch(pauses.active)
    for flag in flags:
        store.write(partial(pauses.mark_pausing, flag=flag), repeatable=True)
    store.write(pauses.unmark, repeatable=True)
    return flags


def resumable(store: Store) -> list[Resumable]:
    """Paused stages that no flag covers any more, and running ones whose lease has ended."""
    return [work for work, flag in store.fetch(_without_worker) if flag is None]


def abandoned(store: Store) -> list[tuple[Resumable, PauseFlag]]:
    """Running stages whose lease has ended below a flag: their workers will not pause them any more."""
    return [(work, flag) for work, flag in store.fetch(_without_worker) if flag is not None and work.why == "takeover"]


def paused(store: Store) -> list[tuple[Resumable, PauseFlag | None]]:
    """Paused stages, each with a flag that covers it."""
    return [(work, flag) for work, flag in store.fetch(_without_worker) if work.why == "resume"]


def _without_worker(connection: Connection) -> list[tuple[Resumable, PauseFlag | None]]:
    """Paused stages, and running ones whose lease has ended, each with a flag that covers it."""
    flags = pauses.active(connection)
    held = {(lease.task_id, lease.stage) for lease in leases.live(connection)}
    pairs = {task.id: file for file, task in tasks.current_tasks(connection) if task is not None}
    found: list[tuple[Resumable, PauseFlag | None]] = []
    for (task_id, stage), own in cursors.task_cursors(connection, list(pairs)).items():
        file = pairs[task_id]
        status = cursors.stage_status(own)
        if (task_id, stage) in held:
            continue
        if status is Status.PAUSED:
            why = "resume"
        elif status in (Status.RUNNING, Status.PAUSING):
            why = "takeover"
        else:
            continue
        run_id = next((cursor.run_id for cursor in own if cursor.run_id), None)
        cleared = pauses.last_cleared(connection, file.name, stage)
        generation = f"{cursors.last_event(connection, task_id, stage)}:{cleared}"
        flag = next((flag for flag in flags if flag.covers(file.name, stage)), None)
        found.append((Resumable(task_id, file.name, stage, run_id, why, generation), flag))
    return found
