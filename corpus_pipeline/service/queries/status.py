"""What people ask: progress, reports, money. Plain dictionaries whose keys scripts may rely on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from corpus_pipeline.errors import UnknownName
from corpus_pipeline.jobs.completion_report import MICRO, completion_report
from corpus_pipeline.jobs.stage_run import Work
from corpus_pipeline.model import TaskId, split_id
from corpus_pipeline.recipe import Recipe
from corpus_pipeline.service.code_versions import code_version
from corpus_pipeline.states import FailedState, Stage, Status
from corpus_pipeline.store import cursors, dataset_files, failed_samples, leases, ledger, pauses, spending
from corpus_pipeline.store.cursors import Cursor
from corpus_pipeline.store.dataset_files import DatasetFile, Task
from corpus_pipeline.store.pauses import PauseFlag

ITEM, BATCH = "item", "batch"  # the cost keys of single items and of batches of rows, beside those of the ledger
DEAREST = 20
BATCH_ROWS = 10  # of a batch as `corpus cost` shows it


def status(connection: Connection, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """files[].{name, consumer, recipe, stages.{stage}.{status, total, processed, dropped, failed, ...}}."""
    pairs = dataset_files.current_tasks(connection, names)
    task_ids = [task.id for _, task in pairs if task is not None]
    by_stage = cursors.task_cursors(connection, task_ids)
    recipes = {row.id: row.name for row in dataset_files.recipe_rows(connection)}
    flags = pauses.active(connection)
    held = {(lease.task_id, lease.stage): lease for lease in leases.live(connection)}
    blocked, lost = Counter[TaskId](), Counter[tuple[TaskId, Stage]]()
    for (task_id, stage, state), count in failed_samples.unresolved(connection, task_ids).items():
        blocked[task_id] += count if state is not FailedState.DISMISSED else 0
        lost[task_id, stage] += count if state is not FailedState.REPLAYED else 0
    found = []
    for file, task in pairs:
        stages = {}
        for stage in Stage:
            own = by_stage.get((task.id, stage), []) if task else []
            failures = lost[task.id, stage] if task else 0
            stages[stage.value] = stage_status(connection, file, task, stage, own, failures, flags, held)
        found.append(
            {
                "name": file.name,
                "consumer": file.consumer,
                "recipe": recipes[file.recipe_id],
                "format": file.format,
                "open_failed_samples": blocked[task.id] if task else 0,
                "stages": stages,
            }
        )
    return found


def stage_status(
    connection: Connection,
    file: DatasetFile,
    task: Task | None,
    stage: Stage,
    own: Sequence[Cursor],
    failures: int,
    flags: Sequence[PauseFlag],
    held: dict[tuple[TaskId, Stage], leases.Lease],
) -> dict[str, Any]:
    """One stage as people see it: the cursors' status, corrected by what flags and leases say of it right now."""
    word = cursors.stage_status(own)
    flag = next((flag for flag in flags if flag.covers(file.name, stage)), None)
    worker = held.get((task.id, stage)) if task else None
    reason = next((cursor.status_reason for cursor in own if cursor.status_reason), None)
    if word in (Status.RUNNING, Status.PAUSING) and worker is None:
        word, reason = Status.INTERRUPTED, "the worker is gone; the next run continues"
    elif word is Status.RUNNING and flag is not None:
        word, reason = Status.PAUSING, str(flag)
    lead = min(own, key=lambda cursor: cursor.processed_rows) if own else None
    dropped = max((cursor.dropped_rows for cursor in own), default=0)
    if stage is Stage.CLEAN and task is not None and own:
        dropped = sum(cursor.dropped_rows for cursor in own)
    return {
        "status": word.value,
        "total": lead.total_rows if lead and lead.total_rows is not None else _expected(file, stage),
        "processed": lead.processed_rows if lead else 0,
        "dropped": dropped,
        "failed": failures,
        "reason": reason,
        "flag": None if flag is None else str(flag),
        "worker": None if worker is None else worker.owner,
        "active_ms": sum(cursor.active_ms for cursor in own),
        "run_id": lead.run_id if lead else None,
    }


def _expected(file: DatasetFile, stage: Stage) -> int | None:
    return file.lines if stage is Stage.INGEST else file.conversations


def report(connection: Connection, file: DatasetFile, recipe: Recipe, stage: Stage | None) -> list[dict[str, Any]]:
    """The report of one stage, or of every stage that has begun, counted from the rows now."""
    task = next((task for _, task in dataset_files.current_tasks(connection, [file.name])), None)
    if task is None:
        return []
    begun = {key[1] for key in cursors.task_cursors(connection, [task.id])}
    wanted = [stage] if stage else [s for s in Stage if s in begun]
    return [completion_report(connection, file, task, recipe, s) for s in wanted]


def cost(connection: Connection, by: str) -> list[dict[str, Any]]:
    """Money by one key. The rows of every key add up to the same sum, that of the ledger."""
    if by == ITEM:
        return _dearest(ITEM, [(_name_of_item(row), [row]) for row in ledger.cost_by_item(connection)])
    if by == BATCH:
        return _dearest(BATCH, _batches(connection))
    if by not in spending.KEYS:
        raise UnknownName("cost key", by, [*spending.KEYS, BATCH, ITEM])
    return [
        {
            by: row.key,
            **{name: int(getattr(row, name)) for name in _COUNTS},
            "cost_usd": int(row.cost) / MICRO,
        }
        for row in spending.by(connection, by)
    ]


_COUNTS = ("calls", "answered", "errors", "unknown", "input_tokens", "cached_tokens", "output_tokens")


def _dearest(by: str, groups: Sequence[tuple[str, Sequence[Any]]]) -> list[dict[str, Any]]:
    """The dearest groups one by one, then the others of the dearest tenth and all the rest in a row each. `groups`: by
    falling cost."""
    tenth = -(-len(groups) // 10)
    found = [_sum_of(by, name, rows) for name, rows in groups[:DEAREST]]
    if rest := groups[DEAREST:tenth]:
        found.append(_sum_of(by, f"{len(rest):,} more of the dearest tenth", [row for _, rows in rest for row in rows]))
    if rest := groups[max(DEAREST, tenth) :]:
        found.append(_sum_of(by, f"{len(rest):,} others", [row for _, rows in rest for row in rows]))
    return found


def _name_of_item(row: Any) -> str:
    return f"{row.name}:{split_id(row.conversation_id)[1]}/{row.strategy}/{row.sample_index}"


def _batches(connection: Connection) -> list[tuple[str, list[Any]]]:
    """The items of each batch of rows that were asked about, by falling cost; named by file, first and last row."""
    items = sorted(ledger.cost_by_item(connection), key=lambda row: (row.name, row.conversation_id))
    found = []
    for name, own in groupby(items, lambda row: row.name):
        rows = [list(group) for _, group in groupby(own, lambda row: row.conversation_id)]
        for start in range(0, len(rows), BATCH_ROWS):
            some = rows[start : start + BATCH_ROWS]
            first, last = (split_id(group[0].conversation_id)[1] for group in (some[0], some[-1]))
            found.append((f"{name}:{first}-{last}", [row for group in some for row in group]))
    return sorted(found, key=lambda group: -sum(int(row.cost) for row in group[1]))


def _sum_of(by: str, name: str, rows: Sequence[Any]) -> dict[str, Any]:
    sums = {key: sum(int(getattr(row, key)) for row in rows) for key in _COUNTS}
    return {by: name, **sums, "cost_usd": sum(int(row.cost) for row in rows) / MICRO}


def dearest_share(connection: Connection) -> tuple[int, float]:
    """(items that were asked about, share of all money that the dearest tenth of them cost)."""
    costs = [int(row.cost) for row in ledger.cost_by_item(connection)]
    return len(costs), sum(costs[: -(-len(costs) // 10)]) / max(1, sum(costs))


def data_version_parts(work: Work) -> list[str]:
    """The source, the recipe sections up to the stage, the code of the stage and its counts."""
    stages = [stage.value for stage in Stage][: list(Stage).index(work.stage) + 1]
    version = work.store.fetch(lambda c: dataset_files.task_by_id(c, work.task.id)).content_version
    return [
        work.file.sha256,
        work.recipe.section_hash(*stages),
        *(code_version(Stage(stage)) for stage in stages),
        str(version if work.stage in (Stage.AUGMENT, Stage.EXPORT) else 0),
    ]
