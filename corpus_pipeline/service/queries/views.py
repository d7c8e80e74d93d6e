"""Looking at rows: pages by key, and one conversation with its history."""

from __future__ import annotations

import base64
from typing import cast

import orjson
from sqlalchemy import Connection, Row

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.jobs.completion_report import NANO
from corpus_pipeline.jobs.stage_run import Work
from corpus_pipeline.model import Change, ConversationId, Reject, Turn, conversation_id, id_range, split_id
from corpus_pipeline.service.records.base import TurnTexts
from corpus_pipeline.service.records.calls import Call, FailedSample
from corpus_pipeline.service.records.rows import (
    CleanedRow,
    FlatRow,
    RejectedLine,
    RejectedRow,
    RowHistory,
    RuleChange,
    RuleTag,
    Verdict,
)
from corpus_pipeline.states import Stage
from corpus_pipeline.store import (
    augmented,
    cleaned,
    dataset_files,
    exports,
    ledger,
    purges,
    row_queries,
    row_values,
    rows,
    tasks,
)
from corpus_pipeline.store.dataset_files import DatasetFile
from corpus_pipeline.store.tasks import Task


def turn_dict(turn: Turn) -> TurnTexts:
    """A turn without what it does not have."""
    return cast(TurnTexts, {key: value for key, value in turn._asdict().items() if value is not None})


def preview(work: Work, limit: int) -> list[FlatRow]:
    """The first rows of a stage, flat: row, prompt, response and what the stage has to say."""

    def read(connection: Connection) -> list[FlatRow]:
        after, end = id_range(work.file.id)
        if work.stage is Stage.INGEST:
            return [flat(s.id, s.conversation.turns) for s in rows.page(connection, after, end, limit)]
        page = cleaned.kept_page(connection, work.task.id, after, end, limit)
        if work.stage is Stage.CLEAN or not page:
            return [{**flat(row.id, row.conversation.turns), "changed": row.changed} for row in page]
        made = augmented.rows_between(connection, work.task.id, page[0].id - 1, page[-1].id)
        found: list[FlatRow] = [
            {**flat(parent, turns), "strategy": label} for parent, own in made.items() for label, _, turns in own
        ]
        return (found or [flat(row.id, row.conversation.turns) for row in page])[:limit]

    return work.store.fetch(read)


def flat(identifier: ConversationId, turns: tuple[Turn, ...]) -> FlatRow:
    """A conversation as one line: its first prompt and its last response."""
    prompt = next((turn.prompt for turn in turns if turn.prompt is not None), None)
    response = next((turn.response for turn in reversed(turns) if turn.response is not None), None)
    return {"row": split_id(identifier)[1], "turns": len(turns), "prompt": prompt, "response": response}


def is_empty(turns: tuple[Turn, ...]) -> bool:
    """Whether a row has no answer text, as the gate counts it (`augmented.empty_rows`)."""
    return not any((turn.response or "").strip(" ") for turn in turns)


def verdict_dict(verdict: cleaned.Verdict) -> Verdict:
    """What cleaning decided, in words."""
    state, reason = verdict.state.value, verdict.reason
    if verdict.duplicate_of is not None:
        state, reason = "dropped", f"{verdict.kind}_duplicate"
    found: Verdict = {
        "state": state,
        "reason": reason,
        "changed": bool(verdict.changes),
        "changes": [change_dict(c) for c in verdict.changes],
    }
    if verdict.tags:
        found["tags"] = [cast(RuleTag, tag._asdict()) for tag in verdict.tags]
    if verdict.duplicate_of is not None:
        found["duplicate_of"] = verdict.duplicate_of
        found["distance"] = verdict.distance
        found["question_similarity"] = verdict.question_similarity
        found["answer_similarity"] = verdict.answer_similarity
    return found


def change_dict(change: Change) -> RuleChange:
    """What one rule did."""
    return cast(RuleChange, change._asdict())


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


def place_of(connection: Connection, name: str) -> tuple[DatasetFile, Task | None]:
    """The dataset file `NAME`, or an earlier version of it as `NAME@VERSION`, with its task. Raises UnknownName."""
    base, at, version = name.partition("@")
    if not at:
        ((file, task),) = tasks.current_tasks(connection, [name])
        return file, task
    known = row_queries.versions(connection, base)
    if not version.isdigit() or int(version) not in known:
        raise UnknownName("version", name, [f"{base}@{number}" for number in known])
    file = dataset_files.file_by_id(connection, known[int(version)])
    return file, tasks.known_task(connection, file.id, file.recipe_id)


def label_of(file: DatasetFile) -> str:
    """How people name a dataset file: an earlier version with its number."""
    return file.name if file.superseded_at is None else f"{file.name}@{file.version}"


def show(connection: Connection, text: str) -> RowHistory | RejectedRow:
    """One row with its history: raw, cleaned, what was made from it, every call, every export line. A line that became no
    conversation says why. Raises UnknownName, UsageError."""
    name, number = parse_address(text)
    file, task = place_of(connection, name)
    identifier = conversation_id(file.id, number)
    stored = rows.by_ids(connection, [identifier]).get(identifier)
    if stored is None:
        bad = rows.reject_rows(connection, file.id, number - 1, 1)
        if bad and bad[0].row_identifier == number:
            return {"row": f"{label_of(file)}:{number}", "rejected": reject_dict(bad[0])}
        raise UnknownName("row", text, [f"{name}:1 to {name}:{file.lines or 0}"])
    return history(connection, file, task, stored)


def history(
    connection: Connection, file: DatasetFile, task: Task | None, stored: rows.StoredConversation
) -> RowHistory:
    """A row that is stored, with its history."""
    found: RowHistory = {
        "row": address(label_of(file), stored.id),
        "line": stored.conversation.source_line,
        "turns": [turn_dict(turn) for turn in stored.conversation.turns],
    }
    if stored.is_deleted:
        found["deleted"] = True
        gone = purges.of_row(connection, file.sha256, split_id(stored.id)[1])
        if gone is not None:
            found["purged"] = {"by": gone.purged_by, "at": gone.purged_at, "reason": gone.reason}
    if task is not None:
        _add_history(found, connection, file, task, stored.id)
    return found


def reject_dict(reject: Reject) -> RejectedLine:
    """A line that became no conversation."""
    found: RejectedLine = {
        "row": reject.row_identifier,
        "line": reject.source_line,
        "byte_offset": reject.source_offset,
        "bytes": reject.source_bytes,
        "reason": reject.reason,
        "detail": reject.detail,
        "raw": reject.raw.decode("utf-8", errors="replace"),
    }
    try:
        reject.raw.decode("utf-8")
    except UnicodeDecodeError:  # bytes that no text can hold
        found["raw_base64"] = base64.b64encode(reject.raw).decode()
    return found


def _add_history(
    found: RowHistory, connection: Connection, file: DatasetFile, task: Task, identifier: ConversationId
) -> None:
    verdict = cleaned.verdicts(connection, task.id, [identifier]).get(identifier)
    if verdict is not None:
        cleaned_row = cast(CleanedRow, verdict_dict(verdict))
        found["cleaned"] = cleaned_row
        texts = cleaned.changed_turns(connection, task.id, identifier - 1, identifier).get(identifier)
        if texts is not None:
            cleaned_row["turns"] = [turn_dict(turn) for turn in texts]
    made = augmented.rows_between(connection, task.id, identifier - 1, identifier).get(identifier, [])
    found["augmented"] = [
        {
            "row": address(label_of(file), identifier, label, sample),
            "strategy": label,
            "sample": sample,
            "turns": [turn_dict(turn) for turn in turns],
        }
        for label, sample, turns in made
    ]
    found["values"] = [
        {
            "strategy": value.strategy,
            "sample": value.sample_index,
            "name": value.name,
            "value": value.value,
            "tag": value.tag,
        }
        for value in row_values.of_rows(connection, task.id, [identifier]).get(identifier, [])
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


def call_dict(row: Row) -> Call:
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
        "cost_usd": row.cost / NANO,
        "latency_ms": row.latency_ms,
        "at": row.created_at,
        "http_status": row.http_status,
        "run_id": row.run_id,
        "request_key": row.request_key,
        "answer": row.text,
        "rejected": row.rejected,
        "sent": None if row.sent is None else orjson.loads(row.sent),
    }


def failed_dict(row: Row) -> FailedSample:
    """A failed sample with its full context."""
    return {
        "id": row.id,
        "file": row.file_name,
        "row": address(row.file_name, row.conversation_id, row.strategy, row.sample_index),
        "stage": row.stage,
        "strategy": row.strategy,
        "reason": row.reason,
        "error": row.error,
        "validator": row.validator,
        "evidence": orjson.loads(row.evidence) if row.evidence else [],
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
