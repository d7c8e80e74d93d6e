"""Fixtures of the Dagster tests: a home with a few small dataset files, the stand-in model, and one real `corpus ui`."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.loader import LoadingContextForTest

from corpus_pipeline import llm_stub
from corpus_pipeline.cli.process_supervisor import descendants
from corpus_pipeline.defs import instance as dagster_home
from corpus_pipeline.defs import partitions, upstream
from corpus_pipeline.defs.assets import ASSETS
from corpus_pipeline.defs.build import build
from corpus_pipeline.defs.names import DEFAULT
from corpus_pipeline.defs.resources import CursorResource
from corpus_pipeline.llm_stub.latency import parse_latency
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline_tests.dagster.graphql import TOKEN, GraphQL, wait_for
from corpus_pipeline_tests.servers.process import free_port

KEY = "sk-canary-4f1d0c7e9b"
SECRET = "whsec-canary-0d51"
S3_SECRET = "s3-canary-5a7719"
SEALED, UNSEALED = "canary-31/d?0f", "canary-77b2e1"  # in dagster.yaml, where a variable may stand, and where none may
OWN_CONFIG = f"""\
secrets:
  custom:
    module: corpus_pipeline_tests.dagster.own_secrets
    class: OwnSecrets
    config: {{password: '{SEALED}', more: {{token: {UNSEALED}}}}}
"""
OURS = ("CORPUS_HOME", "OPENAI_BASE_URL", "OPENAI_API_KEY", "CORPUS_MODEL", "CORPUS_LEASE_SECONDS")
WORDS = "river stone amber falcon quiet orbit lantern meadow copper signal harbor violet engine marble thunder".split()
RECIPE = """\
name: slow
description: Two calls at a time, so that a person can stop it half way.
augment:
  model: corpus-stub
  batch_size: 2
  concurrency: 2
  strategies: [paraphrase]
"""


def write_file(folder: Path, name: str, rows: int, extra: str = "") -> Path:
    """A dataset file of questions and answers that no rule drops and no two of which are alike."""
    random_words = random.Random(name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it may be the inbox in the home, which is its owner's alone
    path = folder / f"{name}.jsonl"
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            words = random_words.sample(WORDS, 9)
            record = {
                "question": f"What is told of the {' '.join(words[:5])} in the year {1000 + number}?{extra}",
                "answer": f"It tells how the {' '.join(words[4:])} came to number {random_words.randrange(10**6)}.",
            }
            file.write(json.dumps(record) + "\n")
    return path


# --- in this process ---


# the stages, and what they are made from
EVERYTHING = (*ASSETS, *upstream.specs([], "corpus", partitions.dataset_files))


class Home(NamedTuple):
    """A corpus home with its Dagster instance, in this process."""

    corpus: Corpus
    instance: dg.DagsterInstance
    folder: Path

    def add(self, name: str, rows: int = 6, recipe: str | None = None) -> str:
        """Register a new dataset file and its partition."""
        path = write_file(self.folder / "data", name, rows)
        self.corpus.add(path, recipe=recipe)
        partitions.register(self.instance, [name])
        return name


def stale(home: Home, definitions: Sequence[dg.AssetsDefinition], asset: str, partition: str) -> tuple[str, list[str]]:
    """What Dagster itself says of a partition: (FRESH, STALE or MISSING; why)."""
    graph = dg.Definitions(
        assets=[*definitions, *EVERYTHING[len(ASSETS) :]],
        resources={"cursor": CursorResource()},
    ).resolve_asset_graph()
    resolver = CachingStaleStatusResolver(home.instance, graph, LoadingContextForTest(home.instance))
    key = dg.AssetKey(asset)
    return (
        resolver.get_status(key, partition).value,
        [cause.reason for cause in resolver.get_stale_causes(key, partition)],
    )


def tick(home: Home, sensor: dg.SensorDefinition, cursor: str | None = None) -> SensorExecutionData:
    """What a daemon hears of a sensor at one tick, by the way that a daemon asks."""
    with (
        partition_loading_context(dynamic_partitions_store=home.instance),
        dg.build_sensor_context(home.instance, cursor=cursor, repository_def=_repository()) as context,
    ):
        return sensor.evaluate_tick(context)


@lru_cache(maxsize=1)
def _repository() -> dg.RepositoryDefinition:
    return build(DEFAULT).get_repository_def()


@pytest.fixture(scope="session")
def model() -> Iterator[llm_stub.RunningStub]:
    """A stand-in that answers at once."""
    with llm_stub.running(llm_stub.StubOptions(api_key=KEY)) as server:
        yield server


@pytest.fixture(scope="session")
def opened(
    tmp_path_factory: pytest.TempPathFactory, model: llm_stub.RunningStub
) -> Iterator[tuple[Home, dict[str, str]]]:
    """One corpus home for all tests of this process, each of which brings files of its own; and its environment."""
    folder = tmp_path_factory.mktemp("in-process") / "home"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(folder, model.base_url).items():
            patch.setenv(name, value)
        settings = Settings.from_env()
        with Corpus.open(settings) as corpus, dagster_home.instance(settings) as instance:
            mine = {name: os.environ[name] for name in (*OURS, "DAGSTER_HOME", "CORPUS_DAGSTER_STORAGE")}
            patch.delenv("DAGSTER_HOME")
            patch.delenv("CORPUS_DAGSTER_STORAGE")
            patch.undo()
            yield Home(corpus, instance, folder), mine


@pytest.fixture
def home(opened: tuple[Home, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Home:
    """The corpus home of this process, with the environment set for it."""
    for name, value in opened[1].items():
        monkeypatch.setenv(name, value)
    return opened[0]


# --- real processes ---


class UI(NamedTuple):
    """A running `corpus ui` on a home of its own."""

    graphql: GraphQL
    corpus: Corpus
    environment: Mapping[str, str]
    folder: Path
    process: subprocess.Popen[bytes]
    rows_url: str
    model: llm_stub.RunningStub

    def add(self, name: str, rows: int = 12, extra: str = "", notify: str | None = None) -> str:
        """Register a dataset file and its partition. notify: the URL of a webhook."""
        path = write_file(self.folder / "data", name, rows, extra)
        text = RECIPE
        if notify is not None:
            text = f"{RECIPE.replace('name: slow', 'name: telling')}notify: {{url: '{notify}'}}\n"
        recipe = self.folder / "slow.yaml"
        recipe.write_text(text, encoding="utf-8")
        self.corpus.add(path, recipe=str(recipe))
        partitions.register(dagster_home.instance(self.corpus.settings), [name])
        return name

    def stage(self, name: str, stage: str) -> tuple[str, int]:
        """(status, rows) of a stage of a dataset file."""
        (state,) = self.corpus.status([name])
        return state["stages"][stage]["status"], state["stages"][stage]["processed"]

    def alive(self, pid: int) -> bool:
        """Whether a process exists and is no zombie."""
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state != "Z"

    def freeze(self, pid: int) -> None:
        """Stop a process where it holds none of our SQLite files: inside a transaction it would keep everybody out."""
        home = Path(self.environment["CORPUS_HOME"])
        while True:
            os.kill(pid, signal.SIGSTOP)
            if not any(locked(path) for path in home.rglob("*.db")):
                return
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.05)

    def child(self, module: str) -> int:
        """The process below the UI that runs this module."""
        for pid in descendants(self.process.pid):
            if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                return pid
        raise AssertionError(f"no process runs {module}")

    def calls(self, name: str) -> int:
        """How many answers were paid for and kept for a dataset file."""
        return sum(int(row["answered"]) for row in self.corpus.cost("file") if row["file"] == name)


def locked(path: Path) -> bool:
    """Whether a SQLite file stays out of reach for a while."""
    with closing(sqlite3.connect(path, timeout=2, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE").connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
    return False


def environment(home: Path, base_url: str) -> dict[str, str]:
    """The environment of a child that works on a home."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("CORPUS_", "DAGSTER_HOME"))}
    ours = dict(zip(OURS, (str(home), base_url, KEY, "corpus-stub", "8"), strict=True))
    return own | ours | {"CORPUS_WEB_TOKEN": TOKEN}


def answers(graphql: GraphQL) -> bool:
    """Whether the webserver is up and has loaded the definitions, and the daemon has begun to look at the sensors."""
    try:
        return any(tick["status"] in ("SUCCESS", "SKIPPED") for tick in graphql.sensor_state("pause_flags")["ticks"])
    except (OSError, KeyError):
        return False


def unknown(corpus: Corpus, name: str) -> int:
    """How many calls had been begun when their process died: each may be on the bill."""
    return sum(int(row["unknown"]) for row in corpus.cost("file") if row["file"] == name)


@pytest.fixture(scope="session")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UI]:
    """One `corpus ui` for the session: it must be there for the next test, whatever the order of the files."""
    with running_ui(tmp_path_factory.mktemp("ui")) as found:
        yield found


@pytest.fixture(scope="module")
def own_ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UI]:
    """A `corpus ui` for the tests of a module that end it."""
    with running_ui(tmp_path_factory.mktemp("own-ui")) as found:
        yield found


@contextmanager
def running_ui(folder: Path, call_seconds: float = 0.25, **variables: str) -> Iterator[UI]:
    """`corpus ui` below a folder: webserver, daemon and code server are real, calls take a quarter of a second by themselves.

    variables: of its environment.
    """
    options = llm_stub.StubOptions(
        latency=parse_latency(f"fixed:{call_seconds}"), api_key=KEY, request_log=folder / "invoice.jsonl"
    )
    with llm_stub.running(options) as server:
        child = environment(folder / "home", server.base_url) | variables
        child |= {"CORPUS_WEBHOOK_HOSTS": "127.0.0.1", "CORPUS_WEBHOOK_SECRET": SECRET}
        own = folder / "own.yaml"
        own.write_text(OWN_CONFIG, encoding="utf-8")
        child |= {"CORPUS_DAGSTER_CONFIG": str(own), "AWS_SECRET_ACCESS_KEY": S3_SECRET}
        port, rows_port = free_port(), free_port()
        before = {name: os.environ.get(name) for name in ("DAGSTER_HOME", "CORPUS_DAGSTER_STORAGE", "CORPUS_HOME")}
        with Corpus.open(Settings.from_env(child)) as corpus, (folder / "ui.log").open("wb") as log:
            ports = ("--port", str(port), "--rows-port", str(rows_port))
            command = [sys.executable, "-m", "corpus_pipeline", "ui", *ports]
            process = subprocess.Popen(command, env=child, stdout=log, stderr=log)
            try:
                graphql = GraphQL(f"http://127.0.0.1:{port}")
                wait_for(lambda: answers(graphql) or process.poll() is not None, 180, "`corpus ui`")
                assert process.poll() is None, (folder / "ui.log").read_text()
                yield UI(graphql, corpus, child, folder, process, f"http://127.0.0.1:{rows_port}", server)
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                    deadline = time.monotonic() + 60
                    while process.poll() is None and time.monotonic() < deadline:
                        time.sleep(0.1)
                    process.kill()
                process.wait()
                for name, value in before.items():
                    if value is None:
                        os.environ.pop(name, None)
                    else:
                        os.environ[name] = value
