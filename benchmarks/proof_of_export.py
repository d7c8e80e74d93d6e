"""What checking a signed export costs a line, and how many of many changed bits are found.

    python benchmarks/proof_of_export.py [--lines 100000] [--trials 1000] [--data FILE.jsonl]

The rows are made, or the lines of a JSONL file. Only the leaves are made up: signing, tree and check are the product's own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus_pipeline.errors import CorpusError
from corpus_pipeline.stages.export import manifest, proof


def export(folder: Path, lines: list[bytes]) -> None:
    content = b"".join(line + b"\n" for line in lines)
    (folder / "rows.jsonl").write_bytes(content)
    stored = manifest.StoredFile(
        "data", "rows.jsonl", None, len(lines), len(content), hashlib.sha256(content).hexdigest(), "none"
    )
    facts = manifest.ExportFacts("rows", "0" * 64, len(content), "chat", "chat", "default", "1" * 64)
    (folder / "manifest.json").write_bytes(manifest.build(facts, [stored]))


def leaves(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    call = {"model": "m", "prompt_version": "2" * 64, "request_key": "3" * 64, "input_tokens": 328, "cost_usd": 7e-05}
    for number, line in enumerate(lines, start=1):
        digest = hashlib.sha256(line).hexdigest()
        source = {
            "sha256": "0" * 64,
            "row": number,
            "line": number,
            "byte_offset": 0,
            "bytes": 200,
            "bytes_sha256": digest,
        }
        people = [{"who": "ann", "action": "add", "at": 1}]
        yield {"line": number, "sha256": digest, "source": source, "calls": [call], "people": people}


def found_bits(folder: Path, key: Any, trials: int, seed: int) -> int:
    chance, found = random.Random(seed), 0
    files = sorted(path for path in folder.iterdir() if path.is_file())
    for number in range(trials):
        path = files[number % len(files)]
        content = path.read_bytes()
        bit, changed = chance.randrange(len(content) * 8), bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            proof.check(folder, key)
        except CorpusError:
            found += 1
        path.write_bytes(content)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="corpus-proof-") as name:
        base = Path(name)
        public = proof.public_key(proof.new_key(base / "key.pem"))
        private = proof.private_key(base / "key.pem")
        if options.data:
            lines = options.data.read_bytes().splitlines()[: options.lines]
        else:
            lines = [json.dumps({"id": n, "text": "a word or two " * 30}).encode() for n in range(options.lines)]
        for folder, part in ((base / "large", lines), (base / "small", lines[:200])):
            folder.mkdir()
            export(folder, part)
            made = proof.write_leaves(folder / proof.LEAVES, leaves(part))
            subject = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
            statement = proof.signed(subject, {"name": "rows", "purged_rows": []}, made, private)
            (folder / proof.ENVELOPE).write_bytes(statement)
        took = []
        for _ in range(3):
            began = time.perf_counter()
            proof.check(base / "large", public)
            took.append(time.perf_counter() - began)
        found = found_bits(base / "small", public, options.trials, options.seed)
    print(f"{len(lines):,} lines checked in {min(took):.2f} s: {min(took) / len(lines) * 1e6:.1f} microseconds a line")
    print(f"{found:,} of {options.trials:,} changed bits found (seed {options.seed})")


if __name__ == "__main__":
    main()
