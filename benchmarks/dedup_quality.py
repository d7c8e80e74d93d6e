"""Quality and speed of near-deduplication on a generated corpus with known duplicates.

    python benchmarks/generate_corpus.py 100000 --seed 1 --out /tmp/corpus.jsonl
    python benchmarks/dedup_quality.py /tmp/corpus.jsonl [--threshold 3] [--only default words simhash ...]

Prints for each method: recall of the planted near-duplicates, overall and by length (< 100, 100-300, 300-1000, > 1000
characters), of the exact ones, precision (found rows that are planted), distinct rows lost, rows/s with one process
(text in memory -> duplicates known), and the memory added to the texts. Each method runs in a process of its own.
Beside our schemes run PyPI `simhash` (Simhash + SimhashIndex, threshold 3) and, where installed, `datasketch` and
`rensa` MinHash LSH (128 permutations, word pairs, similarity 0.7); what is not installed is said.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import multiprocessing
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from corpus_pipeline.model import FileId, id_range
from corpus_pipeline.stages.clean.dedup import features
from corpus_pipeline.stages.clean.dedup.duplicates import find
from corpus_pipeline.stages.clean.dedup.schemes import SCHEMES, scheme_named
from corpus_pipeline.stages.clean.dedup.simhash import fingerprints

CLASSES = (100, 300, 1000)
SIMHASH_LIMIT = 20_000  # rows that the slow peers are given
PERMUTATIONS, SIMILARITY = 128, 0.7


def read(path: Path, limit: int | None) -> list[str]:
    """The text of each row: question and answer."""
    with path.open(encoding="utf-8") as lines:
        records = (json.loads(line) for line, _ in zip(lines, range(limit or 1 << 40), strict=False))
        return [f"{record['question']}\n{record['answer']}" for record in records]


def content_hashes(texts: list[str]) -> np.ndarray:
    """sha256 of the lower-cased text with single spaces: what counts as the same content here."""
    digests = [hashlib.sha256(" ".join(text.lower().split()).encode()).digest() for text in texts]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)


def ours(name: str, threshold: int) -> Callable[[list[str]], set[int]]:
    def run(texts: list[str]) -> set[int]:
        scheme = scheme_named(name)
        made = fingerprints(texts, scheme)
        first = id_range(FileId(1))[0] + 1
        ids = first + np.arange(len(texts))
        found = find(ids, content_hashes(texts), made.values, made.enough, made.signatures, scheme, threshold)
        return set((found.ids - first).tolist())

    return run


def simhash_package(texts: list[str]) -> set[int]:
    from simhash import Simhash, SimhashIndex

    index, found = SimhashIndex([], k=3), set()
    for row, text in enumerate(texts):
        value = Simhash(text)
        if index.get_near_dups(value):
            found.add(row)
        index.add(str(row), value)
    return found


def _pairs(text: str) -> list[str]:
    return features.ngrams(text.lower().split(), 2) or [text]


def datasketch_package(texts: list[str]) -> set[int]:
    from datasketch import MinHash, MinHashLSH

    index, found = MinHashLSH(threshold=SIMILARITY, num_perm=PERMUTATIONS), set()
    for row, text in enumerate(texts):
        value = MinHash(num_perm=PERMUTATIONS)
        value.update_batch([pair.encode() for pair in _pairs(text)])
        if index.query(value):
            found.add(row)
        index.insert(row, value)
    return found


def rensa_package(texts: list[str]) -> set[int]:
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=SIMILARITY, num_perm=PERMUTATIONS, num_bands=16)
    values, found = [], set()
    for row, text in enumerate(texts):
        value = RMinHash(num_perm=PERMUTATIONS, seed=1)
        value.update(_pairs(text))
        if any(values[other].jaccard(value) >= SIMILARITY for other in index.query(value)):
            found.add(row)
        index.insert(row, value)
        values.append(value)
    return found


PEERS = (
    ("simhash", simhash_package, SIMHASH_LIMIT),
    ("datasketch", datasketch_package, SIMHASH_LIMIT),
    ("rensa", rensa_package, None),
)


def measure(path: Path, run: Callable[[list[str]], set[int]], limit: int | None, queue: multiprocessing.Queue) -> None:
    """Put (rows, seconds, MiB added, found rows) into the queue."""
    texts = read(path, limit)
    run(texts[:200])  # tables, imports
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    found = run(texts)
    seconds = time.perf_counter() - started
    added = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    queue.put((len(texts), seconds, added // 1024, found))


def report(name: str, rows: int, seconds: float, added: int, found: set[int], truth: list[list[str]]) -> str:
    kinds = np.array([fields[1] for fields in truth[:rows]])
    characters = np.array([int(fields[4]) for fields in truth[:rows]])
    hit = np.zeros(rows, np.bool_)
    hit[list(found)] = True
    near, lost = kinds == "near", int((hit & (kinds == "distinct")).sum())
    length = np.digitize(characters, CLASSES)
    by_length = [hit[near & (length == number)] for number in range(len(CLASSES) + 1)]
    cells = [f"{hit[near].mean():.3f}", *(f"{part.mean():.2f}" if len(part) else "-" for part in by_length)]
    precision = 1 - lost / max(len(found), 1)
    cells += [f"{hit[kinds == 'exact'].mean():.3f}", f"{precision:.4f}", f"{lost} ({100 * lost / rows:.3f} %)"]
    return f"{name:22} {rows:>9,} " + " ".join(f"{cell:>7}" for cell in cells) + f" {rows / seconds:>9,.0f} {added:>6}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--threshold", type=int, default=3)
    parser.add_argument("--rows", type=int, help="only the first rows")
    parser.add_argument("--only", nargs="+", metavar="METHOD", help="of those in the first column")
    asked = parser.parse_args()
    with asked.corpus.with_name(asked.corpus.name + ".truth.tsv").open(encoding="utf-8") as lines:
        truth = [line.rstrip("\n").split("\t") for line in lines][1:]
    methods = [(scheme.name, ours(scheme.name, asked.threshold), asked.rows) for scheme in SCHEMES]
    for name, run, limit in PEERS:
        if importlib.util.find_spec(name) is None:
            print(f"SKIPPED {name}: not installed (pip install {name})")
        else:
            methods.append((name, run, min(limit or len(truth), asked.rows or len(truth))))
    heads = ("near", "<100", "<300", "<1000", ">=1000", "exact", "precis.", "distinct lost")
    print(f"{'method':22} {'rows':>9} " + " ".join(f"{head:>7}" for head in heads) + f" {'rows/s':>9} {'MiB':>6}")
    fork = multiprocessing.get_context("fork")
    for name, run, limit in methods:
        if asked.only and name not in asked.only:
            continue
        queue = fork.Queue()
        process = fork.Process(target=measure, args=(asked.corpus, run, limit, queue))
        process.start()
        print(report(name, *queue.get(), truth), flush=True)
        process.join()


if __name__ == "__main__":
    main()
