"""Kills at random moments on a busy machine: how many answers that had been delivered are asked, and paid, again.

    python benchmarks/kills_under_load.py                        # 20 kills beside 8 busy loops
    python benchmarks/kills_under_load.py --kills 40 --loops 0   # on the machine as it is

A worker augments against the stand-in (a process of its own, 50 calls at once) and is killed (SIGKILL) at a random moment,
again and again; each start takes over what the one before left. The stand-in logs an answer the instant before it writes it to
the socket. An answer that is neither in the database nor in the spool afterwards is asked, and paid, again. Told apart are
those that were logged before the kill, and those that the stand-in wrote after it.
Printed: one line for each kill, then how often how many.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).parent))

from augment_window import write_rows

from corpus_pipeline.jobs.augment import answer_spool
from corpus_pipeline.llm.reader import left
from corpus_pipeline.llm.reader.awaited import awaited
from corpus_pipeline.model import TaskId
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage

RUN = """from corpus_pipeline.service import Corpus
from corpus_pipeline.states import Stage
with Corpus.open() as corpus: corpus.run_stage('kills', Stage.AUGMENT)
"""
RECIPE = """name: kills
clean: {rules: [], dedup: {exact: false, near: false}}
augment: {model: corpus-stub, concurrency: 50, strategies: [paraphrase]}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--loops", type=int, default=8, help="busy loops beside it")
    parser.add_argument("--latency", default="lognormal:median=0.4,p99=3")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="corpus-kills-") as name, served(Path(name), asked.latency) as address:
        env = {"CORPUS_HOME": f"{name}/home", "OPENAI_BASE_URL": address}
        prepare(Path(name), Settings.from_env(env), rows=asked.kills * 1500)
        with busy(asked.loops):
            drill(Path(name), env, asked.kills, random.Random(asked.seed))


def prepare(folder: Path, settings: Settings, rows: int) -> None:
    recipe, data = folder / "kills.yaml", folder / "kills.jsonl"
    recipe.write_text(RECIPE)
    write_rows(data, rows)
    with Corpus.open(settings) as corpus:
        corpus.add(data, recipe=str(recipe))
        corpus.run_stage("kills", Stage.INGEST)
        corpus.run_stage("kills", Stage.CLEAN)


def drill(folder: Path, env: dict[str, str], kills: int, rng: random.Random) -> None:
    log, seen, lost, lost_late = folder / "invoice.jsonl", 0, list[int](), list[int]()
    print(
        "| kill | load | seconds of calls | answers | in the spool only | lost: delivered before the kill | after it |"
    )
    print("|---|---|---|---|---|---|---|")
    for number in range(1, kills + 1):
        before = lines(log)
        worker = subprocess.Popen([sys.executable, "-c", RUN], env=os.environ | env, stderr=subprocess.DEVNULL)
        while lines(log) == before and worker.poll() is None:
            time.sleep(0.05)
        seconds = rng.uniform(2.0, 6.0)
        time.sleep(seconds)
        assert worker.poll() is None, "the worker ended by itself: more rows are needed"
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        killed = time.time()
        time.sleep(4.0)  # what was on the wire is answered in that time
        while awaited(folder / "home" / "spool") is not None:
            time.sleep(0.05)
        answered = [line for line in read(log)[seen:] if line["outcome"] == "answered"]
        stored, spooled = known(Settings.from_env(env))
        late = {line["attempt_id"] for line in answered if line["time"] >= killed} - stored - spooled
        nothing = {line["attempt_id"] for line in answered if line["time"] < killed} - stored - spooled
        lost.append(len(nothing))
        lost_late.append(len(late))
        print(
            f"| {number} | {os.getloadavg()[0]:.1f} | {seconds:.1f} | {len(answered)} | {len(spooled - stored)} |"
            f" {len(nothing)} | {len(late)} |",
            flush=True,
        )
        seen = len(read(log))
    shares = ", ".join(f"{count} x {many}" for many, count in sorted(Counter(lost).items()))
    print(
        f"\n{kills} kills: {sum(lost)} delivered answers asked again, {max(lost)} at most ({shares});"
        f" of those that came after the kill {sum(lost_late)}"
    )


def known(settings: Settings) -> tuple[set[str], set[str]]:
    """The attempts whose answers are in the database, and in the spool."""
    with Corpus.open(settings) as corpus:
        stored = corpus.store.fetch(lambda c: set(c.execute(text("SELECT attempt_id FROM answers")).scalars()))
        task = corpus.store.fetch(lambda c: c.execute(text("SELECT MAX(id) FROM tasks")).scalar_one())
    folder = settings.home / "spool"
    own = {entry.settlement.id for entry in answer_spool.read(answer_spool.left_over(folder, TaskId(task)))}
    return stored, own | {one.attempt_id for one in left.answers(left.files(folder, task))}


def read(log: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in log.read_bytes().splitlines()] if log.exists() else []


def lines(log: Path) -> int:
    return log.read_bytes().count(b"\n") if log.exists() else 0


@contextmanager
def served(folder: Path, latency: str) -> Iterator[str]:
    command = [sys.executable, "-m", "corpus_pipeline.llm_stub", "--port", "0", "--latency", latency]
    command += ["--request-log", str(folder / "invoice.jsonl")]
    stub = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert stub.stderr is not None
        yield stub.stderr.readline().split(" at ")[1].split()[0]
    finally:
        stub.terminate()
        stub.wait()


@contextmanager
def busy(loops: int) -> Iterator[None]:
    beside = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for one in beside:
            one.kill()
            one.wait()


if __name__ == "__main__":
    main()
