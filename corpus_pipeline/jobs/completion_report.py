"""The completion report: what came of a stage, counted from the rows, never from memory."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, NotRequired, cast

import orjson
from sqlalchemy import Connection, Row
from typing_extensions import TypedDict

from corpus_pipeline.jobs.conservation import AccountRecord, account, written_rows
from corpus_pipeline.model import split_id
from corpus_pipeline.recipe import Recipe
from corpus_pipeline.stages.export.gate import lost_by
from corpus_pipeline.stages.skip_reasons import SkipReason, skips_in_words
from corpus_pipeline.states import DuplicateKind, Stage, Status
from corpus_pipeline.store import (
    augmented,
    cleaned,
    cursors,
    dataset_files,
    exports,
    failed_samples,
    ledger,
    outcomes,
    provider_facts,
    row_values,
    rows,
    spending,
)
from corpus_pipeline.store.dataset_files import DatasetFile, title_of
from corpus_pipeline.store.tasks import Task

NANO = 1_000_000_000  # of a US dollar


class ValueCounts(TypedDict):
    """What a field of a task came to: mean, min and max of numbers, or rows by word."""

    rows: int
    mean: NotRequired[float]
    min: NotRequired[float]
    max: NotRequired[float]
    words: NotRequired[dict[str, int]]


class LearntFact(TypedDict):
    """What was learnt of a model at its endpoint."""

    model: str
    name: str
    value: Any
    said: str | None


class ReviewedRow(TypedDict):
    """A new row for people to look at: the exchange before and after."""

    row: str
    strategy: str
    sample_index: int
    model: str
    before: dict[str, str | None]
    after: dict[str, str | None]


class ReportFacts(TypedDict, total=False):
    """What a report says of some stages only. *_shares: of all rows; values: by `TASK.FIELD`; strategies: outcomes of each;
    account: where every row went; left_behind: why rows of it that the export could hold were left out."""

    blank_lines: int
    drop_shares: dict[str, float]
    near_other_answer: int
    changed: int
    rules: dict[str, int]
    tags: dict[str, int]
    open_failed_samples: int
    skipped: int
    skip_reasons: dict[str, int]
    values: dict[str, ValueCounts]
    repeats: dict[str, int]
    changed_by_rule: dict[str, int]
    reused: int
    saved_usd: float
    unknown: int
    cached_tokens: int
    reasoning_tokens: int
    unknown_usd: float
    unknown_expected_usd: float
    file_cost_usd: float
    cache_write_tokens: int
    remarks: int
    strategies: dict[str, dict[str, int]]
    learnt: list[LearntFact]
    fail_reasons: dict[str, int]
    review: list[ReviewedRow]
    not_exportable: int
    left_behind: dict[str, int]
    held: int
    rejected: int
    account: AccountRecord
    reason: str | None
    export_rows: int
    bytes: int
    sha256: str
    losses: dict[str, int]


class CompletionReport(ReportFacts):
    """What came of a stage. What does not apply to it is 0, empty or None. Times: milliseconds UTC; failed_samples: the
    command that lists them; workers: host, process and version of each that worked it."""

    name: str
    title: NotRequired[str]
    stage: str
    recipe: str
    recipe_version: str
    total: int
    succeeded: int
    dropped: int
    drop_reasons: dict[str, int]
    failed: int
    retried: int
    wall_seconds: float
    started_at: int | None
    finished_at: int | None
    cost_usd: float
    cost_per_item: float
    calls: int
    input_tokens: int
    output_tokens: int
    export_uri: str | None
    failed_samples: str
    warnings: list[str]
    workers: NotRequired[list[str]]


class _Own(ReportFacts, total=False):
    """What a stage puts into its report, in place of what the frame says."""

    total: int
    succeeded: int
    dropped: int
    drop_reasons: dict[str, int]
    failed: int
    retried: int
    cost_usd: float
    cost_per_item: float
    calls: int
    input_tokens: int
    output_tokens: int
    export_uri: str | None
    warnings: list[str]


def completion_report(
    connection: Connection, file: DatasetFile, task: Task, recipe: Recipe, stage: Stage
) -> CompletionReport:
    """The report of one stage, counted now; what does not apply to the stage is 0 or None."""
    report: CompletionReport = {
        **_frame(connection, file, task, recipe, stage),
        **_FACTS[stage](connection, file, task, recipe),
    }
    if stage is Stage.AUGMENT:
        report["review"] = _review(connection, file, task, recipe.augment.completion.review_sample)
    return report


def _frame(connection: Connection, file: DatasetFile, task: Task, recipe: Recipe, stage: Stage) -> CompletionReport:
    own = cursors.stage_cursors(connection, task.id, stage)
    return {
        "name": file.name,
        "title": title_of(file.path),
        "stage": stage.value,
        "recipe": recipe.name,
        "recipe_version": recipe.version,
        "total": 0,
        "succeeded": 0,
        "dropped": 0,
        "drop_reasons": {},
        "failed": 0,
        "retried": 0,
        "wall_seconds": round(sum(cursor.active_ms for cursor in own) / 1000, 3),
        "started_at": min((c.started_at for c in own if c.started_at is not None), default=None),
        "finished_at": max((c.finished_at for c in own if c.finished_at is not None), default=None),
        "cost_usd": 0.0,
        "cost_per_item": 0.0,
        "calls": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "export_uri": None,
        "failed_samples": f"corpus failed list --where file={file.name}",
        "warnings": [],
        "workers": cursors.workers(connection, task.id, stage),
    }


def _ingest(connection: Connection, file: DatasetFile, task: Task, recipe: Recipe) -> _Own:
    now = dataset_files.file_by_id(connection, file.id)
    reasons = rows.reject_reasons(connection, file.id)
    return {
        "total": now.lines or 0,
        "succeeded": now.conversations or 0,
        "dropped": sum(reasons.values()),
        "drop_reasons": reasons,
        "blank_lines": now.blanks or 0,
    }


def _clean(connection: Connection, file: DatasetFile, task: Task, recipe: Recipe) -> _Own:
    total, dropped, repeated = cleaned.counts(connection, task.id)
    reasons = cleaned.drop_reasons(connection, task.id)
    return {
        "total": total,
        "succeeded": total - dropped - repeated,
        "dropped": dropped + repeated,
        "drop_reasons": reasons,
        "drop_shares": {reason: round(count / total, 6) for reason, count in reasons.items()} if total else {},
        "near_other_answer": outcomes.near_with_another_answer(connection, task.id),
        "warnings": clean_warnings(file.name, total, reasons, recipe),
        "changed": cleaned.changed_count(connection, task.id),
        "rules": cleaned.rule_counts(connection, task.id),
        "tags": cleaned.tag_counts(connection, task.id),
    }


def _augment(connection: Connection, file: DatasetFile, task: Task, recipe: Recipe) -> _Own:
    items = augmented.item_counts(connection, task.id)
    skipped = augmented.skip_reasons(connection, task.id)
    changed, tagged = augmented.notes(connection, task.id)
    spent = spending.of_task(connection, task.id)
    done = sum(counts["done"] for counts in items.values())
    waiting = failed_samples.count(connection, failed_samples.Where(task_id=task.id, state="open"))
    return {
        "total": sum(counts["done"] + counts["failed"] for counts in items.values()),
        "succeeded": done,
        "failed": sum(counts["failed"] for counts in items.values()),
        "open_failed_samples": waiting,
        "skipped": sum(counts["skipped"] for counts in items.values()),
        "skip_reasons": skipped,
        "values": cast(dict[str, ValueCounts], row_values.counts(connection, task.id)),
        "warnings": [*augment_warnings(file.name, items, skipped), *_exhausted(connection, file, task, recipe)],
        "repeats": augmented.repeat_counts(connection, task.id),
        "changed_by_rule": changed,
        "tags": tagged,
        "reused": sum(counts["reused"] for counts in items.values()),
        "saved_usd": ledger.saved(connection, task.id) / NANO,
        "retried": int(spent.retried),
        "unknown": int(spent.unknown),
        "calls": int(spent.answered + spent.errors + spent.unknown),
        "input_tokens": int(spent.input_tokens),
        "cached_tokens": int(spent.cached_tokens),
        "output_tokens": int(spent.output_tokens),
        "reasoning_tokens": int(spent.reasoning_tokens),
        "cost_usd": int(spent.cost) / NANO,
        "unknown_usd": int(spent.unknown_cost) / NANO,
        "unknown_expected_usd": spending.unknown_expected(spending.of_task_by_model(connection, task.id)) / NANO,
        "file_cost_usd": spending.cost_of_files(connection, [file.name]).get(file.name, 0) / NANO,
        "cache_write_tokens": int(spent.cache_write_tokens),
        "remarks": ledger.remark_count(connection, task.id),
        "cost_per_item": round(int(spent.cost) / NANO / done, 8) if done else 0.0,
        "strategies": items,
        "learnt": [
            {"model": fact.model, "name": fact.name, "value": fact.value, "said": fact.said}
            for fact in provider_facts.of_task(connection, task.id)
        ],
        "fail_reasons": failed_samples.reasons(connection, task.id),
    }


def _review(connection: Connection, file: DatasetFile, task: Task, size: int) -> list[ReviewedRow]:
    """New rows for people to look at: the exchange that was worked on, before and after."""
    found: list[ReviewedRow] = []
    for row, before, after in augmented.review_sample(connection, task.id, size):
        found.append(
            {
                "row": f"{file.name}:{split_id(row.conversation_id)[1]}",
                "strategy": row.strategy,
                "sample_index": row.sample_index,
                "model": row.model,
                "before": before,
                "after": after,
            }
        )
    return found


MANY_SKIPPED = 0.5  # share of samples that a person should know of


def augment_warnings(name: str, items: Mapping[str, Mapping[str, int]], reasons: Mapping[str, int]) -> list[str]:
    """What a person should see of how many samples were left alone: a stage that made nothing looks like one that did."""
    total = sum(counts[word] for counts in items.values() for word in ("done", "failed", "skipped"))
    unwanted = {
        reason: count for reason, count in reasons.items() if reason not in (SkipReason.CASCADE, SkipReason.ENOUGH)
    }
    skipped = sum(unwanted.values())
    if not skipped or skipped <= MANY_SKIPPED * total:
        return []
    return [f"{skipped:,} of {total:,} samples of {name} were skipped: {skips_in_words(unwanted)}"]


def _exhausted(connection: Connection, file: DatasetFile, task: Task, recipe: Recipe) -> list[str]:
    """What a person should know when a file had too few rows for as many as the recipe wants accepted."""
    wanted = recipe.augment.until_accepted
    told = [(one.position or {}).get("accepted") for one in cursors.stage_cursors(connection, task.id, Stage.AUGMENT)]
    accepted = next((count for count in told if count is not None), None)
    if wanted is None or accepted is None or accepted >= wanted:
        return []
    return [
        f"{accepted:,} of {wanted:,} rows are accepted, and the rows of {file.name} are exhausted"
        f" (augment.until_accepted). Give it more rows or more `samples`, mend what fails, or ask for fewer"
    ]


MANY_NEAR = 0.2  # share of near-duplicates that a person should look at
_NEAR = f"{DuplicateKind.NEAR.value}_duplicate"


def clean_warnings(name: str, total: int, reasons: Mapping[str, int], recipe: Recipe) -> list[str]:
    """What a person should see of how many rows cleaning dropped, with what to look at."""
    near, dropped = reasons.get(_NEAR, 0), lost_by(reasons)
    quoted, found = shlex.quote(name), []
    if near > MANY_NEAR * total:
        found.append(
            f"{near:,} of {total:,} rows of {name} ({near / total:.0%}) were dropped as near-duplicates; so many are"
            " often rows of one template. Look at them before you train:"
            f" `corpus duplicates {quoted} --sort difference`"
        )
    allowed = recipe.clean.gate.max_dropped
    if dropped > allowed * total:
        found.append(
            f"cleaning dropped {dropped:,} of {total:,} rows of {name} ({dropped / total:.0%}) beside exact duplicates,"
            " and clean.gate.max_dropped"
            f" allows {allowed:.0%}: the export is held until a person has looked at them"
        )
    return found


def _export(connection: Connection, file: DatasetFile, task: Task, recipe: Recipe) -> _Own:
    written = written_rows(connection, task)
    told = account(connection, file, task, recipe.export, written)
    withheld = sum(told.not_exportable.values())
    ready = told.exported + told.held
    return {
        "total": ready + told.waiting + withheld,
        "succeeded": told.exported,
        "dropped": withheld,  # by the format: the rules' and the duplicates' are in the report of clean
        "drop_reasons": told.not_exportable,
        "not_exportable": withheld,
        "left_behind": {} if written is None else dict(written.left_behind),
        "held": told.held,
        "rejected": sum(told.lines.rejects.values()),
        "account": told.to_dict(),
        "reason": _held_because(connection, task),
        **_published(exports.current(connection, task.id)),
    }


def _held_because(connection: Connection, task: Task) -> str | None:
    """Why the gate holds the export, as the cursor keeps it."""
    own = cursors.stage_cursors(connection, task.id, Stage.EXPORT)
    return next((cursor.status_reason for cursor in own if cursor.status is Status.BLOCKED), None)


def _published(export: Row | None) -> _Own:
    """The export that is there; of older rows when the newer ones are held or were not exported yet."""
    if export is None:
        return {}
    losses = orjson.loads(export.manifest).get("losses", {})
    return {
        "export_uri": export.uri,
        "export_rows": export.lines,
        "bytes": export.bytes,
        "sha256": export.sha256,
        "losses": losses,
    }


_FACTS = {Stage.INGEST: _ingest, Stage.CLEAN: _clean, Stage.AUGMENT: _augment, Stage.EXPORT: _export}
