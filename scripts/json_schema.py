"""Writes docs/schema.json, the schema of every JSON answer, from the records of `service`.

.venv/bin/python scripts/json_schema.py          write it
.venv/bin/python scripts/json_schema.py --check  fail when it is not what the code says
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from corpus_pipeline.service.json_schema import document

TARGET = Path(__file__).parents[1] / "docs" / "schema.json"


def main() -> int:
    text = json.dumps(document(), indent=1, ensure_ascii=False) + "\n"
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        print("docs/schema.json is not what the code says. Run: python scripts/json_schema.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
