"""data-juicer: whitespace normalization and SimHash deduplication, both with their defaults, by its own command.

python data_juicer_simhash.py TEXTS OUT WORK: TEXTS holds JSONL files with the keys `id` and `text`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

WORKERS = 2


def main() -> None:
    texts, out, work = (Path(name) for name in sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    work.mkdir(parents=True, exist_ok=True)
    config = {
        "project_name": "peer",
        "dataset_path": str(texts),
        "export_path": str(out / "0.jsonl"),
        "work_dir": str(work),
        "np": WORKERS,
        "text_keys": "text",
        "use_cache": False,
        "open_tracer": False,
        "process": [{"whitespace_normalization_mapper": {}}, {"document_simhash_deduplicator": {}}],
    }
    path = work / "recipe.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    command = Path(sys.executable).with_name("dj-process")
    subprocess.run([command, "--config", path], check=True)


if __name__ == "__main__":
    main()
