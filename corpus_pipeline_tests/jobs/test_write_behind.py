"""Writing behind: one at a time, in order, and no failure is lost."""

from __future__ import annotations

import time

import pytest

from corpus_pipeline.jobs.write_behind import Behind


def test_what_is_started_runs_in_order_and_is_waited_for() -> None:
    written: list[int] = []

    def write(number: int) -> None:
        time.sleep(0.01)
        written.append(number)

    with Behind() as behind:
        assert behind.wait() is False
        for number in range(3):
            behind.wait()
            behind.start(write, number)
    assert written == [0, 1, 2]


def test_a_failure_is_raised_where_it_is_waited_for() -> None:
    with pytest.raises(ZeroDivisionError), Behind() as behind:
        behind.start(lambda: 1 / 0)
        behind.wait()


def test_a_failure_of_the_last_is_raised_at_the_end() -> None:
    with pytest.raises(ZeroDivisionError), Behind() as behind:
        behind.start(lambda: 1 / 0)


def test_what_ends_the_block_wins_and_the_write_is_finished() -> None:
    written: list[str] = []

    def write() -> None:
        time.sleep(0.02)
        written.append("whole")

    with pytest.raises(KeyError), Behind() as behind:
        behind.start(write)
        raise KeyError
    assert written == ["whole"]
