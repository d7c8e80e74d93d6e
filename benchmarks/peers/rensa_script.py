"""rensa: MinHash over words and an LSH index at a threshold of .8, as its README has it; the first row of each group stays.

python rensa_script.py TEXTS OUT WORK: TEXTS holds JSONL files with the keys `id` and `text`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rensa import RMinHash, RMinHashLSH

PERMUTATIONS, BANDS, THRESHOLD = 128, 16, 0.8


def main() -> None:
    texts, out, _ = (Path(name) for name in sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    index, prints = RMinHashLSH(THRESHOLD, PERMUTATIONS, BANDS), dict[int, RMinHash]()
    with (out / "0.jsonl").open("w", encoding="utf-8") as kept:
        for path in sorted(texts.glob("*.jsonl")):
            for line in path.read_text(encoding="utf-8").split("\n"):
                if line and is_new(json.loads(line)["text"], index, prints):
                    kept.write(line + "\n")


def is_new(text: str, index: RMinHashLSH, prints: dict[int, RMinHash]) -> bool:
    """Whether no row before is alike; the row is remembered when it is new."""
    own = RMinHash(PERMUTATIONS, 42)
    own.update(text.lower().split())
    if any(own.jaccard(prints[place]) >= THRESHOLD for place in index.query(own)):
        return False
    prints[len(prints)] = own
    index.insert(len(prints) - 1, own)
    return True


if __name__ == "__main__":
    main()
