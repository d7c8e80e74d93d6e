"""The incident that this project began with cannot be written: a write-back without its key, into the table it reads."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, inspect, select
from sqlalchemy.exc import DBAPIError

from corpus_pipeline.errors import KeylessWrite
from corpus_pipeline.model import AugmentedRow, ConversationId, Turn, conversation_id, id_range
from corpus_pipeline.states import ItemState, Stage
from corpus_pipeline.store import Store, augmented, cursors, rows, schema
from corpus_pipeline_tests.store import making

_PROVENANCE = augmented.Provenance("p" * 64, "k" * 64, "model", b"\0" * 32)


def test_an_augmented_row_without_its_parent_is_an_error_before_any_sql() -> None:
    with pytest.raises(TypeError, match="parent_id"):
        AugmentedRow(strategy="paraphrase", sample_index=0, turns=(Turn(response="x"),))  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="outside"):
        conversation_id(1, 0)


def test_a_key_of_none_is_refused_by_the_database(store: Store) -> None:
    made = making.task(store)
    row = AugmentedRow(None, "paraphrase", 0, (Turn(response="x"),))  # type: ignore[arg-type]
    with pytest.raises(DBAPIError, match=r"(?i)null"):
        store.write(lambda c: augmented.insert_rows(c, store.backend, made.task_id, [(row, _PROVENANCE)]))


def test_writing_an_answer_back_twice_is_refused_and_makes_no_row(store: Store) -> None:
    made = making.task(store)
    making.ingest(store, made, 2)
    row = AugmentedRow(conversation_id(made.file_id, 1), "paraphrase", 0, (Turn(response="x"),))

    item = ((row.parent_id, "paraphrase", 0), ItemState.DONE, None, False)

    def write(connection: Connection) -> None:
        augmented.insert_items(connection, store.backend, made.task_id, [item])
        augmented.insert_rows(connection, store.backend, made.task_id, [(row, _PROVENANCE)])

    store.write(write)
    with pytest.raises(DBAPIError):
        store.write(write)
    query = select(schema.augmented_rows.c.conversation_id).where(schema.augmented_rows.c.task_id == made.task_id)
    assert store.fetch(lambda c: c.execute(query).scalars().all()) == [row.parent_id]


def test_what_augment_writes_is_not_among_what_it_reads(store: Store) -> None:
    """The incident: rows that were written back without an id were new rows, which the loop then read, for ever."""
    made = making.task(store)
    making.ingest(store, made, 3)
    end = store.fetch(rows.last_id, made.file_id)
    before = store.fetch(rows.page, id_range(made.file_id)[0], end, 100)
    new = [AugmentedRow(row.id, "paraphrase", 0, (Turn(response="x"),)) for row in before]
    store.write(lambda c: augmented.insert_rows(c, store.backend, made.task_id, [(row, _PROVENANCE) for row in new]))
    assert store.fetch(rows.page, id_range(made.file_id)[0], end, 100) == before
    assert store.fetch(rows.last_id, made.file_id) == end


def test_no_table_of_rows_gives_out_keys_by_itself(store: Store) -> None:
    """A row whose key the database makes up could not be found again by a second write."""
    with store.read() as connection:
        for name in ("conversations", "turns", "cleaned_rows", "cleaned_turns", "augmented_rows", "augmented_turns"):
            columns = inspect(connection).get_columns(name)
            keys = inspect(connection).get_pk_constraint(name)["constrained_columns"]
            assert keys
            for column in columns:
                if column["name"] in keys:
                    assert not column["nullable"]
                    assert column.get("autoincrement") is not True


def test_deleting_rows_names_each_of_them(store: Store) -> None:
    made = making.task(store)
    making.ingest(store, made, 3)
    missing = [conversation_id(made.file_id, 1), conversation_id(made.file_id, 9)]
    with pytest.raises(KeylessWrite, match="2 rows were to be deleted, 1 exist"):
        store.write(lambda c: rows.soft_delete(c, missing))
    assert not any(row.is_deleted for row in store.fetch(rows.page, *id_range(made.file_id), 10))


def test_an_advance_names_its_cursor_by_type() -> None:
    with pytest.raises(TypeError, match="last_id"):
        cursors.advance(None, 1, Stage.CLEAN, "rules", rows=1)  # type: ignore[arg-type, call-arg]
    assert ConversationId(1) == 1
