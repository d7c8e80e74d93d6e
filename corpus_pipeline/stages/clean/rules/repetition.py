"""Repetition: answers in which a model got stuck.

Two measures, both without words, so that Chinese and Japanese are judged as English is: a stretch of text that repeats
itself with one period (a loop of characters, words or lines), and sentences or lines that come back (after Rae et al.
2021, "Scaling Language Models", A1.1, whose limits are for web pages and stricter).
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from pydantic import Field

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, View, prose
from corpus_pipeline.stages.clean.rules.code import is_code, is_structured
from corpus_pipeline.stages.clean.rules.subjects import REPETITION

_PROBES = 5  # steps between probes
_PROBE_LENGTH = 12
_TRIES = 3  # a unit may contain its own beginning: then the nearest repeat is not the period
_ASCII_STOPS = ("\n", ". ", "! ", "? ")
_STOPS = (*_ASCII_STOPS, "。", "！", "？")
_SEGMENT_ENDS = lazily(r"[.!?。！？…]+[\s\"'”’」）)]*|\n+")


def _equal_length(text: str, left: int, right: int) -> int:
    """How many characters from `left` on equal those from `right` on (left < right)."""
    good, step, limit = 0, 16, len(text) - right
    while step:
        take = min(step, limit - good)
        if take > 0 and text[left + good : left + good + take] == text[right + good : right + good + take]:
            good += take
            if good == limit:
                break
            step *= 2
        else:
            step = min(step, max(take, 0)) // 2
    return good


def longest_loop(text: str) -> tuple[int, int, int]:
    """(start, length, period) of a stretch that repeats itself; length 0 when the probes see none.

    A stretch of 120 characters or more that covers 0.3 of the text and holds its unit five times is always seen: a
    probe lies in it, and the probe's repeat too.
    """
    size = len(text)
    window = size // 4 + _PROBE_LENGTH
    last = size - 2 * _PROBE_LENGTH
    best = (0, 0, 1)
    for position in range(0, last + 1, max(1, last // _PROBES)):
        found = text.find(text[position : position + _PROBE_LENGTH], position + 1, position + window)
        if found >= 0:
            best = max(best, _loop_at(text, position, found), key=_length)
    return best


def _length(loop: tuple[int, int, int]) -> int:
    return loop[1]


def _loop_at(text: str, position: int, found: int) -> tuple[int, int, int]:
    """The longest loop through `position`, whose first characters come back at `found`."""
    unit = text[position : position + _PROBE_LENGTH]
    best = (0, 0, 1)
    for _ in range(_TRIES):
        period = found - position
        ahead = _equal_length(text, position, found)
        behind = _equal_length(text[:found][::-1], 0, period)
        if ahead + behind + period > best[1]:
            best = (position - behind, ahead + behind + period, period)
        found = text.find(unit, found + 1, position + len(text) // 4 + _PROBE_LENGTH)
        if found < 0:
            break
    return best


def repeated_share(text: str, min_length: int = 6) -> tuple[float, int]:
    """(share of the characters that lie in lines or sentences seen before, how many these are)."""
    segments = [s for piece in _SEGMENT_ENDS.split(text) if len(s := piece.strip()) >= min_length]
    total = sum(map(len, segments))
    counts = Counter(segments)
    again = sum(len(segment) * (count - 1) for segment, count in counts.items())
    return (again / total if total else 0.0), len(segments) - len(counts)


def _may_repeat(text: str, least: int) -> bool:
    """Whether at least `least` lines or sentences come back, seen roughly and fast."""
    for stop in _ASCII_STOPS if text.isascii() else _STOPS:
        if text.count(stop) >= least:
            segments = text.split(stop)
            if len(segments) - len(set(segments)) >= least:
                return True
    return False


def _words_of(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


_WORD = lazily(r"\w+")
_SHORT_LINE = 60


class Repetition(Rule):
    name = "repetition"
    version = 2
    summary = (
        "Drops conversations with an answer in prose that got stuck: a loop of characters, words or sentences, or the same "
        "sentences over and over. Code, data, tables, verse, answers of a weight of 0, and repetitions that were asked for "
        "stay and are tagged `repetition`."
    )
    reasons = ("looping_response", "repeated_sentences")
    tags = ("repetition",)

    class Params(Rule.Params):
        min_characters: int = Field(120, ge=20, description="shorter loops and answers are not judged")
        min_loops: int = Field(5, ge=2, description="times that the unit of a loop must occur")
        max_loop_share: float = Field(0.3, ge=0.25, le=1, description="of an answer's characters that a loop may cover")
        min_repeats: int = Field(4, ge=1, description="lines or sentences that must come back")
        max_repeated_share: float = Field(0.5, gt=0, le=1, description="of an answer's characters that may come back")

    params: Params

    def screen(self, view: View) -> bool:
        for turn in view.turns:
            text = turn.response
            if text and len(text) >= self.params.min_characters and self._fault(text) is not None:
                return True
        return False

    def apply(self, view: View) -> Outcome:
        for answer in view.answers():
            if len(answer.text) < self.params.min_characters:
                continue
            fault = self._fault(answer.text)
            if fault is None:
                continue
            if _is_meant(view, answer.text, fault.unit):
                return Outcome(view.turns, tags=(self.tag("repetition", turn=answer.turn, field=answer.field),))
            return self.drop(view.turns, fault.reason, fault.detail, turn=answer.turn, field=answer.field)
        return Outcome(view.turns)

    def _fault(self, text: str) -> _Fault | None:
        params = self.params
        start, length, period = longest_loop(text)
        if (
            length >= params.min_characters
            and length > params.max_loop_share * len(text)
            and length >= params.min_loops * period
            and any(map(str.isalpha, text[start : start + period]))
        ):
            unit = text[start : start + period]
            return _Fault("looping_response", f"{length // period} x {unit[:40]!r}", unit)
        if _may_repeat(text, params.min_repeats):
            share, repeats = repeated_share(prose(text))
            if repeats >= params.min_repeats and share > params.max_repeated_share:
                return _Fault("repeated_sentences", f"{repeats} again, {share:.0%} of the characters", "")
        return None


class _Fault(NamedTuple):
    reason: str
    detail: str
    unit: str  # what a loop repeats, "" when sentences come back in any order


def _is_meant(view: View, text: str, unit: str) -> bool:
    """Whether a repetition is the form of the answer, or what was asked for."""
    if is_structured(text) or is_code(text) or _is_verse(text, unit):
        return True
    context = view.context()
    if REPETITION.search(context):
        return True
    # the request holds what is said again
    words = _words_of(unit)
    return len(words) > 3 and words <= _words_of(context)


def _is_verse(text: str, unit: str) -> bool:
    """Whether a text is one of short lines, of which some come back: a song, a list, the output of a program.

    One line over and over is none, unless it is data: few letters.
    """
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if len(lines) < 6 or sum(len(line) <= _SHORT_LINE for line in lines) < 0.8 * len(lines):
        return False
    return len(set(lines)) > 2 and not ("\n" not in unit and unit and len(unit) * 5 < max(map(len, lines)))
