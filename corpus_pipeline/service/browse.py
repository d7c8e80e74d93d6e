"""Looking at rows: pages by key, one conversation with its history, and where an exported line comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.jobs.context import Work
from corpus_pipeline.jobs.report import MICRO
from corpus_pipeline.model import Change, ConversationId, Turn, conversation_id, id_range, split_id
from corpus_pipeline.states import Stage
from corpus_pipeline.store import augmented, cleaned, cursors, exports, files, ledger, rows
from corpus_pipeline.store.files import DatasetFile, Task


def turn_dict(turn: Turn) -> dict[str, Any]:
    """A turn without what it does not have."""
    return {key: value for key, value in turn._asdict().items() if value is not None}


def preview(work: Work, limit: int) -> list[dict[str, Any]]:
    """The first rows of a stage, flat: row, prompt, response and what the stage has to say."""

    def read(connection: Connection) -> list[dict[str, Any]]:
        after, end = id_range(work.file.id)
        if work.stage is Stage.INGEST:
            return [flat(s.id, s.conversation.turns) for s in rows.page(connection, after, end, limit)]
        page = cleaned.kept_page(connection, work.task.id, after, end, limit)
        if work.stage is Stage.CLEAN or not page:
            return [flat(row.id, row.conversation.turns) | {"changed": row.changed} for row in page]
        made = augmented.rows_between(connection, work.task.id, page[0].id - 1, page[-1].id)
        found = [flat(parent, turns) | {"strategy": label} for parent, own in made.items() for label, _, turns in own]
        return (found or [flat(row.id, row.conversation.turns) for row in page])[:limit]

    return work.store.fetch(read)


def flat(identifier: ConversationId, turns: tuple[Turn, ...]) -> dict[str, Any]:
    """A conversation as one line: its first prompt and its last response."""
    prompt = next((turn.prompt for turn in turns if turn.prompt is not None), None)
    response = next((turn.response for turn in reversed(turns) if turn.response is not None), None)
    return {"row": split_id(identifier)[1], "turns": len(turns), "prompt": prompt, "response": response}


def row_page(
    connection: Connection, file: DatasetFile, task: Task | None, stage: Stage, *, after: int, limit: int
) -> list[dict[str, Any]]:
    """Rows of a stage by key page: `after` is a row number, not a position. One dictionary a row."""
    low, end = id_range(file.id)
    start = conversation_id(file.id, after) if after else low
    if stage is Stage.INGEST or task is None:
        page = rows.page(connection, start, end, limit)
        verdicts = cleaned.verdicts(connection, task.id, [s.id for s in page]) if task and page else {}
        return [_raw_row(file, s, verdicts.get(s.id)) for s in page]
    kept = cleaned.kept_page(connection, task.id, start, end, limit)
    if stage is Stage.CLEAN:
        return [
            {
                "row": address(file.name, row.id),
                "changed": row.changed,
                "turns": [turn_dict(turn) for turn in row.conversation.turns],
            }
            for row in kept
        ]
    made = augmented.rows_between(connection, task.id, start, kept[-1].id) if kept else {}
    found = []
    for row in kept:
        if stage is Stage.EXPORT:
            found.append(
                {"row": address(file.name, row.id), "turns": [turn_dict(turn) for turn in row.conversation.turns]}
            )
        for label, sample, turns in made.get(row.id, ()):
            found.append(
                {
                    "row": address(file.name, row.id, label, sample),
                    "parent": address(file.name, row.id),
                    "strategy": label,
                    "turns": [turn_dict(turn) for turn in turns],
                }
            )
    return found


_WHERE = ("state", "reason", "strategy", "changed")
_SEARCH_PAGES = 200  # pages that one question reads at the most before it gives back what it has


def search_rows(
    connection: Connection,
    name: str,
    stage: Stage,
    *,
    search: str | None,
    where: dict[str, str],
    after: int,
    limit: int,
) -> list[dict[str, Any]]:
    """Rows of a stage that contain a text (whatever the case) and match every condition, in row order.

    Raises UnknownName for a condition that does not exist.
    """
    for key in where:
        if key not in _WHERE:
            raise UnknownName("row condition", key, _WHERE)
    ((file, task),) = files.current_tasks(connection, [name])
    if search is None and not where:
        return row_page(connection, file, task, stage, after=after, limit=limit)
    found: list[dict[str, Any]] = []
    wanted = None if search is None else search.casefold()
    for _ in range(_SEARCH_PAGES):
        page = row_page(connection, file, task, stage, after=after, limit=1000)
        found += [row for row in page if _matches(row, wanted, where)]
        if len(found) >= limit or not page:
            break
        after = parse_address(page[-1]["row"])[1]
    return found[:limit]


def _matches(row: dict[str, Any], wanted: str | None, where: dict[str, str]) -> bool:
    for key, value in where.items():
        if str(row.get(key)).lower() != value.lower():
            return False
    if wanted is None:
        return True
    texts = (value for turn in row["turns"] for value in turn.values() if isinstance(value, str))
    return any(wanted in text.casefold() for text in texts)


def _raw_row(file: DatasetFile, stored: rows.StoredConversation, verdict: cleaned.Verdict | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "row": address(file.name, stored.id),
        "line": stored.conversation.source_line,
        "turns": [turn_dict(turn) for turn in stored.conversation.turns],
    }
    if stored.is_deleted:
        found["deleted"] = True
    if verdict is not None:
        found |= verdict_dict(file.name, verdict)
    return found


def verdict_dict(name: str, verdict: cleaned.Verdict) -> dict[str, Any]:
    """What cleaning decided, in words."""
    state, reason = verdict.state.value, verdict.reason
    if verdict.duplicate_of is not None:
        state, reason = "dropped", f"{verdict.kind}_duplicate"
    found: dict[str, Any] = {"state": state, "reason": reason, "changes": [change_dict(c) for c in verdict.changes]}
    if verdict.duplicate_of is not None:
        found["duplicate_of"] = verdict.duplicate_of
        found["distance"] = verdict.distance
    return found


def change_dict(change: Change) -> dict[str, Any]:
    """What one rule did."""
    return change._asdict()


def address(name: str, identifier: ConversationId, strategy: str | None = None, sample: int = 0) -> str:
    """How people name a row: `file:row`, or `file:row/strategy/sample` for one that was made from it."""
    base = f"{name}:{split_id(identifier)[1]}"
    return base if strategy is None else f"{base}/{strategy}/{sample}"


def parse_address(text: str) -> tuple[str, int]:
    """(file name, row number) of an address. Raises UsageError."""
    name, _, rest = text.partition(":")
    number = rest.partition("/")[0]
    if not name or not number.isdigit() or int(number) == 0:
        raise UsageError(f"{text!r} is no row: rows are named FILE:NUMBER, as `corpus rows FILE` lists them")
    return name, int(number)


def show(connection: Connection, text: str) -> dict[str, Any]:
    """One conversation with its history: raw, cleaned, what was made from it, every call, every export line."""
    name, number = parse_address(text)
    ((file, task),) = files.current_tasks(connection, [name])
    identifier = conversation_id(file.id, number)
    stored = rows.by_ids(connection, [identifier]).get(identifier)
    if stored is None:
        raise UnknownName("row", text, [f"{name}:1 to {name}:{file.lines or 0}"])
    found = _raw_row(file, stored, None)
    if task is not None:
        found |= _history(connection, file, task, identifier)
    return found


def _history(connection: Connection, file: DatasetFile, task: Task, identifier: ConversationId) -> dict[str, Any]:
    found: dict[str, Any] = {}
    verdict = cleaned.verdicts(connection, task.id, [identifier]).get(identifier)
    if verdict is not None:
        found["cleaned"] = verdict_dict(file.name, verdict)
        texts = cleaned.changed_turns(connection, task.id, identifier - 1, identifier).get(identifier)
        if texts is not None:
            found["cleaned"]["turns"] = [turn_dict(turn) for turn in texts]
    made = augmented.rows_between(connection, task.id, identifier - 1, identifier).get(identifier, [])
    found["augmented"] = [
        {
            "row": address(file.name, identifier, label, sample),
            "strategy": label,
            "sample": sample,
            "turns": [turn_dict(turn) for turn in turns],
        }
        for label, sample, turns in made
    ]
    found["calls"] = [call_dict(row) for row in ledger.attempts_of(connection, task.id, identifier)]
    found["exported"] = [
        {
            "export": export.uri,
            "export_id": export.id,
            "line": number,
            "strategy": where.strategy,
            "sample": where.sample_index,
            "superseded": export.superseded_at is not None,
        }
        for export, number, where in exports.lines_of(connection, identifier)
    ]
    return found


def call_dict(row: Row) -> dict[str, Any]:
    """One ledger row for people: money in dollars, times in milliseconds UTC."""
    return {
        "id": row.id,
        "strategy": row.strategy,
        "sample": row.sample_index,
        "step": row.step,
        "attempt": row.attempt,
        "state": row.state,
        "outcome": row.outcome,
        "model": row.model,
        "model_answered": row.model_answered,
        "prompt_version": row.prompt_version,
        "input_tokens": row.input_tokens,
        "cached_tokens": row.cached_tokens,
        "output_tokens": row.output_tokens,
        "cost_usd": row.cost / MICRO,
        "latency_ms": row.latency_ms,
        "at": row.created_at,
        "http_status": row.http_status,
        "run_id": row.run_id,
        "request_key": row.request_key,
        "answer": row.text,
        "rejected": row.rejected,
    }


def trace(connection: Connection, name: str, line: int) -> dict[str, Any]:
    """{export, line, source.{file, sha256, line, byte_offset}, steps[]}: where a line of the newest export comes from."""
    ((file, task),) = files.current_tasks(connection, [name])
    export = exports.current(connection, task.id) if task is not None else None
    if task is None or export is None:
        raise UsageError(f"{name} has not been exported; run `corpus run {name}`")
    return _traced(connection, file, task, export, line)


def trace_export(connection: Connection, export_id: int, line: int) -> dict[str, Any]:
    """As `trace`, for a line of any export that is listed, also of a file or a recipe version that was replaced since.

    Raises UnknownName, UsageError.
    """
    export = exports.by_id(connection, export_id)
    task = files.task_by_id(connection, export.task_id)
    return _traced(connection, files.file_by_id(connection, task.file_id), task, export, line)


def _traced(connection: Connection, file: DatasetFile, task: Task, export: Row, line: int) -> dict[str, Any]:
    where = exports.line(connection, export, line)
    if where is None:
        raise UsageError(f"the export of {file.name} has lines 1 to {export.lines}, not {line}")
    identifier = where.conversation_id
    stored = rows.by_ids(connection, [identifier])[identifier].conversation
    return {
        "export": export.uri,
        "export_id": export.id,
        "line": line,
        "export_sha256": export.sha256,
        "superseded": export.superseded_at is not None,
        "row": address(file.name, identifier, where.strategy, where.sample_index or 0),
        "source": {
            "file": file.path,
            "name": file.name,
            "sha256": file.sha256,
            "line": stored.source_line,
            "byte_offset": stored.source_offset,
            "bytes": stored.source_bytes,
        },
        "steps": list(_steps(connection, file, task, where)),
    }


def _steps(
    connection: Connection, file: DatasetFile, task: Task, where: exports.ExportedLine
) -> Iterator[dict[str, Any]]:
    identifier = where.conversation_id
    recipe = files.recipe_row(connection, task.recipe_id)
    yield {"stage": "ingest", "format": file.format, "runs": _runs(connection, task, Stage.INGEST)}
    verdict = cleaned.verdicts(connection, task.id, [identifier]).get(identifier)
    if verdict is not None:
        yield {
            "stage": "clean",
            "recipe": recipe.name,
            "recipe_version": recipe.version,
            **verdict_dict(file.name, verdict),
            "runs": _runs(connection, task, Stage.CLEAN),
        }
    if where.strategy is not None:
        calls = [
            call
            for call in map(call_dict, ledger.attempts_of(connection, task.id, identifier))
            if (call["strategy"], call["sample"]) == (where.strategy, where.sample_index)
        ]
        made = next(
            row
            for row in augmented.augmented_of(connection, task.id, identifier)
            if (row.strategy, row.sample_index) == (where.strategy, where.sample_index)
        )
        yield {
            "stage": "augment",
            "strategy": where.strategy,
            "sample": where.sample_index,
            "model": made.model,
            "prompt_version": made.prompt_version,
            "cost_usd": sum(call["cost_usd"] for call in calls),
            "calls": calls,
            "runs": _runs(connection, task, Stage.AUGMENT),
        }
    yield {"stage": "export", "runs": _runs(connection, task, Stage.EXPORT)}


def _runs(connection: Connection, task: Task, stage: Stage) -> list[str]:
    """The Dagster runs that worked on a stage, oldest first."""
    seen = [event.run_id for event in cursors.events(connection, [task.id]) if event.stage == stage.value]
    return [run_id for run_id in dict.fromkeys(seen) if run_id]


def failed_dict(row: Row) -> dict[str, Any]:
    """A failed sample with its full context."""
    return {
        "id": row.id,
        "file": row.file_name,
        "row": address(row.file_name, row.conversation_id, row.strategy, row.sample_index),
        "stage": row.stage,
        "strategy": row.strategy,
        "reason": row.reason,
        "error": row.error,
        "state": row.state,
        "attempts": row.attempts,
        "model": row.model,
        "prompt": orjson.loads(row.prompt) if row.prompt else None,
        "answer": row.answer,
        "first_at": row.first_at,
        "last_at": row.last_at,
        "by": row.state_by,
        "why": row.state_reason,
    }
