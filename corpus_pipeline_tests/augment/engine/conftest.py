"""The engine's tests run whole stages against the real stand-in: a corpus of short rows, cleaned, ready to be augmented."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from corpus_pipeline.cancellation import StopSignal
from corpus_pipeline.jobs.runner import Outcome
from corpus_pipeline.llm_stub import RunningStub, StubOptions, running
from corpus_pipeline.llm_stub.faults import Fault
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage

NAME = "rows"


def prompt_of(row: int) -> str:
    """The prompt of a row; every row has another one, so that every request is another one."""
    return f"Please explain in your own words how a gardener waters the plants of bed {row} in a dry summer."


def response_of(row: int) -> str:
    """The answer of a row."""
    return f"With a can, early in the morning. Bed {row} first."


class Kit:
    """One corpus and the stand-in that it asks."""

    def __init__(self, corpus: Corpus, stub: RunningStub, folder: Path, log: Path) -> None:
        self.corpus, self.stub, self.folder, self.log = corpus, stub, folder, log

    @property
    def settings(self) -> Settings:
        return self.corpus.settings

    def recipe(
        self, name: str = "engine", rules: list[Any] | None = None, notify: dict[str, Any] | None = None, **augment: Any
    ) -> str:
        """Writes a recipe with this augment section and, where no rules are given, nothing to clean; returns its path."""
        body = {
            "name": name,
            "clean": {"rules": rules or [], "dedup": {"exact": False, "near": False}},
            "augment": {"model": "corpus-stub", "backoff_cap_seconds": 0.2, **augment},
            "notify": notify or {},
        }
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(body), encoding="utf-8")
        return str(path)

    def add(
        self,
        rows: int,
        name: str = NAME,
        *,
        consumer: str = "team",
        prompt: Callable[[int], str] = prompt_of,
        response: Callable[[int], str] = response_of,
        **augment: Any,
    ) -> None:
        """A dataset file of so many rows, ingested and cleaned."""
        path = self.folder / f"{name}.jsonl"
        with path.open("wb") as out:
            for row in range(1, rows + 1):
                turn = {"prompt": prompt(row), "response": response(row)}
                out.write(orjson.dumps(turn, option=orjson.OPT_APPEND_NEWLINE))
        self.corpus.add(path, name=name, consumer=consumer, recipe=self.recipe(**augment))
        for stage in (Stage.INGEST, Stage.CLEAN):
            self.corpus.run_stage(name, stage)

    def rebind(self, name: str = NAME, **recipe: Any) -> None:
        """Binds another recipe to the dataset file and cleans it anew."""
        self.corpus.bind_recipe(name, self.recipe(**recipe))
        for stage in (Stage.INGEST, Stage.CLEAN):
            self.corpus.run_stage(name, stage)

    def run(self, name: str = NAME, **options: Any) -> Outcome:
        """Augments to the end, or raises what stopped it."""
        return self.corpus.run_stage(name, Stage.AUGMENT, **options)

    def another(self) -> Corpus:
        """The same corpus once more, as another process opens it."""
        return Corpus.open(self.settings)

    def invoice(self) -> list[dict[str, Any]]:
        """What the provider would bill, line by line."""
        return [orjson.loads(line) for line in self.log.read_bytes().splitlines()] if self.log.exists() else []

    def rows_of(self, statement: str, **values: Any) -> list[Any]:
        """The rows of a statement, for looking at what was stored."""
        from sqlalchemy import text

        return list(self.corpus.store.fetch(lambda c: c.execute(text(statement), values).all()))

    def one(self, statement: str, **values: Any) -> Any:
        return self.rows_of(statement, **values)[0][0]

    def report(self, name: str = NAME) -> dict[str, Any]:
        return self.corpus.report(name, Stage.AUGMENT)[0]

    def status(self, name: str = NAME) -> dict[str, Any]:
        return self.corpus.status([name])[0]["stages"]["augment"]

    def books_agree(self) -> None:
        """The ledger and the provider's request log hold the same calls, tokens and money (invariant I8)."""
        ledger = {row.id: row for row in self.rows_of("SELECT * FROM llm_attempts")}
        billed = self.invoice()
        assert {line["attempt_id"] for line in billed} <= set(ledger), "the provider saw a call without an intent"
        for line in billed:
            row = ledger[line["attempt_id"]]
            if row.state == "answered":
                assert line["outcome"] == "answered"
                assert (row.input_tokens, row.cached_tokens, row.output_tokens) == (
                    line["input_tokens"],
                    line["cached_tokens"],
                    line["output_tokens"],
                )
                assert row.cost == line["nano_dollars"]
            elif row.state == "error":
                assert line["nano_dollars"] == 0
            else:
                assert row.state == "unknown" and row.cost == row.reserved >= line["nano_dollars"]
        assert not [row for row in ledger.values() if row.state == "intent"]

    @contextmanager
    def running(self, name: str = NAME) -> Iterator[Background]:
        """An augment stage in a thread; it is stopped and awaited at the end of the block."""
        background = Background(self, name)
        try:
            yield background
        finally:
            background.stop.set("the test is over")
            background.thread.join(60)


class Background:
    """A stage that runs beside the test. outcome: what it returned or raised."""

    def __init__(self, kit: Kit, name: str) -> None:
        self.stop = StopSignal()
        self.outcome: Outcome | BaseException | None = None
        self.ended = 0.0
        self._kit, self._name = kit, name
        self.thread = threading.Thread(target=self._run, name=f"augment-{name}")
        self.thread.start()

    def _run(self) -> None:
        try:
            with self._kit.another() as corpus:
                self.outcome = corpus.run_stage(self._name, Stage.AUGMENT, stop=self.stop)
        except BaseException as error:
            self.outcome = error
        self.ended = time.monotonic()

    def wait(self, seconds: float = 30.0) -> Outcome | BaseException | None:
        self.thread.join(seconds)
        assert not self.thread.is_alive(), "the stage did not end"
        return self.outcome


def until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Waits for a condition; fails when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.005)


@pytest.fixture
def wait_until() -> Callable[..., None]:
    return until


@pytest.fixture
def make_kit(tmp_path: Path) -> Iterator[Callable[..., Kit]]:
    """Builds a corpus and its stand-in: `make_kit(faults={"429": 0.1}, latency="fixed:0.1")`."""
    from corpus_pipeline.llm_stub.latency import parse_latency

    with ExitStack() as stack:

        def make(
            faults: dict[str, float] | None = None,
            latency: str = "fixed:0",
            database_url: str | None = None,
            **options: Any,
        ) -> Kit:
            log = tmp_path / "invoice.jsonl"
            stub = stack.enter_context(
                running(
                    StubOptions(
                        request_log=log,
                        latency=parse_latency(latency),
                        faults={Fault(name): share for name, share in (faults or {}).items()},
                        **options,
                    )
                )
            )
            env = {"CORPUS_HOME": str(tmp_path / "home"), "OPENAI_BASE_URL": stub.base_url, "CORPUS_LEASE_SECONDS": "5"}
            if database_url is not None:
                env["CORPUS_DATABASE_URL"] = database_url
            return Kit(stack.enter_context(Corpus.open(Settings.from_env(env))), stub, tmp_path, log)

        yield make
