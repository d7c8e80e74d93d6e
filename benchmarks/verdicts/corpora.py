"""Rows of training files in memory, cleaned of nothing, and the duplicates among them by a recipe's dedup section."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from corpus_pipeline.formats import detect
from corpus_pipeline.formats.mapped import mapped
from corpus_pipeline.jobs.clean.corpus_scope import rule_of
from corpus_pipeline.model import Conversation, FileId, id_range
from corpus_pipeline.recipe import DedupSection
from corpus_pipeline.stages.clean.dedup.duplicates import DuplicateArrays, Rows, find
from corpus_pipeline.stages.clean.dedup.schemes import scheme_named
from corpus_pipeline.stages.clean.dedup.simhash import fingerprints
from corpus_pipeline.stages.clean.dedup.verification import wording_of
from corpus_pipeline.stages.clean.normalize import content_hash, frame_of
from corpus_pipeline.stages.clean.record_rest import rest_of
from corpus_pipeline.stages.clean.worker import row_texts

Record = dict[str, Any]
_SAMPLE = 100


class Corpus(NamedTuple):
    """A file by name and its records."""

    name: str
    records: list[Record]


def read(path: Path, limit: int | None = None) -> list[Record]:
    """The records of a file of JSON lines, or of one JSON array."""
    body = path.read_bytes()
    text = (gzip.decompress(body) if path.suffix == ".gz" else body).decode("utf-8")
    if text.lstrip().startswith("["):
        records = json.loads(text)
    else:
        records = [json.loads(line) for line in text.split("\n") if line.strip()]
    return [record for record in records[:limit] if isinstance(record, dict)]


def below(folder: Path) -> Iterator[Corpus]:
    """Every file of records below a folder that is not empty."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name.removesuffix(".gz").endswith((".json", ".jsonl")):
            records = read(path)
            if records:
                yield Corpus(str(path.relative_to(folder)), records)


def conversations(records: Sequence[Record], columns: dict[str, str] | None = None) -> list[Conversation]:
    """The rows of a file, in its format or by column mapping; records of another shape are left out."""
    return read_rows(records, columns)[0]


def read_rows(records: Sequence[Record], columns: dict[str, str] | None = None) -> tuple[list[Conversation], bool]:
    """The same, and whether the format joins the texts of a row. Raises ValueError when none reads the records."""
    format = mapped(columns) if columns else detect(records[:_SAMPLE])
    if format is None:
        raise ValueError(f"no format reads records with the keys {sorted(records[0])}")
    accepted = (record for record in records if format.accepts(record))
    return [format.read(record, number) for number, record in enumerate(accepted, 1)], format.joins


def rows_of(found: Sequence[Conversation], dedup: DedupSection, file: int = 1) -> Rows:
    """What deduplication compares of rows."""
    keys = frozenset(dedup.record_keys)
    frames = [frame_of(row.turns, row.tools, rest_of(row.shape, keys)) for row in found]
    hashes = [content_hash(row.turns, frame) for row, frame in zip(found, frames, strict=True)]
    texts = [row_texts(row.turns, frame) for row, frame in zip(found, frames, strict=True)]
    made = fingerprints(texts, scheme_named(dedup.features, dedup.params), dedup.long_part)
    ids = id_range(FileId(file))[0] + 1 + np.arange(len(found), dtype=np.int64)
    return Rows(ids, np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 32), *made)


def duplicates(found: Sequence[Conversation], dedup: DedupSection | None = None) -> DuplicateArrays:
    """The duplicates among the rows of one file; ids are those of `places`."""
    dedup = dedup or DedupSection()
    rows = rows_of(found, dedup)
    first = int(rows.ids[0]) if len(rows.ids) else 0

    def texts(ids: Iterable[int]) -> dict[int, list[tuple[int, str]]]:
        return {identifier: wording_of(found[identifier - first].turns) for identifier in ids}

    return find(rows, rule_of(dedup), texts)


def places(ids: np.ndarray) -> list[int]:
    """The places of rows in their file, from 0, by their ids."""
    return ((ids & 0xFFFFFFFF) - 1).tolist()
