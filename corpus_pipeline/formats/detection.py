"""Which format a sample of records is in: the one that reads the most of them, and the most of each.

A reading is measured by the places of the record that it understands, so that a shape that is two things at once, such as
messages with a pair of answers, is read as the richer one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from corpus_pipeline.errors import LineRejected
from corpus_pipeline.formats import jsontext
from corpus_pipeline.formats.base import Format, Parsed, Record
from corpus_pipeline.formats.general import GENERAL, MIXED, read_any
from corpus_pipeline.formats.message_lists import is_single_message
from corpus_pipeline.formats.vocabulary import keys_by_meaning


class Reading(NamedTuple):
    """How a format reads a sample. understood: places of the records that it understands; left: losses of leaving it."""

    format: Format
    accepted: int
    understood: int
    left: int

    @property
    def rank(self) -> tuple[int, int, int]:
        """What is compared: more records, then more of each, then less that no other format would get."""
        return self.accepted, self.understood, -self.left


class Detection(NamedTuple):
    """What a sample was found to be.

    best, runner_up: None when no format reads more than half of the records. places: the keys that were read and as what,
    the most common first. beside: top-level keys that stay as they are. problem: why the first record that the best format
    cannot read is refused, or the first of all.
    """

    best: Reading | None
    runner_up: Reading | None
    records: int
    places: tuple[str, ...]
    beside: tuple[str, ...]
    problem: str

    def in_words(self) -> str:
        """The evidence in one sentence."""
        if self.best is None:
            return self.problem
        said = f"{self.best.accepted} of {self.records} records: {', '.join(self.places)}"
        if self.beside:
            said += f"; beside it: {', '.join(self.beside)}"
        if self.runner_up is not None:
            said += f"; next best: {self.runner_up.format.name} ({self.runner_up.accepted})"
        return said


def look_at(records: Sequence[Record], formats: Sequence[Format]) -> Detection:
    """Try the formats, and then the general reader, on a sample of records."""
    if sum(is_single_message(record, keys_by_meaning(tuple(record))) for record in records) > len(records) // 2:
        return Detection(None, None, len(records), (), (), _problem(None, records))
    readings = [reading for format in formats if (reading := _try(format, records)) is not None]
    readings += _general(records)
    ranked = sorted(readings, key=lambda one: one.rank, reverse=True)  # stable: of equal ones the first
    best = ranked[0] if ranked and ranked[0].accepted > len(records) // 2 else None
    others = [one for one in ranked[1:] if one.format.name != MIXED]
    runner_up = others[0] if others and best is not None else None
    places, beside = _evidence(best.format, records) if best is not None else ((), ())
    return Detection(best, runner_up, len(records), places, beside, _problem(best, records))


def _try(format: Format, records: Sequence[Record]) -> Reading | None:
    accepted = understood = left = 0
    evidence = list[int]()
    for record in records:
        try:
            parsed = format.parse(record)
        except LineRejected:
            continue
        accepted += 1
        evidence.append(format.evidence(record))
        more, less = _measure(parsed)
        understood, left = understood + more, left + less
    if not accepted or max(evidence) <= 0 or min(evidence) < 0:
        return None
    return Reading(format, accepted, understood, left)


def _general(records: Sequence[Record]) -> list[Reading]:
    """What the general reader makes of the records, by kind and of all kinds together."""
    accepted, understood, left = Counter[str](), Counter[str](), Counter[str]()
    for record in records:
        try:
            kind, parsed = read_any(record)
        except LineRejected:
            continue
        more, less = _measure(parsed)
        for name in (kind, MIXED):
            accepted[name] += 1
            understood[name] += more
            left[name] += less
    return [Reading(f, accepted[f.name], understood[f.name], left[f.name]) for f in GENERAL if accepted[f.name]]


def _measure(parsed: Parsed) -> tuple[int, int]:
    body = jsontext.loads(parsed.shape)
    # a call says more than the text between whose tags it stands
    calls = sum(len((turn.extra or {}).get("tool_calls", ())) for turn in parsed.turns)
    places = sum(
        slot[2] not in ("calls_text", "call", "call_arguments", "tool_calls", "function_call") for slot in body["slots"]
    )
    return places + 2 * calls, len(body.get("kept", ()))


def _evidence(format: Format, records: Sequence[Record]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    places, beside = Counter[str](), Counter[str]()
    for record in records:
        try:
            body = jsontext.loads(format.parse(record).shape)
        except LineRejected:
            continue
        places.update({f"{_ASKED.get(slot[2], slot[2])} from {_place(slot[0])}" for slot in body["slots"]})
        beside.update(body["extra"])
    return (
        tuple(said for said, _ in places.most_common(_MOST_PLACES)),
        tuple(key for key, _ in beside.most_common(_MOST_PLACES)),
    )


_MOST_PLACES = 8
_ASKED = {
    "tools_text": "tools",
    "calls_text": "calls",
    "call": "calls",
    "call_arguments": "calls",
    "tool_calls": "calls",
}


def _place(path: Sequence[str | int]) -> str:
    shown = ""
    for step in path:
        shown += "[]" if isinstance(step, int) else f".{step}" if shown else step
    return shown


def _problem(best: Reading | None, records: Sequence[Record]) -> str:
    for record in records:
        try:
            if best is not None:
                best.format.parse(record)
            else:
                read_any(record)
        except LineRejected as error:
            return error.detail
    return ""
