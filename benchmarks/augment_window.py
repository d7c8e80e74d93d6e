"""How full the window is: augmentation against the stand-in, beside a hand-written asyncio + SDK + JSONL script.

    python benchmarks/augment_window.py                         # all of it, a quarter of an hour
    python benchmarks/augment_window.py --calls 2000 --plain    # one size, without faults
    python benchmarks/augment_window.py --calls 2000 --mix      # 10 % 429, 3 % 500, 2 % drops, 1 % 400, 4 % bad content

Latencies are lognormal (median 0.5 s, 99th percentile 4 s) and a function of the request, so that both sides are asked for
the same seconds of work. Three processes: stand-in, ours, the script; each is measured by itself. Printed for each side:

    of ideal   calls x mean latency / (slots x wall time); with faults the calls are the rows that were wanted, and the
               latency is that of the calls which the provider worked on: who is turned away hears it at once
    of best    the same against a schedule without any overhead: a slot takes the next call when it is free
    filled     share of the slots' time in which a call was under way, by the latency that the client itself saw
    CPU        seconds of the client process per 1,000 calls, ours with every database write
    memory     peak of the client process, of which the libraries take a part before the first call

Below ours: whether every row was answered or failed, the ledger against the provider's request log call by call, and
whether any answer that the stand-in spoilt became a row.

Run it on a quiet machine: the stand-in needs a core of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

LATENCY = "lognormal:median=0.5,p99=4"
SEED = 27  # of the stand-in: the best schedule of 2,000 of these calls is 0.93 of the ideal one, of 20,000 0.99
MIX = {
    "429": 0.10,
    "500": 0.03,
    "rst": 0.02,
    "400": 0.01,
    "empty": 0.01,
    "cut": 0.01,
    "refusal": 0.01,
    "malformed": 0.01,
}
SOURCE = (
    "Please explain in your own words how a gardener waters the plants of bed {row} in a dry summer, and say"
    " which of them may wait until the evening of day {row}."
)
ANSWER = "With a can, early in the morning; bed {row} first, then its neighbours. "


def write_rows(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as out:
        for row in range(1, rows + 1):
            out.write(json.dumps({"prompt": SOURCE.format(row=row), "response": ANSWER.format(row=row) * 4}) + "\n")


# --- ours: one process that ingests, cleans and then augments; only the last is measured -------------------------------


def ours(folder: Path, rows: int, slots: int, database_url: str | None) -> dict[str, Any]:
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.settings import Settings
    from corpus_pipeline.states import Stage

    recipe = folder / "window.yaml"
    recipe.write_text(
        "name: window\nclean: {rules: [], dedup: {exact: false, near: false}}\n"
        f"augment: {{model: corpus-stub, concurrency: {slots}, strategies: [paraphrase]}}\n"
    )
    data = folder / "window.jsonl"
    write_rows(data, rows)
    env = {"CORPUS_HOME": str(folder / "home"), "OPENAI_BASE_URL": os.environ["OPENAI_BASE_URL"]}
    if database_url:
        env["CORPUS_DATABASE_URL"] = database_url
    with Corpus.open(Settings.from_env(env)) as corpus:
        corpus.add(data, recipe=str(recipe))
        corpus.run_stage("window", Stage.INGEST)
        corpus.run_stage("window", Stage.CLEAN)
        import corpus_pipeline.jobs.augment.scheduler  # noqa: F401 - brings the SDK, whose loading is not measured

        with Measured() as measured:
            report = corpus.run_stage("window", Stage.AUGMENT).report
        facts = _ledger_facts(corpus)
    return measured.figures | facts | {k: report[k] for k in ("total", "succeeded", "failed", "calls", "cost_usd")}


def _ledger_facts(corpus: Any) -> dict[str, Any]:
    from sqlalchemy import text

    def read(connection: Any) -> dict[str, Any]:
        attempts = connection.execute(text("SELECT id, state, cost, input_tokens + output_tokens FROM llm_attempts"))
        busy = connection.execute(text("SELECT SUM(latency_ms) / 1000.0 FROM llm_attempts")).scalar_one()
        used = connection.execute(
            text(
                "SELECT a.attempt_id FROM augmented_rows r JOIN answers a ON a.request_key = r.request_key"
                " WHERE a.rejected IS NULL"
            )
        )
        return {"ledger": [list(row) for row in attempts], "used": [row[0] for row in used], "busy": float(busy)}

    facts: dict[str, Any] = corpus.store.fetch(read)
    return facts


# --- the hand-written script: what somebody writes in an afternoon, with retries ------------------------------------------


def script(folder: Path, rows: int, slots: int) -> dict[str, Any]:
    import openai  # noqa: F401 - as in ours, loading the SDK is not measured

    bodies = request_bodies(rows)
    with Measured() as measured:
        counts = asyncio.run(_script(folder / "script.jsonl", bodies, slots))
    return measured.figures | counts


def request_bodies(rows: int) -> list[dict[str, Any]]:
    """The requests that ours makes of these rows, so that both are asked for the same seconds."""
    from corpus_pipeline.llm import chat_completions
    from corpus_pipeline.model import Conversation, Turn
    from corpus_pipeline.recipe import NamedStep
    from corpus_pipeline.stages.augment.strategies import build

    (strategy,) = build((NamedStep(name="paraphrase"),), "corpus-stub")
    asked = []
    for row in range(1, rows + 1):
        turn = Turn(prompt=SOURCE.format(row=row), response=ANSWER.format(row=row) * 4)
        request = strategy.next_request(Conversation(row, (turn,), "{}"))
        assert request is not None
        asked.append(chat_completions.request_body(request))
    return asked


async def _script(path: Path, bodies: list[dict[str, Any]], slots: int) -> dict[str, Any]:
    import openai

    client = openai.AsyncOpenAI(api_key="none", base_url=os.environ["OPENAI_BASE_URL"], max_retries=0)
    semaphore, counts, busy = asyncio.Semaphore(slots), Counter[str](), 0.0

    async def one(row: int, body: Any, out: Any) -> None:
        nonlocal busy
        for attempt in range(1, 7):
            async with semaphore:
                counts["calls"] += 1
                begun = time.perf_counter()
                try:
                    answer = await client.chat.completions.create(
                        **body, extra_headers={"x-corpus-attempt": str(attempt)}
                    )
                except openai.BadRequestError:
                    counts["failed"] += 1
                    return
                except openai.APIError as error:
                    wait = 1.0 if isinstance(error, openai.RateLimitError) else 2.0**attempt * 0.5
                else:
                    out.write(json.dumps({"row": row, "text": answer.choices[0].message.content}) + "\n")
                    out.flush()
                    counts["succeeded"] += 1
                    return
                finally:
                    busy += time.perf_counter() - begun
            await asyncio.sleep(wait)
        counts["failed"] += 1

    with path.open("w", encoding="utf-8") as out:
        async with asyncio.TaskGroup() as group:
            for row, body in enumerate(bodies, 1):
                group.create_task(one(row, body, out))
    return {**counts, "busy": busy}


class Measured:
    """Wall time, processor time and peak memory of a block."""

    def __enter__(self) -> Measured:
        self._wall, self._cpu, self._before = time.perf_counter(), time.process_time(), _peak_mb()
        return self

    def __exit__(self, *_: object) -> None:
        self.figures = {
            "wall": time.perf_counter() - self._wall,
            "cpu": time.process_time() - self._cpu,
            "peak_mb": _peak_mb(),
            "before_mb": self._before,
        }


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


# --- the request log, the schedules, the table ----------------------------------------------------------------------------


def latencies(lines: list[dict[str, Any]]) -> list[tuple[dict[str, Any], float]]:
    """(line, seconds that the stand-in took for it) of each call, in the order in which they arrived there."""
    from corpus_pipeline.llm_stub.engine import DOOR_SECONDS
    from corpus_pipeline.llm_stub.faults import uniform
    from corpus_pipeline.llm_stub.latency import parse_latency

    law, taken = parse_latency(LATENCY), []
    for line in lines:
        seconds = law.seconds(uniform(SEED, line["request"], line["attempt"], "latency"))
        taken.append((line, min(seconds, DOOR_SECONDS) if 400 <= line["status"] < 500 else seconds))
    return sorted(taken, key=lambda entry: entry[0]["time"] - entry[1])


def greedy_seconds(seconds: list[float], slots: int) -> float:
    """How long the calls take when a free slot takes the next one and nothing costs any time."""
    free = [0.0] * slots
    for length in seconds:
        heapq.heapreplace(free, free[0] + length)
    return max(free)


def side(part: str, calls: int, mix: bool, arguments: argparse.Namespace) -> dict[str, Any]:
    """One client process with a stand-in of its own."""
    with tempfile.TemporaryDirectory(prefix="corpus-window-") as folder:
        log = Path(folder) / "invoice.jsonl"
        command = [
            sys.executable,
            "-m",
            "corpus_pipeline.llm_stub",
            "--port",
            "0",
            "--latency",
            LATENCY,
            "--seed",
            str(SEED),
        ]
        command += ["--request-log", str(log), "--retry-after", "1"]
        for fault, share in (MIX if mix else {}).items():
            command += ["--fault", f"{fault}={share}"]
        stub = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            assert stub.stderr is not None
            address = stub.stderr.readline().split(" at ")[1].split()[0]
            own = [sys.executable, __file__, "--part", part, "--folder", folder, "--calls", str(calls)]
            own += ["--slots", str(arguments.slots)]
            own += ["--database-url", arguments.database_url] if arguments.database_url else []
            done = subprocess.run(
                own, env=os.environ | {"OPENAI_BASE_URL": address}, capture_output=True, text=True, check=False
            )
        finally:
            stub.terminate()
            stub.wait()
        if done.returncode:
            raise SystemExit(f"{part} failed:\n{done.stderr}")
        figures = json.loads(done.stdout.splitlines()[-1])
        lines = [json.loads(line) for line in log.open()]
    arrivals = latencies(lines)
    taken = [seconds for _, seconds in arrivals]
    worked = [seconds for line, seconds in arrivals if line["status"] == 200 or line["status"] >= 500]
    work = calls * sum(worked) / len(worked) if mix else sum(taken)
    figures["of_ideal"] = work / arguments.slots / figures["wall"]
    figures["of_best"] = greedy_seconds(taken, arguments.slots) / figures["wall"]
    figures["best"] = sum(taken) / arguments.slots / greedy_seconds(taken, arguments.slots)
    figures["filled"] = figures["busy"] / arguments.slots / figures["wall"]
    figures["lines"] = lines
    return figures


def show(name: str, figures: dict[str, Any]) -> None:
    calls = len(figures["lines"])
    print(
        f"{name:<16} {calls:>6} calls {figures['wall']:7.1f} s   of ideal {figures['of_ideal']:.3f}"
        f" (best schedule {figures['best']:.3f})   of best {figures['of_best']:.3f}"
        f"   filled {figures['filled']:.3f}"
        f"   CPU {figures['cpu'] / calls * 1000:5.2f} s per 1k   memory {figures['peak_mb']} MB"
        f" ({figures['before_mb']} before)",
        flush=True,
    )


def check(figures: dict[str, Any]) -> None:
    """What must hold of our books, against the provider's request log."""
    lines: list[dict[str, Any]] = figures["lines"]
    ledger = {attempt: (state, cost, tokens) for attempt, state, cost, tokens in figures["ledger"]}
    calls = Counter(line["attempt_id"] for line in lines)
    wrong, bounds, billed = 0, 0, 0
    for line in lines:
        state, cost, tokens = ledger.get(line["attempt_id"], ("missing", 0, 0))
        said = (line["nano_dollars"], line["input_tokens"] + line["output_tokens"])
        if state == "unknown":  # the wire broke: what the provider billed is not known, its upper bound is booked
            bounds, billed, wrong = bounds + cost, billed + said[0], wrong + (cost < said[0])
        else:
            wrong += (cost, tokens) != said
    spoilt = {line["attempt_id"] for line in lines if line["status"] == 200 and line["fault"] in MIX}
    spoilt -= {line["attempt_id"] for line in lines if line["fault"] == "rst"}
    bad = sum(attempt in spoilt for attempt in figures["used"])
    refused = Counter(line["request"] for line in lines if line["status"] == 400)
    total, succeeded, failed = figures["total"], figures["succeeded"], figures["failed"]
    unknown = sum(state == "unknown" for state, _, _ in ledger.values())
    print(
        f"  {total} asked {'=' if total == succeeded + failed else 'IS NOT'} {succeeded} succeeded + {failed} failed;"
        f" bad answers stored: {bad} of {len(spoilt)};"
        f" calls per 400: {sum(refused.values()) / max(1, len(refused)):.2f}\n"
        f"  ledger {len(ledger)} rows, request log {len(lines)} lines,"
        f" {'the same calls' if ledger.keys() == calls.keys() and len(calls) == len(lines) else 'NOT THE SAME CALLS'},"
        f" {wrong} of them with other tokens or costs; {unknown} dropped on the wire, booked at"
        f" ${bounds / 1e6:.4f}, billed ${billed / 1e6:.4f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, nargs="+", default=[2000, 20_000])
    parser.add_argument("--slots", type=int, default=50)
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--mix", action="store_true", help="with faults only")
    kinds.add_argument("--plain", action="store_true", help="without faults only")
    parser.add_argument("--only", choices=["ours", "script"])
    parser.add_argument("--database-url", help="ours on another database than SQLite")
    parser.add_argument("--part", choices=["ours", "script"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part == "ours":
        print(json.dumps(ours(arguments.folder, arguments.calls[0], arguments.slots, arguments.database_url)))
        return
    if arguments.part == "script":
        print(json.dumps(script(arguments.folder, arguments.calls[0], arguments.slots)))
        return
    for calls in arguments.calls:
        for mix in ([False] if not arguments.mix else []) + ([True] if not arguments.plain else []):
            print(
                f"{calls} rows, {'with faults' if mix else 'no faults'}, {arguments.slots} slots, {LATENCY};"
                f" load of the machine: {os.getloadavg()[0]:.1f}",
                flush=True,
            )
            if arguments.only != "ours":
                show("script", side("script", calls, mix, arguments))
            if arguments.only != "script":
                figures = side("ours", calls, mix, arguments)
                show("corpus-pipeline", figures)
                check(figures)


if __name__ == "__main__":
    main()
