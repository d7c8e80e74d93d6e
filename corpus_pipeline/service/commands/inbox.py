"""The inbox: a folder whose files are registered by themselves once they have stopped growing."""

from __future__ import annotations

import time
from pathlib import Path

from corpus_pipeline.errors import CorpusError
from corpus_pipeline.service.commands import register
from corpus_pipeline.store import Store, dataset_files

SUFFIXES = (".jsonl", ".json", ".ndjson", ".jsonl.gz", ".json.gz", ".ndjson.gz", ".parquet")
_SETTLED_SECONDS = 5.0  # a file that was written to more recently may still be growing


def scan(store: Store, folder: Path, *, who: str) -> tuple[list[str], list[str]]:
    """Register the settled files of the folder that are not known yet; returns (names registered, problems).

    A file is taken for known by path, size and the time of its last change, so that a scan reads no file twice; a changed
    file under a known name is a problem that a person must decide.
    """
    if not folder.is_dir():
        return [], []
    known = {(file.path, file.bytes): file.registered_at for file in store.fetch(dataset_files.current_files)}
    added, problems = [], []
    for path in candidates(folder):
        found = path.stat()
        registered_at = known.get((str(path.resolve()), found.st_size))
        if time.time() - found.st_mtime < _SETTLED_SECONDS or (
            registered_at is not None and found.st_mtime * 1000 < registered_at
        ):
            continue
        try:
            result = register.add(store, path, who=who)
        except CorpusError as error:
            problems.append(str(error))
            continue
        if result.new:
            added.append(result.file.name)
    return added, problems


def candidates(folder: Path) -> list[Path]:
    """The dataset files of a folder by name, without what lies below it."""
    return sorted(p for p in folder.iterdir() if p.is_file() and p.name.lower().endswith(SUFFIXES))
