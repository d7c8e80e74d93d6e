"""Several hosts on one machine: a backfill by Celery workers, workers without an engine, one provider's limit for all of them.

    python benchmarks/hosts.py backfill FOLDER --workers 1 2 4      # each file of a folder by Dagster's backfill over Redis
    python benchmarks/hosts.py backfill FOLDER --workers 2 --faults # the same with a host killed and one frozen for long,
                                                                    # the database killed, Redis restarted without its messages
    python benchmarks/hosts.py limits --workers 8 --minutes 3       # requests in each minute under 120 a minute
    python benchmarks/hosts.py liveness --kills 20 --alive 50       # how long until the run of a lost worker is ended
    python benchmarks/hosts.py crowded --workers 20 --connections 60 # workers whose database server has few connections
    python benchmarks/hosts.py soak --minutes 60 --workers 4        # memory, connections, files and events by the minute

A host is a process with a CORPUS_HOST and a CORPUS_HOME of its own, so that no one sees another one's processes; database
(MariaDB) and broker (Redis) are servers of this program's own. Exports go to one folder. Compared: exports by bytes with those
of the first trial, calls in the ledger with those in the log of the stand-in. The load of the machine is beside each figure.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pymysql
from sqlalchemy import make_url

from corpus_pipeline import process_identity
from corpus_pipeline.defs import run_liveness
from corpus_pipeline.jobs.run_heartbeat import RunHeartbeat
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.store import Store, invariants, run_workers
from corpus_pipeline_tests.dagster.graphql import TOKEN, GraphQL
from corpus_pipeline_tests.servers.mariadb import MariaDB
from corpus_pipeline_tests.servers.process import free_port

RECIPE = """name: hosts
clean: {{dedup: {{scope: file}}}}
augment:
  model: corpus-stub
  concurrency: {concurrency}
  limits: {limits}
  strategies: [paraphrase]
"""
UI = "ui-host"


class Hosts:
    """The servers and the hosts of one trial. `invoice` is the stand-in's log of calls."""

    def __init__(self, stack: ExitStack, folder: Path, latency: str, lease: int) -> None:
        self._stack, self.folder = stack, folder
        self.database = stack.enter_context(MariaDB(folder / "mariadb", durable=True))
        self.url = self.database.fresh_database()
        dagster = self.database.fresh_database()
        self._redis_port, stub_port = free_port(), free_port()
        self.redis: subprocess.Popen[bytes] | None = None
        self.invoice = folder / "invoice.jsonl"
        self._environment = {
            n: v for n, v in os.environ.items() if not n.startswith(("CORPUS_", "DAGSTER_", "OPENAI_"))
        } | {
            "CORPUS_DATABASE_URL": self.url,
            "CORPUS_DAGSTER_DATABASE_URL": dagster,
            "CORPUS_EXPORT_URL": str(folder / "exports"),
            "CORPUS_LEASE_SECONDS": str(lease),
            "CORPUS_WEB_TOKEN": TOKEN,
            "CORPUS_MODEL": "corpus-stub",
            "OPENAI_API_KEY": "sk-hosts",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{stub_port}/v1",
        }
        self.start(
            "stub", "llm-stub", "--port", str(stub_port), "--latency", latency, "--request-log", str(self.invoice)
        )
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, host: str, *arguments: str) -> subprocess.Popen[bytes]:
        """A command on a host."""
        with (self.folder / f"{host}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "corpus_pipeline", *arguments],
                env=self.environment(host), stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._stack.callback(kill, process)
        return process

    def without_shared_history(self) -> None:
        """Each host keeps Dagster's history in its own home."""
        del self._environment["CORPUS_DAGSTER_DATABASE_URL"]

    def environment(self, host: str) -> dict[str, str]:
        return self._environment | {"CORPUS_HOST": host, "CORPUS_HOME": str(self.folder / "homes" / host)}

    def start_redis(self) -> None:
        """A broker without any memory on disk: a restart loses its messages."""
        command = ["redis-server", "--port", str(self._redis_port), "--save", "", "--appendonly", "no"]
        self.redis = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL)
        self._stack.callback(kill, self.redis)
        self._environment["CORPUS_CELERY_BROKER"] = f"redis://127.0.0.1:{self._redis_port}/0"

    def corpus(self) -> Corpus:
        return Corpus.open(Settings.from_env(self.environment(UI)))

    def calls(self) -> list[dict[str, Any]]:
        with suppress(FileNotFoundError):
            return [json.loads(line) for line in self.invoice.read_text().splitlines()]
        return []


def kill(process: subprocess.Popen[bytes]) -> None:
    """A process with all below it, as when its host is lost."""
    with suppress(psutil.Error):
        found = psutil.Process(process.pid)
        for one in [*found.children(recursive=True), found]:
            with suppress(psutil.Error):
                one.kill()
    process.wait()


@contextmanager
def trial(latency: str, lease: int) -> Iterator[Hosts]:
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="corpus-hosts-", ignore_cleanup_errors=True))
        )
        yield Hosts(stack, folder, latency, lease)


def register(hosts: Hosts, files: list[Path], concurrency: int, limits: str = "{}") -> None:
    recipe = hosts.folder / "hosts.yaml"
    recipe.write_text(RECIPE.format(concurrency=concurrency, limits=limits), encoding="utf-8")
    with hosts.corpus() as corpus:
        for number, file in enumerate(files):
            corpus.add(file, recipe=str(recipe), consumer=f"team{number % 3}")


def digests(hosts: Hosts) -> dict[str, str]:
    with hosts.corpus() as corpus:
        places = {file.name: corpus.export_places(file.name) for file in corpus.files()}
    return {
        name: hashlib.sha256(
            b"".join(Path(place.removeprefix("file://")).read_bytes() for place in sorted(found))
        ).hexdigest()
        for name, found in places.items()
    }


def books(hosts: Hosts) -> tuple[int, int, int, list[str]]:
    """(calls in the stand-in's log, attempts in the ledger, of these unknown, what does not add up)."""
    with hosts.corpus() as corpus:
        rows = corpus.cost("file")
        unknown = sum(int(row["unknown"]) for row in rows)
        attempts = corpus.store.fetch(lambda c: c.exec_driver_sql("SELECT COUNT(*) FROM llm_attempts").scalar_one())
        broken = corpus.store.fetch(invariants.violations)
    return len(hosts.calls()), int(attempts), unknown, broken


def backfill(asked: argparse.Namespace) -> None:
    files = sorted(asked.folder.glob("*.jsonl"))[: asked.files]
    first: dict[str, str] = {}
    print(
        "| workers | files | seconds | calls | attempts | unknown | broken invariants | exports equal | backfill | load |"
    )
    for workers in asked.workers:
        with trial(asked.latency, asked.lease) as hosts:
            found = _backfill(asked, hosts, files, workers, first)
            first = first or found


def _backfill(
    asked: argparse.Namespace, hosts: Hosts, files: list[Path], workers: int, first: dict[str, str]
) -> dict[str, str]:
    hosts.start_redis()
    register(hosts, files, asked.concurrency)
    port = free_port()
    hosts.start(UI, "ui", "--port", str(port), "--rows-port", str(free_port()))
    graphql = GraphQL(f"http://127.0.0.1:{port}")
    until(lambda: _answers(graphql), asked.patience, "the UI")
    started = {f"host{n}": hosts.start(f"host{n}", "worker", "--celery") for n in range(workers)}
    with hosts.corpus() as corpus:
        names = [file.name for file in corpus.files()]
    began = time.monotonic()
    identifier = until(lambda: graphql.backfill(names), 120, "the backfill")
    if asked.faults:
        faults(hosts, started)
    try:
        until(lambda: graphql.backfill_status(identifier) != "REQUESTED", asked.patience, "the end of the backfill")
    finally:
        took, status = time.monotonic() - began, graphql.backfill_status(identifier)
        say(str(Counter(run["status"] for run in graphql.runs())))
        found = digests(hosts)
        calls, attempts, unknown, broken = books(hosts)
        equal = f"{sum(found.get(name) == digest for name, digest in first.items())} of {len(first)}" if first else "-"
        print(
            f"| {workers} | {len(names)} | {took:.0f} | {calls} | {attempts} | {unknown} | {len(broken)} | {equal} | {status}"
            f" | {os.getloadavg()[0]:.0f} |",
            *broken,
            flush=True,
        )
    return found


def faults(hosts: Hosts, started: dict[str, subprocess.Popen[bytes]]) -> None:
    """One after the other, with time between them to go on."""
    names = sorted(started)
    until(lambda: len(hosts.calls()) > 5, 300, "the first calls")
    say("a host is killed, and comes back")
    kill(started[names[0]])
    started[names[0]] = hosts.start(names[0], "worker", "--celery")
    time.sleep(20)
    say("the database is killed, and restarted")
    hosts.database.kill9()
    time.sleep(5)
    hosts.database.restart()
    time.sleep(20)
    say("the broker loses its messages")
    assert hosts.redis is not None
    kill(hosts.redis)
    time.sleep(3)
    hosts.start_redis()
    time.sleep(20)
    say("a host is cut off for longer than its lease, and comes back")
    frozen = [psutil.Process(started[names[-1]].pid)]
    frozen += frozen[0].children(recursive=True)
    for process in frozen:
        with suppress(psutil.Error):
            process.suspend()
    time.sleep(float(hosts.environment(UI)["CORPUS_LEASE_SECONDS"]) * 2 + 10)
    for process in frozen:
        with suppress(psutil.Error):
            process.resume()
    say("all is well again")


def limits(asked: argparse.Namespace) -> None:
    """Requests in any sixty seconds, of workers that start together."""
    with trial("fixed:0.05", asked.lease) as hosts:
        files = [write(hosts.folder / "data" / f"f{n}.jsonl", 40 * asked.minutes) for n in range(asked.workers)]
        register(hosts, files, 8, f"{{requests_per_minute: {asked.rate}}}")
        for number in range(asked.workers):
            hosts.start(f"host{number}", "worker")
        until(lambda: len(hosts.calls()) > 0, 400, "the first call")
        time.sleep(60 * asked.minutes + 5)
        times = sorted(call["time"] for call in hosts.calls())
        worst = max(sum(start <= other < start + 60 for other in times) for start in times)
        with hosts.corpus() as corpus:
            busy = sum(state["stages"]["augment"]["processed"] > 0 for state in corpus.status())
        minutes = (times[-1] - times[0]) / 60
        print(
            f"{asked.workers} workers, {busy} of them asked; {len(times)} requests in {minutes:.1f} min"
            f" ({len(times) / minutes:.0f} a minute of {asked.rate}); worst minute {worst}; load {os.getloadavg()[0]:.0f}"
        )


def soak(asked: argparse.Namespace) -> None:
    """Workers without an engine on small files that come all the time; one is killed every few minutes."""
    with trial("fixed:0.02", asked.lease) as hosts:
        register(hosts, [write(hosts.folder / "data" / "f0.jsonl", 200)], 20)
        started = {f"host{n}": hosts.start(f"host{n}", "worker") for n in range(asked.workers)}
        print(
            "| minute | calls | memory MB | connections | files open | events of Dagster | workers in the table | load |"
        )
        number = 1
        for minute in range(1, asked.minutes + 1):
            until_time = time.monotonic() + 60
            while time.monotonic() < until_time:
                register(hosts, [write(hosts.folder / "data" / f"f{number}.jsonl", 200, number)], 20)
                number += 1
                time.sleep(asked.every)
            if minute % 5 == 0:
                name = f"host{minute // 5 % asked.workers}"
                kill(started[name])
                started[name] = hosts.start(name, "worker")
            memory = connections = files = 0
            for process in started.values():
                with suppress(psutil.Error):
                    one = psutil.Process(process.pid)
                    memory += one.memory_info().rss >> 20
                    files += one.num_fds()
            connections = _ask(hosts.url, "SELECT COUNT(*) FROM information_schema.processlist")
            events = _ask(hosts.environment(UI)["CORPUS_DAGSTER_DATABASE_URL"], "SELECT COUNT(*) FROM event_logs")
            table = _ask(hosts.url, "SELECT COUNT(*) FROM run_workers")
            print(
                f"| {minute} | {len(hosts.calls())} | {memory} | {connections} | {files} | {events} | {table}"
                f" | {os.getloadavg()[0]:.0f} |",
                flush=True,
            )
        status = "information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME='INNODB_DEADLOCKS'"
        locks = _ask(hosts.url, f"SELECT VARIABLE_VALUE FROM {status}")
        print(f"deadlocks: {locks}; books: {books(hosts)}")


def crowded(asked: argparse.Namespace) -> None:
    """Workers that start together, a file for each of them; the server has few connections, others hold some of them.

    Dagster's history lies on each host, so that the connections are those of the corpus alone.
    """
    with trial("fixed:0.2", asked.lease) as hosts, hosts.database.administrator() as connection:
        cursor = connection.cursor()
        register(hosts, [write(hosts.folder / "data" / f"f{n}.jsonl", asked.rows) for n in range(asked.workers)], 20)
        hosts.without_shared_history()
        cursor.execute("SET GLOBAL max_connections = %s", (asked.connections,))
        others = [pymysql.connect(**_place(hosts.url)) for _ in range(asked.others)]
        began, most, samples = time.monotonic(), 0, list[int]()
        started = [hosts.start(f"host{n}", "worker", "--once") for n in range(asked.workers)]
        while any(one.poll() is None for one in started) and time.monotonic() < began + asked.patience:
            samples.append(_status(cursor, "Threads_connected") - 1 - len(others))
            most = max(most, len(hosts.calls()) and samples[-1])
            time.sleep(0.5)
        took, refused = time.monotonic() - began, _status(cursor, "Connection_errors_max_connections")
        for one in [*started, *others]:
            kill(one) if isinstance(one, subprocess.Popen) else one.close()
        cursor.execute("SET GLOBAL max_connections = 200")
        said = "".join((hosts.folder / f"host{n}.log").read_text() for n in range(asked.workers))
        with hosts.corpus() as corpus:
            done = sum(state["stages"]["export"]["status"] == "done" for state in corpus.status())
        busy = sorted(one for one in samples if one >= asked.workers)
        print(
            f"{asked.workers} workers, max_connections={asked.connections}, {asked.others} of them others':"
            f" {done} of {asked.workers} files done in {took:.0f} s;"
            f" {said.count('was lost')} leases lost; {refused} connections refused, {said.count('no connection left')} waits"
            f" said; most connections {most}, median while busy {busy[len(busy) // 2] if busy else 0};"
            f" books: {books(hosts)}; load {os.getloadavg()[0]:.0f}"
        )
        if asked.logs:
            print(said)


def _status(cursor: Any, name: str) -> int:
    cursor.execute("SHOW GLOBAL STATUS LIKE %s", (name,))
    return int(cursor.fetchone()[1])


def liveness(asked: argparse.Namespace) -> None:
    """Workers on other hosts, forked from here, that give signs of life; some are killed at random moments. The sensor's look
    every five seconds is ours. The database is SQLite: what is measured are the clocks."""
    chance = random.Random(1)
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="corpus-liveness-"))
        instance = stack.enter_context(dg.instance_for_test())
        corpus = stack.enter_context(Corpus.open(Settings.from_env({"CORPUS_HOME": name})))
        children: dict[str, int] = {}
        for _ in range(asked.kills + asked.alive):
            run_id = instance.create_run_for_job(_nothing, status=dg.DagsterRunStatus.STARTED).run_id
            child = os.fork()
            if child == 0:
                os.environ["CORPUS_HOST"] = f"host-{run_id[:8]}"
                process_identity._place.cache_clear()
                RunHeartbeat(Store(corpus.store.url), asked.lease).begin(run_id)
                signal.pause()
            children[run_id] = child
        until(lambda: len(corpus.store.fetch(run_workers.listed)) == len(children), 120, "all workers")
        ids = list(children)
        moments = {run_id: chance.uniform(1, asked.lease) for run_id in ids[: asked.kills]}
        began, killed, took = time.monotonic(), dict[str, float](), dict[str, float]()
        look = 0.0
        while time.monotonic() < began + asked.lease * 2 + 40:
            now = time.monotonic()
            for run_id, moment in moments.items():
                if run_id not in killed and now - began > moment:
                    os.kill(children[run_id], signal.SIGKILL)
                    os.waitpid(children[run_id], 0)
                    killed[run_id] = now
            if now - look > 5:
                look = now
                for run_id in run_liveness.end_lost(instance, corpus.store, asked.lease, lambda run: True):
                    took[run_id] = time.monotonic() - killed.get(run_id, now)
            time.sleep(0.1)
        for run_id in ids[asked.kills :]:
            os.kill(children[run_id], signal.SIGKILL)
            os.waitpid(children[run_id], 0)
        wrong = set(took) - set(killed)
        times = sorted(took.values())
        print(
            f"{len(killed)} killed, {len(times)} ended after {times[0]:.0f} to {times[-1]:.0f} s"
            f" (lease {asked.lease} s: at most {asked.lease + 15});"
            f" {len(wrong)} of {asked.alive} living ended; load {os.getloadavg()[0]:.0f}"
        )


@dg.job
def _nothing() -> None:
    """A job without a step."""


def _place(url: str) -> dict[str, Any]:
    parts = make_url(url)
    found = {"host": parts.host, "port": parts.port or 3306, "user": parts.username}
    return found | {"password": str(parts.password), "database": parts.database}


def _ask(url: str, question: str) -> int:
    with pymysql.connect(**_place(url)) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        (row,) = cursor.fetchall()
    return int(row[0])


def write(path: Path, rows: int, seed: int = 0) -> Path:
    """A dataset file whose rows are all different."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            key = hashlib.sha256(f"{path.stem}:{seed}:{number}".encode()).hexdigest()
            question = f"What is filed under {key[:8]} and {key[8:16]}?"
            record = {"question": question, "answer": f"A note of {key[16:24]} on {key[24:32]}."}
            file.write(json.dumps(record) + "\n")
    return path


def until(done: Callable[[], Any], seconds: float, what: str) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError, AssertionError, KeyError):
            if found := done():
                return found
        time.sleep(1)
    raise SystemExit(f"{what} did not come within {seconds:.0f} s")


def _answers(graphql: GraphQL) -> bool:
    return any(tick["status"] in ("SUCCESS", "SKIPPED") for tick in graphql.sensor_state("pause_flags")["ticks"])


def say(text: str) -> None:
    print(f"  {time.strftime('%X')} {text}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("backfill")
    one.add_argument("folder", type=Path)
    one.add_argument("--files", type=int, default=1000)
    one.add_argument("--faults", action="store_true")
    one.add_argument("--latency", default="fixed:0.2")
    one.add_argument("--concurrency", type=int, default=20)
    one.add_argument("--patience", type=float, default=3600)
    one.set_defaults(run=backfill, default_workers=[1, 2, 4])
    two = commands.add_parser("limits")
    two.add_argument("--minutes", type=int, default=3)
    two.add_argument("--rate", type=int, default=120)
    two.set_defaults(run=limits, default_workers=8)
    three = commands.add_parser("soak")
    three.add_argument("--minutes", type=int, default=60)
    three.add_argument("--every", type=float, default=10.0, help="seconds between two new files")
    three.set_defaults(run=soak, default_workers=4)
    four = commands.add_parser("liveness")
    four.add_argument("--kills", type=int, default=20)
    four.add_argument("--alive", type=int, default=50)
    four.set_defaults(run=liveness)
    five = commands.add_parser("crowded")
    five.add_argument("--connections", type=int, default=60)
    five.add_argument("--others", type=int, default=0, help="connections that other programs hold")
    five.add_argument("--rows", type=int, default=100)
    five.add_argument("--patience", type=float, default=220)
    five.add_argument("--logs", action="store_true", help="print what the workers said")
    five.add_argument("--workers", type=int, default=20)
    five.set_defaults(run=crowded)
    one.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    two.add_argument("--workers", type=int, default=8)
    three.add_argument("--workers", type=int, default=4)
    for each in (one, two, three, four, five):
        each.add_argument("--lease", type=int, default=30)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    asked.run(asked)


if __name__ == "__main__":
    main()
