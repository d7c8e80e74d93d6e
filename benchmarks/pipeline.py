"""Times the path without model calls on a generated corpus: JSONL -> rows -> cleaned, deduplicated -> JSONL.

    python benchmarks/pipeline.py 100000 [--database URL] [--seed 1]

Each part runs in a process of its own, so that its peak memory is its own. Beside our figures stand, measured in the same run:
a hand-written script (orjson, exact duplicates only, no database) and the physical limits (parsing alone, inserting alone).
Wall time is of this machine and its load; trust the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

RECIPE = "name: benchmark\naugment: {strategies: []}\nexport: {include: [cleaned]}\n"


def pipeline(source: Path, folder: Path, database: str | None) -> dict[str, Any]:
    """Our four stages (augment has nothing to do), with cursors, leases, reasons and the line map."""
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.settings import Settings
    from corpus_pipeline.states import Stage

    recipe = folder / "benchmark.yaml"
    recipe.write_text(RECIPE)
    environment = {"CORPUS_HOME": str(folder / "home")} | ({"CORPUS_DATABASE_URL": database} if database else {})
    seconds: dict[str, float] = {}
    with Corpus.open(Settings.from_env(environment)) as corpus:
        begun = time.perf_counter()
        name = corpus.add(source, recipe=str(recipe)).file.name
        seconds["register"] = time.perf_counter() - begun
        for stage in Stage:
            begun = time.perf_counter()
            outcome = corpus.run_stage(name, stage)
            seconds[stage.value] = time.perf_counter() - begun
        return {"seconds": seconds, "rows_out": outcome.report["total"]}


def hand_script(source: Path, folder: Path, database: str | None) -> dict[str, Any]:
    """What one writes in ten minutes: parse, collapse blanks, drop exact duplicates, write. Nothing survives a kill."""
    begun = time.perf_counter()
    seen: set[str] = set()
    with source.open("rb") as lines, (folder / "hand.jsonl").open("wb") as out:
        for line in lines:
            record = orjson.loads(line)
            text = " ".join(" ".join(str(value) for value in record.values()).split()).casefold()
            if text not in seen:
                seen.add(text)
                out.write(orjson.dumps(record) + b"\n")
    return {"seconds": {"all": time.perf_counter() - begun}, "rows_out": len(seen)}


def parse_only(source: Path, folder: Path, database: str | None) -> dict[str, Any]:
    """The limit of reading: orjson on every line."""
    begun = time.perf_counter()
    with source.open("rb") as lines:
        rows = sum(1 for line in lines if orjson.loads(line))
    return {"seconds": {"all": time.perf_counter() - begun}, "rows_out": rows}


def insert_only(source: Path, folder: Path, database: str | None) -> dict[str, Any]:
    """The limit of writing: sqlite3 executemany of the raw lines, one transaction per 10,000."""
    import sqlite3

    begun = time.perf_counter()
    connection = sqlite3.connect(folder / "insert.db", isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)")
    rows = 0
    with source.open("rb") as lines:
        while batch := [(line.decode(),) for _, line in zip(range(10_000), lines, strict=False)]:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO t (body) VALUES (?)", batch)
            connection.execute("COMMIT")
            rows += len(batch)
    return {"seconds": {"all": time.perf_counter() - begun}, "rows_out": rows}


PARTS: dict[str, Callable[[Path, Path, str | None], dict[str, Any]]] = {
    "corpus-pipeline": pipeline,
    "hand script, exact only": hand_script,
    "limit: parse": parse_only,
    "limit: insert": insert_only,
}


def measure(part: str, source: Path, folder: Path, database: str | None) -> dict[str, Any]:
    """Run a part in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--part", part, str(source), str(folder)] + (["--database", database] if database else []),
        check=True,
        stdout=subprocess.PIPE,
        env=os.environ,
    )
    return json.loads(done.stdout)


def run_part(part: str, source: Path, folder: Path, database: str | None) -> None:
    found = PARTS[part](source, folder, database)
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    found["peak_mb"] = max(own.ru_maxrss, children.ru_maxrss) / 1024
    found["cpu_seconds"] = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    print(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", help="CORPUS_DATABASE_URL of an empty database; default: SQLite")
    parser.add_argument("--part", nargs=3, metavar=("NAME", "SOURCE", "FOLDER"), help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.part:
        run_part(said.part[0], Path(said.part[1]), Path(said.part[2]), said.database)
        return
    with tempfile.TemporaryDirectory(prefix="corpus-bench-") as name:
        folder = Path(name)
        source = folder / "corpus.jsonl"
        generator = Path(__file__).with_name("generate_corpus.py")
        subprocess.run(
            [sys.executable, str(generator), str(said.rows), "--seed", str(said.seed), "--out", str(source)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        print(f"{said.rows:,} rows, {source.stat().st_size / 1e6:.0f} MB, load {os.getloadavg()[0]:.1f}")
        print(f"{'part':<26}{'seconds':>9}{'CPU s':>8}{'rows/s':>11}{'peak MB':>9}{'rows out':>11}{'ratio':>8}")
        first = None
        for part in PARTS:
            found = measure(part, source, folder, said.database)
            total = sum(found["seconds"].values())
            first = first or total
            print(
                f"{part:<26}{total:>9.2f}{found['cpu_seconds']:>8.1f}{said.rows / total:>11,.0f}{found['peak_mb']:>9.0f}"
                f"{found['rows_out']:>11,}{total / first:>8.2f}"
            )
            if len(found["seconds"]) > 1:
                print("  " + ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in found["seconds"].items()))


if __name__ == "__main__":
    main()
