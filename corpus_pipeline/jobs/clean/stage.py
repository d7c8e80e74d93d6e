"""The clean stage: the rule pass in batches, then the dedup pass over what it kept."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from corpus_pipeline.jobs.clean import scores
from corpus_pipeline.jobs.clean.corpus_scope import entries, in_corpus, rows_of, rule_of, texts_of
from corpus_pipeline.jobs.gc_tuning import give_back, rare_collection
from corpus_pipeline.jobs.ingest import format_of
from corpus_pipeline.jobs.process_pool import computing
from corpus_pipeline.jobs.stage_run import Held, Work
from corpus_pipeline.model import id_range
from corpus_pipeline.stages.clean.dedup import duplicates
from corpus_pipeline.stages.clean.dedup.same_prompt import with_one_answer
from corpus_pipeline.stages.clean.worker import CleanWorker, Page, Verdicts, joined
from corpus_pipeline.states import Status
from corpus_pipeline.store import cleaned, cursors, kept_rows, row_values, rows, tasks
from corpus_pipeline.store.cleaned import KnownDuplicate
from corpus_pipeline.store.duplicates import Owner, merge_duplicates

_PROCESSES_FROM_ROWS = 15_000
_PAGES_PER_GIVING_BACK = 10

RULES = "rules"
DEDUP = "dedup"


def task_types(work: Work) -> tuple[str, ...]:
    return (RULES, DEDUP)


def begin(connection: Connection, held: Held) -> None:
    """Fix where both passes end: rows that come later are not read."""
    file, task = held.work.file, held.work.task
    for cursor in cursors.stage_cursors(connection, task.id, held.work.stage):
        if cursor.end_id is None:
            end = rows.last_id(connection, file.id) or id_range(file.id)[0]
            cursors.fix_end(
                connection, task.id, held.work.stage, cursor.task_type, end_id=end, total_rows=file.conversations or 0
            )


def forget(connection: Connection, work: Work) -> None:
    cleaned.remove_duplicates(connection, work.task.id)
    cleaned.remove_rule_pass(connection, work.task.id)


@rare_collection()
def work(held: Held) -> None:
    if held.cursor(RULES).status is not Status.DONE:
        _rule_pass(held)
    _dedup_pass(held)


def _rule_pass(held: Held) -> None:
    section, cursor = held.work.recipe.clean, held.cursor(RULES)
    many = (cursor.total_rows or 0) >= _PROCESSES_FROM_ROWS
    format_joins = format_of(held.work.file).joins
    kept = held.fetch(kept_rows.of_file, held.work.file.id)
    keep = frozenset(row.conversation_id for row in kept)
    keep_unchanged = frozenset(row.conversation_id for row in kept if row.unchanged)
    said = held.fetch(scores.sources_of, held.work)
    with computing(many, CleanWorker, section, held.work.task.id, format_joins, keep, keep_unchanged) as cleaner:
        # the next pages are read and computed while one is being committed
        pages = cleaner.map(_pages(held, cursor, section.batch_size, said), Page.slices)
        for number, (page, parts) in enumerate(pages, 1):
            held.commit(_write_verdicts, held, page, joined(parts))
            held.boundary()
            if number % _PAGES_PER_GIVING_BACK == 0:
                give_back()
    give_back()
    held.commit(held.finish, RULES)


def _pages(held: Held, cursor: cursors.Cursor, batch_size: int, said: scores.Sources) -> Iterator[Page]:
    after, end = cursor.last_id or id_range(held.work.file.id)[0], cursor.end_id or 0
    while (page := Page(*held.fetch(rows.page_values, after, end, batch_size))).heads:
        yield page._replace(said=held.fetch(row_values.said_between, said, after, page.last_id)) if said else page
        after = page.last_id


def _write_verdicts(connection: Connection, held: Held, page: Page, verdicts: Verdicts) -> None:
    cleaned.insert_values(connection, held.store.backend, verdicts.rows, verdicts.turns, verdicts.tags)
    held.advance(
        connection,
        RULES,
        last_id=page.last_id,
        rows=len(page.heads),
        dropped=verdicts.dropped,
        active_ms=held.lap_ms(),
    )


def _dedup_pass(held: Held) -> None:
    corpus_scope = held.work.recipe.clean.dedup.scope == "corpus"
    found, owner = in_corpus(held, RULES) if corpus_scope else (_in_file(held), None)
    keep = held.fetch(kept_rows.every_id)
    for page in _duplicate_pages(held, [entry for entry in entries(found) if entry.conversation_id not in keep]):
        held.commit(_write_duplicates, held, page, owner)
        held.boundary()
    held.commit(_finish_dedup, held)


def _in_file(held: Held) -> duplicates.DuplicateArrays:
    """The duplicates of this file alone."""
    dedup = held.work.recipe.clean.dedup
    rows = rows_of(held, held.work.task.id)
    texts = texts_of(held, {held.work.file.id: held.work.task.id})
    found = duplicates.find(rows, rule_of(dedup), texts)
    if dedup.same_prompt == "keep":
        return found
    return with_one_answer(rows, found, texts, longest=dedup.same_prompt == "keep_longest")


class _DuplicatePage(NamedTuple):
    """What one commit of the dedup pass writes: `rows` of our own file are through up to `last_id`."""

    last_id: int
    rows: int
    dropped: int
    entries: list[KnownDuplicate]


def _duplicate_pages(held: Held, found: list[KnownDuplicate]) -> Iterator[_DuplicatePage]:
    """The entries in batches of our own rows; those of other files go with the first batch."""
    cursor = held.cursor(DEDUP)
    low, high = id_range(held.work.file.id)
    own = [entry for entry in found if low < entry.conversation_id <= high]
    foreign = [entry for entry in found if not low < entry.conversation_id <= high]
    size, end = held.work.recipe.clean.batch_size, cursor.end_id or low
    after = cursor.last_id or low
    at = bisect_right(own, after, key=lambda entry: entry.conversation_id)
    while after < end:
        ids = held.fetch(cleaned.page_end, held.work.task.id, after, end, size)
        if ids is None:
            break
        last, rows = ids
        until = at
        while until < len(own) and own[until].conversation_id <= last:
            until += 1
        yield _DuplicatePage(last, rows, until - at, own[at:until] + foreign)
        after, at, foreign = last, until, []


def _write_duplicates(connection: Connection, held: Held, page: _DuplicatePage, owner: Owner | None) -> None:
    own = held.work.task.id
    if owner is None:
        cleaned.write_duplicates(connection, held.store.backend, [(own, entry) for entry in page.entries])
    else:
        for task_id in merge_duplicates(connection, held.store.backend, page.entries, owner) - {own}:
            tasks.touch_content(connection, task_id)  # rows of another file repeat ours: its export is stale
    held.advance(connection, DEDUP, last_id=page.last_id, rows=page.rows, dropped=page.dropped, active_ms=held.lap_ms())


def _finish_dedup(connection: Connection, held: Held) -> None:
    tasks.touch_content(connection, held.work.task.id)
    held.finish(connection, DEDUP)
