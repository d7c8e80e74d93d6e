"""text-dedup: its MinHash command as its documentation has it, then the kept rows as JSONL.

python text_dedup_minhash.py TEXTS OUT WORK: TEXTS holds JSONL files with the keys `id` and `text`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from datasets import load_from_disk

WORKERS = 2


def main() -> None:
    texts, out, work = (Path(name) for name in sys.argv[1:])
    command = [sys.executable, "-m", "text_dedup.minhash", "--path", "json", "--data_files", str(texts / "*.jsonl")]
    command += ["--split", "train", "--column", "text", "--cache_dir", str(work / "cache")]
    command += ["--output", str(work / "kept"), "--num_proc", str(WORKERS)]
    subprocess.run(command, check=True)
    out.mkdir(parents=True, exist_ok=True)
    load_from_disk(str(work / "kept")).to_json(out / "0.jsonl")


if __name__ == "__main__":
    main()
