"""Deduplication beside five other tools on two corpora in one run, as ratios: what is found, and what is lost by it.

    python benchmarks/side_by_side.py ../shared/data/t0_tasks [--rows 20000] [--cache FOLDER] [--only NAME]

Corpora: the generated one (`generate_corpus.py`; its truth says which rows repeat an earlier one) and every file of a folder
of templated tasks, joined to one corpus. Each tool is a program of `peers/` in an environment of its own, which is made in
the cache folder; a tool that cannot be installed or started is printed as skipped with the reason.

Of the generated corpus: repetitions that were found (exact copies and planted word edits, in short questions too, where
one word makes another question by docs/duplicates.md), and rows of which no copy stayed. Of the tasks: rows that were
dropped, and how many of them have no row that stayed with the same question and answer but for case, blanks and
punctuation (`lost`), or with the same answer at all (`answer lost`). CPU seconds are those of the whole program with its
start, as a ratio to ours.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).with_name("verdicts")))

import generate_corpus
import peer_runs
from corpora import below, conversations
from peer_runs import Peer

OURS = Peer("corpus-pipeline", "ours.py", ())
PEERS = (
    *(peer for peer in peer_runs.PEERS if "exact only" not in peer.name),
    Peer("rensa script", "rensa_script.py", ("rensa==0.5.*",)),
    Peer("semhash script", "semhash_script.py", ("semhash==0.5.*",)),
)


class Row(NamedTuple):
    """group: of the generated corpus, the row that this one repeats or is, counted from 1; else 0."""

    question: str
    answer: str
    group: int = 0


def main() -> int:
    """Print one line for each corpus and tool."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("tasks", type=Path)
    parser.add_argument("--rows", type=int, default=20_000, help="of the generated corpus")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "corpus-peers")
    parser.add_argument("--only", help="of the tools those whose name has this in it, and ours")
    said = parser.parse_args()
    chosen = [peer for peer in PEERS if not said.only or said.only in peer.name]
    for name, rows in (("generated", list(generated(said.rows))), ("tasks", list(tasks(said.tasks)))):
        with tempfile.TemporaryDirectory() as folder:
            compare(name, rows, Path(folder), said.cache, chosen)
    return 0


def generated(count: int) -> Iterator[Row]:
    """The rows of the generated corpus."""
    for number, row in enumerate(generate_corpus.rows(count, 1, 0.1), 1):
        yield Row(row.question, row.answer, row.original or number)


def tasks(folder: Path) -> Iterator[Row]:
    """The rows of all files below a folder, each with its questions and answers joined."""
    for corpus in below(folder):
        for row in conversations(corpus.records):
            asked = [text for turn in row.turns for text in (turn.system, turn.prompt) if text]
            yield Row("\n".join(asked), "\n".join(turn.response for turn in row.turns if turn.response))


def compare(name: str, rows: Sequence[Row], folder: Path, cache: Path, peers: Sequence[Peer]) -> None:
    """Run ours and the peers on one corpus and print what they made of it."""
    texts = written(rows, folder / "texts")
    ours = 0.0
    for peer in (OURS, *peers):
        try:
            python = Path(sys.executable) if peer is OURS else peer_runs.installed(peer, cache)
            begun = children_seconds()
            out = folder / Path(peer.program).stem
            peer_runs.run(peer, python, texts, out / "out", out / "work")
        except peer_runs.Skipped as reason:
            print(f"{name:10} {peer.name:22} SKIPPED {' '.join(str(reason).split())[-240:]}", flush=True)
            continue
        seconds = children_seconds() - begun
        ours = ours or seconds
        kept = peer_runs.kept(out / "out")
        print(f"{name:10} {peer.name:22} CPU x{seconds / ours:<6.2f} {figures(rows, kept)}", flush=True)


def figures(rows: Sequence[Row], kept: set[int]) -> str:
    """What was found and what was lost; rows are numbered from 1."""
    dropped = [row for number, row in enumerate(rows, 1) if number not in kept]
    if rows[0].group:
        groups = {row.group for row in rows}
        gone = len(groups - {row.group for number, row in enumerate(rows, 1) if number in kept})
        return (
            f"repetitions found {len(dropped) - gone:,}/{len(rows) - len(groups):,}, rows lost with all copies {gone:,}"
        )
    stayed = [row for number, row in enumerate(rows, 1) if number in kept]
    pairs, answers = (
        {(folded(row.question), folded(row.answer)) for row in stayed},
        {folded(row.answer) for row in stayed},
    )
    lost = sum((folded(row.question), folded(row.answer)) not in pairs for row in dropped)
    answer_lost = sum(folded(row.answer) not in answers for row in dropped)
    return f"dropped {len(dropped):,}/{len(rows):,}, lost {lost:,}, answer lost {answer_lost:,}"


def folded(text: str) -> str:
    """A text without case, blanks and punctuation."""
    return re.sub(r"[\W_]+", "", text.lower())


def written(rows: Sequence[Row], folder: Path) -> Path:
    """The corpus as the programs read it, in as many files as `peer_runs` makes."""
    folder.mkdir(parents=True)
    size = -(-len(rows) // peer_runs.FILES)
    for number in range(peer_runs.FILES):
        with (folder / f"{number}.jsonl").open("w", encoding="utf-8") as out:
            for line, row in enumerate(rows[number * size : (number + 1) * size], number * size + 1):
                text = f"{row.question}\n{row.answer}"
                record = {"id": str(line), "text": text, "question": row.question, "answer": row.answer}
                out.write(json.dumps(record) + "\n")
    return folder


def children_seconds() -> float:
    """CPU seconds of the programs that were run so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
