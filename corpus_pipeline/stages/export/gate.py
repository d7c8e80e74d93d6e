"""The gate in front of the export: counts in, findings out. Nothing here reads a row.

It is asked twice: before a line is written, and once more with what the format could not hold.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from corpus_pipeline.errors import GateRefused
from corpus_pipeline.recipe import CleanGate, Gate
from corpus_pipeline.stages.export import review
from corpus_pipeline.states import DuplicateKind

_NOTHING: Mapping[str, int] = {}
_SHOWN_REASONS = 5
_EXACT = f"{DuplicateKind.EXACT.value}_duplicate"


class Written(NamedTuple):
    """What an export that lies ready would hold.

    rows: lines of its data file. not_exportable: reason -> rows that the format cannot hold.
    """

    format: str
    rows: int
    not_exportable: Mapping[str, int] = _NOTHING


class GateFacts(NamedTuple):
    """Rows of one dataset file, counted in the same transaction that selects what is exported.

    total: rows that were ingested, whatever became of them.
    failed: samples whose queue state still blocks an export.
    empty: rows up for export without any answer text.
    unfinished: rows that a stage has begun or not yet reached.
    stale: augmented rows made from a source text, prompt or model that is no longer the current one.
    rejects, drops: reason -> lines that became no row, rows that cleaning dropped.
    written: what lies ready; None before it was written.
    new_rows: those that models made; judged, judged_bad: of the review's sample, by people.
    """

    name: str
    total: int
    failed: int = 0
    empty: int = 0
    unfinished: int = 0
    stale: int = 0
    rejects: Mapping[str, int] = _NOTHING
    drops: Mapping[str, int] = _NOTHING
    written: Written | None = None
    new_rows: int = 0
    judged: int = 0
    judged_bad: int = 0

    @property
    def rejected(self) -> int:
        return sum(self.rejects.values())

    @property
    def dropped(self) -> int:
        return lost_by(self.drops)


def lost_by(drops: Mapping[str, int]) -> int:
    """Rows that cleaning dropped and that are lost with it: of an exact duplicate an equal row goes out."""
    return sum(count for reason, count in drops.items() if reason != _EXACT)


class Limits(NamedTuple):
    """The limits of a recipe: those of its export gate and that of its clean gate."""

    export: Gate = Gate()
    clean: CleanGate = CleanGate()


@dataclass(frozen=True)
class Finding:
    """One reason to hold the export: `count` where `limit` is allowed (a share of the whole when it is a float, the
    least when the word is `rows`), and the sentence that ends with what to do."""

    word: str
    count: int
    limit: float
    sentence: str


# word, what the samples or rows are, the command that deals with them; none of these is a share of the file's rows, as a row
# may have many samples
_QUESTIONS = (
    ("failed", "failed samples are open", "corpus failed list --where file={name}"),
    ("empty", "rows to export have no answer text", "corpus rows {name} --stage augment --where empty=true"),
    ("unfinished", "rows are not finished", "corpus run {name} --to augment"),
    ("stale", "augmented rows were made from an older text or prompt", "corpus run {name} --to augment"),
)


def _allowed(gate: Gate) -> dict[str, int]:
    """The number of rows that each word allows; a stale row is never allowed, a new run replaces it."""
    return {"failed": gate.max_failed, "empty": gate.max_empty, "unfinished": gate.max_unfinished, "stale": 0}


def decide(facts: GateFacts, limits: Limits) -> tuple[Finding, ...]:
    """Every reason to hold the export, in a fixed order; empty when it may go ahead."""
    found = [*_unready(facts, limits.export), *_lost(facts, limits), *_reviewed(facts, limits.export)]
    if facts.written is not None:
        found += _written(facts, facts.written, limits.export)
    return tuple(found)


def _unready(facts: GateFacts, gate: Gate) -> list[Finding]:
    allowed = _allowed(gate)
    found = []
    for word, what, command in _QUESTIONS:
        count = getattr(facts, word)
        if count > allowed[word]:
            run = command.format(name=shlex.quote(facts.name))
            sentence = f"{count:,} {what} (allowed: {allowed[word]:,}). Run `{run}`."
            found.append(Finding(word, count, allowed[word], sentence))
    return found


def _lost(facts: GateFacts, limits: Limits) -> list[Finding]:
    """What was lost on the way, as shares of what came in."""
    name, found = shlex.quote(facts.name), []
    records = facts.total + facts.rejected
    if facts.rejected > limits.export.max_rejected * records:
        found.append(
            Finding(
                "rejected",
                facts.rejected,
                limits.export.max_rejected,
                f"{facts.rejected:,} of {records:,} records of the file could not be read ({listed(facts.rejects)}), and"
                f" export.gate.max_rejected allows {limits.export.max_rejected:.2%}. Look at them: `corpus rejects {name}`.",
            )
        )
    if facts.dropped > limits.clean.max_dropped * facts.total:
        reason = max(set(facts.drops) - {_EXACT}, key=lambda word: facts.drops[word])
        found.append(
            Finding(
                "dropped",
                facts.dropped,
                limits.clean.max_dropped,
                f"{facts.dropped:,} of {facts.total:,} rows were dropped by cleaning beside exact duplicates"
                f" ({listed(facts.drops)}), and"
                f" clean.gate.max_dropped allows {limits.clean.max_dropped:.0%}."
                f" Look at them: `corpus rows {name} --where reason={reason}`.",
            )
        )
    return found


def _reviewed(facts: GateFacts, gate: Gate) -> list[Finding]:
    """What people say of the new rows, where the recipe asks them."""
    limit = gate.review.max_defects
    if limit is None or not facts.new_rows:
        return []
    said = review.decide(facts.judged, facts.judged_bad, facts.new_rows, gate.review)
    if said.decision is review.Decision.ACCEPT:
        return []
    name = shlex.quote(facts.name)
    so_far = f"people judged {said.judged:,} of {facts.new_rows:,} new rows and found {said.bad:,} bad"
    if said.decision is review.Decision.REJECT:
        sentence = (
            f"{so_far}: with {gate.review.confidence:.0%} confidence more than {said.low:.1%} are bad, and"
            f" export.gate.review.max_defects allows {limit:.1%}. Mend the recipe and augment again:"
            f" `corpus run {name} --to augment --redo`."
        )
    else:
        sentence = (
            f"{so_far}; to say with {gate.review.confidence:.0%} confidence that fewer than {limit:.1%} are bad,"
            f" {max(0, said.wanted - said.judged):,} more must be judged and found good. Next: `corpus review {name}`."
        )
    return [Finding("review", said.bad, limit, sentence)]


def _written(facts: GateFacts, written: Written, gate: Gate) -> list[Finding]:
    name, found = shlex.quote(facts.name), []
    withheld = sum(written.not_exportable.values())
    if withheld > gate.max_not_exportable:
        found.append(
            Finding(
                "not_exportable",
                withheld,
                gate.max_not_exportable,
                f"{withheld:,} of {written.rows + withheld:,} rows cannot be written as {written.format}"
                f" ({listed(written.not_exportable)}), and export.gate.max_not_exportable allows"
                f" {gate.max_not_exportable:,}. Look at them: `corpus rows {name} --stage export --where exportable=false`;"
                " another export.format may hold them.",
            )
        )
    if written.rows < gate.min_rows:
        found.append(
            Finding(
                "rows",
                written.rows,
                gate.min_rows,
                f"the export would hold {written.rows:,} rows, and export.gate.min_rows asks for {gate.min_rows:,}."
                f" See what became of them: `corpus report {name}`.",
            )
        )
    return found


def listed(reasons: Mapping[str, int]) -> str:
    """Reasons with their counts, the most frequent first: `turn_order 10, no_answer 2`."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{reason} {count:,}" for reason, count in ordered[:_SHOWN_REASONS]]
    if len(ordered) > _SHOWN_REASONS:
        shown.append(f"{len(ordered) - _SHOWN_REASONS} more reasons")
    return ", ".join(shown)


def tolerated(facts: GateFacts, limits: Limits) -> dict[str, dict[str, float]]:
    """What the recipe's limits let through, for the manifest: word -> {count, limit}."""
    withheld = 0 if facts.written is None else sum(facts.written.not_exportable.values())
    counted: dict[str, tuple[int, float]] = {
        word: (getattr(facts, word), limit) for word, limit in _allowed(limits.export).items()
    }
    counted["rejected"] = facts.rejected, limits.export.max_rejected
    counted["not_exportable"] = withheld, limits.export.max_not_exportable
    refused = {finding.word for finding in decide(facts, limits)}
    return {
        word: {"count": count, "limit": limit}
        for word, (count, limit) in counted.items()
        if count and word not in refused
    }


def enforce(facts: GateFacts, limits: Limits) -> None:
    """Raises GateRefused with every finding's sentence when `decide` finds any."""
    found = decide(facts, limits)
    if found:
        raise GateRefused(refusal(facts.name, found), {finding.word: finding.count for finding in found})


def refusal(name: str, found: tuple[Finding, ...]) -> str:
    """Why an export is held, and the way on, in one text."""
    reasons = " ".join(finding.sentence for finding in found)
    return (
        f"the export of '{name}' is held, and what was exported before stays: {reasons}"
        " To let such rows pass, raise the limit at export.gate or clean.gate of the recipe"
        f" (`corpus recipe check RECIPE.yaml --bind {shlex.quote(name)}`), then run again."
    )
