"""datatrove's quality filters as they install: `python datatrove_filters.py ROWS.jsonl DROPPED.jsonl`.

Each filter looks at every row by itself; a line is written for each row that it would drop.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)

FILTERS = {
    "GopherRepetition": GopherRepetitionFilter(),
    "GopherQuality": GopherQualityFilter(),
    "C4Quality": C4QualityFilter(),
    "FineWebQuality": FineWebQualityFilter(),
}


def main() -> None:
    """Write one line for each row and filter that drops it."""
    source, out = map(Path, sys.argv[1:3])
    with source.open(encoding="utf-8") as rows, out.open("w", encoding="utf-8") as dropped:
        for line in rows:
            row = json.loads(line)
            for name, one in FILTERS.items():
                verdict = one.filter(Document(text=row["text"], id=row["id"]))
                keep, reason = verdict if isinstance(verdict, tuple) else (verdict, "")
                if not keep:
                    dropped.write(json.dumps({"id": row["id"], "filter": name, "reason": str(reason)}) + "\n")


if __name__ == "__main__":
    main()
