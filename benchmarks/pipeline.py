"""Times the path without model calls on a generated corpus: JSONL -> rows -> cleaned, deduplicated -> JSONL.

    python benchmarks/pipeline.py 100000 [--database URL] [--seed 1] [--peers] [--cache FOLDER]
    python benchmarks/pipeline.py --scaling 10000 100000 1000000
    python benchmarks/pipeline.py 100000 --servers [--rounds 2]

Each part runs in a process of its own; peak memory is that of all its processes together (Linux; elsewhere of the
largest one). Beside our figures stand, measured in the same run:
a hand-written script (orjson, exact duplicates only, no database), the physical limits (parsing alone, inserting alone) and,
with --peers, the tools of `peer_runs.py`. Recall is of the planted near-duplicates; precision is the planted part of all rows
that were taken for duplicates. Which row of a group of duplicates a tool keeps does not count.
--servers runs our part alone on SQLite and on a private MariaDB and PostgreSQL, in turns; every commit is on their disks, and
the CPU seconds of the servers are told beside ours.
--scaling runs our part alone for several sizes and fits the exponent of the growth.
Wall time is of this machine and its load; trust CPU seconds and ratios.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import peer_runs
from peer_runs import Peer

_SAMPLED_EVERY = 0.1  # seconds
_LENGTHS = (100, 300, 1000)
RECIPE = "name: benchmark\naugment: {strategies: []}\nexport: {include: [cleaned]}\n"


def pipeline(source: Path, folder: Path, database: str | None) -> dict[str, Any]:
    """Our four stages (augment has nothing to do), with cursors, leases, reasons and the line map."""
    from corpus_pipeline.model import MAX_ROW
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.settings import Settings
    from corpus_pipeline.states import Stage
    from corpus_pipeline.store import cleaned, tasks

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
        file = corpus.files([name])[0]
        task = corpus.store.fetch(tasks.tasks_of_file, file.id)[0]
        repeated = [d.conversation_id & MAX_ROW for d in corpus.store.fetch(cleaned.known_duplicates, [task])]
        return {"seconds": seconds, "rows_out": outcome.report["total"], "removed": repeated}


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
    """Run a part in a process of its own; its peak memory is that of it and all its children together."""
    command = [sys.executable, __file__, "--part", part, str(source), str(folder)]
    peak, ended = 0, threading.Event()

    def sample(pid: int) -> None:
        nonlocal peak
        while not ended.wait(_SAMPLED_EVERY):
            peak = max(peak, memory_of_tree(pid))

    with subprocess.Popen(command + (["--database", database] if database else []), stdout=subprocess.PIPE) as process:
        sampler = threading.Thread(target=sample, args=(process.pid,))
        sampler.start()
        said, _ = process.communicate()
        ended.set()
        sampler.join()
    if process.returncode:
        raise SystemExit(f"{part} ended with status {process.returncode}")
    found: dict[str, Any] = json.loads(said)
    found["peak_mb"] = max(peak / 2**20, found["peak_mb"])
    return found


def memory_of_tree(pid: int) -> int:
    """Bytes that a process and its descendants hold, pages that they share counted once; 0 where /proc does not tell."""
    total = 0
    try:
        shared_once = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += 1024 * int(shared_once.split("Pss:")[1].split()[0])
        for task in Path(f"/proc/{pid}/task").iterdir():
            children = (task / "children").read_text().split()
            total += sum(memory_of_tree(int(child)) for child in children)
    except (OSError, IndexError):  # it has ended meanwhile
        pass
    return total


def run_part(part: str, source: Path, folder: Path, database: str | None) -> None:
    found = PARTS[part](source, folder, database)
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    found["peak_mb"] = max(own.ru_maxrss, children.ru_maxrss) / 1024
    found["cpu_seconds"] = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    print(json.dumps(found))


def run_peer(peer: Peer, python: Path, source: Path, folder: Path) -> dict[str, Any]:
    """Time a peer on texts; its CPU seconds and memory are those of the children that it leaves behind."""
    out, work = folder / "out", folder / "work"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    peer_runs.run(peer, python, source, out, work)
    seconds = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    kept = peer_runs.kept(out)
    return {
        "seconds": {"all": seconds},
        "rows_out": len(kept),
        "kept": kept,
        "peak_mb": after.ru_maxrss / 1024,  # the largest process so far: peers run in a fork of their own
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    }


def whichever_stays(removed: set[int], truth: Path) -> set[int]:
    """The rows removed as if every tool kept the first row of a group of duplicates, and not another one of it."""
    with truth.open(encoding="utf-8") as lines:
        entries = [line.split("\t")[:3] for line in lines][1:]
    found = set(removed)
    for number, kind, original in reversed(entries):  # copies come behind what they are copies of
        if kind != "distinct" and int(number) not in found and int(original) in found:
            found.discard(int(original))
            found.add(int(number))
    return found


def quality(removed: set[int], truth: Path) -> str:
    """Recall of near and of exact duplicates, precision, and distinct rows lost."""
    with truth.open(encoding="utf-8") as lines:
        kinds = [line.split("\t")[1] for line in lines][1:]
    hits = {kind: sum(kinds[line - 1] == kind for line in removed) for kind in ("near", "exact", "distinct")}
    shares = [hits[kind] / max(kinds.count(kind), 1) for kind in ("near", "exact")]
    precision = 1 - hits["distinct"] / max(len(removed), 1)
    return f"{shares[0]:>7.3f}{shares[1]:>7.3f}{precision:>9.4f}{hits['distinct']:>7}"


def recall_by_length(removed: set[int], truth: Path) -> str:
    """Recall of near duplicates of less than 100, 300 and 1000 characters, and of longer ones."""
    planted, hits = [0] * 4, [0] * 4
    with truth.open(encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            number, kind, _, _, characters, _ = line.split("\t")
            if kind == "near":
                place = bisect_right(_LENGTHS, int(characters))
                planted[place] += 1
                hits[place] += int(number) in removed
    shares = (hit / max(of, 1) for hit, of in zip(hits, planted, strict=True))
    names = [*(f"< {length}" for length in _LENGTHS), f">= {_LENGTHS[-1]}"]
    return ", ".join(f"{name} {share:.2f}" for name, share in zip(names, shares, strict=True))


def generate(rows: int, seed: int, folder: Path) -> Path:
    source = folder / "corpus.jsonl"
    generator = Path(__file__).with_name("generate_corpus.py")
    subprocess.run(
        [sys.executable, str(generator), str(rows), "--seed", str(seed), "--out", str(source)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return source


def compare(said: argparse.Namespace, folder: Path) -> None:
    """The table of one corpus."""
    source = generate(said.rows, said.seed, folder)
    truth = source.with_name(source.name + ".truth.tsv")
    print(f"{said.rows:,} rows, {source.stat().st_size / 1e6:.0f} MB, load {os.getloadavg()[0]:.1f}")
    print(
        f"{'part':<26}{'seconds':>9}{'CPU s':>8}{'rows/s':>11}{'peak MB':>9}{'rows out':>11}{'ratio':>8}"
        f"{'near':>7}{'exact':>7}{'precis.':>9}{'lost':>7}"
    )
    first: float | None = None

    def show(name: str, found: dict[str, Any], removed: set[int] | None) -> None:
        nonlocal first
        removed = None if removed is None else whichever_stays(removed, truth)
        total = sum(found["seconds"].values())
        first = first or total
        print(
            f"{name:<26}{total:>9.2f}{found['cpu_seconds']:>8.1f}{said.rows / total:>11,.0f}{found['peak_mb']:>9.0f}"
            f"{found['rows_out']:>11,}{total / first:>8.2f}" + (quality(removed, truth) if removed is not None else ""),
            flush=True,
        )
        if len(found["seconds"]) > 1:
            print("  " + ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in found["seconds"].items()))
        if removed:
            print(f"  recall near by characters: {recall_by_length(removed, truth)}", flush=True)

    for part in PARTS:
        found = measure(part, source, folder, said.database)
        show(part, found, set(found["removed"]) if "removed" in found else None)
    if not said.peers:
        return
    texts = peer_runs.texts(source, folder / "texts")
    for peer in peer_runs.PEERS:
        try:
            python = peer_runs.installed(peer, said.cache)
            own = folder / Path(peer.program).stem
            own.mkdir()
            found = _in_a_fork(peer, python, texts, own)
        except peer_runs.Skipped as reason:
            print(f"SKIPPED {peer.name}: {reason}", flush=True)
            continue
        show(peer.name, found, set(range(1, said.rows + 1)) - found["kept"])


def _in_a_fork(peer: Peer, python: Path, texts: Path, folder: Path) -> dict[str, Any]:
    """Peaks of children are remembered for a process's life, so each peer has one."""
    with ProcessPoolExecutor(1) as pool:
        return pool.submit(run_peer, peer, python, texts, folder).result()


def scaling(said: argparse.Namespace, folder: Path) -> None:
    """Our part for several sizes: seconds ~ rows ** exponent."""
    print(f"{'rows':>10}{'seconds':>9}{'CPU s':>8}{'rows/s':>10}{'peak MB':>9}  load")
    logs = []
    for rows in said.scaling:
        own = folder / str(rows)
        own.mkdir()
        source = generate(rows, said.seed, own)
        load = os.getloadavg()[0]
        found = measure("corpus-pipeline", source, own, said.database)
        seconds, cpu = sum(found["seconds"].values()), found["cpu_seconds"]
        logs.append((math.log(rows), math.log(seconds), math.log(cpu)))
        print(
            f"{rows:>10,}{seconds:>9.1f}{cpu:>8.1f}{rows / seconds:>10,.0f}{found['peak_mb']:>9.0f}{load:>6.1f}",
            flush=True,
        )
    if len(logs) > 1:
        sizes, walls, cpus = zip(*logs, strict=True)
        fitted = [statistics.linear_regression(sizes, values).slope for values in (walls, cpus)]
        print(f"seconds ~ rows ** {fitted[0]:.3f}, CPU seconds ~ rows ** {fitted[1]:.3f} (1 is linear)")


def servers(said: argparse.Namespace, folder: Path) -> None:
    """Our part on each kind of database, in turns, so that a load of the machine falls on all of them."""
    from corpus_pipeline_tests.servers.mariadb import MariaDB
    from corpus_pipeline_tests.servers.postgres import Postgres

    source = generate(said.rows, said.seed, folder)
    print(f"{said.rows:,} rows, {source.stat().st_size / 1e6:.0f} MB")
    print(
        f"{'database':<12}{'seconds':>9}{'CPU s':>8}{'server CPU s':>14}{'rows/s':>9}{'peak MB':>9}{'rows out':>10}  load"
    )
    with (
        MariaDB(folder / "mariadb", durable=True, options={"innodb_buffer_pool_size": "1G"}) as mariadb,
        Postgres(folder / "postgres", durable=True, options={"shared_buffers": "1GB"}) as postgres,
    ):
        for number in range(said.rounds):
            for name, server in (("sqlite", None), ("mariadb", mariadb), ("postgres", postgres)):
                own = folder / f"{name}-{number}"
                own.mkdir()
                load = os.getloadavg()[0]
                before = server_seconds(server.server.pid) if server else 0.0
                found = measure("corpus-pipeline", source, own, server.fresh_database() if server else None)
                of_server = server_seconds(server.server.pid) - before if server else 0.0
                total = sum(found["seconds"].values())
                print(
                    f"{name:<12}{total:>9.2f}{found['cpu_seconds']:>8.1f}{of_server:>14.1f}{said.rows / total:>9,.0f}"
                    f"{found['peak_mb']:>9.0f}{found['rows_out']:>10,}{load:>6.1f}"
                )
                print(
                    "  " + ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in found["seconds"].items()),
                    flush=True,
                )


def server_seconds(pid: int) -> float:
    """CPU seconds of a server's process, of its children and of those that have ended."""
    ticks = os.sysconf("SC_CLK_TCK")
    pids = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    total = 0
    for one in pids:
        words = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, words[11:15] if one == pid else words[11:13]))
    return total / ticks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", help="CORPUS_DATABASE_URL of an empty database; default: SQLite")
    parser.add_argument("--servers", action="store_true", help="our part alone, on SQLite, MariaDB and PostgreSQL")
    parser.add_argument("--rounds", type=int, default=1, help="how often with --servers")
    parser.add_argument("--peers", action="store_true", help="run the tools of peer_runs.py too")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "corpus-pipeline-benchmarks")
    parser.add_argument("--scaling", nargs="+", type=int, metavar="ROWS", help="our part alone, for each size")
    parser.add_argument("--part", nargs=3, metavar=("NAME", "SOURCE", "FOLDER"), help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.part:
        run_part(said.part[0], Path(said.part[1]), Path(said.part[2]), said.database)
        return
    with tempfile.TemporaryDirectory(prefix="corpus-bench-") as name:
        if said.servers:
            servers(said, Path(name))
        elif said.scaling:
            scaling(said, Path(name))
        else:
            compare(said, Path(name))


if __name__ == "__main__":
    main()
