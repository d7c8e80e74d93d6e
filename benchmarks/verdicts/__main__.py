"""Duplicates on corpora of others: what is dropped of each file, beside a MinHash script, and recall by kind of noise.

    python benchmarks/verdicts ../shared/data            # every .json and .jsonl file below a folder
    python benchmarks/verdicts ../shared/data --pairs 10 # and pairs of near-duplicates to read
    python benchmarks/verdicts ../shared/data --recall 40

No corpus comes with the project. The peer is rensa's MinHash over words with a threshold of .8, as its README has it: it
knows nothing of questions and answers, so that its drops with another answer are the harm that templates do.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from corpora import below, conversations, duplicates, places
from recall import Count, kinds, measured
from rensa import RMinHash, RMinHashLSH

from corpus_pipeline.model import Conversation
from corpus_pipeline.stages.clean.dedup.duplicates import EXACT

PERMUTATIONS, BANDS, THRESHOLD = 128, 16, 0.8
LONGEST = 20_000  # characters of a row that noise is made of


def main() -> int:
    """Print one line for each file, the sums, pairs and recall as asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--pairs", type=int, default=0, help="print this many near-duplicates of each file")
    parser.add_argument("--recall", type=int, default=0, help="noisy copies of each kind and file")
    said = parser.parse_args()
    sums, recalled = Counter[str](), Counter[tuple[str, str, str]]()
    print(
        f"{'file':56} {'rows':>6} {'exact':>6} {'near':>5} {'other answer':>12} {'peer drops':>10} {'other answer':>12}"
    )
    for folder in said.folders:
        for corpus in below(folder):
            try:
                rows = conversations(corpus.records)
            except ValueError as error:
                print(f"{corpus.name:56} SKIPPED {error}")
                continue
            sums.update(one_file(corpus.name, rows, said.pairs))
            if said.recall:
                short = [
                    row for row in rows if sum(len(text) for turn in row.turns for _, text in turn.texts()) < LONGEST
                ]
                for (kind, length), count in measured(short, said.recall, 1).items():
                    recalled[kind, length, "found"] += count.found
                    recalled[kind, length, "made"] += count.made
    print(f"{'all':56} " + " ".join(f"{key} {value:,}" for key, value in sums.items()))
    if said.recall:
        show_recall(recalled)
    return 0


def one_file(name: str, rows: Sequence[Conversation], pairs: int) -> Counter[str]:
    """What ours and the peer drop of a file."""
    begun = time.process_time()
    found = duplicates(rows)
    seconds = time.process_time() - begun
    exact = int((found.kinds == EXACT).sum())
    near = found.kinds != EXACT
    drops = list(zip(places(found.ids[near]), places(found.duplicate_of[near]), strict=True))
    begun = time.process_time()
    peer = by_minhash(rows)
    peer_seconds = time.process_time() - begun
    other = sum(answer(rows[one]) != answer(rows[keeper]) for one, keeper in drops)
    peer_other = sum(answer(rows[one]) != answer(rows[keeper]) for one, keeper in peer)
    print(f"{name:56} {len(rows):6,} {exact:6,} {len(drops):5,} {other:12,} {len(peer):10,} {peer_other:12,}")
    for one, keeper in drops[:pairs]:
        print(f"    kept    {shown(rows[keeper])}\n    dropped {shown(rows[one])}")
    return Counter(
        rows=len(rows),
        exact=exact,
        near=len(drops),
        near_other_answer=other,
        peer=len(peer),
        peer_other_answer=peer_other,
    ) + Counter(ms=int(seconds * 1000), peer_ms=int(peer_seconds * 1000))


def by_minhash(rows: Sequence[Conversation]) -> list[tuple[int, int]]:
    """(row, the lower row that it is like) by rensa."""
    index, found, prints = RMinHashLSH(THRESHOLD, PERMUTATIONS, BANDS), [], list[RMinHash]()
    for number, row in enumerate(rows):
        one = RMinHash(PERMUTATIONS, 42)
        one.update(" ".join(text for turn in row.turns for _, text in turn.texts()).lower().split())
        prints.append(one)
        like = [place for place in index.query(one) if one.jaccard(prints[place]) >= THRESHOLD]
        if like:
            found.append((number, min(like)))
        else:
            index.insert(number, one)
    return found


def answer(row: Conversation) -> list[str]:
    """The answers of a row, without case and blanks."""
    return [" ".join((turn.response or "").lower().split()) for turn in row.turns]


def shown(row: Conversation) -> str:
    """A row on one line."""
    return " | ".join(" ".join(text.split())[-160:] for turn in row.turns for _, text in turn.texts())


def show_recall(recalled: Counter[tuple[str, str, str]]) -> None:
    """Print found of made by kind and class of length."""
    for kind in kinds():
        cells = [
            (length, Count(recalled[kind, length, "found"], recalled[kind, length, "made"]))
            for length in ("0-100", "100-400", "400-1000", "1000-")
        ]
        print(f"{kind:30} " + "  ".join(f"{a}: {c.found}/{c.made} {c.found / c.made:.2f}" for a, c in cells if c.made))


if __name__ == "__main__":
    sys.exit(main())
