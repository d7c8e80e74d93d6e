"""What tasks say of the rows of a file, in one line for each field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corpus_pipeline.plain_text import printable

if TYPE_CHECKING:
    from corpus_pipeline.jobs.completion_report import ValueCounts

_ENOUGH = 20  # values from which on it matters that they are all the same
_SHOWN = 6


def values_line(field: str, told: ValueCounts) -> str:
    """`quality.score: 1 to 5, mean 3.2 (120)`, or the most frequent words."""
    rows = told["rows"]
    if "words" in told:
        words = list(told["words"].items())
        shown = ", ".join(f"{printable(word)} {count:,}" for word, count in words[:_SHOWN])
        more = f", and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
        is_constant = len(words) == 1
        line = f"{field}: {shown}{more}"
    else:
        is_constant = told["min"] == told["max"]
        line = f"{field}: {told['min']:g} to {told['max']:g}, mean {told['mean']:.2f} ({rows:,})"
    if is_constant and rows >= _ENOUGH:
        line += "; it is always the same, so that it tells nothing apart: mend the prompt or the model"
    return line
