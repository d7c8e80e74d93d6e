"""One unit of work, one transaction: redone as a whole when the database refuses it, never half done."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from corpus_pipeline.errors import StoreUnavailable
from corpus_pipeline.states import Stage
from corpus_pipeline.store import Store, cursors, dataset_files, migrate, recipes, rows, schema, tasks
from corpus_pipeline_tests.conftest import SERVERS
from corpus_pipeline_tests.servers.mariadb import MariaDB
from corpus_pipeline_tests.servers.postgres import Postgres
from corpus_pipeline_tests.store import making

_TASKS = schema.tasks.c


def touch(connection: Connection, task_id: int) -> None:
    tasks.touch_content(connection, task_id)


def _is_postgres(store: Store) -> bool:
    return store.backend.name == "postgresql"


def version(store: Store, task_id: int) -> int:
    return store.fetch(tasks.task_by_id, task_id).content_version


def test_what_fails_half_way_leaves_nothing(store: Store) -> None:
    made = making.task(store)
    guard = making.held(store, made)

    def half(connection: Connection) -> None:
        rows.insert_batch(connection, store.backend, made.file_id, making.conversations(1, 3), [])
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        store.write(half, guard)
    assert store.fetch(rows.last_id, made.file_id) is None
    assert (
        store.fetch(lambda c: c.execute(select(schema.leases.c.seq).filter_by(task_id=made.task_id)).scalar())
        == guard.seq
    )


def test_two_units_that_lock_each_other_are_both_done(server_store: Store) -> None:
    store = server_store
    one, two = making.task(store).task_id, making.task(store).task_id
    barrier, tries = threading.Barrier(2), []

    def unit(first: int, second: int) -> None:
        def work(connection: Connection) -> None:
            tries.append(first)
            touch(connection, first)
            if len(tries) <= 2:
                barrier.wait(10)
            touch(connection, second)

        store.write(work)

    threads = [threading.Thread(target=unit, args=pair) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tries) == 3  # the victim of the deadlock was redone as a whole
    assert (version(store, one), version(store, two)) == (2, 2)


def test_after_a_lock_timeout_the_whole_unit_is_redone(server_store: Store) -> None:
    """MariaDB's error 1205 undoes one statement only: without a rollback the first half would be done twice."""
    store = server_store
    soon = "SET LOCAL lock_timeout = '1s'" if _is_postgres(store) else "SET SESSION innodb_lock_wait_timeout = 1"
    first, locked = making.task(store).task_id, making.task(store).task_id
    tries = []

    def work(connection: Connection) -> None:
        tries.append(1)
        connection.execute(text(soon))
        touch(connection, first)
        touch(connection, locked)

    with store.engine.connect() as side:
        side.execute(update(schema.tasks).where(_TASKS.id == locked).values(content_version=7))
        later = threading.Timer(1.5, side.commit)
        later.start()
        store.write(work)
        later.join()  # the lock is gone before the commit has read its answer
        assert len(tries) >= 2
        assert (version(store, first), version(store, locked)) == (1, 8)


def test_a_writer_waits_while_another_one_holds_the_sqlite_file(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'corpus.db'}")
    migrate.ensure(store)
    made = making.task(store)
    other = sqlite3.connect(tmp_path / "corpus.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    later = threading.Timer(0.5, lambda: other.execute("COMMIT"))
    later.start()
    began = time.monotonic()
    store.write(lambda c: touch(c, made.task_id))
    later.join()
    assert time.monotonic() - began > 0.3
    assert version(store, made.task_id) == 1
    other.close()
    store.close()


def test_a_sqlite_file_that_stays_locked_is_tried_again_and_then_reported(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'corpus.db'}", patience=0.3)
    migrate.ensure(store)
    made = making.task(store)
    blocker = sqlite3.connect(tmp_path / "corpus.db", isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    with store.engine.connect() as connection:  # the pool keeps this connection: no wait of 30 s in the driver
        connection.connection.execute("PRAGMA busy_timeout = 50")
    with pytest.raises(StoreUnavailable, match=r"did not answer for 0 s: database is locked\. Finished work is kept"):
        store.write(lambda c: touch(c, made.task_id))
    blocker.execute("ROLLBACK")
    blocker.close()
    store.write(lambda c: touch(c, made.task_id))
    assert version(store, made.task_id) == 1
    store.close()


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux tells who holds a lock")
def test_the_message_names_the_stopped_process_that_holds_the_file(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'corpus.db'}", patience=0.1)
    migrate.ensure(store)
    made = making.task(store)
    hold = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE');"
    command = [sys.executable, "-c", f"{hold} print('held', flush=True); input()", str(tmp_path / "corpus.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        os.kill(holder.pid, signal.SIGSTOP)
        with store.engine.connect() as connection:
            connection.connection.execute("PRAGMA busy_timeout = 50")
        try:
            with pytest.raises(StoreUnavailable, match=rf"process {holder.pid}, which is stopped \(`kill -CONT"):
                store.write(lambda c: touch(c, made.task_id))
        finally:
            holder.kill()
    store.write(lambda c: touch(c, made.task_id))
    store.close()


def test_counters_of_many_writers_are_exact(store: Store) -> None:
    made = making.task(store)

    def count() -> None:
        for _ in range(10):
            store.write(lambda c: touch(c, made.task_id))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert version(store, made.task_id) == 40


def test_a_key_that_another_one_inserted_meanwhile_is_found_when_the_unit_is_redone(server_store: Store) -> None:
    """Two runs of one recipe keep the same prompt version at the same moment."""
    store, barrier, tries = server_store, threading.Barrier(2), []

    def save() -> None:
        def work(connection: Connection) -> int:
            tries.append(1)
            known = connection.execute(select(schema.recipes.c.id).where(schema.recipes.c.name == "same")).scalar()
            if len(tries) <= 2:
                barrier.wait(10)
            return known or recipes.save_recipe(connection, "same", "c" * 64, "x")

        found.append(store.write(work))

    found: list[int] = []
    threads = [threading.Thread(target=save) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2 and found[0] == found[1]


def test_a_mistake_in_the_statement_is_not_tried_again(store: Store) -> None:
    made, tries = making.task(store), []

    def twice(connection: Connection) -> None:
        tries.append(1)
        values = {"id": made.task_id, "file_id": made.file_id, "recipe_id": 1}
        connection.execute(insert(schema.tasks).values(values))

    with pytest.raises(IntegrityError):
        store.write(twice)
    assert len(tries) <= 4
    with pytest.raises((ProgrammingError, Exception), match="no_such_table"):
        store.write(lambda c: c.execute(text("INSERT INTO no_such_table VALUES (1)")))


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_is_killed_and_comes_back_is_waited_for(kind: str, tmp_path: Path) -> None:
    own: MariaDB | Postgres = MariaDB(tmp_path / "server") if kind == "mariadb" else Postgres(tmp_path / "server")
    with own as server:
        store = Store(server.fresh_database(), patience=60)
        migrate.ensure(store)
        made = making.task(store)
        guard = making.held(store, made)
        tries, killed = [], threading.Event()
        inside = threading.Event()

        def work(connection: Connection) -> None:
            tries.append(1)
            cursors.advance(connection, made.task_id, Stage.INGEST, "parse", last_id=0, rows=1)
            inside.set()
            assert killed.wait(10)  # in the middle of the first transaction
            touch(connection, made.task_id)

        writer = threading.Thread(target=store.write, args=(work, guard))
        writer.start()
        assert inside.wait(10)
        server.kill9()
        killed.set()
        server.restart()
        writer.join()
        assert len(tries) == 2
        assert (making.cursor(store, made).current_offset, version(store, made.task_id)) == (1, 1)
        server.kill9()
        away = Store(server.url("test_1"), patience=0.5)
        with pytest.raises(
            StoreUnavailable, match=r"did not answer.*run the same command again when it is back"
        ) as caught:
            away.fetch(dataset_files.current_files)
        assert "p%40ss" not in str(caught.value)  # no password in a message
        store.close()
