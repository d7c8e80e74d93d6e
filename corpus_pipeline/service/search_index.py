"""Making the search index of the row browser beside the pipeline, and keeping removed rows out of it.

It is made of rows that do not change any more: of files that are ingested, and of what cleaning left when it is done. Reads are
short, and nothing is written to the database.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from corpus_pipeline import search
from corpus_pipeline.model import FileId, TaskId
from corpus_pipeline.search import CHUNK, SPAN, Identity, Index, Maker
from corpus_pipeline.states import FileState, Stage, Status
from corpus_pipeline.store import Store, cursors, dataset_files, leases, purges, row_queries, tasks
from corpus_pipeline.store.dataset_files import DatasetFile
from corpus_pipeline.store.row_queries import Filter
from corpus_pipeline.store.tasks import Task

LEAST_ROWS = 10_000  # of a file: fewer are looked through in less time than an index would take to open
_READ_BYTES = 8 << 20  # of text that one read takes, or a little more
_BUSY_SECONDS = 2.0  # between looks whether the pipeline has stopped
_HEAVY = (Stage.INGEST, Stage.CLEAN, Stage.EXPORT)


class Wanted(NamedTuple):
    """A dataset file that should have an index. task_id: of the cleaning that it holds, None before that is done."""

    file: DatasetFile
    task_id: TaskId | None
    identity: Identity
    purged: int

    @property
    def rows(self) -> int:
        return self.file.lines or 0

    @property
    def blocks(self) -> int:
        return -(-self.rows // SPAN)


def path_of(folder: Path, file_id: FileId) -> Path:
    """Where the index of a dataset file is."""
    return folder / f"{file_id}.idx"


def identity_of(connection: Connection, file: DatasetFile, task: Task | None) -> tuple[Identity, TaskId | None]:
    """What the texts of a dataset file are now: reading it again or cleaning it again makes others."""
    raw = _hash(file.id, file.sha256, file.ingested_at, file.lines)
    if task is None:
        return Identity(raw, bytes(32)), None
    own = cursors.stage_cursors(connection, task.id, Stage.CLEAN)
    if not own or any(cursor.status is not Status.DONE for cursor in own if cursor.task_type == "rules"):
        return Identity(raw, bytes(32)), None
    return Identity(raw, _hash(task.id, *(c.started_at for c in own if c.task_type == "rules"))), task.id


def _hash(*parts: object) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()


def wanted(connection: Connection, names: Sequence[str] = ()) -> list[Wanted]:
    """The dataset files that should have an index. Raises UnknownName."""
    found = []
    for file, task in tasks.current_tasks(connection, names):
        if file.state is FileState.INGESTED and (file.lines or 0) >= LEAST_ROWS:
            identity, task_id = identity_of(connection, file, task)
            found.append(Wanted(file, task_id, identity, purges.how_many(connection, file.sha256)))
    return found


def opened(
    connection: Connection, folder: Path, file: DatasetFile, task: Task | None, *, with_cleaned: bool
) -> Index | None:
    """The index that can be asked for rows of a dataset file now, whole or not; None when there is none. with_cleaned: for
    what cleaning made and said of them, too."""
    if file.state is not FileState.INGESTED:
        return None
    identity, task_id = identity_of(connection, file, task)
    if with_cleaned and task_id is None:
        return None
    for path in search.paths(path_of(folder, file.id)):
        own = Index.open(path)
        if own is None:
            continue
        if own.identity == identity or (not with_cleaned and own.identity.raw == identity.raw):
            return own
        own.close()
    return None


class State(NamedTuple):
    """How far the index of a dataset file is, in rows; `bytes` on disk. purged: rows that were purged elsewhere and are
    still to be taken out."""

    file: str
    rows: int
    indexed: int
    bytes: int
    purged: int = 0

    @property
    def is_done(self) -> bool:
        return self.indexed == self.rows and not self.purged


def states(store: Store, folder: Path, names: Sequence[str] = ()) -> list[State]:
    """How far the index of each file that should have one is."""
    return [_state(folder, want) for want in store.fetch(wanted, names)]


def _state(folder: Path, want: Wanted) -> State:
    indexed = size = purged = 0
    for path in search.paths(path_of(folder, want.file.id)):
        own = Index.open(path)
        if own is not None:
            with own:
                size += path.stat().st_size
                purged = max(purged, want.purged - own.removed)
                if own.identity == want.identity:
                    indexed = max(indexed, min(own.last, want.rows))
    return State(want.file.name, want.rows, indexed, size, purged)


def is_behind(store: Store, folder: Path) -> bool:
    """Whether there is something to do for `make`. Cheap."""
    return any(not state.is_done for state in states(store, folder))


def make(
    store: Store,
    folder: Path,
    names: Sequence[str] = (),
    *,
    anew: bool = False,
    polite: bool = False,
    told: Callable[[State], None] = lambda state: None,
) -> None:
    """Make what is missing of the indexes, or all of them (`anew`); remove those of files that were removed.

    polite: wait while the pipeline reads, cleans or writes files. One maker at a time for each folder: the caller sees to it.
    Raises UnknownName, StoreUnavailable, OSError (the disk is full).
    """
    _sweep(store, folder)
    for want in store.fetch(wanted, names):
        path = path_of(folder, want.file.id)
        if anew:
            for old in search.paths(path):
                old.unlink(missing_ok=True)
        catch_up(store, path, want.file)
        maker = Maker(path, want.identity)
        while maker.blocks < want.blocks:
            if polite:
                _wait(store)
            block = search.build(list(_texts(store, want, maker.blocks)))
            if [now.identity for now in store.fetch(wanted, [want.file.name])] != [want.identity]:
                break  # it is being read or cleaned again: these texts are old
            maker.append(block)
            catch_up(store, maker.target, want.file)
            told(State(want.file.name, want.rows, min(maker.blocks * SPAN, want.rows), 0))
        else:
            maker.finish()


def _texts(store: Store, want: Wanted, block: int) -> Iterator[list[str]]:
    """The texts of a block's rows in chunks of CHUNK rows, "" for a row that has none."""
    first = (want.file.id << 32) + block * SPAN
    at_once = max(1, min(CHUNK, _READ_BYTES // max(1, want.file.bytes // max(1, want.rows))))
    for start in range(first, first + min(SPAN, want.rows - block * SPAN), CHUNK):
        rows = [""] * CHUNK
        for after in range(start, start + CHUNK, at_once):
            last = min(after + at_once, start + CHUNK)
            for identifier, texts in store.fetch(_read, want.task_id, after, last).items():
                rows[identifier - start - 1] = "\n".join(texts)
        yield rows


def _read(connection: Connection, task_id: TaskId | None, after: int, last: int) -> dict[int, list[str]]:
    found = row_queries.texts_between(connection, task_id, after, last)
    if task_id is not None:
        for identifier, words in row_queries.verdict_words(connection, task_id, after, last).items():
            found.setdefault(identifier, []).extend(map(search.facet, words))
    return found


def buckets_of(wanted: Filter) -> np.ndarray | None:
    """Where in an index every row is that a filter lets through; None when it does not tell."""
    texts = [*map(search.facet, row_queries.filter_words(wanted)), *([wanted.search] if wanted.search else [])]
    found = [buckets for text in texts if (buckets := search.wanted(text)) is not None]
    return np.unique(np.concatenate(found)) if found else None


def _wait(store: Store) -> None:
    while any(lease.stage in _HEAVY for lease in store.fetch(leases.live)):
        time.sleep(_BUSY_SECONDS)


def damaged(store: Store, folder: Path) -> list[str]:
    """Which blocks of the indexes of this machine are not as they were written; those are passed over until they are made
    again. Reads all of them."""
    found = []
    for file in store.fetch(dataset_files.current_files):
        for path in search.paths(path_of(folder, file.id)):
            own = Index.open(path)
            if own is None:
                if path.exists():
                    found.append(f"{path} cannot be read")
                continue
            with own:
                rows = (f"{number * SPAN + 1:,} to {(number + 1) * SPAN:,}" for number in own.changed())
                found += [f"{file.name}, rows {part}" for part in rows]
    return found


def _sweep(store: Store, folder: Path) -> None:
    known = {path_of(folder, file.id).name for file in store.fetch(dataset_files.current_files)}
    for path in folder.glob("*.idx*"):
        if path.name.removesuffix(".new") not in known:
            path.unlink(missing_ok=True)


def catch_up(store: Store, path: Path, file: DatasetFile) -> None:
    """Take out of an index what was purged since, here or by another machine of this database. Raises OSError."""
    count = store.fetch(purges.how_many, file.sha256)
    own = Index.open(path)
    if own is None:
        return
    with own:
        behind = count - own.removed
    if behind:
        search.take_out(path, store.fetch(purges.newest, file.sha256, behind if behind > 0 else count))
        search.note_removed(path, count)


def catch_up_all(store: Store, folder: Path) -> list[str]:
    """The same for every index of this machine; those of files that were replaced go as a whole. Returns what could not be
    done, one sentence each."""
    problems = []
    _sweep(store, folder)
    for file in store.fetch(dataset_files.current_files):
        for path in search.paths(path_of(folder, file.id)):
            try:
                catch_up(store, path, file)
            except OSError as error:
                problems.append(f"the search index {path}: {error.strerror or error}; delete it")
    return problems
