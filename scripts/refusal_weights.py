"""Learn the weights of the second judge of refusals from the project's own labelled answers, and write them.

    python scripts/refusal_weights.py            # writes corpus_pipeline/stages/refusal_weights.bin
    python scripts/refusal_weights.py --folds 4  # writes nothing: recall and false alarms of lots that were left out

Logistic regression over runs of characters, all rows in each step (Adam), from zero: equal rows give equal weights. An
ordinary answer counts twice, for a row that is dropped wrongly costs more than one that stays.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from corpus_pipeline.stages.refusal_judge import BITS, SHORTEST_DENSE, WEIGHTS, places  # noqa: E402

LABELLED = [ROOT / "corpus_pipeline_tests/clean/refusals" / name for name in ("labelled.jsonl", "wordings.jsonl")]
PAIRS = ROOT / "benchmarks/verdicts/pairs/pairs.jsonl"
STEPS, RATE, SHRINK = 60, 0.05, 1e-7
ORDINARY = 3.0  # what an ordinary answer counts
THRESHOLDS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)

Places = list[np.ndarray[Any, Any]]
Numbers = np.ndarray[Any, Any]


def main() -> int:
    """Write the weights, or print one line for each threshold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--folds", type=int, default=0, help="leave out a part of the lots in turn")
    said = parser.parse_args()
    rows = [json.loads(line) for path in LABELLED for line in path.read_text(encoding="utf-8").splitlines()]
    rows += [{"answer": text, "refusal": False, "what": "everyday"} for text in everyday()]
    found = [places(row["answer"]) for row in rows]
    wanted = np.array([row["refusal"] for row in rows], float)
    if said.folds:
        show(rows, found, wanted, said.folds)
        return 0
    weights, constant = learnt(found, wanted)
    scale = float(np.abs(weights).max()) / 127
    head = np.array([scale, constant], "<f4").tobytes()
    WEIGHTS.write_bytes(head + np.round(weights / scale).astype(np.int8).tobytes())
    print(f"{len(rows):,} rows, {WEIGHTS.stat().st_size:,} bytes")
    return 0


def everyday() -> list[str]:
    """The texts of the labelled pairs of duplicates: questions and answers of all kinds, none of them near a refusal."""

    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            for part in value.values() if isinstance(value, dict) else value:
                yield from texts(part)

    lines = PAIRS.read_text(encoding="utf-8").splitlines()
    return sorted({text for line in lines for text in texts(json.loads(line)) if SHORTEST_DENSE <= len(text) <= 400})


def show(rows: list[dict[str, Any]], found: Places, wanted: Numbers, folds: int) -> None:
    """Print what is found of lots that the weights have not seen."""
    fold = np.array([zlib.crc32(_lot(row).encode()) % folds for row in rows])
    scores = np.zeros(len(rows))
    for one in range(folds):
        seen = np.flatnonzero(fold != one)
        weights, constant = learnt([found[row] for row in seen], wanted[seen])
        for row in np.flatnonzero(fold == one):
            scores[row] = constant + weights[found[row]].sum() / np.sqrt(len(found[row]))
    for threshold in THRESHOLDS:
        over = scores > threshold
        print(f"{threshold:4.1f}  recall {over[wanted > 0].mean():.3f}  false {over[wanted == 0].mean():.4f}")


def _lot(row: dict[str, Any]) -> str:
    """What is left out together: a lot, of large ones each answer by itself."""
    return row["what"] if row["what"].startswith("varied") else row["answer"]


def learnt(found: Places, wanted: Numbers) -> tuple[Numbers, float]:
    """(the weight of each place, the constant)."""
    sizes = np.array([len(one) for one in found])
    row_of, place_of = np.repeat(np.arange(len(found)), sizes), np.concatenate(found).astype(np.int64)
    share = 1 / np.sqrt(sizes)
    counts = np.where(wanted > 0, 1.0, ORDINARY)
    weights, first, second = (np.zeros((1 << BITS) + 1) for _ in range(3))  # the last one is the constant
    for step in range(1, STEPS + 1):
        odds = weights[-1] + np.bincount(row_of, weights[place_of], minlength=len(found)) * share
        error = (1 / (1 + np.exp(-np.clip(odds, -30, 30))) - wanted) * counts / counts.sum()
        slope = np.append(np.bincount(place_of, (error * share)[row_of], minlength=1 << BITS), error.sum())
        slope[:-1] += SHRINK * weights[:-1]
        first, second = 0.9 * first + 0.1 * slope, 0.99 * second + 0.01 * slope**2
        weights = weights - RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-9)
    return weights[:-1], float(weights[-1])


if __name__ == "__main__":
    sys.exit(main())
