"""Cursors: an offset belongs to one file, moves forward only, and ends where the stage began; statuses go along the edges."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from corpus_pipeline.errors import KeylessWrite
from corpus_pipeline.model import conversation_id, id_range
from corpus_pipeline.states import TRANSITIONS, Stage, Status
from corpus_pipeline.store import Store, cursors, rows, schema
from corpus_pipeline_tests.store import making
from corpus_pipeline_tests.store.making import PARSE


def advance(store: Store, made: making.Made, last_id: int, number: int = 1) -> None:
    store.write(lambda c: cursors.advance(c, made.task_id, Stage.INGEST, PARSE, last_id=last_id, rows=number))


def test_an_offset_never_reaches_another_file(store: Store) -> None:
    one, two = making.task(store), making.task(store)
    making.held(store, one)
    for foreign in (conversation_id(two.file_id, 1), id_range(one.file_id)[0] - 1, conversation_id(one.file_id + 1, 1)):
        with pytest.raises(DBAPIError, match=r"(?i)offset_is_of_this_file|constraint"):
            advance(store, one, foreign)
    advance(store, one, conversation_id(one.file_id, (1 << 32) - 1))
    assert making.cursor(store, one).last_id == id_range(one.file_id)[1]


def test_a_cursor_never_moves_backwards(store: Store) -> None:
    made = making.task(store)
    making.held(store, made)
    advance(store, made, conversation_id(made.file_id, 5), 5)
    with pytest.raises(KeylessWrite, match="could not advance the cursor"):
        advance(store, made, conversation_id(made.file_id, 4))
    assert making.cursor(store, made).current_offset == 5


def test_a_cursor_that_does_not_exist_is_not_advanced(store: Store) -> None:
    made = making.task(store)
    with pytest.raises(KeylessWrite, match="0 rows matched instead of one"):
        advance(store, made, conversation_id(made.file_id, 1))


def test_the_end_of_a_read_is_fixed_once(store: Store) -> None:
    """The table may grow while it is read: what comes later is not read."""
    made = making.task(store)
    making.held(store, made)
    making.ingest(store, made, 4)
    end = store.fetch(rows.last_id, made.file_id)
    store.write(lambda c: cursors.fix_end(c, made.task_id, Stage.INGEST, PARSE, end_id=end, total_rows=4))
    later = making.conversations(5, 9)
    store.write(lambda c: rows.insert_batch(c, store.backend, made.file_id, later, []))
    with pytest.raises(KeylessWrite, match="fix the end"):
        store.write(lambda c: cursors.fix_end(c, made.task_id, Stage.INGEST, PARSE, end_id=end + 5, total_rows=9))
    seen, after = [], id_range(made.file_id)[0]
    fixed = making.cursor(store, made).end_id
    while page := store.fetch(rows.page, after, fixed, 3):
        seen += [row.conversation.row_identifier for row in page]
        after = page[-1].id
    assert seen == [1, 2, 3, 4]


def test_pages_have_no_hole_when_rows_vanish_behind_and_ahead(store: Store) -> None:
    made = making.task(store)
    making.ingest(store, made, 12)
    seen, after = [], id_range(made.file_id)[0]
    while page := store.fetch(rows.page, after, id_range(made.file_id)[1], 3):
        seen += [row.conversation.row_identifier for row in page if not row.is_deleted]
        after = page[-1].id
        if len(seen) == 3:  # two behind the reader, two ahead of it
            gone = [conversation_id(made.file_id, n) for n in (1, 2, 7, 12)]
            store.write(lambda c, gone=gone: rows.soft_delete(c, gone))
    assert seen == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11]


@settings(max_examples=15)
@given(steps=st.lists(st.sampled_from(list(Status)), max_size=8))
def test_a_status_changes_along_the_edges_only(store: Store, steps: list[Status]) -> None:
    made = making.task(store)
    making.held(store, made)
    status = Status.PENDING
    for target in steps:
        allowed = target in TRANSITIONS[status]
        changed = store.write(
            lambda c, target=target: cursors.set_status(c, made.task_id, Stage.INGEST, target, who="me")
        )
        assert changed == allowed
        status = target if changed else status
        assert making.cursor(store, made).status is status
    events = store.fetch(cursors.events, [made.task_id])
    assert bool(events) >= (status is not Status.PENDING)
    assert all(Status(e.to_status) in TRANSITIONS[Status(e.from_status)] for e in events)


def test_starting_over_forgets_the_position_and_says_so(store: Store) -> None:
    made = making.task(store)
    guard = making.held(store, made)
    making.running(store, made, guard)
    advance(store, made, conversation_id(made.file_id, 5), 5)
    store.write(lambda c: cursors.set_status(c, made.task_id, Stage.INGEST, Status.DONE), guard)
    store.write(lambda c: cursors.start_over(c, made.task_id, Stage.INGEST, who="me"))
    cursor = making.cursor(store, made)
    assert (cursor.status, cursor.current_offset, cursor.last_id, cursor.end_id) == (Status.PENDING, 0, 0, None)
    assert store.fetch(cursors.events, [made.task_id])[-1].reason == "started over"


def test_no_word_that_is_not_known_is_stored(store: Store) -> None:
    made = making.task(store)
    making.held(store, made)
    with pytest.raises(DBAPIError, match=r"(?i)constraint"):
        store.write(
            lambda c: c.execute(
                update(schema.execution_cursors)
                .where(schema.execution_cursors.c.task_id == made.task_id)
                .values(status="almost")
            )
        )
