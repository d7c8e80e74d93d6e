"""Statistics of a dataset file."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class TurnBin(TypedDict):
    """Conversations of at most this many turns; upto: None for the rest."""

    upto: int | None
    rows: int


class LengthBin(TypedDict):
    """Rows of at most this many characters; upto: None for the rest."""

    upto: int | None
    kept: int
    dropped: int


class LanguageCount(TypedDict):
    """Rows of a language; None: not told."""

    language: str | None
    rows: int


class ClusterSize(TypedDict):
    """How many clusters of duplicates have this size."""

    size: int
    clusters: int


class Cluster(TypedDict):
    """A kept row and how many repeat it. own: whether it is of this file."""

    number: int
    own: bool
    repeats: int


class ValueBin(TypedDict):
    """Rows whose value is this word, or lies from low to high; equal ones are one number."""

    word: NotRequired[str]
    low: NotRequired[float]
    high: NotRequired[float]
    rows: int


class ValueSpread(TypedDict):
    """How a score or label is spread. value: TASK.FIELD; rows: with a bin; mean: of numbers."""

    value: str
    rows: int
    mean: NotRequired[float]
    bins: list[ValueBin]


class FileStatistics(TypedDict):
    """Counted from rows, or estimated from some (estimated_from: how many; then values, clusters and largest are
    None). Before
    cleaning there are only turns. languages_of: rows that were looked at for their language, None: all."""

    name: str
    conversations: int | None
    estimated_from: int | None
    turns: list[TurnBin]
    rows: NotRequired[int]
    characters: NotRequired[int]
    mean_characters: NotRequired[float | None]
    lengths: NotRequired[list[LengthBin]]
    languages: NotRequired[list[LanguageCount]]
    languages_of: NotRequired[int | None]
    drop_reasons: NotRequired[dict[str, int]]
    values: NotRequired[list[ValueSpread] | None]
    clusters: NotRequired[list[ClusterSize] | None]
    largest: NotRequired[list[Cluster] | None]
