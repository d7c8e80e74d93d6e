"""The finished prefix: batches are worked side by side, the cursor follows behind the first unfinished one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from corpus_pipeline.jobs.augment.group_commit import Advance


@dataclass
class Batch:
    """Rows of one batch under one strategy: `open_items` of them have no outcome yet."""

    label: str
    last_id: int
    rows: int
    open_items: int
    failed: int = 0


class Prefix:
    """The batches of one strategy in row order, from the first unfinished one on."""

    def __init__(self, label: str) -> None:
        self.label = label
        self._batches: deque[Batch] = deque()

    def add(self, last_id: int, rows: int, items: int) -> Batch:
        """A batch that was begun; without items it is finished already."""
        batch = Batch(self.label, last_id, rows, items)
        self._batches.append(batch)
        return batch

    def take(self) -> Advance | None:
        """How far the finished prefix moved since the last call, None when it did not."""
        step: Advance | None = None
        while self._batches and self._batches[0].open_items == 0:
            batch = self._batches.popleft()
            if step is None:
                step = Advance(self.label, batch.last_id, 0, 0, 0)
            step.last_id = batch.last_id
            step.rows += batch.rows
            step.processed += batch.rows
            step.failed += batch.failed
        return step
