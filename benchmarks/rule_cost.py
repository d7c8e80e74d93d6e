"""What the cleaning rules cost a row, in CPU microseconds and as a multiple of a yardstick, by rule and together.

    python benchmarks/rule_cost.py FOLDER...          # dataset files, as in verdicts/harm.py
    python benchmarks/rule_cost.py FOLDER... --peers CACHE

The yardstick is what the standard library takes to write the same rows as JSON and to read them again, measured between
the rules in the same process: the multiple is about the same on another machine, and under load. Rules work as they do in
a run, each row seen once by the rules in their order; the cost of one rule is what it adds by itself. The peer is
datatrove: its quality filters on the texts of the same rows, by their CPU time beside the yardstick.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import process_time

sys.path.insert(0, str(Path(__file__).parent / "verdicts"))

from corpora import below, read_rows
from peer_runs import Peer, Skipped, installed

from corpus_pipeline.model import Conversation
from corpus_pipeline.stages.clean.rules import DEFAULT_RULES, build
from corpus_pipeline.stages.clean.rules.base import Rule, View

DATATROVE = Peer("datatrove", "datatrove_filters.py", ("datatrove[io,processing]==0.10.*", "spacy==3.*", "orjson"))
Rows = list[tuple[Conversation, bool]]  # a row, and whether its format joins texts


def main() -> int:
    """Print a line for each rule, one for all, and one for the peer."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=20_000, help="rows")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many is shown")
    parser.add_argument("--peers", type=Path, help="run the peer; its environment is kept in this folder")
    said = parser.parse_args()
    rows = rows_of(said.folders)[: said.limit]
    plain = [[turn._asdict() for turn in row.turns] for row, _ in rows]
    yard = [measured(lambda: yardstick(plain))]
    costs = dict[str, list[float]]()
    for _ in range(said.rounds):
        for name in ("views alone", *DEFAULT_RULES, "all default rules"):
            rules = list(build(None)) if name == "all default rules" else [r for r in build(None) if r.name == name]
            costs.setdefault(name, []).append(measured(lambda rules=rules: work(rules, rows)))
        yard.append(measured(lambda: yardstick(plain)))
    unit = median(yard)
    print(f"{len(rows):,} rows; yardstick {unit / len(rows) * 1e6:.1f} us a row")
    views = median(costs["views alone"])
    for name, seconds in costs.items():
        own = median(seconds) - (0 if name in ("views alone", "all default rules") else views)
        print(f"{name:22} {own / len(rows) * 1e6:8.1f} us a row {own / unit:7.2f} x")
    if said.peers:
        print(peer_line(said.peers, rows, unit))
    return 0


def rows_of(folders: Sequence[Path]) -> Rows:
    """All rows that a format reads."""
    found: Rows = []
    for folder in folders:
        for corpus in below(folder):
            try:
                rows, joined = read_rows(corpus.records)
            except ValueError as error:
                print(f"{corpus.name}: left out, {error}", file=sys.stderr)
                continue
            found += [(row, joined) for row in rows]
    return found


def work(rules: list[Rule], rows: Rows) -> None:
    """The rules in their order over all rows; a dropped row is seen by no further rule."""
    for row, joined in rows:
        view = View(row.turns, tools=row.tools, joined=joined)
        for rule in rules:
            if rule.screen(view):
                outcome = rule.apply(view)
                if outcome.drop_reason is not None:
                    break
                if outcome.turns is not view.turns:
                    view = View(outcome.turns, tools=row.tools, joined=joined)


def yardstick(plain: list[list[dict[str, object]]]) -> None:
    """Each row written as JSON and read again."""
    for row in plain:
        json.loads(json.dumps(row, default=str))


def measured(act: Callable[[], None]) -> float:
    """CPU seconds of this process."""
    begun = process_time()
    act()
    return process_time() - begun


def peer_line(cache: Path, rows: Rows, unit: float) -> str:
    """The cost of the peer's filters on the same rows, in a line."""
    cache.mkdir(parents=True, exist_ok=True)
    source = cache / "cost.jsonl"
    with source.open("w", encoding="utf-8") as out:
        for number, (row, _) in enumerate(rows):
            text = "\n".join(text for turn in row.turns for _, text in turn.texts())
            out.write(json.dumps({"id": str(number), "text": text}) + "\n")
    try:
        python = installed(DATATROVE, cache)
        begun = resource.getrusage(resource.RUSAGE_CHILDREN)
        program = Path(__file__).parent / "peers" / DATATROVE.program
        subprocess.run([python, program, source, cache / "dropped.jsonl"], check=True, timeout=1800)
    except (Skipped, subprocess.SubprocessError) as error:
        return f"{DATATROVE.name}: not run, {error}"
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime
    return f"{DATATROVE.name + ', 4 filters':22} {seconds / len(rows) * 1e6:8.1f} us a row {seconds / unit:7.2f} x"


if __name__ == "__main__":
    sys.exit(main())
