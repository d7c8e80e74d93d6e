"""What people ask: progress, reports, money. Records whose keys scripts may rely on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from corpus_pipeline.llm.trouble import Trouble
from corpus_pipeline.model import TaskId
from corpus_pipeline.service.records.progress import FileStatus, StageStatus, WorkerState
from corpus_pipeline.states import FailedState, Stage, Status
from corpus_pipeline.store import (
    augmented,
    completion_reports,
    cursors,
    exports,
    failed_samples,
    leases,
    pauses,
    provider_workers,
    run_workers,
    tasks,
)
from corpus_pipeline.store import recipes as store_recipes
from corpus_pipeline.store.cursors import Cursor
from corpus_pipeline.store.dataset_files import DatasetFile, is_elsewhere, title_of
from corpus_pipeline.store.pauses import PauseFlag
from corpus_pipeline.store.tasks import Task

if TYPE_CHECKING:
    from corpus_pipeline.jobs.completion_report import CompletionReport
    from corpus_pipeline.jobs.stage_run import Work
    from corpus_pipeline.recipe import Recipe


def workers(connection: Connection) -> list[WorkerState]:
    """The processes that work runs, the oldest first."""
    return [
        {
            "host": one.host,
            "pid": one.pid,
            "version": one.version,
            "run": one.run_id,
            "file": one.file_name,
            "stage": None if one.stage is None else one.stage.value,
            "seconds": max(0, one.since_ms) // 1000,
            "silent_seconds": max(0, one.age_ms) // 1000,
            "missing": one.is_missing or one.is_lost,
        }
        for one in run_workers.listed(connection)
        if one.owner
    ]


def status(connection: Connection, names: Sequence[str] = ()) -> list[FileStatus]:
    """How far dataset files are: all, or those named. Raises UnknownName."""
    pairs = tasks.current_tasks(connection, names)
    task_ids = [task.id for _, task in pairs if task is not None]
    by_stage = cursors.task_cursors(connection, task_ids)
    recipes = {row.id: row.name for row in store_recipes.recipe_rows(connection)}
    flags = pauses.active(connection)
    held = {(lease.task_id, lease.stage): lease for lease in leases.live(connection)}
    places = exports.places(connection, task_ids)
    warnings = completion_reports.warnings(connection, task_ids)
    skipped = completion_reports.skip_reasons(connection, task_ids)
    troubles = _troubles(connection, task_ids)
    blocked, lost = Counter[TaskId](), Counter[tuple[TaskId, Stage]]()
    for (task_id, stage, state), count in failed_samples.unresolved(connection, task_ids).items():
        blocked[task_id] += count if state is not FailedState.DISMISSED else 0
        lost[task_id, stage] += count if state is not FailedState.REPLAYED else 0
    found: list[FileStatus] = []
    for file, task in pairs:
        stages: dict[str, StageStatus] = {}
        for stage in Stage:
            own = by_stage.get((task.id, stage), []) if task else []
            failures = lost[task.id, stage] if task else 0
            is_asking = task is not None and stage is Stage.AUGMENT
            stages[stage.value] = {
                **stage_status(connection, file, task, stage, own, failures, flags, held),
                "warnings": warnings.get((task.id, stage), []) if task else [],
                "skip_reasons": skipped.get((task.id, stage), {}) if task else {},
                "troubles": troubles.get(task.id, []) if task and is_asking else [],
            }
        if task is not None:
            stages[Stage.EXPORT.value] = _with_export(stages[Stage.EXPORT.value], task, places.get(task.id))
        found.append(
            {
                "name": file.name,
                "title": title_of(file.path),
                "consumer": file.consumer,
                "recipe": recipes[file.recipe_id],
                "format": file.format,
                "lines": file.lines,
                "conversations": file.conversations,
                "rejects": file.rejects,
                "blanks": file.blanks,
                "open_failed_samples": blocked[task.id] if task else 0,
                "stages": stages,
            }
        )
    return found


def _troubles(connection: Connection, task_ids: Sequence[TaskId]) -> dict[int, list[str]]:
    """What is wrong now at the providers that running tasks ask, in sentences, by task."""
    found = provider_workers.troubles(connection, task_ids)
    return {task_id: [str(Trouble.from_json(text)) for text in texts] for task_id, texts in found.items()}


def stage_status(
    connection: Connection,
    file: DatasetFile,
    task: Task | None,
    stage: Stage,
    own: Sequence[Cursor],
    failures: int,
    flags: Sequence[PauseFlag],
    held: dict[tuple[TaskId, Stage], leases.Lease],
) -> StageStatus:
    """One stage as people see it: the cursors' status, corrected by what flags and leases say of it right now."""
    word = cursors.stage_status(own)
    flag = next((flag for flag in flags if flag.covers(file.name, stage)), None)
    worker = held.get((task.id, stage)) if task else None
    reason = next((cursor.status_reason for cursor in own if cursor.status_reason), None)
    if word in (Status.RUNNING, Status.PAUSING) and worker is None:
        word, reason = Status.INTERRUPTED, "the worker is gone; the next run continues"
    elif word is Status.RUNNING and flag is not None:
        word, reason = Status.PAUSING, str(flag)
    if word is Status.PENDING and stage is Stage.INGEST and is_elsewhere(file):
        reason = f"not on this host: {file.path}"
    lead = min(own, key=lambda cursor: cursor.processed_rows) if own else None
    dropped = max((cursor.dropped_rows for cursor in own), default=0)
    if stage is Stage.CLEAN and task is not None and own:
        dropped = sum(cursor.dropped_rows for cursor in own)
    return {
        "status": word.value,
        "total": lead.total_rows if lead and lead.total_rows is not None else _expected(file, stage),
        "processed": augmented.processed_rows(connection, stage, own),
        "dropped": dropped,
        "failed": failures,
        "reason": reason,
        "flag": None if flag is None else str(flag),
        "worker": None if worker is None else worker.owner,
        "held": None if worker is None else leases.in_words(worker, f"{stage} of {file.name}"),
        "active_ms": sum(cursor.active_ms for cursor in own),
        "run_id": lead.run_id if lead else None,
        "warnings": [],
        "skip_reasons": {},
        "troubles": [],
    }


def _with_export(stage: StageStatus, task: Task, place: exports.Place | None) -> StageStatus:
    """An export is done only where its file is, of the rows of now. A bucket is looked at by `corpus run` and `corpus doctor`,
    not here."""
    if stage["status"] != Status.DONE or place is None:
        return stage
    reason = why_again(task, place)
    return stage if reason is None else {**stage, "status": Status.PENDING.value, "processed": 0, "reason": reason}


def why_again(task: Task, place: exports.Place) -> str | None:
    """Why an export that is done is to be written again, in words; None where it is as it should be."""
    if place.version != task.content_version:
        return "its rows have changed since; a run writes it again"
    if place.replaced:
        return f"{place.uri} was written over under another recipe; a run writes it again"
    if place.uri.startswith("/") and not Path(place.uri).exists():
        return f"{place.uri} is not there, on this machine; a run writes it again"
    return None


def _expected(file: DatasetFile, stage: Stage) -> int | None:
    return file.lines if stage is Stage.INGEST else file.conversations


def report(connection: Connection, file: DatasetFile, recipe: Recipe, stage: Stage | None) -> list[CompletionReport]:
    """The report of one stage, or of every stage that has begun, counted from the rows now."""
    from corpus_pipeline.jobs.completion_report import completion_report  # it brings the recipe and the strategies

    task = next((task for _, task in tasks.current_tasks(connection, [file.name])), None)
    if task is None:
        return []
    begun = {key[1] for key in cursors.task_cursors(connection, [task.id])}
    wanted = [stage] if stage else [s for s in Stage if s in begun]
    return [completion_report(connection, file, task, recipe, s) for s in wanted]


def data_version_parts(work: Work) -> list[str]:
    """The source, the recipe sections up to the stage, the code of the stage and its counts."""
    from corpus_pipeline.service.code_versions import code_version

    stages = [stage.value for stage in Stage][: list(Stage).index(work.stage) + 1]
    version = work.store.fetch(lambda c: tasks.task_by_id(c, work.task.id)).content_version
    return [
        work.file.sha256,
        work.recipe.section_hash(*stages),
        *(code_version(Stage(stage)) for stage in stages),
        str(version if work.stage in (Stage.AUGMENT, Stage.EXPORT) else 0),
    ]
