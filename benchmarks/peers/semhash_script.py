"""semhash: semantic deduplication with its default encoder, as its README has it. The encoder is fetched from a model hub.

python semhash_script.py TEXTS OUT WORK: TEXTS holds JSONL files with the keys `id` and `text`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from semhash import SemHash


def main() -> None:
    texts, out, _ = (Path(name) for name in sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    lines = [line for path in sorted(texts.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").split("\n")]
    rows = [json.loads(line) for line in lines if line]
    found = SemHash.from_records(records=rows, columns=["text"]).self_deduplicate()
    with (out / "0.jsonl").open("w", encoding="utf-8") as kept:
        for row in found.selected:
            kept.write(json.dumps({"id": row["id"], "text": row["text"]}) + "\n")


if __name__ == "__main__":
    main()
