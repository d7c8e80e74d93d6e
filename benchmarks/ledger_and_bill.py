"""The ledger beside the bill: many calls with faults, kills, service tiers and cache fields, then reconciled.

    python benchmarks/ledger_and_bill.py                        # 100,000 calls, the better part of an hour
    python benchmarks/ledger_and_bill.py --calls 2000 --kills 3

The stand-in keeps the request log of a provider; after the job its lines are the bill, a plain CSV. Printed: ledger and bill
before and after `corpus cost reconcile`, the budget, how often the worker was killed, and how many answers that had been
delivered before a kill were asked for again. Ends with 1 when ledger and bill differ by more than 0.1 % or the budget broke.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text

from corpus_pipeline.llm_stub import running
from corpus_pipeline.llm_stub.faults import parse_shares
from corpus_pipeline.llm_stub.latency import parse_latency
from corpus_pipeline.llm_stub.options import StubOptions
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage

FAULTS = ("no_usage=0.01", "answered_rst=0.005", "rst=0.005", "bad_body=0.005", "429=0.03", "500=0.02", "sorry=0.01")
RUN = """from corpus_pipeline.service import Corpus
from corpus_pipeline.states import Stage
with Corpus.open() as corpus: corpus.run_stage('rows', Stage.AUGMENT)
"""
RECIPE = """name: bill
clean: {{rules: [], dedup: {{exact: false, near: false}}}}
augment:
  model: corpus-stub
  concurrency: 50
  backoff_cap_seconds: 1
  budget: {{task_usd: {budget}}}
  strategies: [paraphrase]
"""
TOLERANCE = 0.001
LEASE_SECONDS = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="corpus-bill-") as name:
        return drill(Path(name), asked.calls, asked.kills)


def drill(folder: Path, calls: int, kills: int) -> int:
    log = folder / "invoice.jsonl"
    options = StubOptions(
        seed=5,
        latency=parse_latency("uniform:low=0.1,high=0.4"),
        faults=parse_shares(FAULTS),
        retry_after=0.2,
        request_log=log,
        cache_from=32,
        cache_writes=True,
        tiers=("default", "flex", "priority"),
    )
    with running(options) as stub:
        env = {
            "CORPUS_HOME": str(folder / "home"),
            "OPENAI_BASE_URL": stub.base_url,
            "CORPUS_LEASE_SECONDS": str(LEASE_SECONDS),
        }
        budget = calls * 0.0005
        with Corpus.open(Settings.from_env(env)) as corpus:
            prepare(corpus, folder, calls, budget)
            killed = [kill(env, log, calls * number // (kills + 1)) for number in range(1, kills + 1)]
            begun = time.monotonic()
            corpus.run_stage("rows", Stage.AUGMENT)
            return judge(corpus, folder, log, killed, budget, time.monotonic() - begun)


def prepare(corpus: Corpus, folder: Path, calls: int, budget: float) -> None:
    source, recipe = folder / "rows.jsonl", folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(budget=budget))
    with source.open("wb") as out:
        for row in range(calls):
            pair = {
                "prompt": f"How is bed {row} watered?",
                "response": f"With a can, early in the morning. Bed {row} first.",
            }
            out.write(orjson.dumps(pair, option=orjson.OPT_APPEND_NEWLINE))
    corpus.add(source, name="rows", recipe=str(recipe))
    for stage in (Stage.INGEST, Stage.CLEAN):
        corpus.run_stage("rows", stage)


def kill(env: dict[str, str], log: Path, calls: int) -> float:
    """Run until so many calls were billed, then kill; returns when."""
    others = {key: value for key, value in os.environ.items() if not key.startswith("CORPUS_")}
    worker = subprocess.Popen([sys.executable, "-c", RUN], env=others | env, stderr=subprocess.DEVNULL)
    billed = Growing(log)
    while worker.poll() is None and billed.lines() < calls:
        time.sleep(0.1)
    at = time.time()
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    time.sleep(LEASE_SECONDS + 1)  # what it asked is answered and billed, its lease ends
    return at


class Growing:
    """A file that another process appends to, of which only what is new is read."""

    def __init__(self, path: Path) -> None:
        self._path, self._read, self._lines = path, 0, 0

    def lines(self) -> int:
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._read)
                new = file.read()
            self._read += len(new)
            self._lines += new.count(b"\n")
        return self._lines


def lines(log: Path) -> list[bytes]:
    return log.read_bytes().splitlines() if log.exists() else []


def judge(corpus: Corpus, folder: Path, log: Path, killed: list[float], budget: float, seconds: float) -> int:
    invoice = [entry for line in lines(log) if (entry := orjson.loads(line))["outcome"] == "answered"]
    bill = sum(entry["nano_dollars"] for entry in invoice)
    columns = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens")
    path = folder / "bill.csv"
    rows = [
        ",".join([e["attempt_id"], *(str(e[c]) for c in columns), f"{e['nano_dollars'] / 1e9:.9f}"]) for e in invoice
    ]
    path.write_text("\n".join([",".join(("request_id", *columns, "cost")), *rows]) + "\n")
    died = set(ask(corpus, "SELECT id FROM llm_attempts WHERE outcome = 'process_died'"))
    again = sum(e["attempt_id"] in died and e["time"] < killer_of(e["attempt_id"], killed) - 0.05 for e in invoice)
    (before,), (unknown,) = (
        ask(corpus, "SELECT SUM(cost) FROM spending"),
        ask(corpus, "SELECT SUM(unknown) FROM spending"),
    )
    found = corpus.reconcile(path, complete=True)
    (after,) = ask(corpus, "SELECT SUM(cost) FROM spending")
    off = abs(after - bill) / bill
    print(f"{len(invoice):,} billed calls, {len(killed)} kills, {unknown:,} unknown; last part {seconds:.0f} s")
    print(f"delivered answers asked again: {again} ({again / max(1, len(killed)):.2f} a kill)")
    print(f"bill ${bill / 1e9:.6f}; ledger ${before / 1e9:.6f} before, ${after / 1e9:.6f} after ({off:.5%} off)")
    print(f"settled {found['settled']:,}, not billed {found['not_billed']:,}, differ {found['mismatches_in_all']:,}")
    print(f"budget ${budget:.4f}, at most booked ${before / 1e9:.4f}")
    return int(off > TOLERANCE or before / 1e9 > budget)


def killer_of(attempt_id: str, killed: list[float]) -> float:
    """When the worker was killed that made an attempt, whose id begins with its time; what is billed later was on the wire."""
    made = int(attempt_id[:12], 16) / 1000
    return min((at for at in killed if at > made), default=0.0)


def ask(corpus: Corpus, statement: str) -> list[Any]:
    return list(corpus.store.fetch(lambda c: c.execute(text(statement)).scalars().all()))


if __name__ == "__main__":
    sys.exit(main())
