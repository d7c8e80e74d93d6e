"""Whether rows fit the export format of a recipe, told before an export is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from corpus_pipeline.formats import Format, by_name, export_line
from corpus_pipeline.formats.base import NotExportable
from corpus_pipeline.jobs.ingest import format_of
from corpus_pipeline.model import Conversation, FileId, id_range, split_id
from corpus_pipeline.recipe import Recipe
from corpus_pipeline.service.records.rows import RowFacts
from corpus_pipeline.stages.ingest import sniff
from corpus_pipeline.states import FileState
from corpus_pipeline.store import Store, dataset_files, rows
from corpus_pipeline.store.dataset_files import DatasetFile

_MOST_ROWS = 10_000  # that a check of a recipe looks at
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
    """How rows fit a format. of: how many rows there are, None when that is not known. reasons, losses: word -> rows.
    first: the line of the first row that does not fit."""

    format: str
    of: int | None = None
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
    """How the rows of a dataset file fit the export format of a recipe: of the database, of a large file pages spread over it;
    or of the file itself when it was not read yet: then `place` says where it can be read, and its first rows are looked at.
    No rows where the recipe exports new ones alone: what a strategy makes of a row, such as a pair, may fit where the row does
    not. Raises UsageError, UnknownName."""
    (file,) = store.fetch(dataset_files.current_files, [name])
    source, target, checked = between(file, recipe)
    found = Fit(target.name)
    if "cleaned" not in recipe.export.include:
        return found
    if file.state is FileState.INGESTED:
        for stored in _spread(store, file.id, found):
            found.take(stored.conversation, source, target, checked)
    else:
        for conversation in sniff.sample_conversations(place(file), source, recipe.ingest, _MOST_ROWS):
            found.take(conversation, source, target, checked)
    return found


def _spread(store: Store, file_id: FileId, found: Fit) -> Iterator[rows.StoredConversation]:
    """All rows of a file, or pages of them with equal distances."""
    after, end = id_range(file_id)
    last = split_id(store.fetch(rows.last_id, file_id) or after)[1]
    found.of = last
    pages = _MOST_ROWS // _PAGE
    begins = (
        range(0, last, _PAGE)
        if last <= _MOST_ROWS
        else [number * (last - _PAGE) // (pages - 1) for number in range(pages)]
    )
    for begin in begins:
        yield from store.fetch(_page, after + begin, end)


def _page(connection: Connection, after: int, end: int) -> list[rows.StoredConversation]:
    return [stored for stored in rows.page(connection, after, end, _PAGE) if not stored.is_deleted]
