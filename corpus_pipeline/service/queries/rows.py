"""Keyset pagination of the rows that match a filter, over ranges of ids, with a time limit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection

from corpus_pipeline.errors import UsageError
from corpus_pipeline.formats import Format, export_line
from corpus_pipeline.formats.base import NotExportable
from corpus_pipeline.jobs.ingest import format_of
from corpus_pipeline.model import (
    Conversation,
    ConversationId,
    Turn,
    changing_rules,
    conversation_id,
    id_range,
    split_id,
)
from corpus_pipeline.recipe import parse
from corpus_pipeline.search import Candidates
from corpus_pipeline.service import search_index
from corpus_pipeline.service.queries import exportability, row_filter
from corpus_pipeline.service.queries.views import address, is_empty, label_of, reject_dict, turn_dict, verdict_dict
from corpus_pipeline.service.records.exports import ExportedRow, ExportLines
from corpus_pipeline.service.records.rows import ListedReject, ListedRow, RejectedLine, RowFacts
from corpus_pipeline.states import Stage
from corpus_pipeline.store import Store, cleaned, dataset_files, exports, recipes, row_queries, row_values, rows, tasks
from corpus_pipeline.store.dataset_files import DatasetFile
from corpus_pipeline.store.row_queries import Filter
from corpus_pipeline.store.tasks import Task

MOST_ROWS = 200  # of one page
_SECONDS = 1.5  # that one question may look for
_SLICE = 0.1  # seconds of one read of it: on SQLite a writer waits for it, and who reads next waits for the writer
# ids that one statement looks at when it looks into texts or verdicts: few at first, for what is found often
_RANGE, _MOST_RANGE = 1_000, 50_000
_LEAST_AMONG = 100  # rows that the index names and that are looked at together,
_MOST_BLOCKS = 64  # from this many blocks of it
_MOST_AMONG = 1_000  # rows that one statement looks at when the index has named them
_SELECTION_PAGE = 200
_SEARCH_SECONDS = 10.0  # that a search of several pages may look for
_INDEXED = (Stage.INGEST, Stage.CLEAN)


class Found(NamedTuple):
    """One row as it stands at a stage. `strategy` is set for one that was made from it."""

    id: ConversationId
    conversation: Conversation
    strategy: str | None
    sample: int
    facts: RowFacts


class RowPage(NamedTuple):
    """Rows in row order. next_after: where the next page begins, None at the end. stopped_at: the row up to which was
    looked when the time limit ended before the page was full, else None.
    """

    found: list[Found]
    next_after: int | None
    stopped_at: int | None
    last: int  # the highest row number there is


def row_page(
    connection: Connection,
    name: str,
    wanted: Filter,
    *,
    after: int = 0,
    limit: int = 50,
    seconds: float = _SECONDS,
    index: Path | None = None,
) -> RowPage:
    """The next `limit` source rows behind row number `after` that match. index: folder of the search index; what is not in
    it is looked through. Raises UnknownName, UsageError."""
    if not 0 < limit <= max(MOST_ROWS, _SELECTION_PAGE):
        raise UsageError(f"a page has 1 to {MOST_ROWS} rows, not {limit}")
    if not 0 <= after < 1 << 32:
        raise UsageError(f"rows are numbered from 1 to {(1 << 32) - 1}, not {after}")
    ((file, task),) = tasks.current_tasks(connection, [name])
    last = rows.last_id(connection, file.id) or id_range(file.id)[0]
    start: int = conversation_id(file.id, after) if after else id_range(file.id)[0]
    look = _Look(connection, file, task, wanted, limit, time.monotonic() + seconds)
    for part in _indexed(connection, index, file, task, wanted, after):
        stop = min(conversation_id(file.id, part.last), last)
        start = look.through(start, stop) if part.numbers is None else look.among(start, stop, part.numbers)
        if look.is_over or start >= last:
            break
    start = look.through(start, last)
    if start < last and len(look.found) <= limit:
        return RowPage(_flat(look.found, limit), split_id(start)[1], split_id(start)[1], split_id(last)[1])
    more = split_id(list(look.found)[limit - 1])[1] if len(look.found) > limit else None
    return RowPage(_flat(look.found, limit), more, None, split_id(last)[1])


def row_page_in_slices(
    store: Store, name: str, wanted: Filter, *, after: int, limit: int, index: Path | None = None
) -> RowPage:
    """As `row_page`, in reads of a moment each, so that no other reader waits for the whole of it."""
    until, found = time.monotonic() + _SECONDS, list[Found]()
    while True:
        left = limit - len({row.id for row in found})
        page = store.fetch(row_page, name, wanted, after=after, limit=left, seconds=_SLICE, index=index)
        found += page.found
        is_full = len({row.id for row in found}) >= limit
        if page.stopped_at is None or is_full or time.monotonic() > until:
            return page._replace(found=found)
        after = page.stopped_at


def _indexed(
    connection: Connection, folder: Path | None, file: DatasetFile, task: Task | None, wanted: Filter, after: int
) -> Iterator[Candidates]:
    """The rows behind `after` that the index names, as far as it goes."""
    buckets = None if folder is None or wanted.stage not in _INDEXED else search_index.buckets_of(wanted)
    if folder is None or buckets is None:
        return
    with_cleaned = wanted.stage is Stage.CLEAN or bool(row_queries.filter_words(wanted))
    index = search_index.opened(connection, folder, file, task, with_cleaned=with_cleaned)
    if index is not None:
        with index:
            yield from _joined(index.candidates(buckets, after))


def _joined(parts: Iterator[Candidates]) -> Iterator[Candidates]:
    """The same rows, a few at least at a time: a statement for each would cost more than the rows."""
    held: Candidates | None = None
    for number, part in enumerate(parts):
        if held is None or held.numbers is None or part.numbers is None:
            if held is not None:
                yield held
            held = part
        else:
            held = Candidates(held.first, part.last, held.numbers + part.numbers)
        if held.numbers is not None and (len(held.numbers) >= _LEAST_AMONG or number % _MOST_BLOCKS == 0):
            yield held
            held = None
    if held is not None:
        yield held


class _Look:
    """One look for the rows of a page: it is over when there is one row too many or the time limit is reached."""

    def __init__(
        self,
        connection: Connection,
        file: DatasetFile,
        task: Task | None,
        wanted: Filter,
        limit: int,
        deadline: float,
    ) -> None:
        self.found: dict[ConversationId, list[Found]] = {}
        self._place = (connection, file, task, wanted)
        self._limit, self._deadline = limit, deadline
        self._step = _RANGE
        self._begun = False  # something is looked at whatever the clock says, so that every question gets further

    @property
    def is_over(self) -> bool:
        return len(self.found) > self._limit or time.monotonic() > self._deadline

    def through(self, start: int, stop: int) -> int:
        """Look at all rows with start < id <= stop, range by range; returns how far it came."""
        wanted = self._place[3]
        while start < stop and not (self.is_over and self._begun):
            step = stop - start if wanted.is_open else self._step
            asked = self._limit + 1 - len(self.found)
            end = min(start + step, stop)
            ids = self._take(start, end, asked, None)
            start = ids[-1] if len(ids) == asked else end
            self._step = min(step * 4, max(step, _MOST_RANGE))
        return start

    def among(self, start: int, stop: int, numbers: list[int]) -> int:
        """Look at the rows with these numbers, start < id <= stop; returns how far it came."""
        file = self._place[1]
        size, place = 2 * self._limit, 0
        while place < len(numbers):
            if self.is_over and self._begun:
                return start
            part = [conversation_id(file.id, number) for number in numbers[place : place + size]]
            self._take(start, part[-1], len(part), part)
            start, place, size = part[-1], place + len(part), min(2 * size, _MOST_AMONG)
        return stop

    def _take(self, start: int, end: int, limit: int, among: list[ConversationId] | None) -> list[ConversationId]:
        connection, file, task, wanted = self._place
        ids = row_queries.matching_ids(connection, task and task.id, wanted, start, end, limit, among)
        self.found |= _hydrated(connection, file, task, wanted, ids)
        self._begun = True
        return ids


class Listing(NamedTuple):
    """Rows as JSON. after: the row number behind which the search goes on; None when every row was looked at. Everything
    that was made of one source row is in one listing."""

    rows: list[ListedRow | ListedReject]
    after: int | None


def search_rows(
    connection: Connection,
    name: str,
    wanted: Filter,
    *,
    after: int = 0,
    limit: int = 50,
    seconds: float | None = None,
    index: Path | None = None,
) -> Listing:
    """Rows that match, page by page until there are `limit` of them or the time is over: it may hold fewer, or none.

    Raises UnknownName, UsageError.
    """
    if wanted.state == row_filter.REJECTED:
        return _rejected(connection, name, wanted, after, limit)
    deadline = time.monotonic() + (_SEARCH_SECONDS if seconds is None else seconds)
    found: list[ListedRow | ListedReject] = []
    reached: int | None = after
    while reached is not None and len(found) < limit:
        page = row_page(
            connection,
            name,
            wanted,
            after=reached,
            limit=min(limit - len(found), _SELECTION_PAGE),
            seconds=deadline - time.monotonic(),
            index=index,
        )
        found += [found_dict(name, row) for row in page.found]
        reached = page.next_after
        if time.monotonic() > deadline:
            break
    if len(found) > limit:
        last = found[limit - 1]["number"]
        kept = [row for row in found if row["number"] <= last]
        return Listing(kept, reached if len(kept) == len(found) else last)
    return Listing(found, reached)


def _rejected(connection: Connection, name: str, wanted: Filter, after: int, limit: int) -> Listing:
    """Lines of a file that became no row, in the order of the file."""
    (file,) = dataset_files.current_files(connection, [name])
    text = None if wanted.search is None else wanted.search.casefold()
    found: list[ListedRow | ListedReject] = []
    while page := rows.reject_rows(connection, file.id, after, _SELECTION_PAGE):
        for reject in page:
            after, told = reject.row_identifier, reject_dict(reject)
            if wanted.reason in (None, told["reason"]) and (text is None or text in told["raw"].casefold()):
                row = f"{label_of(file)}:{reject.row_identifier}"
                found.append({**told, "row": row, "number": reject.row_identifier, "state": row_filter.REJECTED})
            if len(found) > limit:
                return Listing(found[:limit], found[limit - 1]["number"])
    return Listing(found, None)


def _flat(found: dict[ConversationId, list[Found]], limit: int) -> list[Found]:
    return [row for own in list(found.values())[:limit] for row in own]


def _hydrated(
    connection: Connection, file: DatasetFile, task: Task | None, wanted: Filter, ids: list[ConversationId]
) -> dict[ConversationId, list[Found]]:
    """The rows behind some ids, with their texts at the stage; those that a text search let through in vain are out."""
    stored = rows.by_ids(connection, ids)
    verdicts = cleaned.verdicts(connection, task.id, ids) if task and ids else {}
    texts: dict[ConversationId, tuple[Turn, ...]] = {}
    made: dict[ConversationId, list[tuple[str, int, tuple[Turn, ...]]]] = {}
    if task and ids and wanted.stage in (Stage.CLEAN, Stage.EXPORT):
        texts = row_queries.cleaned_texts(connection, task.id, ids)
    if task and ids and wanted.stage in (Stage.AUGMENT, Stage.EXPORT):
        made = row_queries.made_of(connection, task.id, ids)
    values = row_values.of_rows(connection, task.id, ids) if task and ids and wanted.stage is not Stage.INGEST else {}
    fits = _fits(connection, file) if wanted.stage is Stage.EXPORT else None
    found = {}
    for identifier in ids:
        verdict = verdicts.get(identifier)
        if isinstance(wanted.changed, str) and wanted.changed not in changing_rules(verdict.changes if verdict else ()):
            continue
        head = stored[identifier]
        facts: RowFacts = {"deleted": True} if head.is_deleted else {}
        if identifier in verdicts and wanted.stage is not Stage.EXPORT:
            facts = {**facts, **verdict_dict(verdicts[identifier])}
        own = [
            Found(identifier, head.conversation._replace(turns=turns), label, sample, {"empty": is_empty(turns)})
            for label, sample, turns in made.get(identifier, [])
            if wanted.strategy in (None, label) and wanted.empty in (None, is_empty(turns))
        ]
        if wanted.stage is not Stage.AUGMENT and wanted.strategy is None and wanted.empty is None:
            turns = texts.get(identifier, head.conversation.turns)
            own.insert(0, Found(identifier, head.conversation._replace(turns=turns), None, 0, facts))
        if told := values.get(identifier):
            own = [row._replace(facts={**row.facts, "values": _values_for(told, row.sample)}) for row in own]
        own = [row for row in own if wanted.search is None or contains(row.conversation.turns, wanted.search)]
        if fits is not None:
            own = [row._replace(facts={**row.facts, **exportability.told(row.conversation, *fits)}) for row in own]
        if wanted.exportable is not None:
            own = [row for row in own if row.facts["exportable"] is wanted.exportable]
        if own:
            found[identifier] = own
    return found


def _values_for(values: list[row_values.Value], sample: int) -> dict[str, Any]:
    """By `TASK.FIELD`, what tasks say of a row: of the sample of that number where there is one, else of the first."""
    found: dict[str, Any] = {}
    for value in values:  # in the order of samples
        if value.sample_index in (0, sample):
            found[f"{value.strategy}.{value.name}"] = value.value
    return found


def _fits(connection: Connection, file: DatasetFile) -> tuple[Format, Format, bool]:
    """How its recipe exports a file (see `exportability.between`)."""
    return exportability.between(file, parse(recipes.recipe_row(connection, file.recipe_id).body, origin="recipe"))


def contains(turns: tuple[Turn, ...], text: str) -> bool:
    """Whether a text of these turns contains another one, whatever the case."""
    wanted = text.casefold()
    return any(wanted in own.casefold() for turn in turns for _, own in turn.texts())


def found_dict(name: str, row: Found) -> ListedRow:
    """A row for JSON: as `corpus rows --json` gives it, with its number and source line."""
    shown: ListedRow = {
        "row": address(name, row.id, row.strategy, row.sample),
        "number": split_id(row.id)[1],
        "line": row.conversation.source_line,
        "turns": [turn_dict(turn) for turn in row.conversation.turns],
    }
    if row.strategy is not None:
        shown = {**shown, "parent": address(name, row.id), "strategy": row.strategy, "sample": row.sample}
    return {**shown, **row.facts}


def selection(
    store: Store, name: str, wanted: Filter, *, as_records: bool, index: Path | None = None
) -> Iterator[bytes]:
    """Every row that matches as one line of JSON: the training record in the format that the file came in, or what the
    row browser shows. What the format cannot hold is left out of the records.
    """
    file, _ = store.fetch(lambda c: tasks.current_tasks(c, [name])[0])
    form = format_of(file)
    after: int | None = 0
    while after is not None:
        page = row_page_in_slices(store, name, wanted, after=after, limit=_SELECTION_PAGE, index=index)
        lines = []
        for row in page.found:
            if as_records:
                if row.facts.get("deleted"):
                    continue
                try:
                    lines.append(export_line(row.conversation, form, form)[0].rstrip(b"\n") + b"\n")
                except NotExportable:
                    continue
            else:
                lines.append(orjson.dumps(found_dict(name, row), option=orjson.OPT_APPEND_NEWLINE))
        yield b"".join(lines)
        after = page.next_after


def rejects(connection: Connection, name: str, *, after: int = 0, limit: int = 50) -> list[RejectedLine]:
    """Lines of a dataset file that became no conversation, by key page."""
    (file,) = dataset_files.current_files(connection, [name])
    return [reject_dict(reject) for reject in rows.reject_rows(connection, file.id, after, limit)]


def export_lines(connection: Connection, export_id: int, *, after: int = 0, limit: int = 50) -> ExportLines:
    """What stands at the lines behind `after` of an export. Raises UnknownName."""
    export = exports.by_id(connection, export_id)
    task = tasks.task_by_id(connection, export.task_id)
    file = dataset_files.file_by_id(connection, task.file_id)
    places = exports.lines_between(connection, export, after + 1, after + limit)
    ids = sorted({place.conversation_id for _, place in places})
    stored = rows.by_ids(connection, ids)
    texts = row_queries.cleaned_texts(connection, task.id, ids)
    made = {
        (parent, label, sample): turns
        for parent, own in row_queries.made_of(connection, task.id, ids).items()
        for label, sample, turns in own
    }
    found: list[ExportedRow] = []
    for number, place in places:
        key = place.conversation_id
        if place.strategy is None:
            turns = texts.get(key) or (stored[key].conversation.turns if key in stored else ())
        else:
            turns = made.get((key, place.strategy, place.sample_index or 0), ())
        found.append(
            {
                "export_line": number,
                "row": address(label_of(file), key, place.strategy, place.sample_index or 0),
                "number": split_id(key)[1],
                "strategy": place.strategy,
                "turns": [turn_dict(turn) for turn in turns],
            }
        )
    return {
        "export_id": export_id,
        "name": file.name,
        "file_version": None if file.superseded_at is None else file.version,
        "lines": export.lines,
        "rows": found,
        "next_after": after + limit if found and after + limit < export.lines else None,
    }
