"""What must hold of a stage's rows, as facts that anyone can ask for: the Dagster checks, the doctor, the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection

from corpus_pipeline.jobs.conservation import account
from corpus_pipeline.jobs.export import gate_facts, gate_limits
from corpus_pipeline.jobs.stage_run import Work
from corpus_pipeline.stages.export import gate
from corpus_pipeline.states import Stage
from corpus_pipeline.store import augmented, cleaned, dataset_files, exports, integrity_counts, tasks


class Verdict(NamedTuple):
    """Whether a check passed, in one sentence, with the counts behind it."""

    passed: bool
    sentence: str
    counts: dict[str, int]


class Check(NamedTuple):
    """A named fact about one stage of a task."""

    name: str
    stage: Stage
    description: str
    look: Callable[[Connection, Work], Verdict]


def _lines_conserved(connection: Connection, work: Work) -> Verdict:
    file = dataset_files.file_by_id(connection, work.file.id)
    counts = {
        "lines": file.lines or 0,
        "conversations": file.conversations or 0,
        "rejects": file.rejects or 0,
        "blanks": file.blanks or 0,
    }
    stored = integrity_counts.stored_rows(connection, work.file.id)
    passed = counts["lines"] == stored.conversations + stored.rejects + counts["blanks"]
    return Verdict(passed, "every line became a conversation, a reject or a blank", counts | stored._asdict())


def _rows_conserved(connection: Connection, work: Work) -> Verdict:
    total, dropped, repeated = cleaned.counts(connection, work.task.id)
    missing = integrity_counts.rows_without_verdict(connection, work.file.id, work.task.id)
    counts = {"verdicts": total, "dropped": dropped, "duplicates": repeated, "without_verdict": missing}
    return Verdict(missing == 0, f"{missing} rows have no verdict", counts)


def _no_duplicate_left(connection: Connection, work: Work) -> Verdict:
    if not work.recipe.clean.dedup.exact:
        return Verdict(True, "the recipe does not remove exact duplicates", {})
    left = integrity_counts.exact_duplicates_left(connection, work.task.id)
    return Verdict(left == 0, f"{left} kept rows repeat the content of a lower one", {"left": left})


def _nothing_empty(connection: Connection, work: Work) -> Verdict:
    empty = augmented.empty_rows(connection, work.task.id)
    return Verdict(empty == 0, f"{empty} augmented rows have no answer text", {"empty": empty})


def gate_holds(connection: Connection, work: Work) -> Verdict:
    facts = gate_facts(connection, work.file, work.task)
    found = gate.decide(facts, gate_limits(work.recipe))
    sentence = " ".join(finding.sentence for finding in found) or "nothing stands in the way of the export"
    counts = {word: getattr(facts, word) for word in ("failed", "empty", "unfinished", "stale", "rejected", "dropped")}
    return Verdict(not found, sentence, counts)


def _export_is_current(connection: Connection, work: Work) -> Verdict:
    export = exports.current(connection, work.task.id)
    task = tasks.task_by_id(connection, work.task.id)
    passed = export is not None and export.content_version == task.content_version
    return Verdict(passed, "the export holds the rows as they are now", {"lines": export.lines if export else 0})


def _rows_accounted(connection: Connection, work: Work) -> Verdict:
    told = account(connection, work.file, work.task, work.recipe.export)
    counts = {
        "rows_in": told.rows_in,
        "exported": told.exported,
        "dropped": sum(told.dropped.values()),
        "not_exportable": sum(told.not_exportable.values()),
        "failed": told.failed,
        "accounted": told.accounted,
    }
    return Verdict(told.balanced, "every row was exported, or is counted where it went", counts)


CHECKS = (
    Check("lines_conserved", Stage.INGEST, "physical lines = conversations + rejects + blanks", _lines_conserved),
    Check("rows_conserved", Stage.CLEAN, "every ingested row was kept, dropped or found a duplicate", _rows_conserved),
    Check("no_duplicate_left", Stage.CLEAN, "no two kept rows have the same normalized content", _no_duplicate_left),
    Check("nothing_empty", Stage.AUGMENT, "no augmented row is without text", _nothing_empty),
    Check("gate", Stage.AUGMENT, "what the recipe's export gate tolerates is not exceeded", gate_holds),
    Check(
        "rows_accounted",
        Stage.EXPORT,
        "rows in = exported + dropped + not exportable + failed + deleted",
        _rows_accounted,
    ),
    Check("export_is_current", Stage.EXPORT, "no row changed since the export was written", _export_is_current),
)


def evaluate(connection: Connection, work: Work) -> list[tuple[Check, Verdict]]:
    """The checks of a stage and what each found."""
    return [(check, check.look(connection, work)) for check in CHECKS if check.stage is work.stage]


def objections(verdicts: list[tuple[Check, Verdict]]) -> str | None:
    """Why the next stage may not build on this one, in one text; None when it may. The export has none behind it."""
    said = [f"{check.name}: {verdict.sentence}" for check, verdict in verdicts if not verdict.passed]
    return " ".join(said) or None
