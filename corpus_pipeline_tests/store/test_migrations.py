"""A database of an older schema keeps its money through the upgrade."""

from __future__ import annotations

from alembic import command
from sqlalchemy import text

from corpus_pipeline.store import Store, migrate
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
