"""Cutting long lists of values into as many as one statement should hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

VALUES: Final = 500  # of one statement: every database takes as many parameters, and none plans longer than it works


def parts(values: Sequence[T], size: int = VALUES) -> Iterator[Sequence[T]]:
    """The values in their order, at most so many at a time."""
    return (values[start : start + size] for start in range(0, len(values), size))
