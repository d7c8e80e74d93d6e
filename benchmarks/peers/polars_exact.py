"""A hand-written polars script: exact duplicates by the folded text, one process, nothing kept but the answer.

python polars_exact.py TEXTS OUT WORK: TEXTS holds JSONL files with the keys `id` and `text`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars


def main() -> None:
    texts, out, _ = (Path(name) for name in sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    rows = polars.read_ndjson(sorted(texts.glob("*.jsonl")))
    folded = polars.col("text").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    kept = rows.with_columns(folded.hash().alias("key")).unique("key", keep="first", maintain_order=True).drop("key")
    kept.write_ndjson(out / "0.jsonl")


if __name__ == "__main__":
    main()
