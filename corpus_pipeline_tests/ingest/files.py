"""Writing dataset files for tests and reading them to their end."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import NamedTuple

from corpus_pipeline.formats import by_name
from corpus_pipeline.model import Conversation, Reject
from corpus_pipeline.stages.ingest.conversations import read_batches
from corpus_pipeline.stages.ingest.source import START, Compression, Container, Limits, Position, Source

QA = by_name("question_answer")
GOOD = b'{"question":"q","answer":"a"}'


class Outcome(NamedTuple):
    conversations: list[Conversation]
    rejects: list[Reject]
    blanks: int
    positions: list[Position]

    @property
    def lines(self) -> int:
        return len(self.conversations) + len(self.rejects) + self.blanks

    @property
    def reasons(self) -> list[str]:
        return [reject.reason.value for reject in self.rejects]


def source_of(path: Path, content: bytes, name: str = "data.jsonl") -> Source:
    """Write the bytes; a name with .gz packs them."""
    packed = name.endswith(".gz")
    file = path / name
    file.write_bytes(gzip.compress(content, 1) if packed else content)
    container = Container.ARRAY if ".json" in name and ".jsonl" not in name else Container.LINES
    return Source(file, container, Compression.GZIP if packed else Compression.NONE)


def read_all(source: Source, batch_size: int = 5000, start: Position = START, limits: Limits | None = None) -> Outcome:
    conversations, rejects, blanks, positions = list[Conversation](), list[Reject](), 0, list[Position]()
    for batch in read_batches(source, QA, batch_size, start, limits):
        conversations += batch.conversations
        rejects += batch.rejects
        blanks += batch.blanks
        positions.append(batch.next_position)
    return Outcome(conversations, rejects, blanks, positions)
