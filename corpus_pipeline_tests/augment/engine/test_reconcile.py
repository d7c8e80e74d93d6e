"""The ledger equals the bill: calls of unknown outcome are settled by what the provider billed, the rest is compared."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

RUN = (
    "from corpus_pipeline.service import Corpus\n"
    "from corpus_pipeline.states import Stage\n"
    "with Corpus.open() as corpus: corpus.run_stage('rows', Stage.AUGMENT)\n"
)
FAULTS = {
    "no_usage": 0.05,
    "answered_rst": 0.05,
    "rst": 0.05,
    "bad_body": 0.03,
    "429": 0.05,
    "500": 0.05,
    "sorry": 0.03,
}
COLUMNS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens")


def bill_of(kit: Any, path: Path) -> int:
    """The provider's bill as a plain file; returns its sum in nano-dollars."""
    billed = [line for line in kit.invoice() if line["outcome"] == "answered"]
    rows = [",".join(("request_id", *COLUMNS, "cost"))]
    rows += [
        ",".join([line["attempt_id"], *(str(line[name]) for name in COLUMNS), f"{line['nano_dollars'] / 1e9:.9f}"])
        for line in billed
    ]
    path.write_text("\n".join(rows) + "\n")
    return sum(line["nano_dollars"] for line in billed)


def killed_after(kit: Any, calls: int) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("CORPUS_")}
    env |= {
        "CORPUS_HOME": str(kit.settings.home),
        "CORPUS_DATABASE_URL": kit.settings.database_url,
        "OPENAI_BASE_URL": kit.stub.base_url,
        "CORPUS_LEASE_SECONDS": "60",
    }
    process = subprocess.Popen([sys.executable, "-c", RUN], env=env, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while len(kit.invoice()) < calls and time.monotonic() < until and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.5)  # its calls are answered and billed


def test_after_reconciling_the_ledger_is_the_bill(make_kit: Any, tmp_path: Path) -> None:
    kit = make_kit(
        faults=FAULTS,
        latency="uniform:low=0.05,high=0.2",
        cache_from=32,
        cache_writes=True,
        tiers=("default", "flex", "priority"),
    )
    strategies = ["paraphrase", "response_regeneration"]
    budget = 0.8
    kit.add(150, strategies=strategies, concurrency=30, budget={"task_usd": budget})
    for calls in (80, 200):
        killed_after(kit, calls)
    report = kit.run().report
    assert report["unknown"] > 0 and report["cost_usd"] <= budget
    bill = bill_of(kit, tmp_path / "bill.csv")
    assert report["cost_usd"] * 1e9 >= bill, "unknown calls were booked below what they can cost"
    assert kit.one("SELECT COUNT(*) FROM llm_attempts WHERE service_tier = 'flex'") > 50
    assert kit.one("SELECT SUM(cache_write_tokens) FROM llm_attempts") > 0

    dry = kit.corpus.reconcile(tmp_path / "bill.csv", complete=True, dry_run=True)
    assert kit.one("SELECT SUM(unknown) FROM spending") > 0
    found = kit.corpus.reconcile(tmp_path / "bill.csv", complete=True)
    assert {**found} == {**dry}
    assert (found["still_unknown"], found["unmatched"], found["mismatches"]) == (0, 0, [])
    ledger = kit.one("SELECT SUM(cost) FROM llm_attempts")
    assert abs(ledger - bill) <= bill / 1000
    sums = [kit.one("SELECT SUM(cost) FROM spending"), kit.one("SELECT spent FROM budgets WHERE scope = 'task'")]
    assert sums == [ledger, ledger] and kit.one("SELECT SUM(unknown) FROM spending") == 0
    assert kit.one("SELECT SUM(unknown_cost) FROM spending") == 0
    assert kit.one("SELECT SUM(input_tokens) FROM spending") == kit.one("SELECT SUM(input_tokens) FROM llm_attempts")
    again = kit.corpus.reconcile(tmp_path / "bill.csv", complete=True)
    assert (again["settled"], again["not_billed"], again["ledger_usd"]) == (0, 0, found["ledger_usd"])
    assert kit.one("SELECT COUNT(*) FROM audit_log WHERE action = 'reconcile'") == 2


def test_what_differs_is_listed_and_taken_over_when_asked(make_kit: Any, tmp_path: Path) -> None:
    kit = make_kit()
    kit.add(5, strategies=["paraphrase"])
    kit.run()
    first = kit.rows_of("SELECT * FROM llm_attempts ORDER BY id LIMIT 1")[0]
    path = tmp_path / "bill.csv"
    path.write_text(f"request_id,cost\n{first.provider_request_id},{2 * first.cost / 1e9}\nstranger,0.01\n")
    found = kit.corpus.reconcile(path)
    assert (found["unmatched"], found["unmatched_usd"], found["settled"]) == (1, 0.01, 0)
    (one,) = found["mismatches"]
    assert (one["call"], one["line"], one["bill_usd"]) == (first.id, 2, pytest.approx(2 * first.cost / 1e9))
    assert kit.one("SELECT SUM(cost) FROM llm_attempts") == kit.one("SELECT SUM(cost) FROM spending")
    before = kit.one("SELECT SUM(cost) FROM spending")
    kit.corpus.reconcile(path, adopt=True)
    assert (
        kit.one("SELECT SUM(cost) FROM spending")
        == kit.one("SELECT SUM(cost) FROM llm_attempts")
        == before + first.cost
    )


def test_a_sum_settles_the_unknown_calls_of_its_time_and_model(make_kit: Any, tmp_path: Path) -> None:
    kit = make_kit(faults={"answered_rst": 0.3})
    kit.add(40, strategies=["paraphrase"])
    report = kit.run().report
    assert report["unknown"] > 3
    bill = sum(line["nano_dollars"] for line in kit.invoice())
    path = tmp_path / "activity.csv"
    day = time.strftime("%Y-%m-%d", time.gmtime())
    path.write_text(f"date,model,cost_usd,requests\n{day},corpus-stub,{bill / 1e9:.9f},{len(kit.invoice())}\n")
    found = kit.corpus.reconcile(path)
    assert found["still_unknown"] == 0 and found["mismatches"] == []
    assert abs(kit.one("SELECT SUM(cost) FROM llm_attempts") - bill) <= bill / 1000
