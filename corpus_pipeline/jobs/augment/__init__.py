"""The augment stage: every kept row under every strategy of the recipe, in a window of calls across batch borders."""

from __future__ import annotations

import logging

from sqlalchemy import Connection

from corpus_pipeline import record_files
from corpus_pipeline.errors import GateRefused, SettingMissing
from corpus_pipeline.jobs.augment import answer_spool, repeats
from corpus_pipeline.jobs.augment.plan import labels, prepare, save_prompts
from corpus_pipeline.jobs.gc_tuning import CALLS, give_back, rare_collection
from corpus_pipeline.jobs.stage_run import Held, Work
from corpus_pipeline.model import id_range
from corpus_pipeline.states import Stage
from corpus_pipeline.store import augmented, cleaned, cursors, failed_samples, ledger, rows

log = logging.getLogger(__name__)


def task_types(work: Work) -> tuple[str, ...]:
    return labels(work.recipe.augment) or ("nothing",)


def begin(connection: Connection, held: Held) -> None:
    """Fix the end of the read; book what an earlier holder left on the wire."""
    work = held.work
    kept = None if work.recipe.augment.strategies else 0
    for cursor in cursors.stage_cursors(connection, work.task.id, Stage.AUGMENT):
        if cursor.end_id is None:
            if kept is None:
                total, dropped, repeated = cleaned.counts(connection, work.task.id)
                kept = total - dropped - repeated
            end = rows.last_id(connection, work.file.id) or id_range(work.file.id)[0]
            cursors.fix_end(connection, work.task.id, Stage.AUGMENT, cursor.task_type, end_id=end, total_rows=kept)
    left = answer_spool.read(answer_spool.left_over(work.spool_folder, work.task.id))
    if recovered := ledger.recover(connection, work.store.backend, left):
        log.info("%d answers that had arrived before the last worker died are taken in", recovered)
    ledger.book_unknown(connection, work.task.id, held.lease.epoch)


def forget(connection: Connection, work: Work) -> None:
    augmented.remove_augmented(connection, work.task.id)
    failed_samples.remove_task(connection, work.task.id, Stage.AUGMENT)


def work(held: Held) -> None:
    section = held.work.recipe.augment
    if not section.strategies:
        return
    access = held.work.models
    if access is None:
        raise SettingMissing(
            "no model can be asked: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own, and run again."
            " `corpus llm-stub` starts a stand-in."
        )
    from corpus_pipeline.jobs.augment import orchestrator  # brings the SDK, which takes seconds to import

    record_files.remove(answer_spool.left_over(held.work.spool_folder, held.work.task.id))  # taken in when we began
    held.store.backend.save_memory(held.store.engine)
    give_back()
    plan = prepare(section, access.default_model, access.prices, access.endpoints, held.work.media_folder)
    held.commit(save_prompts, plan)
    answer_spool.take_late_answers(held, plan)
    with rare_collection(CALLS):
        orchestrator.run(held, plan, access)
    repeats.find(held)
    _require_success(held)


def _require_success(held: Held) -> None:
    """Raises GateRefused while fewer samples succeeded than the recipe asks for."""
    wanted = held.work.recipe.augment.completion.min_success
    counts = held.fetch(augmented.item_counts, held.work.task.id).values()
    done, lost = sum(c["done"] for c in counts), sum(c["failed"] for c in counts)
    if done < wanted * (done + lost):
        name = held.work.file.name
        raise GateRefused(
            f"{done:,} of {done + lost:,} samples succeeded, less than the {wanted:.0%} that the recipe asks for"
            f" (augment.completion.min_success). Next: corpus failed list --where file={name}, corpus failed replay"
            f" --where file={name}, then corpus run {name}",
            {"failed": lost},
        )
