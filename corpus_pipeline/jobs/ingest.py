"""The ingest stage: the lines of a dataset file become rows, batch by batch; readable once every line is accounted for."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from corpus_pipeline.errors import Interrupted, LeaseHeld, SourceChanged
from corpus_pipeline.formats import MAPPED, Format, by_name, mapped
from corpus_pipeline.jobs import remote
from corpus_pipeline.jobs.gc_tuning import rare_collection
from corpus_pipeline.jobs.process_pool import have_ready
from corpus_pipeline.jobs.stage_run import Held, Work
from corpus_pipeline.jobs.write_behind import Behind
from corpus_pipeline.model import conversation_id
from corpus_pipeline.stages.ingest.conversations import IngestBatch, read_batches
from corpus_pipeline.stages.ingest.identity import Identity
from corpus_pipeline.stages.ingest.sniff import limits_of
from corpus_pipeline.stages.ingest.source import Compression, Container, Position, Source, SourceBroken
from corpus_pipeline.states import FileState, Stage
from corpus_pipeline.store import cursors, dataset_files, integrity_counts, leases, purges, rows, tasks
from corpus_pipeline.store.dataset_files import DatasetFile

PARSE = "parse"
_NEARLY_READ = 8 << 20  # bytes that take as long as starting the processes of the next stage; smaller files need none
_NEXT_STAGE = "corpus_pipeline.stages.clean.worker"


def task_types(work: Work) -> tuple[str, ...]:
    return (PARSE,)


def begin(connection: Connection, held: Held) -> None:
    """The rows are the file's, whatever the task: only one may read it at a time, and a half-read one starts over."""
    work = held.work
    others = [task_id for task_id in tasks.tasks_of_file(connection, work.file.id) if task_id != work.task.id]
    for lease in leases.live(connection):
        if lease.stage is Stage.INGEST and lease.task_id in others:
            raise LeaseHeld(f"{leases.in_words(lease, work.file.name)}, under another recipe; wait for it")
    if dataset_files.file_by_id(connection, work.file.id).state is FileState.INGESTED:
        return
    for task_id in others:
        leases.revoke(connection, task_id, Stage.INGEST)
        for cursor in cursors.stage_cursors(connection, task_id, Stage.INGEST):
            cursors.start_over(connection, task_id, Stage.INGEST, who=work.who, task_type=cursor.task_type)


def forget(connection: Connection, work: Work) -> None:
    rows.remove_file_rows(connection, work.file.id)
    dataset_files.reopen_ingest(connection, work.file.id)


@rare_collection()
def work(held: Held) -> None:
    file = held.fetch(dataset_files.file_by_id, held.work.file.id)
    if file.state is FileState.INGESTED:  # by the task of another recipe: the rows are the file's, not the task's
        held.commit(_adopt, held, file)
        return
    position, blanks = _position(held)
    if position.row_identifier == 0:
        held.commit(rows.remove_file_rows, file.id)
    batches = read_batches(
        source_of(file, local_path(held.work)),
        format_of(file),
        held.work.recipe.ingest.batch_size,
        position,
        limits_of(held.work.recipe.ingest),
    )
    ready = False
    try:
        with Behind() as behind:
            for batch in batches:
                if behind.wait():
                    held.boundary()
                blanks += batch.blanks
                behind.start(held.commit, _write_batch, held, batch, blanks)
                if not ready and file.bytes - batch.bytes_read < _NEARLY_READ < file.bytes:
                    have_ready(_NEXT_STAGE)
                    ready = True
            if behind.wait():
                held.boundary()
    except (SourceChanged, SourceBroken):
        held.commit(_discard, held)
        raise
    held.commit(_complete, held, blanks)


def local_path(work: Work) -> Path:
    """Where the dataset file can be read here: its path, or its copy of what lies elsewhere, made if need be.

    Raises Interrupted, and as `remote.bring`."""
    file = work.file
    if not remote.is_remote(file.path):
        return Path(file.path)

    def on_bytes(done: int, whole: int | None) -> None:
        if work.stop.is_set():
            raise Interrupted(f"stopped by {work.stop.reason}; {done:,} bytes of {file.path} are kept")

    assert work.bring is not None  # anyone who makes the work of an ingest gives it one
    return work.bring(file.path, Identity(file.sha256, file.bytes), on_bytes)


def source_of(file: DatasetFile, path: Path) -> Source:
    """Where a dataset file lies here and what it must turn out to be."""
    return Source(path, Container(file.container), Compression(file.compression), Identity(file.sha256, file.bytes))


def format_of(file: DatasetFile) -> Format:
    """The format that a dataset file is read in."""
    return mapped(file.columns) if file.format == MAPPED else by_name(file.format)


def _position(held: Held) -> tuple[Position, int]:
    kept = held.cursor(PARSE).position
    if kept is None:
        return Position(), 0
    return Position(*kept["next"]), int(kept["blanks"])


def _write_batch(connection: Connection, held: Held, batch: IngestBatch, blanks: int) -> None:
    file = held.work.file
    numbers = [c.row_identifier for c in batch.conversations] + [r.row_identifier for r in batch.rejects]
    purged = purges.kept_out(connection, file.sha256, numbers)
    rows.insert_batch(connection, held.store.backend, file.id, batch.conversations, batch.rejects, purged)
    held.advance(
        connection,
        PARSE,
        last_id=conversation_id(file.id, batch.next_position.row_identifier),
        rows=batch.lines,
        dropped=len(batch.rejects),
        position={"next": list(batch.next_position), "blanks": blanks, "bytes_read": batch.bytes_read},
        active_ms=held.lap_ms(),
    )


def _complete(connection: Connection, held: Held, blanks: int) -> None:
    file = held.work.file
    stored = integrity_counts.stored_rows(connection, file.id)
    dataset_files.finish_ingest(
        connection,
        file.id,
        lines=stored.conversations + stored.rejects + blanks,
        conversations=stored.conversations,
        rejects=stored.rejects,
        blanks=blanks,
    )
    held.finish(connection, PARSE)


def _adopt(connection: Connection, held: Held, file: DatasetFile) -> None:
    cursor = cursors.stage_cursors(connection, held.work.task.id, Stage.INGEST)[0]
    held.advance(
        connection,
        PARSE,
        last_id=rows.last_id(connection, file.id) or cursor.last_id,
        rows=(file.lines or 0) - cursor.current_offset,
        dropped=(file.rejects or 0) - cursor.dropped_rows,
    )
    held.finish(connection, PARSE)


def _discard(connection: Connection, held: Held) -> None:
    """The file is not the one that was registered, or cannot be read to its end: nothing of it may be seen."""
    rows.remove_file_rows(connection, held.work.file.id)
    cursors.rewind(connection, held.work.task.id, Stage.INGEST, PARSE)
