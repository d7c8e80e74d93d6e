"""Where a line of an export comes from: the audit trail, for every export that is listed, also after what was done since."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, Row

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.model import ConversationId, split_id
from corpus_pipeline.service.queries import row_detail, views
from corpus_pipeline.service.records.base import JsonObject, Removal
from corpus_pipeline.service.records.calls import AskedCall
from corpus_pipeline.service.records.exports import Lineage, LinePerson, LineSource, LineStep, Repetition
from corpus_pipeline.service.records.rows import VerdictFacts
from corpus_pipeline.states import Stage
from corpus_pipeline.store import (
    audit_log,
    augmented,
    cleaned,
    cursors,
    dataset_files,
    exports,
    failed_samples,
    ledger,
    purges,
    recipes,
    row_queries,
    rows,
    tasks,
)
from corpus_pipeline.store.dataset_files import DatasetFile
from corpus_pipeline.store.rows import StoredConversation
from corpus_pipeline.store.tasks import Task

_MOST_TWINS = 20
# what people do that may bear on a row; looking and downloading do not
_OF_ROWS = ("replay", "dismissed", "delete", "purge")  # of these only those that name the row
_ACTIONS = ("add", "move", "bind", "redo", "pause", "resume", "replay", "dismissed", "delete", "purge")
_OF_MANIFEST = (
    "manifest_version",
    "name",
    "format",
    "source",
    "recipe",
    "files",
    "prompt_versions",
    "models",
    "tolerated",
)


class _CleanStep(VerdictFacts, total=False):
    """What is known of the verdict on a row."""

    state: str | None


class _Line(NamedTuple):
    """A line of an export, and what it is of."""

    file: DatasetFile
    task: Task
    export: Row
    where: exports.ExportedLine

    @property
    def id(self) -> ConversationId:
        return self.where.conversation_id


def trace(connection: Connection, name: str, line: int, export: str | None = None) -> Lineage:
    """Where a line of an export of a dataset file comes from.

    export: its number or the first digits of its sha256, as `corpus trace --export` takes it; None is the newest of the file.
    Raises UnknownName, UsageError.
    """
    known = exports.of_file(connection, name)
    if not known:
        dataset_files.current_files(connection, [name])
        raise UsageError(f"{name} has not been exported; run `corpus run {name}`")
    chosen = known[-1]
    if export is not None:
        alike = [e for e in known if str(e.id) == export or (len(export) >= 8 and e.sha256.startswith(export.lower()))]
        if not alike:
            raise UnknownName("export", export, [f"{e.id} (sha256 {e.sha256[:12]})" for e in known[-20:]])
        chosen = alike[-1]
    return trace_export(connection, chosen.id, line)


def trace_export(connection: Connection, export_id: int, line: int) -> Lineage:
    """As `trace`, for a line of any export that is listed, also of a file or a recipe version that was replaced since."""
    export = exports.by_id(connection, export_id)
    task = tasks.task_by_id(connection, export.task_id)
    file = dataset_files.file_by_id(connection, task.file_id)
    where = exports.line(connection, export, line)
    if where is None:
        has = f"lines 1 to {export.lines}, not {line}" if export.lines else "no lines"
        raise UsageError(f"export {export.id} of {file.name} has {has}")
    own = _Line(file, task, export, where)
    stored = rows.by_ids(connection, [own.id]).get(own.id)
    manifest = orjson.loads(export.manifest)
    return {
        "export": export.uri,
        "export_id": export.id,
        "line": line,
        "lines": export.lines,
        "export_sha256": export.sha256,
        "exported_at": export.created_at,
        "superseded": export.superseded_at is not None,
        "row": views.address(views.label_of(file), own.id, where.strategy, where.sample_index or 0),
        "purged": _purged(connection, own),
        "source": _source(own, stored),
        "steps": list(_steps(connection, own, stored)),
        "people": _people(connection, own),
        "manifest": {key: manifest[key] for key in _OF_MANIFEST if key in manifest},
    }


def _source(line: _Line, stored: StoredConversation | None) -> LineSource:
    file, known = line.file, stored.conversation if stored else None
    return {
        "file": file.path,
        "name": file.name,
        "version": None if file.superseded_at is None else file.version,
        "sha256": file.sha256,
        "row": split_id(line.id)[1],
        "line": known.source_line if known else None,  # None: ingest was started over and has not come to it again
        "byte_offset": known.source_offset if known else None,
        "bytes": known.source_bytes if known else None,
        "registered_at": file.registered_at,
        "ingested_at": file.ingested_at,
    }


def _purged(connection: Connection, line: _Line) -> Removal | None:
    gone = purges.of_row(connection, line.file.sha256, split_id(line.id)[1])
    return None if gone is None else {"by": gone.purged_by, "at": gone.purged_at, "reason": gone.reason}


def _steps(connection: Connection, line: _Line, stored: StoredConversation | None) -> Iterator[LineStep]:
    task = line.task
    yield {**_done(connection, line, Stage.INGEST), "format": line.file.format}
    recipe = recipes.recipe_row(connection, task.recipe_id)
    verdict = cleaned.verdicts(connection, task.id, [line.id]).get(line.id)
    # what is known of it: nothing once cleaning was started over or the row was purged
    known: _CleanStep = {**views.verdict_dict(verdict)} if verdict else {"state": None, "reason": None, "changes": []}
    repeating, more = _repeated_by(connection, line)
    yield {
        **_done(connection, line, Stage.CLEAN),
        **known,
        "recipe": recipe.name,
        "recipe_version": recipe.version,
        "repeated_by": repeating,
        "repeated_by_more": more,
    }
    if line.where.strategy is not None:
        yield _augmented(connection, line, stored)
    yield _done(connection, line, Stage.EXPORT)


def _done(connection: Connection, line: _Line, stage: Stage) -> LineStep:
    """The Dagster runs that had worked on a stage when the export was made, oldest first, and when the stage was started over
    since, so that what is shown of it may differ from what was exported."""
    runs, redone = cursors.worked_by(connection, line.task.id, stage, line.export.created_at)
    return {"stage": stage.value, "runs": runs, "redone_at": redone}


def _repeated_by(connection: Connection, line: _Line) -> tuple[list[Repetition], bool]:
    """The duplicate decision: which rows were dropped because they repeat this one, and whether there are more."""
    twins = row_queries.cluster(connection, line.id, _MOST_TWINS + 1)
    names = row_queries.file_names(connection) if twins else {}
    found: list[Repetition] = [
        {
            "row": views.address(names[split_id(twin.conversation_id)[0]], twin.conversation_id),
            "kind": twin.kind,
            "distance": twin.distance,
            "question_similarity": twin.question_similarity,
            "answer_similarity": twin.answer_similarity,
        }
        for twin in twins[:_MOST_TWINS]
    ]
    return found, len(twins) > _MOST_TWINS


def _augmented(connection: Connection, line: _Line, stored: StoredConversation | None) -> LineStep:
    where, task = line.where, line.task
    key = (where.strategy, where.sample_index)
    attempts = ledger.attempts_of(connection, task.id, line.id)
    own = [row for row in attempts if row_detail.is_of(row, *key)]
    known = augmented.augmented_of(connection, task.id, line.id)
    made = next((row for row in known if (row.strategy, row.sample_index) == key), None)
    last = own[-1] if own else None
    prompts = {}
    if stored is not None:
        texts = row_queries.cleaned_texts(connection, task.id, [line.id]).get(line.id)
        asked = stored.conversation if texts is None else stored.conversation._replace(turns=texts)
        prompts = row_detail.prompts_of(connection, asked, own)
    calls: list[AskedCall] = [{**views.call_dict(row), "prompt": prompts.get(row.id)} for row in own]
    reused = next(
        (item.reused for item in row_queries.items_of(connection, task.id, line.id) if item[:2] == key), False
    )
    return {
        **_done(connection, line, Stage.AUGMENT),
        "strategy": where.strategy or "",
        "sample": where.sample_index,
        "model": made.model if made else last.model if last else None,
        "prompt_version": made.prompt_version if made else last.prompt_version if last else None,
        "made_at": made.created_at if made else None,
        "from_paid_answer": bool(reused),  # of a call for a row with the same content: no call of its own
        "cost_usd": sum(call["cost_usd"] for call in calls),
        "calls": calls,
        "failed": [
            views.failed_dict(row)
            for row in failed_samples.find(connection, failed_samples.Where(task_id=task.id, conversation_id=line.id))
            if (row.strategy, row.sample_index) == key
        ],
    }


class People(NamedTuple):
    """Who did what to a file: the entries of the audit log, read once. everywhere: those that concern each of its rows."""

    name: str
    entries: tuple[tuple[Row, JsonObject, frozenset[int], bool], ...]

    @classmethod
    def of(cls, connection: Connection, file: DatasetFile) -> People:
        scopes = (f"of file {file.name}", "of every file")
        found = []
        for entry in audit_log.actions(connection, _ACTIONS, since=file.registered_at):
            detail = orjson.loads(entry.detail)
            everywhere = entry.action not in _OF_ROWS and (entry.subject == file.name or entry.subject.endswith(scopes))
            if everywhere or entry.action in _OF_ROWS:
                found.append((entry, detail, frozenset(detail.get("ids", ())), everywhere))
        return cls(file.name, tuple(found))

    def concerning(self, identifier: ConversationId, samples: Set[int]) -> Iterator[tuple[Row, JsonObject]]:
        """The entries about a row or its failed samples (by id), the oldest first."""
        for entry, detail, named, everywhere in self.entries:
            if entry.action in ("replay", "dismissed"):
                concerned = not samples.isdisjoint(named)
            elif entry.action == "delete":
                concerned = identifier in named
            elif entry.action == "purge":
                own = views.address(self.name, identifier)
                concerned = any(row.get("row") == own for row in detail.get("rows", ()))
            else:
                concerned = everywhere
            if concerned:
                yield entry, detail

    def of_row(self, identifier: ConversationId, samples: Set[int]) -> list[JsonObject]:
        """(at, who, action) of those entries."""
        return [
            {"at": entry.at, "who": entry.who, "action": entry.action}
            for entry, _ in self.concerning(identifier, samples)
        ]


def _people(connection: Connection, line: _Line) -> list[LinePerson]:
    """Who did what to the file, its stages, this row and its failed samples; the oldest first."""
    where = failed_samples.Where(task_id=line.task.id, conversation_id=line.id)
    samples = {row.id for row in failed_samples.find(connection, where)}
    return [
        {
            "at": entry.at,
            "who": entry.who,
            "action": entry.action,
            "subject": entry.subject,
            "reason": detail.get("reason"),
            "entry": entry.id,
        }
        for entry, detail in People.of(connection, line.file).concerning(line.id, samples)
    ]
