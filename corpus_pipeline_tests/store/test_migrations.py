"""A database of an older schema keeps its money and its rows through the upgrade, also through one that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from corpus_pipeline.errors import Fenced, SchemaMismatch
from corpus_pipeline.jobs.lease import holding
from corpus_pipeline.states import Stage
from corpus_pipeline.store import Guard, Store, migrate, schema, tasks
from corpus_pipeline_tests.store import making

_ATTEMPT = """INSERT INTO llm_attempts (id, request_key, task_id, conversation_id, strategy, sample_index, step, attempt,
 consumer, prompt_version, model, state, input_price, cached_price, output_price, reserved, cost, epoch, created_at)
 VALUES (:id, 'k', :task, 1, 's', 0, 1, 1, 'c', 'v', 'm', :state, 400000, 100000, 1600000, :reserved, :cost, 1, :at)"""
_SPENDING = """INSERT INTO spending (task_id, day, consumer, strategy, model, answered, errors, unknown, retried, input_tokens,
 cached_tokens, output_tokens, reasoning_tokens, cost) VALUES (:task, :day, 'c', 's', 'm', 1, 0, 1, 0, 0, 0, 0, 0, :cost)"""


def test_micro_dollars_become_nano_dollars_and_the_unknown_share_is_summed(every_database_url: str) -> None:
    store = Store(every_database_url)
    try:

        def older(connection: object) -> None:
            command.upgrade(migrate.config(connection), "0003")  # type: ignore[arg-type]

        with store.backend.exclusive(store.engine):
            store.write(older)

        task_id = making.task(store).task_id

        def fill(connection: object) -> None:
            run = connection.execute  # type: ignore[attr-defined]
            day = 86_400_000
            for number, (state, at, cost) in enumerate(
                [
                    ("answered", 5 * day + 1, 7),
                    ("unknown", 5 * day + 2, 90),
                    ("unknown", 6 * day - 1, 10),
                    ("unknown", 6 * day, 3),
                ]
            ):
                run(
                    text(_ATTEMPT),
                    {"task": task_id, "id": f"a{number}", "state": state, "at": at, "cost": cost, "reserved": 100},
                )
            run(text(_SPENDING), {"task": task_id, "day": "1970-01-06", "cost": 107})
            run(text(_SPENDING), {"task": task_id, "day": "1970-01-07", "cost": 3})
            run(text("INSERT INTO budgets (scope, subject, spent, reserved) VALUES ('task', '1', 110, 40)"))

        store.write(fill)
        assert migrate.upgrade(store) == ("0003", migrate.HEAD)
        with store.read() as connection:
            ask = connection.execute
            assert ask(text("SELECT SUM(cost), SUM(reserved) FROM llm_attempts")).one() == (110_000, 400_000)
            assert ask(text("SELECT spent, reserved FROM budgets")).one() == (110_000, 40_000)
            sums = ask(text("SELECT day, cost, unknown_cost FROM spending ORDER BY day")).all()
            assert [tuple(row) for row in sums] == [("1970-01-06", 107_000, 100_000), ("1970-01-07", 3_000, 3_000)]
            assert ask(text("SELECT DISTINCT cache_write_price FROM llm_attempts")).scalars().all() == [400_000]
    finally:
        store.close()


_DUPLICATE = """INSERT INTO duplicates (task_id, conversation_id, nearest, duplicate_of, kind, distance)
 VALUES (:task, :id, 1, 1, 'near', 2)"""
_LEASE = """INSERT INTO leases (task_id, stage, owner, epoch, seq, expires_at)
 VALUES (:task, 'clean', 'elsewhere', 4, 0, :until)"""
_UPGRADE = "import sys; from corpus_pipeline.store import Store, migrate; migrate.upgrade(Store(sys.argv[1]))"
# between what 0002 takes away and puts back, among the columns of 0004, before the last commit
_KILLED_AT = ("migration: add_constraint#1", "migration: add_column#5", "before commit: work#1")


def _first_schema_with_rows(store: Store, until: int) -> int:
    def older(connection: Connection) -> None:
        command.upgrade(migrate.config(connection), "0001")

    with store.backend.exclusive(store.engine):
        store.write(older)
    task_id = making.task(store).task_id

    def fill(connection: Connection) -> None:
        for number in range(2, 40):
            connection.execute(text(_DUPLICATE), {"task": task_id, "id": number})
            values = {"task": task_id, "id": f"a{number}", "state": "answered", "at": 86_400_000, "cost": number}
            connection.execute(text(_ATTEMPT), values | {"reserved": 100})
        connection.execute(text(_SPENDING), {"task": task_id, "day": "1970-01-02", "cost": sum(range(2, 40))})
        connection.execute(text(_LEASE), {"task": task_id, "until": until})

    store.write(fill)
    return task_id


def test_an_upgrade_that_is_killed_half_way_is_run_again(every_database_url: str) -> None:
    store = Store(every_database_url)
    task_id = _first_schema_with_rows(store, until=1_000)  # of a worker that sleeps since 1970
    # SQLite makes the table anew instead
    first = "migration: create_table#1" if every_database_url.startswith("sqlite") else _KILLED_AT[0]
    for at in (first, *_KILLED_AT[1:]):
        environment = {**os.environ, "CORPUS_CRASH_AT": at}
        done = subprocess.run([sys.executable, "-c", _UPGRADE, every_database_url], env=environment, timeout=120)
        assert done.returncode == -signal.SIGKILL, at
    migrate.upgrade(store)
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
        assert migrate.version_of(connection) == migrate.HEAD
        ask = connection.execute
        assert ask(text("SELECT SUM(cost), SUM(reserved), COUNT(*) FROM llm_attempts")).one() == (
            779_000,
            3_800_000,
            38,
        )
        assert ask(text("SELECT SUM(cost) FROM spending")).scalar() == 779_000
        assert ask(text("SELECT COUNT(*) FROM duplicates WHERE kind = 'near'")).scalar() == 38
    # the worker wakes: it must not write by the old schema
    with pytest.raises(Fenced, match="another worker took over"):
        store.write(lambda c: None, Guard(task_id, Stage.CLEAN, "elsewhere", 4, 0))
    store.close()


def test_an_upgrade_is_refused_while_a_lease_lives(every_database_url: str) -> None:
    store = Store(every_database_url)
    _first_schema_with_rows(store, until=1 << 43)
    with pytest.raises(SchemaMismatch, match="1 stages are being worked on"):
        migrate.upgrade(store)
    assert store.fetch(migrate.version_of) == "0001"
    store.close()


def test_a_program_that_outlives_its_schema_ends_with_one_sentence(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = making.task(store)
    monkeypatch.setattr(migrate, "HEAD", "0000")  # what this process would know, had it begun before the upgrade
    with (
        pytest.raises(SchemaMismatch, match=r"was changed to \d+ while this process was running.*nothing was written"),
        holding(store, made.task_id, Stage.INGEST, 30),
    ):
        raise AssertionError("it began")
    monkeypatch.undo()
    with holding(store, made.task_id, Stage.INGEST, 30) as lease:
        store.write(lambda c: tasks.touch_content(c, made.task_id), lease.guard)
