"""The inbox: a folder whose files are registered by themselves once they have stopped growing."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

from corpus_pipeline.errors import CorpusError, UsageError
from corpus_pipeline.service.commands import naming, register
from corpus_pipeline.stages.ingest.identity import DATASET_SUFFIXES
from corpus_pipeline.store import Store, dataset_files, removals

_SETTLED_SECONDS = 5.0  # a file that was written to more recently may still be growing


def scan(store: Store, folder: Path, *, who: str) -> tuple[list[str], list[str]]:
    """Register the settled files of the folder that are not known yet; returns (names registered, problems).

    A file is taken for known by path, size and the time of its last change, so that a scan reads no file twice; a changed
    file under a known name is a problem that a person must decide.
    """
    if not folder.is_dir():
        return [], []
    # what somebody removed stays out, though it still lies here
    known = store.fetch(removals.places)
    known |= {(file.path, file.bytes): file.registered_at for file in store.fetch(dataset_files.current_files)}
    added, problems = [], []
    settled = list[Path]()
    for path in candidates(folder):
        try:
            path = _own(path)
            found = path.stat()
        except UsageError as error:
            problems.append(str(error))
            continue
        registered_at = known.get((str(register.place_of(path, follow=False)), found.st_size))
        is_known = registered_at is not None and found.st_mtime * 1000 < registered_at
        # a time that lies ahead is another clock's, or was written before ours was set back
        if abs(time.time() - found.st_mtime) >= _SETTLED_SECONDS and not is_known:
            settled.append(path)
    for path, name in zip(settled, naming.names_for(store, [naming.Given(one) for one in settled]), strict=True):
        try:
            result = register.add(store, path, name=name, who=who, follow=False)
        except CorpusError as error:
            problems.append(str(error))
            continue
        if result.new:
            added.append(result.file.name)
    return added, problems


def _own(path: Path) -> Path:
    """The file that a name in the inbox stands for, as far as anyone who put it there could have read it.

    A link that another user made leads where only we may read, and so may a second name of a file of ours in a folder that
    others write to: both are refused with UsageError, or an inbox for many would open every file to all of them.
    """
    found, own = path.lstat(), os.geteuid()
    if stat.S_ISLNK(found.st_mode):
        if found.st_uid != own:
            raise UsageError(
                f"{path}: is a link that another user made; it is not followed. Put the file itself there."
            )
        return path.resolve()
    is_shared = bool(path.parent.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    if is_shared and found.st_nlink > 1 and found.st_uid == own:
        raise UsageError(f"{path}: has a second name, and others may write to this folder. Put a copy there.")
    return path


def candidates(folder: Path) -> list[Path]:
    """The dataset files of a folder by name, without what lies below it."""
    return sorted(p for p in folder.iterdir() if p.is_file() and p.name.lower().endswith(DATASET_SUFFIXES))
