"""What the pages of files, money, statistics, exports and actions say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import orjson
from sqlalchemy import Connection, Row

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.jobs.completion_report import NANO, CompletionReport
from corpus_pipeline.model import split_id
from corpus_pipeline.recipe import parse
from corpus_pipeline.service.commands import purge
from corpus_pipeline.service.commands.pause import scope_text
from corpus_pipeline.service.queries import cost, row_filter, status
from corpus_pipeline.service.records.calls import Money
from corpus_pipeline.service.records.exports import AuditPage, Export, ExportDetail, LoggedPurge, PurgeReport
from corpus_pipeline.service.records.progress import FileProgress, Flag, SetFlag, StageProgress, StageStatus, StartWish
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import (
    Store,
    audit_log,
    completion_reports,
    cursors,
    dataset_files,
    exports,
    failed_samples,
    pauses,
    recipes,
    spending,
    start_requests,
    statistics,
    tasks,
)
from corpus_pipeline.store.pauses import PauseFlag

_MOST_CALLS = 1_000_000  # that a page looks through
_LEAST_SECONDS = 5.0  # of work, before the remaining time is estimated


def progress(connection: Connection, names: Sequence[str] = ()) -> list[FileProgress]:
    """`questions.status` with, per file, its identity and cost, and per stage its rate and the time that is left.

    per_second: finished rows by second of work, pauses left out; None before the first. eta_seconds: None unless it runs.
    """
    found = status.status(connection, names)
    pairs = {file.name: file for file, _ in tasks.current_tasks(connection, names)}
    costs = spending.cost_of_files(connection, names)
    return [
        {
            **entry,
            "stages": {name: _with_rate(stage) for name, stage in entry["stages"].items()},
            "version": pairs[entry["name"]].version,
            "bytes": pairs[entry["name"]].bytes,
            "sha256": pairs[entry["name"]].sha256,
            "path": pairs[entry["name"]].path,
            "cost_usd": costs.get(entry["name"], 0) / NANO,
        }
        for entry in found
    ]


def _with_rate(stage: StageStatus) -> StageProgress:
    seconds = stage["active_ms"] / 1000
    left = (stage["total"] or 0) - stage["processed"]
    running = stage["status"] in (Status.RUNNING, Status.PAUSING)
    # the first moments of a run say little of the rest
    known = stage["processed"] and (seconds >= _LEAST_SECONDS if running else seconds > 0)
    rate = stage["processed"] / seconds if known else None
    return {**stage, "per_second": rate, "eta_seconds": left / rate if rate and running and left > 0 else None}


def flag_dict(flag: PauseFlag) -> Flag:
    """A pause flag in words and numbers."""
    return {
        "id": flag.id,
        "scope": scope_text(flag),
        "stage": flag.stage.value if flag.stage else None,
        "file": flag.file_name,
        "reason": flag.reason,
        "by": flag.requested_by,
        "at": flag.requested_at,
        "cleared_by": flag.cleared_by,
        "cleared_at": flag.cleared_at,
    }


def flags(connection: Connection) -> list[SetFlag]:
    """The flags that are set, each with the stages that have not stopped yet, as `file stage`."""
    found: list[SetFlag] = []
    states = status.status(connection)
    for flag in pauses.active(connection):
        busy = [
            f"{state['name']} {stage}"
            for state in states
            for stage, own in state["stages"].items()
            if own["status"] in (Status.PAUSING, Status.RUNNING) and flag.covers(state["name"], Stage(stage))
        ]
        found.append({**flag_dict(flag), "pausing": busy, "stopped": not busy})
    return found


def flag_history(connection: Connection, limit: int) -> list[Flag]:
    """Flags that were set and cleared, the newest first."""
    return [flag_dict(flag) for flag in reversed(pauses.history(connection, limit)) if flag.cleared_at is not None]


def failed_words(connection: Connection) -> dict[str, list[str]]:
    """{files, strategies, reasons}: what the failed-sample queue can be filtered by."""
    return statistics.failed_words(connection)


def startable(connection: Connection, stage: Stage) -> list[str]:
    """The files that have something to do up to a stage, where no run works on it and no flag covers it."""
    wanted = list(Stage)[: list(Stage).index(stage) + 1]
    flags = pauses.active(connection)
    found: list[str] = []
    for state in status.status(connection):
        own = {one: state["stages"][one.value]["status"] for one in wanted}
        at_work = any(one in (Status.RUNNING, Status.PAUSING) for one in own.values())
        covered = any(flag.covers(state["name"], one) for flag in flags for one in wanted)
        if not at_work and not covered and any(one != Status.DONE for one in own.values()):
            found.append(state["name"])
    return found


def start_wishes(connection: Connection, name: str) -> list[StartWish]:
    """What people asked to start of a file and no run has answered yet."""
    return [
        {"to": wish.stage.value, "requested_by": wish.requested_by, "requested_at": wish.requested_at}
        for wish in start_requests.waiting(connection, name)
    ]


def clear_flag(store: Store, flag_id: int, who: str) -> str:
    """Clear one flag, exactly this scope. Returns the scope in words. Raises UsageError when it is not set (any more)."""

    def write(connection: Connection) -> str:
        flag = next((flag for flag in pauses.active(connection) if flag.id == flag_id), None)
        if flag is None:
            raise UsageError("this pause flag is not set any more; look at the list again")
        names = [flag.file_name] if flag.file_name else []
        pauses.clear(connection, stage=flag.stage, file_names=names, everything=False, cleared_by=who)
        audit_log.log(connection, who, "resume", scope_text(flag))
        return scope_text(flag)

    return store.write(write, repeatable=True)


def state_of(connection: Connection, name: str) -> str:
    """A word that changes with whatever statistics and reports of a dataset file count. Cheap: it reads no rows."""
    ((file, task),) = tasks.current_tasks(connection, [name])
    if task is None:
        return f"{file.id} {file.state}"
    by_stage = cursors.task_cursors(connection, [task.id])
    own = [(c.task_type, c.status, c.current_offset, c.failed_rows) for found in by_stage.values() for c in found]
    return f"{task.id} {task.content_version} {failed_samples.open_counts(connection, [task.id])} {own}"


def last_reports(connection: Connection, name: str) -> list[CompletionReport]:
    """The reports that the stages of a dataset file wrote when they were done."""
    ((_, task),) = tasks.current_tasks(connection, [name])
    kept = completion_reports.latest(connection, task.id) if task else {}
    return [cast(CompletionReport, report) for report in kept.values()]


def filter_words(connection: Connection, name: str) -> dict[str, list[str]]:
    """{strategies, rules}: what the rows of a dataset file can be filtered by, beside the closed sets."""
    ((file, task),) = tasks.current_tasks(connection, [name])
    rules = parse(recipes.recipe_row(connection, file.recipe_id).body, origin="recipe").clean.rules
    return {
        "strategies": statistics.strategies(connection, task.id) if task else [],
        "rules": row_filter.rule_names() if rules is None else [rule.name for rule in rules],
    }


def money(connection: Connection, by: str) -> Money:
    """{by, groups[], total_usd, dearest[]}: money by one key, and the rows that cost most. Raises UnknownName.

    dearest: None when there are too many calls to look through them for a page; `corpus cost --by item` does.
    """
    groups = cost.cost(connection, by)
    few = sum(group["calls"] for group in groups) <= _MOST_CALLS
    return {
        "by": by,
        "groups": groups,
        "total_usd": sum(group["cost_usd"] for group in groups),
        "dearest": [
            {
                "name": row.file_name,
                "number": split_id(row.conversation_id)[1],
                "calls": int(row.calls),
                "input_tokens": int(row.input_tokens),
                "output_tokens": int(row.output_tokens),
                "cost_usd": int(row.cost) / NANO,
            }
            for row in statistics.dearest_rows(connection, 20)
        ]
        if few
        else None,
    }


def export_dict(row: Row, name: str) -> Export:
    """An export of a dataset file without its manifest."""
    return {
        "id": row.id,
        "name": name,
        "uri": row.uri,
        "sha256": row.sha256,
        "bytes": row.bytes,
        "lines": row.lines,
        "created_at": row.created_at,
        "superseded_at": row.superseded_at,
        "purged_at": row.purged_at,
        "run_id": row.run_id,
    }


def export_list(connection: Connection, name: str | None = None) -> list[Export]:
    """Exports, the newest first."""
    rows = exports.listed(connection)
    return [export_dict(row, row.file_name) for row in reversed(rows) if name is None or row.file_name == name]


def export(connection: Connection, export_id: int) -> ExportDetail:
    """One export with its manifest. Raises UnknownName."""
    row = exports.by_id(connection, export_id)
    file = dataset_files.file_by_id(connection, tasks.task_by_id(connection, row.task_id).file_id)
    return {
        **export_dict(row, file.name),
        "manifest": orjson.loads(row.manifest),
        "newest": exports.of_file(connection, file.name)[-1].id == row.id,
        "file_version": None if file.superseded_at is None else file.version,
    }


def audit_page(
    connection: Connection, *, who: str | None = None, action: str | None = None, before: int | None = None, limit: int
) -> AuditPage:
    """The audit log by key page, the newest first."""
    rows = audit_log.audit(connection, who=who, action=action, before=before, limit=limit + 1)[::-1]
    return {
        "entries": [
            {
                "id": row.id,
                "at": row.at,
                "who": row.who,
                "action": row.action,
                "subject": row.subject,
                "detail": orjson.loads(row.detail),
            }
            for row in rows[:limit]
        ],
        "next_before": rows[limit - 1].id if len(rows) > limit else None,
    }


def purge_report(connection: Connection, identifier: int) -> LoggedPurge:
    """The report of a removal request, by its entry in the audit log. Raises UnknownName."""
    entry = audit_log.entry(connection, identifier)
    if entry is None or entry.action != purge.ACTION:
        raise UnknownName("removal request", str(identifier), ["/audit?action=purge lists them"])
    report: PurgeReport = orjson.loads(entry.detail)
    return {**report, "entry": entry.id, "at": entry.at}


def note(store: Store, who: str, action: str, subject: str, detail: Mapping[str, object] | None = None) -> None:
    """Write one line of the audit log: somebody logged in, somebody took a copy."""
    store.write(lambda c: audit_log.log(c, who[:128], action, subject[:255], detail), repeatable=True)
