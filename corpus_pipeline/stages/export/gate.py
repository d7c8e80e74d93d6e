"""The gate in front of the export: counts in, findings out. Nothing here reads a row."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import NamedTuple

from corpus_pipeline.errors import GateRefused
from corpus_pipeline.recipe import Gate


class GateFacts(NamedTuple):
    """Rows of one dataset file, counted in the same transaction that selects what is exported.

    failed: samples whose queue state still blocks an export.
    empty: rows up for export without any answer text.
    unfinished: rows that a stage has begun or not yet reached.
    stale: augmented rows made from a source text, prompt or model that is no longer the current one.
    total: rows that were ingested, whatever became of them.
    """

    name: str
    total: int
    failed: int = 0
    empty: int = 0
    unfinished: int = 0
    stale: int = 0


@dataclass(frozen=True)
class Finding:
    """One reason to refuse: `count` rows where `limit` are allowed, and the sentence that ends with what to run."""

    word: str
    count: int
    limit: int
    sentence: str


# word, what the rows are, the command that deals with them
_QUESTIONS = (
    ("failed", "failed samples are open", "corpus failed list --where file={name}"),
    ("empty", "rows to export have no answer text", "corpus rows {name} --stage augment --where empty=true"),
    ("unfinished", "rows are not finished", "corpus run {name} --to augment"),
    ("stale", "augmented rows were made from an older text or prompt", "corpus run {name} --to augment"),
)


def limits(gate: Gate) -> dict[str, int]:
    """The number of rows that each word allows; a stale row is never allowed, a new run replaces it."""
    return {"failed": gate.max_failed, "empty": gate.max_empty, "unfinished": gate.max_unfinished, "stale": 0}


def decide(facts: GateFacts, gate: Gate) -> tuple[Finding, ...]:
    """Every reason to refuse, in a fixed order; empty when the export may go ahead."""
    allowed = limits(gate)
    found = []
    for word, what, command in _QUESTIONS:
        count = getattr(facts, word)
        if count > allowed[word]:
            run = command.format(name=shlex.quote(facts.name))
            sentence = f"{count} of {facts.total} {what} (allowed: {allowed[word]}). Run `{run}`."
            found.append(Finding(word, count, allowed[word], sentence))
    return tuple(found)


def tolerated(facts: GateFacts, gate: Gate) -> dict[str, dict[str, int]]:
    """What the recipe's limits let through, for the manifest: word -> {count, limit}."""
    return {
        word: {"count": getattr(facts, word), "limit": limit}
        for word, limit in limits(gate).items()
        if 0 < getattr(facts, word) <= limit
    }


def enforce(facts: GateFacts, gate: Gate) -> None:
    """Raises GateRefused with every finding's sentence when `decide` finds any."""
    found = decide(facts, gate)
    if found:
        reasons = " ".join(finding.sentence for finding in found)
        message = (
            f"the export of '{facts.name}' is refused: {reasons}"
            " To let such rows pass, raise the limits at export.gate in the recipe."
        )
        raise GateRefused(message, {finding.word: finding.count for finding in found})
