"""What a stage is given to work with, and its batch boundary."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar

from sqlalchemy import Connection

from corpus_pipeline.cancellation import StopSignal
from corpus_pipeline.errors import Interrupted, Paused
from corpus_pipeline.jobs import tracing
from corpus_pipeline.jobs.lease import HeldLease
from corpus_pipeline.jobs.narration import Calls, LogNarrator, Narrator
from corpus_pipeline.recipe import Recipe
from corpus_pipeline.states import Stage, Status
from corpus_pipeline.store import Store, cursors, pauses
from corpus_pipeline.store.dataset_files import DatasetFile
from corpus_pipeline.store.tasks import Task

if TYPE_CHECKING:
    from corpus_pipeline.jobs.augment.plan import ModelAccess
    from corpus_pipeline.jobs.remote import OnBytes
    from corpus_pipeline.stages.export.targets import Target
    from corpus_pipeline.stages.ingest.identity import Identity

T = TypeVar("T")
P = ParamSpec("P")


# of an export: given what the numbers of its line map mean, and how many lines it has
Seal: TypeAlias = "Callable[[Held, Sequence[Sequence[Any]], int], None]"


@dataclass(frozen=True)
class Work:
    """One stage of one task, before anybody holds it.

    bring: copies a source that lies elsewhere, of ingest. models: where models are asked, of augment; None when none can be.
    target: where exports go, of export. seal: proves and signs what was published, before it is recorded; None without a key.
    run_id: the Dagster run, if any. who: for events and audit. limit: rows after which to stop (augment only);
    spread: those rows lie evenly over the file, in place of at its beginning.
    narrator: receives the progress every progress_seconds.
    """

    store: Store
    file: DatasetFile
    task: Task
    recipe: Recipe
    stage: Stage
    work_folder: Path
    lease_seconds: float
    stop: StopSignal
    who: str
    run_id: str | None = None
    limit: int | None = None
    spread: bool = False
    bring: Callable[[str, Identity, OnBytes], Path] | None = None
    models: ModelAccess | None = None
    target: Target | None = None
    seal: Seal | None = None

    @property
    def media_folder(self) -> str:
        """The folder of the dataset file, below which media that its rows name may lie."""
        return str(Path(self.file.path).parent)

    @property
    def spool_folder(self) -> Path:
        """Where answers lie that are not committed yet."""
        return self.work_folder.with_name("spool")

    narrator: Narrator = field(default_factory=LogNarrator)
    progress_seconds: float = 30.0


class Held:
    """A stage that is being worked: the lease is ours. All writes go through `commit`."""

    def __init__(self, work: Work, lease: HeldLease) -> None:
        self.work = work
        self.lease = lease
        self._clock = time.monotonic()
        self.calls: Callable[[], Calls] | None = None  # set by the stage that makes calls
        self.troubles: Callable[[], list[str]] | None = None  # what is wrong at the providers now; set by the same

    @property
    def store(self) -> Store:
        return self.work.store

    def fetch(self, read: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read in a short transaction: `read(connection, *args, **kwargs)`."""
        return self.store.fetch(read, *args, **kwargs)

    def commit(self, unit: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Commit one unit of work, `unit(connection, *args, **kwargs)`: rows, cursor and the check of the epoch in one
        transaction."""
        name = f"{self.work.stage} {getattr(unit, '__name__', 'unit').strip('_')}"
        with tracing.span(f"commit {name}", {"corpus.file": self.work.file.name}):
            return self.store.write(lambda connection: unit(connection, *args, **kwargs), self.lease.guard, name=name)

    def cursor(self, task_type: str) -> cursors.Cursor:
        """The cursor of a task type as the database has it now."""
        found = self.fetch(lambda c: cursors.stage_cursors(c, self.work.task.id, self.work.stage))
        return next(cursor for cursor in found if cursor.task_type == task_type)

    def lap_ms(self) -> int:
        """Milliseconds of work since the last lap."""
        now = time.monotonic()
        lap, self._clock = now - self._clock, now
        return int(lap * 1000)

    def advance(
        self,
        connection: Connection,
        task_type: str,
        *,
        last_id: int,
        rows: int,
        dropped: int = 0,
        failed: int = 0,
        position: dict[str, Any] | None = None,
        active_ms: int = 0,
    ) -> None:
        """Move the cursor of a task type in the transaction that holds the rows (see `cursors.advance`)."""
        cursors.advance(
            connection,
            self.work.task.id,
            self.work.stage,
            task_type,
            last_id=last_id,
            rows=rows,
            dropped=dropped,
            failed=failed,
            position=position,
            active_ms=active_ms,
        )

    def finish(self, connection: Connection, task_type: str) -> None:
        """This task type is through, in the transaction of its last rows."""
        cursors.set_status(
            connection,
            self.work.task.id,
            self.work.stage,
            Status.DONE,
            task_type=task_type,
            who=self.work.who,
            run_id=self.work.run_id,
            epoch=self.lease.epoch,
        )

    @property
    def is_interrupted(self) -> bool:
        """Whether a signal came."""
        return self.work.stop.is_set()

    def why_stop(self) -> Paused | Interrupted | None:
        """Why the work should stop now, or None. Reads the flags from the database: it works when no daemon runs."""
        if self.is_interrupted:
            return Interrupted(f"stopped by {self.work.stop.reason}")
        flag = self.fetch(lambda c: pauses.covering(c, self.work.file.name, self.work.stage))
        return None if flag is None else Paused.by(flag)

    def boundary(self) -> None:
        """A batch boundary, the only place where a stage stops on purpose. Raises Paused, Interrupted or Fenced."""
        self.lease.check()
        reason = self.why_stop()
        if reason is not None:
            raise reason
