"""Whether rows fit the export format of a recipe, told before an export is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from corpus_pipeline.formats import Format, by_name, export_line
from corpus_pipeline.formats.base import NotExportable
from corpus_pipeline.jobs.ingest import format_of
from corpus_pipeline.model import Conversation, id_range
from corpus_pipeline.recipe import Recipe
from corpus_pipeline.service.records.rows import RowFacts
from corpus_pipeline.stages.ingest import sniff
from corpus_pipeline.states import FileState
from corpus_pipeline.store import Store, dataset_files, rows
from corpus_pipeline.store.dataset_files import DatasetFile

FIRST_ROWS = 10_000  # that a check of a recipe looks at
_PAGE = 1_000


def between(file: DatasetFile, recipe: Recipe) -> tuple[Format, Format, bool]:
    """(the format that a file came in, the one that the recipe exports it in, whether the recipe names it)."""
    source, wanted = format_of(file), recipe.export.format
    return source, source if wanted == "same" else by_name(wanted), wanted != "same"


def told(conversation: Conversation, source: Format, target: Format, checked: bool) -> RowFacts:
    """Whether one row can be written: `exportable`, with `reason` and `detail` when not, and `losses`."""
    try:
        _, losses = export_line(conversation, source, target, checked=checked)
    except NotExportable as error:
        return {"exportable": False, "reason": error.reason, "detail": error.detail}
    return {"exportable": True, "losses": list(losses)} if losses else {"exportable": True}


@dataclass
class Fit:
    """How rows fit a format. reasons, losses: word -> rows. first: the line of the first row that does not fit."""

    format: str
    rows: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    losses: Counter[str] = field(default_factory=Counter)
    first: int | None = None

    def take(self, conversation: Conversation, source: Format, target: Format, checked: bool) -> None:
        """Count one row."""
        found = told(conversation, source, target, checked)
        self.rows += 1
        self.losses.update(found.get("losses", ()))
        if not found["exportable"]:
            self.reasons[found["reason"] or ""] += 1
            self.first = self.first or conversation.source_line

    @property
    def withheld(self) -> int:
        """Rows that the format cannot hold."""
        return sum(self.reasons.values())


def fit(store: Store, name: str, recipe: Recipe, place: Callable[[DatasetFile], Path]) -> Fit:
    """How the first rows of a dataset file fit the export format of a recipe: of the database, or of the file itself when it
    was not read yet: then `place` says where it can be read. Raises UsageError, UnknownName."""
    (file,) = store.fetch(dataset_files.current_files, [name])
    source, target, checked = between(file, recipe)
    found = Fit(target.name)
    if file.state is FileState.INGESTED:
        after, end = id_range(file.id)
        while found.rows < FIRST_ROWS and (page := store.fetch(_page, after, end)):
            for stored in page:
                found.take(stored.conversation, source, target, checked)
            after = page[-1].id
    else:
        for conversation in sniff.sample_conversations(place(file), source, recipe.ingest):
            found.take(conversation, source, target, checked)
    return found


def _page(connection: Connection, after: int, end: int) -> list[rows.StoredConversation]:
    return [stored for stored in rows.page(connection, after, end, _PAGE) if not stored.is_deleted]
