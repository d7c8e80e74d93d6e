"""Processes that compute: what happens when one dies, when the work ends, and when they are started ahead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from operator import floordiv, truediv
from pathlib import Path

import pytest

from corpus_pipeline.errors import StopJob
from corpus_pipeline.jobs import process_pool
from corpus_pipeline.jobs.process_pool import end_spare, have_ready, several


class Halves:
    """Gives (a / 2, a // 2)."""

    def __init__(self, how: int) -> None:
        self._by = how

    def __call__(self, number: int) -> tuple[float, int]:
        return truediv(number, self._by), floordiv(number, self._by)


def one(number: int) -> list[tuple[int]]:
    return [(number,)]


@pytest.fixture(autouse=True)
def none_spare():
    end_spare()
    yield
    end_spare()


def test_answers_come_in_the_order_of_the_items() -> None:
    with several(3, Halves, 2) as computing:
        assert list(computing.map(range(50), one)) == [(n, [(n / 2, n // 2)]) for n in range(50)]


def test_a_process_that_is_killed_ends_the_work_with_a_reason() -> None:
    with several(2, Halves, 2) as computing:
        for child in computing.children:
            os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(StopJob, match="-9 usually means that memory ran out"):
            list(computing.map([1], one))


def test_what_fails_in_a_process_fails_here() -> None:
    with (
        several(2, Halves, 0) as computing,
        pytest.raises(StopJob, match="in a process that computes: ZeroDivisionError at "),
    ):
        list(computing.map([1], one))


def test_work_takes_the_processes_that_were_made_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_pool, "processors", lambda: 2)
    have_ready("json")
    ready = {child.pid for child in process_pool._spare}
    with several(2, Halves, 5) as computing:
        assert list(computing.map([11], one)) == [(11, [(2.2, 2)])]
        assert {child.pid for child in computing.children} == ready
    assert len(ready) == 2 and not process_pool._spare


def test_a_ready_process_that_died_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_pool, "processors", lambda: 2)
    have_ready("json")
    for child in process_pool._spare:
        child.kill()
        child.wait()
    with several(2, Halves, 2) as computing:
        assert list(computing.map([4], one)) == [(4, [(2.0, 2)])]


def test_processes_that_nobody_wants_end_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_pool, "processors", lambda: 2)
    monkeypatch.setattr(process_pool, "SPARE_SECONDS", 0.05)
    have_ready("json")
    deadline = time.monotonic() + 20
    while process_pool._spare:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_processes_end_with_their_work() -> None:
    with several(2, Halves, 2) as computing:
        next(iter(computing.map([1, 2, 3], one)))
    assert len(computing.children) == 2
    assert all(child.poll() is not None for child in computing.children)


def test_processes_end_with_their_parent() -> None:
    program = (
        "from corpus_pipeline_tests.jobs.test_process_pool import *\n"
        "with several(1, Halves, 2) as computing:\n"
        "    print(list(computing.map([2], one)), computing.children[0].pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False).stdout
    child = int(said.split()[-1])
    deadline = time.monotonic() + 20
    while _runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
