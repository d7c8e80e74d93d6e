"""The deduplication of this project with its default recipe, in memory, on questions and answers.

python ours.py TEXTS OUT WORK: TEXTS holds JSONL files with the keys `id`, `question` and `answer`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "verdicts"))

from corpora import conversations, duplicates, places


def main() -> None:
    texts, out, _ = (Path(name) for name in sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    lines = [line for path in sorted(texts.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").split("\n")]
    rows = [json.loads(line) for line in lines if line]
    found = conversations([{"question": row["question"], "answer": row["answer"]} for row in rows])
    dropped = set(places(duplicates(found).ids))
    with (out / "0.jsonl").open("w", encoding="utf-8") as kept:
        for place, row in enumerate(rows):
            if place not in dropped:
                kept.write(json.dumps({"id": row["id"]}) + "\n")


if __name__ == "__main__":
    main()
