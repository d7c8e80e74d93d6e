"""The computing part of the rule pass: pure, and in a pool of processes when there is enough to do."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from typing import NamedTuple

from corpus_pipeline.model import Cleaned, ConversationId
from corpus_pipeline.recipe import CleanSection
from corpus_pipeline.stages.clean.features_schemes import Scheme, scheme_named
from corpus_pipeline.stages.clean.fingerprint import fingerprints
from corpus_pipeline.stages.clean.normalize import text_for_fingerprint
from corpus_pipeline.stages.clean.rule_pass import clean_batch
from corpus_pipeline.stages.clean.rules import build
from corpus_pipeline.stages.clean.rules.base import Rule
from corpus_pipeline.states import RowState
from corpus_pipeline.store.rows import StoredConversation

# below this many rows a pool costs more than it saves: its processes take a second to start
POOL_FROM_ROWS = 15_000
_SLICES = 4  # of a batch, so that all processes are busy with the first one already


class Verdicts(NamedTuple):
    """The verdicts on one batch. rows: how many were read, deleted ones included. last_id: of the last one read."""

    cleaned: list[Cleaned]
    signatures: list[bytes | None]
    rows: int
    dropped: int
    last_id: ConversationId


@dataclass(frozen=True)
class CleanWorker:
    """What turns conversations into verdicts with fingerprints. Picklable; each process builds its rules once."""

    section: CleanSection

    @classmethod
    def of(cls, section: CleanSection) -> CleanWorker:
        return cls(section)

    @cached_property
    def _rules(self) -> tuple[Rule, ...]:
        return build(self.section.rules)

    @cached_property
    def _scheme(self) -> Scheme | None:
        dedup = self.section.dedup
        return scheme_named(dedup.features, dedup.params) if dedup.near else None

    def __call__(self, rows: Sequence[StoredConversation]) -> tuple[list[Cleaned], list[bytes | None]]:
        """(verdicts, signatures) on rows that are not deleted, in their order."""
        alive = [row for row in rows if not row.is_deleted]
        found = clean_batch([(row.id, row.conversation) for row in alive], self._rules)
        if self._scheme is None:
            return found, [None] * len(found)
        kept = [at for at, verdict in enumerate(found) if verdict.state is RowState.KEPT]
        texts = [text_for_fingerprint(found[at].turns or alive[at].conversation.turns) for at in kept]
        prints = fingerprints(texts, self._scheme)
        signatures: list[bytes | None] = [None] * len(found)
        has_signature = prints.signatures.shape[1] > 0
        for at, value, enough, signature in zip(
            kept, prints.values.tolist(), prints.enough.tolist(), prints.signatures, strict=True
        ):
            if enough:
                found[at] = found[at]._replace(fingerprint=value)
                if has_signature:
                    signatures[at] = signature.astype("<u4").tobytes()
        return found, signatures


class Pool:
    """Applies a worker to pages in order, several at a time. Without processes it computes when asked."""

    def __init__(self, worker: CleanWorker, processes: int) -> None:
        self._worker = worker
        self._processes = processes
        self._executor: ProcessPoolExecutor | None = None
        if processes > 1:
            self._executor = ProcessPoolExecutor(
                processes, mp_context=get_context("spawn"), initializer=_initialize, initargs=(worker, os.getpid())
            )

    def map(self, pages: Iterable[Sequence[StoredConversation]]) -> Iterator[Verdicts]:
        """The verdicts on each page, in order; the next page is read and computed meanwhile."""
        if self._executor is None:
            for page in pages:
                yield _joined(page, [self._worker(page)])
            return
        waiting: deque[tuple[Sequence[StoredConversation], list[Future[tuple[list[Cleaned], list[bytes | None]]]]]] = (
            deque()
        )
        for page in pages:
            size = -(-len(page) // _SLICES)
            slices = [page[start : start + size] for start in range(0, len(page), size)]
            waiting.append((page, [self._executor.submit(_compute, part) for part in slices]))
            if len(waiting) > 1:
                first, futures = waiting.popleft()
                yield _joined(first, [future.result() for future in futures])
        for page, futures in waiting:
            yield _joined(page, [future.result() for future in futures])

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)


@contextmanager
def worker_pool(worker: CleanWorker, rows: int) -> Iterator[Pool]:
    """A pool that fits the machine and the work."""
    pool = Pool(worker, min(os.cpu_count() or 1, 8) if rows >= POOL_FROM_ROWS else 1)
    try:
        yield pool
    finally:
        pool.close()


def _joined(page: Sequence[StoredConversation], parts: Sequence[tuple[list[Cleaned], list[bytes | None]]]) -> Verdicts:
    cleaned = [verdict for found, _ in parts for verdict in found]
    return Verdicts(
        cleaned=cleaned,
        signatures=[mark for _, marks in parts for mark in marks],
        rows=len(page),
        dropped=sum(verdict.state is RowState.DROPPED for verdict in cleaned),
        last_id=page[-1].id,
    )


_process_worker: CleanWorker | None = None


def _initialize(worker: CleanWorker, parent: int) -> None:
    """Runs once in each process of the pool: it must not outlive its parent, nor end by a Ctrl-C meant for it."""
    global _process_worker
    _process_worker = worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _compute(rows: Sequence[StoredConversation]) -> tuple[list[Cleaned], list[bytes | None]]:
    assert _process_worker is not None
    return _process_worker(rows)
