"""The pairs of rows that may be near-duplicates by edits of their long texts; which of them are is said by `verification`.

The relation, which the tests hold against a comparison of all pairs:

* only rows of one CLASS (same frame, same short texts) are candidates of each other, and only within `threshold` bits;
* the keys of a row are the four 16-bit bands of its SimHash (Manku, Jain, Das Sarma, WWW 2007: values within 3 bits agree
  in one at least) and the entries of its sketches, each together with its CLASS;
* a row holds a key when it is among the `window` lowest rows of its own file with it, copies left out;
* an entry is *shared* when, in its row's file, rows with `shared_answers` different other sides have it (different
  answers for an entry of the question's side, different questions for one of the answer's), or `shared_rows` rows at all.
  Shared text carries no weight: a shared entry is no key, and the share of a side's common entries that are not shared is
  how much of the common text tells the rows apart (`weights`).

Holding and sharing look at one file only, at all of its rows, so that a pair depends on its two files alone: files may
come in any order. The window bounds the work on boilerplate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus_pipeline.model import ROW_BITS
from corpus_pipeline.stages.clean.dedup import features
from corpus_pipeline.stages.clean.dedup.features_numpy import Hashes, Positions, mixed
from corpus_pipeline.stages.clean.dedup.signatures import (
    ANSWER,
    QUESTION,
    SIDES,
    SKETCH_SIZE,
    SKETCHES,
    Signatures,
    class_keys,
)

Mask = npt.NDArray[np.bool_]

BANDS = 4
KEYS = BANDS + SIDES * SKETCH_SIZE  # columns of keys of a row

_BAND_BITS = np.uint64(64 // BANDS)
_HALF = np.uint64(32)
_PART = 1 << 20  # entries that are sorted at once
_PAIRS = 1 << 19  # candidate pairs that are looked at at once


class Sharing(NamedTuple):
    """What of its own file each row's entries and keys are.

    shared: bool[n, SIDES * SKETCH_SIZE]; held: bool[n, KEYS].
    """

    shared: Mask
    held: Mask


class Limits(NamedTuple):
    """The named bounds of `recipe.DedupSection` that say who is compared."""

    threshold: int = 16
    shared_rows: int = 20
    shared_answers: int = 3
    window: int = 8
    least_own: float = 0.1  # of a side's common text; what has less is compared by equality alone


class Pairs(NamedTuple):
    """query: int64[p], ascending; target: int64[p], a lower row, ascending for each query."""

    query: Positions
    target: Positions


def sharing(ids: Positions, fingerprints: Hashes, signatures: Signatures, silent: Mask, limits: Limits) -> Sharing:
    """What of its file each entry and key is; all rows of each file must be given.

    ids: int64[n] ascending, the file above ROW_BITS; silent: bool[n], rows that count for nothing (copies of a lower row of
    their file, and rows that are not compared).
    """
    shared = _shared(ids, signatures, silent, limits)
    keys = row_keys(fingerprints, signatures, shared)
    held = np.zeros(keys.shape, np.bool_)
    files = ids >> ROW_BITS
    for values, rows, columns in _sorted_cells(keys, ~silent):
        starts = _run_starts(values, files[rows])
        first = np.repeat(np.flatnonzero(starts), np.diff(np.append(np.flatnonzero(starts), len(rows))))
        held[rows, columns] = np.arange(len(rows)) - first < limits.window
    return Sharing(shared, held)


def row_keys(fingerprints: Hashes, signatures: Signatures, shared: Mask) -> npt.NDArray[np.uint32]:
    """uint32[n, KEYS]: the keys of each row, 0 where there is none."""
    classes = class_keys(signatures)
    keys = np.zeros((len(classes), KEYS), np.uint32)
    there = classes > 0
    for band in range(BANDS):
        bits = (fingerprints >> (_BAND_BITS * np.uint64(band))) & np.uint64(0xFFFF)
        keys[:, band] = _key(bits | np.uint64((band + 1) << 16 << 32), classes)
    for column in range(SIDES * SKETCH_SIZE):
        entries = signatures[:, SKETCHES.start + column].astype(np.uint64)
        side = np.uint64(column // SKETCH_SIZE)
        found = _key(entries << np.uint64(1) | side, classes)
        keys[:, BANDS + column] = np.where((entries > 0) & ~shared[:, column], found, 0)
    keys[~there] = 0
    return keys


def candidates(
    ids: Positions,
    fingerprints: Hashes,
    signatures: Signatures,
    found: Sharing,
    queries: Mask,
    limits: Limits,
    own: Mask | None = None,
) -> Pairs:
    """The candidate pairs of the query rows with lower holders of their keys; with `own`, those with an own row."""
    keys = row_keys(fingerprints, signatures, found.shared)
    classes = class_keys(signatures)
    parts = [np.zeros(0, np.int64)]
    for values, rows, columns in _sorted_cells(keys, np.ones(len(ids), np.bool_)):
        for query, target in _with_holders(values, rows, found.held[rows, columns], queries):
            keep = classes[query] == classes[target]
            if own is not None:
                keep &= own[query] | own[target]
            keep &= np.bitwise_count(fingerprints[query] ^ fingerprints[target]) <= limits.threshold
            parts.append(np.unique(query[keep] << 32 | target[keep]))
    pairs = np.unique(np.concatenate(parts))
    query, target = pairs >> 32, pairs & ((1 << 32) - 1)
    apart = weights(signatures, found.shared, query, target) >= limits.least_own
    sides = [QUESTION, ANSWER]
    apart |= signatures[query[:, None], sides] == signatures[target[:, None], sides]  # what is equal needs no weight
    both = apart.all(axis=1)
    return Pairs(query[both], target[both])


def weights(signatures: Signatures, shared: Mask, one: Positions, other: Positions) -> npt.NDArray[np.float64]:
    """float64[p, SIDES]: the share of each side's common text that other rows of the two files do not share; 1 for a
    side without long texts, 0 where nothing is common."""
    result = np.ones((len(one), SIDES))
    for start in range(0, len(one), _PAIRS // 16):
        left, right = one[start : start + _PAIRS // 16], other[start : start + _PAIRS // 16]
        for side in range(SIDES):
            columns = slice(SKETCHES.start + side * SKETCH_SIZE, SKETCHES.start + (side + 1) * SKETCH_SIZE)
            own = slice(side * SKETCH_SIZE, (side + 1) * SKETCH_SIZE)
            entries, others = signatures[left, columns], signatures[right, columns]
            same = (entries[:, :, None] == others[:, None, :]) & (entries > 0)[:, :, None]
            both = same.any(axis=2)
            theirs = (same & shared[right, own][:, None, :]).any(axis=2)
            alone = both & ~shared[left, own] & ~theirs
            share = alone.sum(axis=1) / np.maximum(both.sum(axis=1), 1)
            empty = (entries[:, 0] == 0) & (others[:, 0] == 0)
            result[start : start + len(left), side] = np.where(empty, 1.0, share)
    return result


def _shared(ids: Positions, signatures: Signatures, silent: Mask, limits: Limits) -> Mask:
    result = np.zeros((len(ids), SIDES * SKETCH_SIZE), np.bool_)
    files = ids >> ROW_BITS
    for side, opposite in ((0, ANSWER), (1, QUESTION)):
        columns = slice(SKETCHES.start + side * SKETCH_SIZE, SKETCHES.start + (side + 1) * SKETCH_SIZE)
        entries = signatures[:, columns]
        for values, rows, places in _sorted_cells(entries, ~silent, (signatures[:, opposite], files)):
            runs = np.flatnonzero(_run_starts(values, files[rows]))
            sizes = np.diff(np.append(runs, len(rows)))
            other = signatures[rows, opposite]
            another = np.ones(len(rows), np.int64)
            another[1:] = other[1:] != other[:-1]
            another[runs] = 1
            different = np.add.reduceat(another, runs)
            many = (sizes >= limits.shared_rows) | (different >= limits.shared_answers)
            result[rows, places + side * SKETCH_SIZE] = np.repeat(many, sizes)
    return result


def _key(values: Hashes, classes: Hashes) -> npt.NDArray[np.uint32]:
    """32 bits of a value together with a class, never 0."""
    words = mixed(values * np.uint64(features.PAIR) + classes)
    return np.maximum(words >> _HALF, 1).astype(np.uint32)


def _sorted_cells(
    cells: npt.NDArray[np.uint32], wanted: Mask, by: Sequence[npt.NDArray] = ()
) -> Iterator[tuple[Positions, Positions, Positions]]:
    """(value, row, column) of the cells above 0 of the wanted rows, in parts that hold all cells of a value, sorted by
    value and row, or by value and the columns `by`, the last one first."""
    parts = 1 << (cells.size // _PART).bit_length() if cells.size else 0
    for part in range(parts):
        rows, columns = _cells_of_part(cells, wanted, part, parts)
        if not len(rows):
            continue
        values = cells[rows, columns].astype(np.int64)
        order = np.lexsort((*(column[rows] for column in by), values)) if by else np.argsort(values << 32 | rows)
        yield values[order], rows[order], columns[order]


def _cells_of_part(cells: npt.NDArray[np.uint32], wanted: Mask, part: int, parts: int) -> tuple[Positions, Positions]:
    found = []
    for start in range(0, len(cells), 1 << 16):
        block = cells[start : start + (1 << 16)]
        mine = ((block & np.uint32(parts - 1)) == part) & (block > 0) & wanted[start : start + (1 << 16), None]
        rows, columns = np.nonzero(mine)
        found.append((rows + start, columns))
    return tuple(np.concatenate(places) for places in zip(*found, strict=True))  # type: ignore[return-value]


def _run_starts(values: Positions, files: Positions) -> Mask:
    """Where another value or another file begins."""
    new = np.ones(len(values), np.bool_)
    new[1:] = (values[1:] != values[:-1]) | (files[1:] != files[:-1])
    return new


def _with_holders(
    values: Positions, rows: Positions, holds: Mask, queries: Mask
) -> Iterator[tuple[Positions, Positions]]:
    """(query row, lower holder) pairs of one part, at most about _PAIRS at once."""
    starts = np.ones(len(rows), np.bool_)
    starts[1:] = values[1:] != values[:-1]
    holders = rows[holds]
    before: Positions = np.cumsum(holds) - holds  # holders before each place
    places = np.flatnonzero(starts)
    first = np.repeat(before[places], np.diff(np.append(places, len(rows))))
    counts = np.where(queries[rows], before - first, 0)
    asking = np.flatnonzero(counts)
    ends = np.cumsum(counts[asking])
    start = 0
    while start < len(asking):
        done = ends[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(ends, done + _PAIRS, side="right")))
        part = asking[start:end]
        count = counts[part]
        within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        yield np.repeat(rows[part], count), holders[np.repeat(first[part], count) + within]
        start = end
