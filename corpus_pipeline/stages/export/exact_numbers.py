"""Numbers of a record that a column of 64-bit numbers would round: where they lie, and the same record with their texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from corpus_pipeline.formats import jsontext
from corpus_pipeline.lazy_patterns import lazily

Where = tuple[str | None, ...]  # keys from the top; None is any place of a list
_WIDE = lazily(rb"[0-9]{16}")
_EXACT = 1 << 53  # up to here a double holds every integer
_INT64 = 1 << 63


class Numbers:
    """Looks at every line of an export. as_text: columns that must be text, with how many of their numbers would be rounded.
    wide: integers that a column of doubles would round."""

    def __init__(self) -> None:
        self.as_text: Counter[Where] = Counter()
        self.wide: Counter[Where] = Counter()

    def take(self, line: bytes) -> None:
        """Look at one line."""
        if jsontext.keeps_numbers(line) and not _WIDE.search(line):
            return
        for where, value in _numbers(jsontext.loads(line), ()):
            if not _is_held(value):
                self.as_text[where] += 1
            elif isinstance(value, int) and abs(value) > _EXACT:
                self.wide[where] += 1

    def take_beside_wide(self, line: bytes) -> None:
        """Look at one line once more, where `wide` is known: fractions beside such integers make doubles of all of them."""
        for where, value in _numbers(jsontext.quickly(line), ()):
            if where in self.wide and where not in self.as_text and isinstance(value, float):
                self.as_text[where] = self.wide[where]

    def in_words(self) -> dict[str, int]:
        """Column -> numbers that are kept as text."""
        return {named(where): count for where, count in sorted(self.as_text.items(), key=str)}


def named(where: Where) -> str:
    """A place as people write it: `meta.ids[]`."""
    return "".join("[]" if step is None else f".{step}" if at else step for at, step in enumerate(where))


def with_texts(value: Any, places: frozenset[Where], where: Where = ()) -> Any:
    """The value with the text of each number at these places; the others are plain numbers."""
    if isinstance(value, dict):
        return {key: with_texts(inner, places, (*where, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_texts(inner, places, (*where, None)) for inner in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if where in places:
        return jsontext.dumps(value)
    return _plain(value)


def _plain(value: float) -> float:
    if type(value) is not jsontext.NumberText:
        return value
    return 0 if value.text == "-0" else float(value)


def _numbers(value: Any, where: Where) -> Iterator[tuple[Where, float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, (*where, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner, (*where, None))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield where, value


def _is_held(value: float) -> bool:
    """Whether 64 bits hold the value, whatever its text."""
    if isinstance(value, int):
        return -_INT64 <= value < _INT64
    if type(value) is not jsontext.NumberText:
        return True
    try:
        return Decimal(value.text) == Decimal(repr(float(value)))
    except InvalidOperation:  # more digits or a larger exponent than anything holds
        return False
