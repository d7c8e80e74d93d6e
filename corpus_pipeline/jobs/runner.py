"""Running one stage of one task: claim, work, and say how it ended. One status, changed by one guarded statement."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection

from corpus_pipeline.error_words import in_words
from corpus_pipeline.errors import (
    CorpusError,
    Fenced,
    GateRefused,
    Interrupted,
    LeaseHeld,
    Paused,
    SourceNotHere,
    StopJob,
)
from corpus_pipeline.jobs import data_checks, stage_handlers, tracing, webhooks
from corpus_pipeline.jobs.clean.invalidation import compare_without
from corpus_pipeline.jobs.completion_report import CompletionReport, completion_report
from corpus_pipeline.jobs.ingest import local_path
from corpus_pipeline.jobs.lease import holding
from corpus_pipeline.jobs.narration import Speaker
from corpus_pipeline.jobs.stage_run import Held, Work
from corpus_pipeline.settings import host_name
from corpus_pipeline.states import FileState, Stage, Status
from corpus_pipeline.store import audit_log, completion_reports, cursors, exports, leases, pauses, removals, tasks
from corpus_pipeline.store.dataset_files import is_elsewhere

log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """How a stage ended. `worked` is False when it was complete already and nothing was touched."""

    status: Status
    report: CompletionReport
    worked: bool


def run_stage(work: Work) -> Outcome:
    """Work one stage of a task until it is complete; continue where the database stands.

    A stage that is complete is a no-op. A flag that is cleared while the work comes to its boundary is as if it had never been.
    Raises Paused, Interrupted, GateRefused, LeaseHeld, Fenced or another StopJob;
    whatever it raises, finished batches are kept and the next run continues behind them.
    """
    while True:
        try:
            return _run_once(work)
        except Paused as pause:
            if not pause.by_flag or work.stop.is_set() or _is_flagged(work):
                raise
            work.narrator.notice(
                f"{work.stage} of {work.file.name}: the pause is over before it began; the work goes on"
            )


def _is_flagged(work: Work) -> bool:
    return work.store.fetch(pauses.covering, work.file.name, work.stage) is not None


def _run_once(work: Work) -> Outcome:
    if is_complete(work):
        return Outcome(Status.DONE, _report(work), worked=False)
    _require_previous(work)
    _require_source(work)
    _require_checks(work)
    task_types = stage_handlers.TASK_TYPES[work.stage](work)
    with holding(work.store, work.task.id, work.stage, work.lease_seconds) as lease:
        if is_complete(work):  # somebody finished it between our first look and the lease
            return Outcome(Status.DONE, _report(work), worked=False)
        held = Held(work, lease)
        log.info("%s of %s begins", work.stage, work.file.name, extra=_log_fields(work, "stage_started"))
        flag = held.commit(_begin, held, task_types)
        if flag is not None:
            raise Paused.by(flag)
        with Speaker(held).speaking(), tracing.span(work.stage, _span_of(work)):
            _work(held, stage_handlers.WORKERS[work.stage])
        report = held.commit(_complete, held)
        reconsider(work)
    return Outcome(Status.DONE, report, worked=True)


def is_complete(work: Work) -> bool:
    """Whether the stage has nothing to do: all cursors are done and, for the export, its rows are those of now and its files
    lie where this process would put them. Raises TargetUnavailable when that cannot be looked at."""
    expected = set(stage_handlers.TASK_TYPES[work.stage](work))
    own = work.store.fetch(cursors.stage_cursors, work.task.id, work.stage)
    if not own or not expected <= {cursor.task_type for cursor in own if cursor.status is Status.DONE}:
        return False
    if work.stage is not Stage.EXPORT:
        return True
    export = work.store.fetch(exports.current, work.task.id)
    task = work.store.fetch(tasks.task_by_id, work.task.id)
    return export is not None and stage_handlers.export_is_current(work, export, task)


def leave_paused(work: Work, reason: str) -> None:
    """Mark a stage that no one works on as paused. Raises LeaseHeld while somebody does."""
    task_types = stage_handlers.TASK_TYPES[work.stage](work)
    with holding(work.store, work.task.id, work.stage, work.lease_seconds) as lease:
        held = Held(work, lease)
        held.commit(cursors.open_cursors, work.task.id, work.stage, task_types, work.file.id)
        held.commit(_set, held, Status.PAUSED, reason)


def _require_previous(work: Work) -> None:
    order = list(Stage)
    if work.stage is order[0]:
        return
    before = order[order.index(work.stage) - 1]
    own = work.store.fetch(cursors.stage_cursors, work.task.id, before)
    status = cursors.stage_status(own)
    if status is not Status.DONE:
        raise StopJob(
            f"{work.stage} of {work.file.name} needs {before} to be complete, and it is {status}."
            f" Run: corpus run {work.file.name} --to {work.stage}"
        )


def _begin(connection: Connection, held: Held, task_types: tuple[str, ...]) -> pauses.PauseFlag | None:
    """Open the stage and set it running; by a flag that was set before, it is paused without having run."""
    work = held.work
    if removals.is_removed(connection, work.file.id):
        raise StopJob(f"{work.file.name} was removed from the corpus at this moment. To have it again: corpus add PATH")
    found = cursors.open_cursors(connection, work.task.id, work.stage, task_types, work.file.id)
    if work.stage is Stage.EXPORT and all(cursor.status is Status.DONE for cursor in found):  # its rows changed since
        cursors.start_over(connection, work.task.id, work.stage, who=work.who)
    stage_handlers.BEGIN[work.stage](connection, held)
    flag = pauses.covering(connection, work.file.name, work.stage)
    if flag is None:
        _set(connection, held, Status.RUNNING, None)
    else:
        _set(connection, held, Status.PAUSED, str(flag))
    return flag


def reconsider(work: Work) -> None:
    """Look whether a check of this stage holds the next one: after its end, and after a person changed what it counts."""
    if work.stage is Stage.EXPORT:
        return
    own = work.store.fetch(cursors.stage_cursors, work.task.id, work.stage)
    complete = cursors.stage_status(own) is Status.DONE
    # outside of the transaction that writes: on many rows it takes a while
    reason = data_checks.objections(work.store.fetch(data_checks.evaluate, work)) if complete else None
    work.store.write(lambda c: _hold_next(c, work, reason), repeatable=True, name="hold next stage")


def _hold_next(connection: Connection, work: Work, reason: str | None) -> None:
    """Block the stage behind this one for a reason, or let it go when there is none: the same state for every observer."""
    order = list(Stage)
    following = replace(work, stage=order[order.index(work.stage) + 1])
    task_id = work.task.id
    before = cursors.stage_status(cursors.stage_cursors(connection, task_id, following.stage))
    if reason is None:
        if before is Status.BLOCKED:
            cursors.set_status(connection, task_id, following.stage, Status.PENDING, who=work.who)
        return
    if following.stage is Stage.EXPORT and before is Status.DONE:  # of rows that are no longer those of now
        cursors.start_over(connection, task_id, following.stage, who=work.who)
    cursors.open_cursors(
        connection, task_id, following.stage, stage_handlers.TASK_TYPES[following.stage](following), work.file.id
    )
    changed = cursors.set_status(
        connection, task_id, following.stage, Status.BLOCKED, reason=reason, who=work.who, run_id=work.run_id
    )
    if changed:
        webhooks.queue(connection, following, Status.BLOCKED, reason)


def _require_source(work: Work) -> None:
    """Raises SourceNotHere for a file that lies on another host, and what keeps a copy from being made of what lies elsewhere:
    that is no fact about the file, and changes no state."""
    if work.stage is not Stage.INGEST or work.file.state is FileState.INGESTED:
        return
    if not is_elsewhere(work.file):
        local_path(work)
        return
    here = "is no file" if Path(work.file.path).exists() else "is not"
    raise SourceNotHere(
        f"{work.file.path} {here} on this host ({host_name()}): {work.stage} of {work.file.name} stays pending."
        f" Run it where the file is, bring the file here, or say where it lies now:"
        f" corpus add PATH --name {work.file.name}"
    )


def _require_checks(work: Work) -> None:
    """Raises GateRefused while a check of the stage before holds this one. The export looks at its gate itself."""
    own = work.store.fetch(cursors.stage_cursors, work.task.id, work.stage)
    if work.stage in (Stage.INGEST, Stage.EXPORT) or cursors.stage_status(own) is not Status.BLOCKED:
        return
    order = list(Stage)
    reconsider(replace(work, stage=order[order.index(work.stage) - 1]))
    own = work.store.fetch(cursors.stage_cursors, work.task.id, work.stage)
    if cursors.stage_status(own) is Status.BLOCKED:
        raise GateRefused(next(c.status_reason for c in own if c.status_reason) or "a check failed", {})


def _work(held: Held, worker: Callable[[Held], None]) -> None:
    try:
        worker(held)
    except Fenced:
        raise  # the status is the new holder's to set
    except Paused as stop:
        _end(held, Status.PAUSED, str(stop))
        raise
    except Interrupted as stop:
        _end(held, Status.INTERRUPTED, str(stop))
        raise
    except GateRefused as refusal:
        _end(held, Status.BLOCKED, str(refusal))
        raise
    except Exception as error:
        _end(held, Status.FAILED, in_words(error))
        raise
    except BaseException as stop:  # Ctrl-C for the second time, and what Dagster raises between two lines
        _end(held, Status.INTERRUPTED, f"interrupted: {type(stop).__name__}")
        raise


def _span_of(work: Work) -> dict[str, str | None]:
    return {
        "corpus.file": work.file.name,
        "corpus.consumer": work.file.consumer,
        "corpus.recipe": work.recipe.name,
        "corpus.run": work.run_id,
    }


def _end(held: Held, status: Status, reason: str) -> None:
    try:
        held.commit(_set, held, status, reason)
    except CorpusError as error:  # the database is away or the lease is lost: the next run sets the status right
        log.warning("could not record %s of %s as %s: %s", held.work.stage, held.work.file.name, status, error)


def _set(connection: Connection, held: Held, status: Status, reason: str | None) -> None:
    work = held.work
    changed = cursors.set_status(
        connection,
        work.task.id,
        work.stage,
        status,
        reason=reason,
        who=work.who,
        run_id=work.run_id,
        epoch=held.lease.epoch,
    )
    log.info(
        "%s of %s is %s",
        work.stage,
        work.file.name,
        status,
        extra=_log_fields(work, "status") | {"status": status.value},
    )
    if changed or status is Status.DONE:  # a stage of several passes sets the last of its cursors itself
        webhooks.queue(connection, work, status, reason)


def _log_fields(work: Work, event: str) -> dict[str, Any]:
    """What a structured log says of this stage; no text of rows."""
    return {
        "event": event,
        "run": work.run_id,
        "task": work.task.id,
        "file": work.file.name,
        "stage": work.stage.value,
    }


def _complete(connection: Connection, held: Held) -> CompletionReport:
    _set(connection, held, Status.DONE, None)
    work = held.work
    report = completion_report(connection, work.file, work.task, work.recipe, work.stage)
    completion_reports.save(connection, work.task.id, work.stage, report, work.run_id)
    return report


def _report(work: Work) -> CompletionReport:
    def read(connection: Connection) -> CompletionReport:
        kept = completion_reports.latest(connection, work.task.id).get(work.stage)
        return (
            cast(CompletionReport, kept)
            if kept
            else completion_report(connection, work.file, work.task, work.recipe, work.stage)
        )

    return work.store.fetch(read)


def redo(work: Work) -> list[str]:
    """Start a stage over, and all stages behind it. Answers that were paid for stay and are used again.

    Returns the names of other files whose rows repeat what is cleaned again: the next run compares them again, too."""

    def forget(connection: Connection) -> list[str]:
        for lease in leases.live(connection):
            if lease.task_id == work.task.id:
                held = leases.in_words(lease, f"{lease.stage} of {work.file.name}")
                raise LeaseHeld(f"{held}; pause it first: corpus pause {work.file.name}")
        order = list(Stage)
        again = []
        if order.index(work.stage) <= order.index(Stage.CLEAN):
            again = compare_without(connection, work.file, work.who)
        for stage in order[order.index(work.stage) :]:
            cursors.start_over(connection, work.task.id, stage, who=work.who)
            stage_handlers.FORGET[stage](connection, work)
        tasks.touch_content(connection, work.task.id)
        audit_log.log(connection, work.who, "redo", work.file.name, {"stage": work.stage.value})
        return again

    return work.store.write(forget)
