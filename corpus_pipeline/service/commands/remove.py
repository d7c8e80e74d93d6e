"""Taking a dataset file out again, with everything that was made from it. The ledger, the money and the audit log stay.

Each step may be the last one of a process: anyone who repeats the command, or removes another file, goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import orjson
from sqlalchemy import Connection

from corpus_pipeline import failpoints
from corpus_pipeline.errors import LeaseHeld, TargetUnavailable, UnknownName, UsageError
from corpus_pipeline.jobs import remote
from corpus_pipeline.jobs.augment import answer_spool
from corpus_pipeline.jobs.clean.invalidation import compare_without
from corpus_pipeline.jobs.completion_report import NANO
from corpus_pipeline.jobs.export import marked_parts
from corpus_pipeline.model import FileId, TaskId
from corpus_pipeline.service import search_index
from corpus_pipeline.service.records.exports import RemovalReport, RemovedExport
from corpus_pipeline.settings import Settings
from corpus_pipeline.stages.export.targets import Target
from corpus_pipeline.stages.export.writer import sweep_parts
from corpus_pipeline.states import Stage
from corpus_pipeline.store import (
    Store,
    audit_log,
    cursors,
    dataset_files,
    exports,
    leases,
    provider_batches,
    purges,
    removals,
)
from corpus_pipeline.store.dataset_files import DatasetFile

ACTION = "remove"
_MOST_RUNS = 20  # named in the report


def remove(
    store: Store,
    target: Target | None,
    settings: Settings,
    name: str,
    *,
    reason: str = "",
    who: str,
    keep_answers: bool = False,
    objects: bool = False,
) -> RemovalReport:
    """Take a dataset file out, all its versions: rows, verdicts, new rows, reports, exports and their registration, search
    index. Rows of other files that repeat its rows are compared again by their next run. A file that was removed before is
    looked after again.

    keep_answers: what models answered stays; the same file under another name is then not paid for twice. objects: exports in
    an S3 bucket are deleted, too.

    Returns the report, which the audit log keeps. Raises UnknownName, LeaseHeld (somebody works on it), UsageError (provider
    batches are under way).
    """
    here = target.uri("") if target is not None else None
    answer_spool.settle_all(store, settings.spool_folder)
    report = store.write(lambda c: _count_no_longer(c, name, reason, who, keep_answers), name="remove")
    finish(store)
    sweep_parts(settings.work_folder, keep=store.fetch(marked_parts))
    _forget_copies(store, settings, name)
    failpoints.point("remove: rows are gone")
    report["left"] = [*_take_back(target, here, report, objects), *report["left"]]
    failpoints.point("remove: exports are gone")
    report["left"] += search_index.catch_up_all(store, settings.search_folder)
    return report


def preview(store: Store, name: str) -> dict[str, int]:
    """How much a removal would take out, for anyone who is asked whether it should. Raises UnknownName."""

    def read(connection: Connection) -> dict[str, int]:
        ids = [file.id for file in removals.versions(connection, name)]
        if not ids:
            raise UnknownName("dataset file", name, [file.name for file in dataset_files.current_files(connection)])
        return removals.counts(connection, ids, purges.tasks_of(connection, ids))

    return store.fetch(read)


def finish(store: Store) -> int:
    """Delete what is left of files that count no longer, part by part; returns how many files that were."""
    unfinished = store.fetch(removals.unfinished)
    for file_id in unfinished:
        part = partial(removals.take_out, file_id=file_id, keep_answers=store.fetch(_keeps_answers, file_id))
        while store.write(part, repeatable=True, name="take out"):
            pass
    return len(unfinished)


def _forget_copies(store: Store, settings: Settings, name: str) -> None:
    """Delete what was copied here of a file that lies elsewhere, unless another file has the same bytes."""
    used = {file.sha256 for file in store.fetch(dataset_files.current_files)}
    gone = {file.sha256 for file in store.fetch(removals.removed, name)}
    remote.Copies(settings.downloads_folder).forget(gone - used)


def _keeps_answers(connection: Connection, file_id: FileId) -> bool:
    """What anyone who removed this file said of its answers."""
    name = dataset_files.file_by_id(connection, file_id).name
    said = [orjson.loads(entry.detail) for entry in audit_log.audit(connection, subject=name, action=ACTION)]
    return next((entry["keep_answers"] for entry in reversed(said) if file_id in entry["ids"]), False)


def _count_no_longer(connection: Connection, name: str, reason: str, who: str, keep_answers: bool) -> RemovalReport:
    versions = removals.versions(connection, name)
    if not versions:
        return _again(connection, name)
    ids = [file.id for file in versions]
    own_tasks = purges.tasks_of(connection, ids)
    _refuse_open_batches(connection, name, own_tasks)
    for task_id in own_tasks:
        for stage in Stage:
            _bar(connection, task_id, stage, name)
    again = sorted({other for file in versions for other in compare_without(connection, file, who)} - {name})
    counts = removals.counts(connection, ids, own_tasks)
    published = _published(connection, own_tasks)
    runs = sorted({event.run_id for event in cursors.events(connection, own_tasks, limit=1 << 31) if event.run_id})
    removals.mark(connection, name, ids, who)
    report: RemovalReport = {
        "file": name,
        "reason": reason,
        "by": who,
        "ids": [*map(int, ids)],
        "versions": [file.version for file in versions],
        "source": versions[-1].path,
        "keep_answers": keep_answers,
        "counts": {key: count for key, count in counts.items() if key not in ("spent", "calls")},
        "kept": {"calls": counts["calls"], "cost_usd": counts["spent"] / NANO},
        "exports": published,
        "again": again,
        "left": list(_left(versions, runs)),
        "next": f"corpus run {' '.join(again)}" if again else None,
    }
    report["report"] = audit_log.log(connection, who, ACTION, name, report)
    return report


def _again(connection: Connection, name: str) -> RemovalReport:
    """The report of a removal that was made before, to look again at what it left. Raises UnknownName."""
    known = [entry for entry in audit_log.audit(connection, subject=name, action=ACTION)]
    if not known or not removals.removed(connection, name):
        raise UnknownName("dataset file", name, [file.name for file in dataset_files.current_files(connection)])
    report: RemovalReport = orjson.loads(known[-1].detail)
    return {**report, "report": known[-1].id, "before": True}


def _bar(connection: Connection, task_id: TaskId, stage: Stage, name: str) -> None:
    try:
        leases.bar(connection, task_id, stage, name)
    except LeaseHeld as error:
        raise LeaseHeld(f"{error} --reason TEXT, then remove it") from None


def _refuse_open_batches(connection: Connection, name: str, own_tasks: Sequence[TaskId]) -> None:
    waiting = sum(len(provider_batches.open_batches(connection, task_id)) for task_id in own_tasks)
    if waiting:
        raise UsageError(
            f"{waiting} provider batches of {name} are under way, and what they cost is not known yet: wait for them"
            f" (corpus run {name} --to augment), or let go of them: corpus batches forget {name} --reason TEXT"
        )


def _published(connection: Connection, own_tasks: Sequence[TaskId]) -> list[RemovedExport]:
    return [
        {"export": entry.id, "uri": entry.uri, "target": entry.target, "sha256": entry.sha256}
        for entry in exports.listed(connection)
        if entry.task_id in own_tasks
    ]


def _left(versions: Sequence[DatasetFile], runs: Sequence[str]) -> list[str]:
    """What is not ours to remove, one sentence with the way each."""
    left = [f"the source file {versions[-1].path}: it was only registered, and lies where it lay"]
    if runs:
        named = " ".join(runs[:_MOST_RUNS]) + (
            f" (and {len(runs) - _MOST_RUNS} more)" if len(runs) > _MOST_RUNS else ""
        )
        left.append(f"what runs said of it in Dagster's event log: dagster run delete {named}")
    return left


def _take_back(target: Target | None, here: str | None, report: RemovalReport, objects: bool) -> list[str]:
    """Remove what exports of the file left in the target, where it lets us; returns what could not be, one sentence each."""
    left = [
        f"{entry['uri']}, if it is still there: exports go to another place now; delete it there"
        for entry in report["exports"]
        if entry["target"] != here
    ]
    own = {entry["sha256"] for entry in report["exports"] if entry["target"] == here}
    if target is not None and own:
        try:
            report["files_removed"], stays = target.take_back(report["file"], own, objects=objects)
            left += stays
        except TargetUnavailable as error:
            left.append(f"the exports of {report['file']}: {error}; then remove it again")
    return [*dict.fromkeys(left)]
