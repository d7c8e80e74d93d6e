"""Duplicates on the labelled pairs of `pairs/`: false drops and recall by kind, by part and by length.

    python benchmarks/verdicts/pairs.py          # tables, and each pair that is judged otherwise than labelled
    python benchmarks/verdicts/pairs.py --json   # the same figures for programs

Each pair is compared in both orders, alone in a file; it counts as dropped when either order drops a row.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from corpora import conversations, duplicates
from recall import bucket

PAIRS = Path(__file__).with_name("pairs") / "pairs.jsonl"


class Judged(NamedTuple):
    """A pair and how many of its two orders drop a row."""

    pair: dict[str, Any]
    length: str
    dropped: int

    def is_wrong(self) -> bool:
        """A pair of different rows must be kept in both orders, one of equal rows dropped in both."""
        return self.dropped < 2 if self.pair["same"] else self.dropped > 0


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--json", action="store_true")
    said = parser.parse_args()
    judged = list(map(judge, read()))
    if said.json:
        print(json.dumps(figures(judged)))
        return 0
    for key, count in sorted(figures(judged)["counts"].items()):
        print(f"{key:40} {count['pairs']:4} pairs, {count['wrong']:3} wrong")
    for one in judged:
        if one.is_wrong():
            print("missed" if one.pair["same"] else "false ", one.pair["id"], one.pair["part"], one.pair["reason"])
    return 0


def read() -> Iterable[dict[str, Any]]:
    """The labelled pairs."""
    with PAIRS.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def judge(pair: dict[str, Any]) -> Judged:
    """What ours makes of a pair. Raises ValueError when a record is not read as a row."""
    dropped = 0
    for records in ((pair["one"], pair["other"]), (pair["other"], pair["one"])):
        rows = conversations(records)
        if len(rows) != len(records):
            raise ValueError(f"pair {pair['id']}: one of its records is no row of the format that was found")
        dropped += len(duplicates(rows).ids)
    characters = sum(len(text) for turn in rows[1].turns for text in turn[:5] if text)
    return Judged(pair, bucket(characters), dropped)


def figures(judged: Iterable[Judged]) -> dict[str, Any]:
    """{counts: {"same|different kind part length": {pairs, wrong}}, wrong: [ids]}."""
    pairs, wrong = Counter[str](), Counter[str]()
    ids = []
    for one in judged:
        label = "same" if one.pair["same"] else "different"
        key = f"{label} {one.pair['kind']} {one.pair['part']} {one.length}"
        pairs[key] += 1
        wrong[key] += one.is_wrong()
        if one.is_wrong():
            ids.append(one.pair["id"])
    return {"counts": {key: {"pairs": pairs[key], "wrong": wrong[key]} for key in pairs}, "wrong": ids}


if __name__ == "__main__":
    sys.exit(main())
