"""Torture: real `corpus run` processes on a real database, killed, frozen and cut at random, then everything is checked.

`python -m corpus_pipeline_tests.torture.torture --minutes N --seed S --database sqlite|mariadb|postgres` (or `make torture`)

Each round starts `corpus run` and does one thing to it: kill -9, SIGTERM, SIGSTOP beyond the lease with a second worker beside
it and SIGCONT, a pause by a plain INSERT, kill -9 of the database server and its restart, a reset of all its connections. The
last rounds leave it alone. Then the invariants are asked of the database, the ledger is compared with the stand-in's own
request log, and the corpus with that of a run that nothing disturbed. A failure prints the seed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select, text

from corpus_pipeline.llm_stub.latency import Latency
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import Store, invariants, schema
from corpus_pipeline_tests.servers.mariadb import MariaDB
from corpus_pipeline_tests.servers.postgres import Postgres
from corpus_pipeline_tests.servers.tcp_proxy import TcpProxy
from corpus_pipeline_tests.torture import small
from corpus_pipeline_tests.torture.digest import corpus_digest, cursor_rows, differences
from corpus_pipeline_tests.torture.workshop import Order, Workshop

RECIPE = """
name: torture
ingest: {batch_size: 20}
clean:
  batch_size: 20
  dedup: {scope: corpus, threshold: 3}
augment:
  model: corpus-stub
  batch_size: 5
  concurrency: 8
  backoff_cap_seconds: 0.2
  strategies: [paraphrase, self_refine]
export:
  batch_size: 20
  gate: {max_failed: 100000, max_rejected: 1}
"""


@dataclass
class Score:
    """What was done and what was measured; times in seconds."""

    seed: int
    done: Counter[str] = field(default_factory=Counter)
    useful_after: list[float] = field(default_factory=list)
    paused_after: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    kills: int = 0

    def lines(self) -> list[str]:
        def spread(times: list[float]) -> str:
            return (
                f"median {sorted(times)[len(times) // 2]:.2f} s, most {max(times):.2f} s" if times else "not measured"
            )

        return [
            f"seed {self.seed}",
            "done: " + ", ".join(f"{name} {count}" for name, count in sorted(self.done.items())),
            f"kills survived: {self.kills}",
            f"from process start to the first write of useful work: {spread(self.useful_after)}",
            f"from pause flag to paused: {spread(self.paused_after)}",
            *self.problems,
        ]


class Torture:
    """One corpus, one stand-in, one database; `work(minutes)` disturbs, `check()` finishes and compares."""

    lease_seconds = 4.0
    recipe = RECIPE

    def __init__(self, stack: ExitStack, folder: Path, seed: int, database: str, rows: int) -> None:
        self.score = Score(seed)
        self._chance = random.Random(seed)
        self._folder = folder
        self._stub = stack.enter_context(small.stand_in(folder, Latency("uniform", 0.01, 0.08), retry_after=0.05))
        self._sources = [self._source(name, rows) for name in small.NAMES]
        self._recipe = small.write_recipe(folder, self.recipe)
        self._home = folder / "home"
        self.env = {
            "CORPUS_HOME": str(self._home),
            "OPENAI_BASE_URL": self._stub.base_url,
            "CORPUS_LEASE_SECONDS": str(self.lease_seconds),
        }
        self._server: MariaDB | Postgres | None = None
        self._proxy: TcpProxy | None = None
        if database in small.SERVER_KINDS:
            self._server = stack.enter_context(small.SERVER_KINDS[database](folder / database))
            url = self._server.fresh_database()
            self._proxy = stack.enter_context(TcpProxy(self._server.host, self._server.port))
            self._direct = url
            self.env["CORPUS_DATABASE_URL"] = self._server.url(url.rsplit("/", 1)[1], port=self._proxy.port)
        else:
            self._direct = f"sqlite:///{self._home / 'corpus.db'}"
        self._want = self._undisturbed(stack)
        small.begin_anew(folder, self._stub)
        self._register(self.env)
        self.store = Store(self._direct)
        stack.callback(self.store.close)
        self._log = (folder / "corpus.log").open("ab")
        stack.callback(self._log.close)
        self._processes: list[subprocess.Popen[bytes]] = []
        stack.callback(self._end_all)

    # --- the disturbances -------------------------------------------------------------------------------------------------

    def work(self, minutes: float, rounds: int | None = None) -> None:
        """Rounds until the time is over or nothing is left to do."""
        deadline = time.monotonic() + minutes * 60
        acts = self._acts()
        order = self._chance.sample(acts, len(acts))
        while time.monotonic() < deadline and rounds != 0:
            if not self._left():
                self._begin_again()
            act = order.pop() if order else self._chance.choice(acts)
            act()
            self.score.done[act.__name__.strip("_")] += 1
            rounds = None if rounds is None else rounds - 1

    def _acts(self) -> list[Callable[[], None]]:
        acts: list[Callable[[], None]] = [self._kill, self._kill, self._terminate, self._freeze, self._pause]
        return acts + ([self._kill_server, self._reset_connections] if self._server is not None else [])

    def _kill(self) -> None:
        process = self._start()
        self._wait_for_work(process)
        self._end(process, signal.SIGKILL)

    def _terminate(self) -> None:
        before = self._at_work()  # what was killed earlier and is not yet taken over
        process = self._start()
        self._wait_for_work(process)
        process.send_signal(self._chance.choice((signal.SIGTERM, signal.SIGINT)))
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            self._problem("a terminated worker does not end within 40 s")
            self._end(process, signal.SIGKILL)
        if left := self._at_work() - before:
            self._problem(f"a terminated worker left {left}")

    def _freeze(self) -> None:
        """A zombie: frozen beyond its lease, another one takes over, then it wakes up and wants to write."""
        process = self._start()
        self._wait_for_work(process)
        process.send_signal(signal.SIGSTOP)
        time.sleep(self.lease_seconds * 1.2)
        other = self._start()
        # inside a transaction the frozen one holds the whole SQLite file, and nobody can take over while it lives
        with contextlib.suppress(subprocess.TimeoutExpired):
            other.wait(self.lease_seconds)
        process.send_signal(signal.SIGCONT)
        time.sleep(self._chance.uniform(0.2, 2))
        for each in (process, other):
            self._end(each, signal.SIGKILL)

    def _pause(self) -> None:
        before = self._at_work()
        process = self._start()
        self._wait_for_work(process)
        self._set_flag()
        flagged = time.monotonic()
        while process.poll() is None and self._at_work() - before:
            if time.monotonic() - flagged > 30:
                self._problem("not paused 30 s after the flag")
                break
            time.sleep(0.02)
        if any(row[2] is Status.PAUSED for row in self._statuses()):
            self.score.paused_after.append(time.monotonic() - flagged)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            self._problem("a paused run does not end")
            self._end(process, signal.SIGKILL)
        self._clear_flags()

    def _set_flag(self) -> None:
        sql = "INSERT INTO pause_flags (reason, requested_by) VALUES ('torture', 'any client')"
        self.store.write(lambda c: c.execute(text(sql)), repeatable=True)

    def _clear_flags(self) -> None:
        sql = "UPDATE pause_flags SET cleared_at = 1, cleared_by = 'any client' WHERE cleared_at IS NULL"
        self.store.write(lambda c: c.execute(text(sql)), repeatable=True)

    def _kill_server(self) -> None:
        assert self._server is not None
        process = self._start()
        self._wait_for_work(process)
        self._server.kill9()
        self.score.kills += 1
        time.sleep(self._chance.uniform(0, 1))
        self._server.restart()
        time.sleep(self._chance.uniform(0.5, 2))
        self._end(process, signal.SIGKILL)

    def _reset_connections(self) -> None:
        assert self._proxy is not None
        process = self._start()
        self._wait_for_work(process)
        for _ in range(5):
            self._proxy.reset_all()
            time.sleep(self._chance.uniform(0.05, 0.4))
        self._end(process, signal.SIGKILL)

    # --- processes --------------------------------------------------------------------------------------------------------

    def _start(self) -> subprocess.Popen[bytes]:
        guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        process = subprocess.Popen(
            [*guard, sys.executable, "-m", "corpus_pipeline", "run"],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self._processes.append(process)
        return process

    def _environment(self) -> dict[str, str]:
        foreign = ("CORPUS_", "OPENAI_", "DAGSTER_")
        return {k: v for k, v in os.environ.items() if not k.startswith(foreign)} | self.env

    def _wait_for_work(self, process: subprocess.Popen[bytes]) -> None:
        """Until the process wrote something useful, and a little longer."""
        began, before = time.monotonic(), self._progress()
        while self._progress() == before and process.poll() is None:
            if time.monotonic() - began > 90:
                self._problem("no useful work within 90 s")
                return
            time.sleep(0.05)
        if process.poll() is None:
            self.score.useful_after.append(time.monotonic() - began)
        time.sleep(self._chance.uniform(0, 1.2))

    def _progress(self) -> tuple[int, int]:
        """What only work changes."""
        rows = select(func.coalesce(func.sum(schema.execution_cursors.c.processed_rows), 0))
        calls = select(func.count()).select_from(schema.llm_attempts)
        return self.store.fetch(lambda c: (int(c.execute(rows).scalar_one()), int(c.execute(calls).scalar_one())))

    def _end(self, process: subprocess.Popen[bytes], by: signal.Signals) -> None:
        if process.poll() is None:
            process.send_signal(by)
            process.wait()
            self.score.kills += by is signal.SIGKILL

    def _end_all(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.wait()

    # --- the corpus -------------------------------------------------------------------------------------------------------

    def _source(self, name: str, rows: int) -> Path:
        path = self._folder / "sources" / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)

        made = [json.dumps(small.record(name, n)).encode() for n in range(rows)]
        path.write_bytes(b"\n".join([*small.lines(name), *made]) + b"\n")
        return path

    def _register(self, env: dict[str, str]) -> None:
        with Corpus.open(Settings.from_env(env)) as corpus:
            for path in self._sources:
                corpus.add(path, recipe=str(self._recipe))

    def _undisturbed(self, stack: ExitStack) -> dict[str, str]:
        home = self._folder / "undisturbed"
        env = {"CORPUS_HOME": str(home), "OPENAI_BASE_URL": self._stub.base_url}
        self._register(env)
        with Workshop() as shop:
            done = shop.run(Order(env, small.NAMES))
        assert done is not None and done.exit == 0
        with Corpus.open(Settings.from_env(env)) as corpus:
            self._want_cursors = corpus.store.fetch(cursor_rows)
            return corpus.store.fetch(corpus_digest, home / "exports")

    def _statuses(self) -> list[tuple[int, Stage, Status]]:
        columns = schema.execution_cursors.c
        query = select(columns.task_id, columns.stage, columns.status)
        rows = self.store.fetch(lambda c: c.execute(query).all())
        return [(row[0], Stage(row[1]), Status(row[2])) for row in rows]

    def _at_work(self) -> set[tuple[int, Stage, Status]]:
        return {row for row in self._statuses() if row[2] in (Status.RUNNING, Status.PAUSING)}

    def _left(self) -> bool:
        done = [row for row in self._statuses() if row[1] is Stage.EXPORT and row[2] is Status.DONE]
        return len(done) < len(small.NAMES)

    def _begin_again(self) -> None:
        """All is done and there is time: start the model stage over; what was paid is not paid again."""
        time.sleep(self.lease_seconds)
        with Corpus.open(Settings.from_env(self.env)) as corpus:
            for name in small.NAMES:
                corpus.redo(name, Stage.CLEAN)
        self.score.done["begin_again"] += 1

    def _problem(self, sentence: str) -> None:
        self.score.problems.append(f"PROBLEM: {sentence}")

    def check(self) -> Score:
        """Let the last processes finish, then look at everything."""
        self._finish()
        found = self.store.fetch(invariants.violations)
        invoice = small.invoice(self._folder)
        found += self.store.fetch(invariants.ledger_violations, invoice)
        found += [f"paid twice: {key}" for key in self.store.fetch(invariants.paid_twice)]
        differ = differences(self._want, self.store.fetch(corpus_digest, self._home / "exports"))
        found += [f"differs from the undisturbed run: {', '.join(differ)}"] if differ else []
        for got, want in zip(self.store.fetch(cursor_rows), self._want_cursors, strict=False):
            if got != want:
                found.append(f"cursor {got} instead of {want}")
        for sentence in found:
            self._problem(sentence)
        self._money(invoice)
        return self.score

    def _finish(self) -> None:
        self._end_all()
        for _ in range(4):
            time.sleep(self.lease_seconds)
            process = self._start()
            try:
                process.wait(300)
            except subprocess.TimeoutExpired:
                self._problem("the last run does not end")
                break
            if not self._left():
                break
        else:
            self._problem("work is left after four runs that nothing disturbed")

    def _money(self, invoice: list[dict[str, object]]) -> None:
        attempts = schema.llm_attempts.c
        died = select(attempts.id).where(attempts.outcome == "process_died")
        lost = set(self.store.fetch(lambda c: c.execute(died).scalars().all()))
        billed = [line for line in invoice if line["outcome"] == "answered"]
        again = sum(line["attempt_id"] in lost for line in billed)
        query = select(func.count()).select_from(schema.augmented_rows)
        rows = self.store.fetch(lambda c: c.execute(query).scalar_one())
        self.score.done["calls billed"] = len(billed)
        self.score.done["calls on the wire at a kill, made again"] = again
        self.score.done["new rows"] = rows
        most = self.score.kills * 8
        if again > most:
            self._problem(f"{again} calls were made again, and at most {most} were on the wire")


def run(
    *, minutes: float, seed: int, database: str, rows: int, rounds: int | None = None, kind: type[Torture] = Torture
) -> Score:
    """One torture run in a folder of its own."""
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(
            prefix="corpus-torture-", dir=small.fast_folder(), ignore_cleanup_errors=True
        )
        torture = kind(stack, Path(stack.enter_context(temporary)), seed, database, rows)
        torture.work(minutes, rounds)
        return torture.check()


def main(kind: type[Torture], description: str | None, rows: int) -> int:
    """The command: tortures a kind of corpus with so many rows in each of its three files."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--database", choices=("sqlite", *small.SERVER_KINDS), default="mariadb")
    parser.add_argument("--rows", type=int, default=rows, help="of each of the three files")
    said = parser.parse_args()
    print(f"{kind.__name__} on {said.database} for {said.minutes:g} min, seed {said.seed}", flush=True)
    score = run(minutes=said.minutes, seed=said.seed, database=said.database, rows=said.rows, kind=kind)
    print("\n".join(score.lines()))
    return 1 if score.problems else 0


if __name__ == "__main__":
    sys.exit(main(Torture, __doc__, rows=150))
