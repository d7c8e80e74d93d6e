"""No error of a database says a value, and no setting of a session turns a value into SQL."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import SQLAlchemyError

from corpus_pipeline.error_words import in_words
from corpus_pipeline.store import Store, rows, schema
from corpus_pipeline_tests.store import making
from corpus_pipeline_tests.store.test_values import HOSTILE

SECRET = "Seventeen herons of Mrs Quillfeather"


_HEAD = "CREATE TRIGGER no_turns BEFORE INSERT ON turns FOR EACH ROW"
_TRIGGERS = {
    "sqlite": ([f"{_HEAD} BEGIN SELECT RAISE(ABORT, '{{}}'); END"], "DROP TRIGGER no_turns"),
    "mysql": ([f"{_HEAD} SIGNAL SQLSTATE '45000' SET message_text = '{{}}'"], "DROP TRIGGER no_turns"),
    "postgresql": (
        [
            "CREATE OR REPLACE FUNCTION no_turns() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE EXCEPTION '{}'; END $$",
            f"{_HEAD} EXECUTE FUNCTION no_turns()",
        ],
        "DROP FUNCTION no_turns CASCADE",
    ),
}


def told(store: Store, work) -> str:
    """Everything that whoever catches the error of a unit of work can show of it."""
    with pytest.raises((SQLAlchemyError, TypeError)) as caught:
        store.write(work)
    error: BaseException | None = caught.value
    shown = [in_words(caught.value), *traceback.format_exception(caught.value)]
    while error is not None:
        shown += [str(error), repr(error), repr(error.args)]
        error = error.__cause__ or error.__context__
    return "\n".join(shown)


def _row(made: making.Made, number: int, words: str):
    (one,) = making.conversations(number, number)
    return one._replace(turns=(one.turns[0]._replace(prompt=words),))


def test_a_refused_batch_of_rows_is_told_without_them(store: Store) -> None:
    made = making.task(store)

    def twice(connection: Connection) -> None:
        rows.insert_batch(connection, store.backend, made.file_id, [_row(made, 1, SECRET)], [])

    store.write(twice)
    shown = told(store, twice)
    assert SECRET not in shown and "turns" in shown + "conversations"


def test_a_value_in_a_bulk_that_the_server_cannot_take_is_not_told(store: Store) -> None:
    """A text for a column of numbers: the server, or the driver, would quote it."""
    made = making.task(store)
    columns = ("conversation_id", "turn_taking", "data_prompt", "data_weight")
    bad = [((made.file_id << 32) + n, 1, SECRET, SECRET) for n in range(1, 9)]
    if store.backend.name == "sqlite":  # it takes it
        return
    assert SECRET not in told(store, lambda c: store.backend.insert(c, schema.turns, columns, bad))


def test_a_key_or_a_word_that_the_server_quotes_is_not_told(store: Store) -> None:
    values = {"name": SECRET, "version": "d" * 64, "body": SECRET}

    def known(connection: Connection) -> None:
        connection.execute(insert(schema.recipes).values(values))

    store.write(known)
    for work in (
        known,
        lambda c: c.execute(text(f"SELECT '{SECRET}' FROM FROM x")),
        lambda c: c.execute(insert(schema.recipes).values(values | {"version": {SECRET: 1}})),
    ):
        shown = told(store, work)
        statement_of_ours = f"SELECT '{SECRET}'"  # a statement that was made of words: no code of ours does that
        assert SECRET not in shown.replace(statement_of_ours, "")


def test_what_a_trigger_says_is_not_told(store: Store) -> None:
    made = making.task(store)
    said, drop = _TRIGGERS[store.backend.name]
    try:
        store.write(lambda c: [c.execute(text(one.format(SECRET))) for one in said])
        shown = told(store, lambda c: rows.insert_batch(c, store.backend, made.file_id, [_row(made, 1, SECRET)], []))
    finally:
        store.write(lambda c: c.execute(text(drop)))
    assert SECRET not in shown
    assert any(code in shown for code in ("1644", "SQLITE_CONSTRAINT_TRIGGER", "P0001"))


def test_what_names_and_numbers_tell_is_told(store: Store) -> None:
    shown = told(store, lambda c: c.execute(text("SELECT 1 FROM no_such_table")))
    assert "no_such_table" in shown


TEXTS = st.text(st.sampled_from("'\\\"`%;-# aé汉\0\n")) | st.sampled_from(HOSTILE[:-1])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    TEXTS,
    st.sampled_from(["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "ORACLE"]),
    st.sampled_from(["utf8mb4", "latin1", "gbk", "sjis"]),
)
def test_a_session_that_a_proxy_reset_stores_the_same(mariadb_store: Store, words: str, mode: str, names: str) -> None:
    store = mariadb_store
    made = making.task(store)
    names_before = "SET NAMES utf8mb4"

    def write(connection: Connection) -> list[str]:
        raw = connection.connection.driver_connection
        assert raw is not None
        with raw.cursor() as cursor:
            heard_of = raw.server_status
            cursor.execute(f"SET SESSION sql_mode = '{mode}'")
            cursor.execute(f"SET NAMES {names}")
            raw.server_status = heard_of  # the driver does not know
        try:
            rows.insert_batch(connection, store.backend, made.file_id, [_row(made, 1, words)], [])
            raw.server_status = heard_of
            own = "SELECT HEX(data_prompt) FROM turns WHERE conversation_id = %s AND data_prompt = %s"
            found = connection.exec_driver_sql(own, ((made.file_id << 32) + 1, words)).scalars().all()
        finally:
            with raw.cursor() as cursor:
                cursor.execute("SET SESSION sql_mode = DEFAULT")
                cursor.execute(names_before)
        return list(found)

    assert store.write(write) == [words.encode().hex().upper()]
