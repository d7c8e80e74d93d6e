"""Turns as column values and back: the same seven columns wherever turns are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from corpus_pipeline.model import Turn
from corpus_pipeline.store.schema import DATA_COLUMNS

Values = tuple[Any, ...]


def turn_values(turn: Turn) -> Values:
    """The values of `DATA_COLUMNS` for one turn."""
    return (*turn[:6], extra_value(turn))


def extra_value(turn: Turn) -> str | None:
    """The last of them."""
    if turn.extra is None:
        return None
    from corpus_pipeline.formats import jsontext  # late: `corpus status` needs no format

    return jsontext.dumps(turn.extra)


def numbered(turns: Sequence[Turn], *key: Any) -> list[Values]:
    """(key..., turn_taking, DATA_COLUMNS...) for each turn of a conversation."""
    return [(*key, number, *turn_values(turn)) for number, turn in enumerate(turns, 1)]


def turn_from(values: Sequence[Any]) -> Turn:
    """A turn from the values of `DATA_COLUMNS`."""
    extra = values[6]
    if extra is None:
        return Turn._make(values)
    from corpus_pipeline.formats import jsontext  # late: `corpus status` needs no format

    return Turn._make((*values[:6], jsontext.loads(extra)))


def grouped(rows: Iterable[Sequence[Any]], key_width: int) -> dict[Any, tuple[Turn, ...]]:
    """Rows of (key..., DATA_COLUMNS...) in key and turn order, as turns by key; a key of one column is not a tuple."""
    key = itemgetter(0) if key_width == 1 else itemgetter(*range(key_width))
    return {k: tuple([turn_from(row[key_width:]) for row in group]) for k, group in groupby(rows, key)}


__all__ = ["DATA_COLUMNS", "Values", "extra_value", "grouped", "numbered", "turn_from", "turn_values"]
