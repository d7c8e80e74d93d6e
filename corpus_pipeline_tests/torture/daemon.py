"""Torture behind a real `corpus ui`: webserver, daemon and run workers, killed, frozen, paused and terminated at random.

`python -m corpus_pipeline_tests.torture.daemon --minutes N --seed S --database sqlite|mariadb|postgres` (`make
torture` does two of them)

A backfill is launched as a person would. What stopped must go on by itself: the sensors clear up behind dead workers and lifted
flags; only what a person terminated is re-executed by a person. Then the same is checked as in `torture`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from corpus_pipeline.cli.process_supervisor import descendants
from corpus_pipeline.states import Status
from corpus_pipeline_tests.dagster.conftest import answers
from corpus_pipeline_tests.dagster.graphql import TOKEN, GraphQL, wait_for
from corpus_pipeline_tests.servers.process import free_port
from corpus_pipeline_tests.torture import small
from corpus_pipeline_tests.torture.torture import RECIPE, Torture, main

_PATIENCE = 300.0  # for what must happen by itself


class DaemonTorture(Torture):
    """`_ui` is the running `corpus ui`, `_graphql` its webserver."""

    lease_seconds = 8.0
    # files are worked at once: which of them finds what they share, and when, is not the same twice
    recipe = RECIPE.replace("scope: corpus", "scope: file")

    def __init__(self, stack: ExitStack, folder: Path, seed: int, database: str, rows: int) -> None:
        super().__init__(stack, folder, seed, database, rows)
        stack.callback(self._kill_tree)
        self._open()
        self._backfill()

    def _acts(self) -> list[Callable[[], None]]:
        acts: list[Callable[[], None]] = [self._kill_worker, self._kill_worker, self._freeze_worker, self._pause_all]
        acts += [self._terminate_run, self._kill_ui]
        return acts + ([self._kill_database] if self._server is not None else [])

    # --- the disturbances -------------------------------------------------------------------------------------------------

    def _kill_worker(self) -> None:
        pid = self._some_worker()
        if pid is not None:
            self._kill_pids([pid])

    def _freeze_worker(self) -> None:
        """Beyond its lease: the sensor has it taken over, and when it wakes it is refused."""
        pid = self._some_worker()
        if pid is None:
            return
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self.lease_seconds * 2.5)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def _pause_all(self) -> None:
        self._wait_for_work(self._ui)
        self._set_flag()
        flagged = time.monotonic()
        while any(row[2] in (Status.RUNNING, Status.PAUSING) for row in self._statuses()):
            if time.monotonic() - flagged > 60:
                self._problem("something works 60 s after a flag on everything")
                break
            time.sleep(0.02)
        self.score.paused_after.append(time.monotonic() - flagged)
        time.sleep(self._chance.uniform(0, 12))  # the sensor looks every five seconds
        self._clear_flags()

    def _terminate_run(self) -> None:
        if self._some_worker() is None:
            return
        started = [run for run in self._graphql.runs() if run["status"] == "STARTED"]
        if not started:
            return
        run = self._chance.choice(started)["runId"]
        with suppress(AssertionError):  # it may have ended in between
            self._graphql.terminate(run)
        if self._graphql.finished(run)["status"] == "CANCELED":  # what a person ended, a person goes on with
            self._graphql.reexecute(run)

    def _kill_ui(self) -> None:
        """All of it at once, as when the machine's memory is gone; then somebody starts it again."""
        self._wait_for_work(self._ui)
        self._kill_tree()
        self._open()

    def _kill_database(self) -> None:
        assert self._server is not None
        self._wait_for_work(self._ui)
        self._server.kill9()
        self.score.kills += 1
        time.sleep(self._chance.uniform(0, 1))
        self._server.restart()

    # --- processes --------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        port = free_port()
        command = [sys.executable, "-m", "corpus_pipeline", "ui", "--port", str(port), "--rows-port", str(free_port())]
        self._ui = subprocess.Popen(
            command, env=self._environment() | {"CORPUS_WEB_TOKEN": TOKEN}, stdout=self._log, stderr=self._log
        )
        self._graphql = GraphQL(f"http://127.0.0.1:{port}")
        wait_for(lambda: answers(self._graphql) or self._ui.poll() is not None, 180, "`corpus ui`")
        assert self._ui.poll() is None, "`corpus ui` ended"

    def _backfill(self) -> None:
        wait_for(lambda: self._graphql.backfill(small.NAMES), 60, "the backfill")

    def _workers(self) -> list[int]:
        """The processes of runs: children of the code server."""
        below = descendants(self._ui.pid)
        servers = [pid for pid in below if b"grpc" in _command(pid)]
        return sorted(pid for pid in below if b"spawn_main" in _command(pid) and _parent(pid) in servers)

    def _some_worker(self) -> int | None:
        """One that has begun to work; None when none does for a while."""
        self._wait_for_work(self._ui)
        workers = self._workers()
        return self._chance.choice(workers) if workers else None

    def _kill_pids(self, pids: list[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.score.kills += 1

    def _kill_tree(self) -> None:
        self.score.kills += len(self._workers())
        for pid in (self._ui.pid, *descendants(self._ui.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._ui.wait()

    # --- the corpus -------------------------------------------------------------------------------------------------------

    def _source(self, name: str, rows: int) -> Path:
        """Without the row that all files share: two that are worked at the same time each pay for their own answer."""
        path = super()._source(name, rows)
        shared = json.dumps(small.record("maps", 9)).encode()
        path.write_bytes(b"".join(line for line in path.read_bytes().splitlines(keepends=True) if shared not in line))
        return path

    def _begin_again(self) -> None:
        super()._begin_again()
        self._backfill()

    def _finish(self) -> None:
        self._clear_flags()
        began = time.monotonic()
        while self._left() and time.monotonic() - began < _PATIENCE:
            time.sleep(1)
        if self._left():
            self._problem(f"work is left {_PATIENCE:.0f} s after the last disturbance: {self._statuses()}")
        self._ui.send_signal(signal.SIGTERM)
        self._ui.wait(120)


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    return 0


if __name__ == "__main__":
    sys.exit(main(DaemonTorture, __doc__, rows=400))
