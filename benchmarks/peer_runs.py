"""Runs the programs in `peers/` on the generated corpus, each in an environment of its own, and says what they kept."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

FILES = 2  # as many as the workers that tools with one file per worker can then use
_TIMEOUT = 3600


class Peer(NamedTuple):
    """program: a file in `peers/`; packages: what pip installs for it, pinned so that figures stay comparable."""

    name: str
    program: str
    packages: tuple[str, ...]


PEERS = (
    Peer("polars script, exact only", "polars_exact.py", ("polars==1.*",)),
    Peer("datatrove MinHash", "datatrove_minhash.py", ("datatrove[io,processing]==0.10.*", "spacy==3.*", "orjson")),
    Peer("data-juicer SimHash", "data_juicer_simhash.py", ("py-data-juicer==1.6.*", "simhash-pybind", "aiohttp")),
    Peer("text-dedup MinHash", "text_dedup_minhash.py", ("text-dedup==0.4.*",)),
)


class Skipped(Exception):
    """This peer cannot be measured here."""


def texts(source: Path, folder: Path) -> Path:
    """The corpus as peers read it: files of equal numbers of rows with `id` (1-based line) and `text`. Not timed."""
    folder.mkdir()
    with source.open(encoding="utf-8") as lines:
        rows = list(map(json.loads, lines))
    size = -(-len(rows) // FILES)
    for number in range(FILES):
        with (folder / f"{number}.jsonl").open("w", encoding="utf-8") as out:
            for line, row in enumerate(rows[number * size : (number + 1) * size], number * size + 1):
                out.write(json.dumps({"id": str(line), "text": f"{row['question']}\n{row['answer']}"}) + "\n")
    return folder


def installed(peer: Peer, cache: Path) -> Path:
    """The interpreter of the peer's environment, which is made when there is none. Raises Skipped."""
    folder = cache / Path(peer.program).stem
    python = folder / "bin" / "python"
    if (folder / "complete").exists():
        return python
    venv.create(folder, with_pip=True, clear=True)
    done = subprocess.run([python, "-m", "pip", "install", "-q", *peer.packages], capture_output=True, text=True)
    if done.returncode:
        raise Skipped(f"pip install {' '.join(peer.packages)}: {done.stderr.strip()[-300:]}")
    (folder / "complete").touch()
    return python


def run(peer: Peer, python: Path, source: Path, out: Path, work: Path) -> None:
    """One run. Raises Skipped when the program fails."""
    program = Path(__file__).with_name("peers") / peer.program
    done = subprocess.run([python, program, source, out, work], capture_output=True, text=True, timeout=_TIMEOUT)
    if done.returncode:
        raise Skipped(f"exit status {done.returncode}: {done.stderr.strip()[-300:]}")


def kept(out: Path) -> set[int]:
    """The lines of the corpus whose rows are in the output."""
    found = set()
    for path in out.glob("*.jsonl"):
        with path.open(encoding="utf-8") as lines:
            found.update(int(json.loads(line)["id"]) for line in lines)
    return found


if __name__ == "__main__":
    sys.exit("run pipeline.py --peers")
