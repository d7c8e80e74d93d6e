"""A small corpus with one row of every kind, its recipe, and a stand-in whose faults depend on the request alone."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus_pipeline.llm_stub import StubOptions, running
from corpus_pipeline.llm_stub.faults import Fault, uniform
from corpus_pipeline.llm_stub.latency import NO_LATENCY, Latency
from corpus_pipeline.llm_stub.server import RunningStub
from corpus_pipeline_tests.servers.mariadb import MariaDB
from corpus_pipeline_tests.servers.postgres import Postgres

SERVER_KINDS: dict[str, type[MariaDB] | type[Postgres]] = {"mariadb": MariaDB, "postgres": Postgres}
NAMES = ("birds", "rivers", "trains")

RECIPE = """
name: small
ingest: {batch_size: 3}
clean:
  batch_size: 3
  dedup: {scope: corpus, threshold: 3}
augment:
  model: corpus-stub
  batch_size: 3
  concurrency: 2
  backoff_cap_seconds: 0.02
  strategies: [paraphrase, self_refine]
export:
  batch_size: 3
  gate: {max_failed: 100, max_rejected: 1}
"""

_WORDS = (
    "morning harbour painter ladder whisper copper garden engine lantern valley teacher bridge winter orange pocket window"
    " singer timber carpet planet sailor butter market thunder feather castle mirror village kitchen doctor camera forest"
    " island letter cotton dragon silver museum pepper station ticket meadow farmer shadow basket candle rocket tunnel"
    " blanket compass journal chimney orchard puzzle saddle trumpet violin walnut anchor barrel cellar desert echo falcon"
).split()
_LINKS = (
    "near the",
    "behind an old",
    "without a",
    "and then the",
    "because every",
    "under this",
    "with one",
    "before the",
)


def prose(subject: str, n: int, sentences: int) -> str:
    """Plain sentences that no other (subject, n) shares."""
    chance = random.Random(f"{subject} {n}")
    made = []
    for _ in range(sentences):
        words = chance.sample(_WORDS, 6)
        made.append(
            " ".join(f"{word} {chance.choice(_LINKS)}" for word in words).capitalize() + f" {chance.choice(_WORDS)}."
        )
    return " ".join(made)


def record(subject: str, n: int) -> dict[str, object]:
    """A conversation that every rule keeps."""
    question = f"What happened to the {subject} on day {n}? {prose('question ' + subject, n, 1)}"
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": prose(subject, n, 5)}]
    return {"messages": messages}


def lines(subject: str) -> list[bytes]:
    """Seven lines: three good ones, a repetition, a blank answer, broken JSON, and a row that all files share."""
    empty = {
        "messages": [{"role": "user", "content": f"Say nothing of {subject}."}, {"role": "assistant", "content": ""}]
    }
    rows = [
        record(subject, 1),
        record("maps", 9),
        record(subject, 2),
        record(subject, 1),
        empty,
        None,
        record(subject, 3),
    ]
    return [b'{"messages": [' if row is None else json.dumps(row).encode() for row in rows]


def fast_folder() -> Path | None:
    """Memory instead of a disk where there is one: what is killed here is the process, not the machine."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and os.access(memory, os.W_OK) else None


def write_files(folder: Path) -> list[Path]:
    """The three dataset files of seven lines each."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.jsonl" for name in NAMES]
    for path in paths:
        path.write_bytes(b"\n".join(lines(path.stem)) + b"\n")
    return paths


def write_recipe(folder: Path, text: str = RECIPE) -> Path:
    path = folder / "small.yaml"
    path.write_text(text)
    return path


class FaultOfRequest:
    """Decides by the request alone: some requests never get a good answer, some fail on their first attempt.

    So the corpus that comes out does not depend on how often a call was made, as it would with a fault a call.
    """

    NEVER = (Fault.CUT, Fault.CONTENT_POLICY, Fault.REFUSAL, Fault.EMPTY)
    AT_FIRST = (Fault.SERVER_ERROR, Fault.RATE_LIMIT, Fault.RESET, Fault.ANSWERED_RESET, Fault.BAD_BODY, Fault.NO_USAGE)

    def __init__(self, seed: int = 0, share: float = 0.2) -> None:
        self._seed, self._share = seed, share
        self._calls: dict[str, int] = {}

    def draw(self, request_hash: str, attempt: int) -> Fault | None:
        call = self._calls[request_hash] = self._calls.get(request_hash, 0) + 1
        point = uniform(self._seed, request_hash, 0, "class")
        choice = uniform(self._seed, request_hash, 0, "which")
        if point < self._share:
            return self.NEVER[int(choice * len(self.NEVER))]
        if point < 2 * self._share and call == 1:
            return self.AT_FIRST[int(choice * len(self.AT_FIRST))]
        return None


@contextmanager
def stand_in(folder: Path, latency: Latency = NO_LATENCY, retry_after: float = 0.01) -> Iterator[RunningStub]:
    """A stand-in with `FaultOfRequest`; its request log is `folder/invoice.jsonl`."""
    options = StubOptions(0, latency, retry_after=retry_after, request_log=folder / "invoice.jsonl")
    with running(options) as stub:
        stub.app.engine.mix = FaultOfRequest()  # type: ignore[assignment]
        yield stub


def invoice(folder: Path) -> list[dict[str, object]]:
    """The lines of the stand-in's request log."""
    path = folder / "invoice.jsonl"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def begin_anew(folder: Path, stub: RunningStub) -> None:
    """Forget all calls that were made: another corpus begins."""
    (folder / "invoice.jsonl").write_bytes(b"")
    stub.app.engine.mix = FaultOfRequest()  # type: ignore[assignment]
