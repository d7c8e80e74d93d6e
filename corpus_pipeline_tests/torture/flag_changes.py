"""Pause flags set and cleared at random, by two operators at once, over four files under a real `corpus ui`.

`python -m corpus_pipeline_tests.torture.flag_changes --changes 500 --seed S` (`make torture` does it)

Whatever was asked last holds: what a flag covers stops, what none covers goes on by itself, and no answer is paid twice.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpus_pipeline import llm_stub
from corpus_pipeline.llm_stub.latency import parse_latency
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage, Status
from corpus_pipeline_tests.dagster.conftest import KEY, RECIPE, answers, environment, write_file
from corpus_pipeline_tests.dagster.graphql import GraphQL, wait_for
from corpus_pipeline_tests.servers.process import free_port

OPERATORS = ("ann", "ben")
_MOVING = (Status.RUNNING, Status.PAUSING)
_STOP_SECONDS = 60.0  # for what is covered to stop
_GO_SECONDS = 90.0  # without one new answer, while something is left to do


@dataclass
class Result:
    """What came of it. problems: sentences; empty when all held."""

    changes: int = 0
    seconds_to_stop: float = 0.0
    seconds_to_end: float = 0.0
    runs: int = 0
    problems: list[str] = field(default_factory=list)


def change_at_random(settings: Settings, names: Sequence[str], changes: int, seed: int, longest: float) -> int:
    """Two operators change flags, each `changes / 2` times with up to `longest` seconds between; returns how many were made."""
    made = []

    def operate(operator: str) -> None:
        chance = random.Random(f"{seed}/{operator}")
        with Corpus.open(settings) as corpus:
            for _ in range(changes // len(OPERATORS)):
                name, stage = chance.choice(names), chance.choice((None, Stage.AUGMENT))
                if chance.random() < 0.5:
                    corpus.pause([name], stage, False, f"{operator} says so")
                else:
                    corpus.resume([name], stage, False)
                made.append(operator)
                time.sleep(chance.uniform(0, longest))

    threads = [threading.Thread(target=operate, args=(operator,)) for operator in OPERATORS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(made)


def hold_to_it(corpus: Corpus, graphql: GraphQL, names: Sequence[str], result: Result) -> None:
    """What the flags say now comes true, and everything does when the last one is cleared."""
    flags = corpus.mark_flags()
    covered = {name for name in names if any(flag.covers(name, Stage.AUGMENT) for flag in flags)}
    begun = time.monotonic()
    while still := [name for name in covered if _augment(corpus, name) in _MOVING]:
        if time.monotonic() - begun > _STOP_SECONDS:
            result.problems.append(f"below a flag and still at work: {still}")
            break
        time.sleep(0.1)
    result.seconds_to_stop = time.monotonic() - begun
    corpus.resume([], None, True)
    begun = moved = time.monotonic()
    before = -1
    while left := [name for name in names if corpus.incomplete_stages(name)]:
        now = sum(int(row["answered"]) for row in corpus.cost("file"))
        if now != before:
            moved, before = time.monotonic(), now
        if time.monotonic() - moved > _GO_SECONDS:
            states = [(name, _augment(corpus, name)) for name in left]
            runs = [(run["status"], run["tags"]) for run in graphql.runs()][:8]
            result.problems.append(f"nothing covers them, and they do not go on: {states}; runs: {runs}")
            break
        time.sleep(0.5)
    result.seconds_to_end = time.monotonic() - begun
    result.runs = len(graphql.runs())


def _augment(corpus: Corpus, name: str) -> str:
    (state,) = corpus.status([name])
    return str(state["stages"]["augment"]["status"])


def torture(folder: Path, changes: int, seed: int, rows: int) -> Result:
    """The whole of it on a home of its own."""
    with llm_stub.running(llm_stub.StubOptions(latency=parse_latency("fixed:0.25"), api_key=KEY)) as server:
        child = environment(folder / "home", server.base_url)
        port = free_port()
        recipe = folder / "slow.yaml"
        recipe.write_text(RECIPE, encoding="utf-8")
        settings = Settings.from_env(child)
        names = [f"f{number}" for number in range(4)]
        with Corpus.open(settings) as corpus, (folder / "ui.log").open("wb") as log:
            for name in names:
                corpus.add(write_file(folder / "data", name, rows), recipe=str(recipe))
            command = [sys.executable, "-m", "corpus_pipeline", "ui", "--port", str(port), "--rows-port"]
            ui = subprocess.Popen([*command, str(free_port())], env=child, stdout=log, stderr=log)
            try:
                graphql = GraphQL(f"http://127.0.0.1:{port}")
                wait_for(lambda: answers(graphql) or ui.poll() is not None, 600, "`corpus ui`")
                for name in names:
                    graphql.launch(name)
                wait_for(lambda: any(_augment(corpus, name) in _MOVING for name in names), 600, "work")
                result = Result(change_at_random(settings, names, changes, seed, longest=4.0))
                hold_to_it(corpus, graphql, names, result)
                answered = sum(int(row["answered"]) for row in corpus.cost("file"))
                if answered != rows * len(names):
                    result.problems.append(f"{answered} answers were paid for {rows * len(names)} rows")
                return result
            finally:
                ui.send_signal(signal.SIGTERM)
                ui.wait(120)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=700)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="corpus-flags-") as folder:
        result = torture(Path(folder), options.changes, options.seed, options.rows)
    print(
        f"SEED={options.seed}: {result.changes} changes of flags, {result.runs} runs; what was covered had stopped after"
        f" {result.seconds_to_stop:.1f} s, all was through {result.seconds_to_end:.0f} s after the last resume"
    )
    for problem in result.problems:
        print(f"PROBLEM: {problem}")
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main())
