"""Money: reserved before the call, settled after it, never above the limit, and a pause that says so."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from corpus_pipeline.errors import Paused, UsageError
from corpus_pipeline.states import Stage

WORST = "SELECT MAX(reserved) FROM llm_attempts"


def levels(kit: Any) -> dict[tuple[str, str], tuple[int, int]]:
    return {
        (row.scope, row.subject): (row.spent, row.reserved)
        for row in kit.rows_of("SELECT scope, subject, spent, reserved FROM budgets")
    }


def test_every_budget_agrees_with_the_ledger(make_kit: Any, database_url: str) -> None:
    kit = make_kit(faults={"500": 0.1, "rst": 0.1, "400": 0.05}, database_url=database_url)
    kit.add(40, strategies=["paraphrase"])
    kit.run()
    kit.add(20, "second", consumer="others", strategies=["response_regeneration"])
    kit.run("second")
    spent = {
        **{
            ("task", str(row[0])): int(row[1])
            for row in kit.rows_of("SELECT task_id, SUM(cost) FROM llm_attempts GROUP BY 1")
        },
        **{
            ("consumer", row[0]): int(row[1])
            for row in kit.rows_of("SELECT consumer, SUM(cost) FROM llm_attempts GROUP BY 1")
        },
    }
    found = levels(kit)
    days = [level for (scope, _), level in found.items() if scope == "day"]
    assert {key: level[0] for key, level in found.items() if key[0] != "day"} == spent
    assert sum(day[0] for day in days) == kit.one("SELECT SUM(cost) FROM llm_attempts")
    assert {level[1] for level in found.values()} == {0}, "money is reserved although nobody works"


def test_a_budget_is_never_exceeded_with_many_calls_in_flight(make_kit: Any) -> None:
    kit = make_kit(latency="uniform:low=0.05,high=0.2")
    kit.add(60, "probe", strategies=["paraphrase"])
    with pytest.raises(Exception, match="limit of 1"):
        kit.run("probe", limit=1)
    worst, cost = kit.one(WORST), kit.one("SELECT MAX(cost) FROM llm_attempts")
    limit = worst + 20 * cost  # the worst case of one call fits until some twenty are paid

    kit.add(60, strategies=["paraphrase"], concurrency=50, budget={"task_usd": limit / 1e9})
    above: list[Any] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.01):
            above.extend(level for key, level in levels(kit).items() if key[0] == "task" and sum(level) > limit)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        with pytest.raises(Paused, match="budget of this task"):
            kit.run()
    finally:
        over.set()
        watcher.join()
    assert not above, "spent and reserved together were above the limit"
    status = kit.status()
    assert status["status"] == "paused"
    assert "by budget" in status["flag"] and "augment.budget.task_usd" in status["flag"]
    made = kit.one("SELECT COUNT(*) FROM augmented_rows WHERE task_id = (SELECT MAX(id) FROM tasks)")
    assert 15 <= made <= 21, "the budget was not used up, or more than that"
    kit.books_agree()


def test_the_flag_of_a_budget_is_cleared_by_a_person_and_a_higher_limit_goes_on(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(12, strategies=["paraphrase"], budget={"task_usd": 0.0})
    with pytest.raises(Paused, match="budget of this task"):
        kit.run()
    with pytest.raises(Paused, match="by budget"):
        kit.run()
    assert kit.invoice() == []
    before = kit.corpus.work("rows", Stage.AUGMENT).task.id

    kit.corpus.bind_recipe("rows", kit.recipe(strategies=["paraphrase"], budget={"task_usd": 1.0}))
    kit.corpus.resume(["rows"], Stage.AUGMENT, False)
    assert kit.corpus.work("rows", Stage.AUGMENT).task.id == before, "another limit must not begin another task"
    assert kit.run().report["succeeded"] == 12


@pytest.mark.parametrize("scope", ["consumer", "day"])
def test_the_money_of_a_consumer_and_of_a_day_is_shared_by_tasks(make_kit: Any, scope: str) -> None:
    kit = make_kit()
    kit.add(10, "first", strategies=["paraphrase"])
    kit.run("first")
    spent = kit.one("SELECT SUM(cost) FROM llm_attempts")
    kit.add(10, "second", strategies=[{"paraphrase": {"temperature": 0.1}}], budget={f"{scope}_usd": spent / 1e9})
    with pytest.raises(Paused, match="consumer team" if scope == "consumer" else "the day"):
        kit.run("second")
    assert len(kit.invoice()) == 10


def test_two_workers_together_stay_below_the_limit(make_kit: Any, database_url: str) -> None:
    kit = make_kit(latency="fixed:0.05", database_url=database_url)
    kit.add(1, "probe", strategies=["paraphrase"])
    kit.run("probe")
    limit = kit.one(WORST) + 12 * kit.one("SELECT MAX(cost) FROM llm_attempts")
    for name, temperature in (("left", 0.2), ("right", 0.3)):
        kit.add(
            30, name, strategies=[{"paraphrase": {"temperature": temperature}}], budget={"consumer_usd": limit / 1e9}
        )
    with kit.running("left") as left, kit.running("right") as right:
        outcomes = [left.wait(60), right.wait(60)]
    assert all(isinstance(outcome, Paused) for outcome in outcomes), outcomes
    spent, reserved = levels(kit)[("consumer", "team")]
    assert spent <= limit and reserved == 0
    kit.books_agree()


def test_what_another_task_has_reserved_and_will_give_back_pauses_nobody(make_kit: Any, database_url: str) -> None:
    kit = make_kit(latency="fixed:0.6", database_url=database_url)
    kit.add(1, "probe", strategies=["paraphrase"])
    kit.run("probe")
    worst = kit.one(WORST)
    for name, temperature in (("left", 0.2), ("right", 0.3)):
        strategies = [{"paraphrase": {"temperature": temperature}}]
        kit.add(8, name, strategies=strategies, budget={"consumer_usd": (8.5 * worst + 1000) / 1e9})
    with kit.running("left") as left:
        for _ in range(200):
            if levels(kit)[("consumer", "team")][1] >= 8 * worst:
                break
            time.sleep(0.02)
        right = kit.run("right")  # while everything is reserved for the calls of the other file
        assert right.report["succeeded"] == 8
        assert left.wait(60).report["succeeded"] == 8
    kit.books_agree()


def test_a_model_without_a_price_is_an_error_that_says_how_to_set_it(make_kit: Any) -> None:
    kit = make_kit(models=("house-model",))
    kit.add(3, strategies=["paraphrase"], model="house-model")
    with pytest.raises(UsageError, match=r"price of model 'house-model' is not known.*prices"):
        kit.run()
    assert kit.invoice() == []
    kit.corpus.bind_recipe(
        "rows",
        kit.recipe(
            strategies=["paraphrase"], model="house-model", prices={"house-model": {"input": 1.0, "output": 2.0}}
        ),
    )
    assert kit.run().report["succeeded"] == 3
