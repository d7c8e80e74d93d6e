"""Where two versions of a conversation differ: the stretch of each text that is not equal, with what both share around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from corpus_pipeline.model import Turn

MAX_MARKED = 2_000  # characters of a text that is looked through for differences
_AROUND = 60  # characters shown of what both share, on either side


class Difference(NamedTuple):
    """A stretch in which two texts differ. turn: 1-based; before, behind: what both share around it."""

    turn: int
    field: str
    before: str
    left: str
    right: str
    behind: str


def differences(left: Sequence[Turn], right: Sequence[Turn]) -> Iterator[Difference]:
    """One difference for each text that is not equal. In time linear in the texts: equal heads and tails are taken off."""
    for number in range(max(len(left), len(right))):
        own = dict(left[number].texts()) if number < len(left) else {}
        other = dict(right[number].texts()) if number < len(right) else {}
        for field in dict.fromkeys([*own, *other]):
            if own.get(field) != other.get(field):
                yield Difference(number + 1, field, *_stretch(own.get(field) or "", other.get(field) or ""))


def _stretch(left: str, right: str) -> tuple[str, str, str, str]:
    head = _common(left, right)
    head = left.rfind(" ", 0, head) + 1  # to the border of a word, where there are words
    tail = _common(left[head:][::-1], right[head:][::-1])
    tail = min(tail, len(left) - head, len(right) - head)
    end, other_end = len(left) - tail, len(right) - tail
    return (
        left[max(0, head - _AROUND) : head],
        left[head:end][:MAX_MARKED],
        right[head:other_end][:MAX_MARKED],
        left[end : end + _AROUND],
    )


def _common(left: str, right: str) -> int:
    """The length of the common beginning of two texts, by halving: a comparison in Python for each character is slow."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
