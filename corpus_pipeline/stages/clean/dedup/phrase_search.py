"""For each row the lowest row that shares a phrase with it and passes verification.

A short text with three edited words lies 10 to 20 bits from its original, too far for an exact search, and a wide
threshold alone takes texts for the same that are not. So two rows become candidates when they share a phrase, and are
near-duplicates when everything else agrees too. The relation, which the tests hold against a comparison of all pairs:

* the phrases of a row are the values of its sketch (lowest hashes of token triples, see `fingerprint`);
* a row holds a phrase when it is among the HOLDERS lowest rows of its own file with it, copies left out. The window
  bounds the work on boilerplate, and because it looks at one file only, files may come in any order;
* a row and a lower holder of one of its phrases are near-duplicates when the number of tokens, the fingerprints and the
  sketches agree as `verified` says, and their numbers are the same: a sum with 120 in place of 60 is another sum,
  however alike its words. The bounds follow from up to three word edits, each of which changes at most three
  triples, with more room in long texts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from corpus_pipeline.model import ROW_BITS
from corpus_pipeline.stages.clean.dedup.hamming_search import NOBODY, Hashes, Mask, Positions
from corpus_pipeline.stages.clean.dedup.simhash import NUMBERS, SKETCH

Signatures = npt.NDArray[np.uint32]

HOLDERS = 8
EDITS = 3
SIZE_SLACK = 0.03  # of the tokens, beside EDITS
LEAST_SIMILAR, MOST_ASKED = 0.3, 0.5  # bounds of the asked Jaccard similarity

_PART = 1 << 20  # phrase entries that are sorted at once
_BLOCK = 1 << 16  # rows whose phrases are looked at at once
_PAIRS = 1 << 19  # candidate pairs that are looked at at once
_ROW = (1 << 32) - 1
_COLUMN_BITS = 5


def verified(fingerprints: Hashes, signatures: Signatures, one: Positions, other: Positions, distance: int) -> Mask:
    """Which of the pairs (one[i], other[i]) are near-duplicates by size, fingerprint, numbers and sketch: bool[len(one)]."""
    result = np.zeros(len(one), np.bool_)
    near = np.bitwise_count(fingerprints[one] ^ fingerprints[other]) <= distance
    near &= signatures[one, NUMBERS] == signatures[other, NUMBERS]
    sizes, other_sizes = signatures[one, 0].astype(np.int64), signatures[other, 0].astype(np.int64)
    mean = (sizes + other_sizes) / 2
    near &= np.abs(sizes - other_sizes) <= EDITS + SIZE_SLACK * mean
    left = np.flatnonzero(near)
    asked = np.clip((mean - 3 * EDITS) / (mean + 3 * EDITS), LEAST_SIMILAR, MOST_ASKED)
    for start in range(0, len(left), _PAIRS // 8):
        part = left[start : start + _PAIRS // 8]
        result[part] = similarity(signatures[one[part], SKETCH], signatures[other[part], SKETCH]) >= asked[part]
    return result


def similarity(one: Signatures, other: Signatures) -> npt.NDArray[np.float64]:
    """Jaccard similarity of the triple sets of row i of both, estimated from the lowest values (Broder 1997).

    one, other: uint32[n, k], bottom-k sketches, ascending, filled with 0. A sketch that is full knows its row only up
    to its highest value, so the union is counted up to there. Exact when no sketch is full.
    """
    known = np.minimum(
        *(np.where(sketch[:, -1] > 0, sketch[:, -1], np.iinfo(np.uint32).max) for sketch in (one, other))
    )
    both = np.concatenate((one, other), axis=1)
    both.sort(axis=1)
    counted = (both > 0) & (both <= known[:, None])
    again = np.zeros(both.shape, np.bool_)
    np.equal(both[:, 1:], both[:, :-1], out=again[:, 1:])
    common = np.count_nonzero(again & counted, axis=1)
    return common / np.maximum(np.count_nonzero(counted, axis=1) - common, 1)


def held_phrases(ids: Positions, signatures: Signatures, copies: Mask) -> Mask:
    """Which phrase of its sketch each row holds: bool[n, sketch columns].

    ids: int64[n] ascending, the file above ROW_BITS, all rows of each file; copies: bool[n], rows that hold nothing.
    """
    held = np.zeros(signatures[:, SKETCH].shape, np.bool_)
    files = ids >> ROW_BITS
    for phrases, rows, columns in _phrase_runs(signatures, ~copies):
        holds = _windows(phrases, rows, files, ~copies)
        held[rows[holds], columns[holds]] = True
    return held


def lowest_verified(
    ids: Positions,
    fingerprints: Hashes,
    signatures: Signatures,
    distance: int,
    queries: Mask,
    copies: Mask,
    own: Mask | None = None,
    held: Mask | None = None,
) -> Positions:
    """The lowest lower holder of one of its phrases that is a near-duplicate of each query row.

    ids: int64[n] ascending, the file above ROW_BITS; queries: bool[n], rows that are asked about;
    copies: bool[n], rows that hold nothing, because a lower row of their file has the same content;
    own: bool[n], only pairs with at least one of these rows count;
    held: bool[n, sketch columns], the answer of `held_phrases` when not all rows of each file are here.
    Returns int64[n], a row number below the row's own, or NOBODY.
    """
    best = np.arange(len(ids))
    files = ids >> ROW_BITS
    for phrases, rows, columns in _phrase_runs(signatures, queries | ~copies, own):
        holds = _windows(phrases, rows, files, ~copies) if held is None else held[rows, columns]
        for query, target in _pairs(phrases, rows, holds, queries):
            keep = target < best[query]
            if own is not None:
                keep &= own[query] | own[target]
            query, target = query[keep], target[keep]
            close = np.bitwise_count(fingerprints[query] ^ fingerprints[target]) <= distance
            pairs = np.unique((query[close] << 32) | target[close])
            query, target = pairs >> 32, pairs & _ROW
            near = verified(fingerprints, signatures, query, target, distance)
            # pairs ascend by (query, target): assigned backwards, the lowest target of a query stays
            best[query[near][::-1]] = target[near][::-1]
    best[best == np.arange(len(ids))] = NOBODY
    return best


def _phrase_runs(
    signatures: Signatures, wanted: Mask, own: Mask | None = None
) -> Iterator[tuple[Positions, Positions, Positions]]:
    """(phrase, row, sketch column) of the wanted rows in parts, sorted by phrase and row; a phrase is in one part.

    With `own`, only phrases that an own row has. One word holds all three, because sorting words is twice as fast as
    sorting places: 32 bits of phrase, 5 of column, and 27 for the row, which is enough for 134 million rows.
    """
    sketches = signatures[:, SKETCH]
    parts = 1 << (sketches.size // _PART).bit_length() if sketches.size else 0
    row_bits = max(len(signatures), 1).bit_length()
    for part in range(parts):
        rows, columns = _cells(sketches, wanted, part, parts)
        phrases = sketches[rows, columns].astype(np.int64)
        if own is not None:
            asked = np.isin(phrases, phrases[own[rows]])
            phrases, rows, columns = phrases[asked], rows[asked], columns[asked]
        words = ((phrases << row_bits | rows) << _COLUMN_BITS | columns).view(np.uint64)
        words.sort()
        columns = (words & np.uint64((1 << _COLUMN_BITS) - 1)).view(np.int64)
        words >>= np.uint64(_COLUMN_BITS)
        rows = (words & np.uint64((1 << row_bits) - 1)).view(np.int64)
        yield (words >> np.uint64(row_bits)).view(np.int64), rows, columns


def _cells(sketches: Signatures, wanted: Mask, part: int, parts: int) -> tuple[Positions, Positions]:
    """(row, column) of the phrases of one part, block by block: whole masks would be larger than what they find."""
    found = []
    for start in range(0, len(sketches), _BLOCK):
        block = sketches[start : start + _BLOCK]
        cells = (block & np.uint32(parts - 1)) == part
        cells &= block > 0
        cells &= wanted[start : start + _BLOCK, None]
        rows, columns = np.nonzero(cells)
        found.append((rows + start, columns))
    return tuple(np.concatenate(places) for places in zip(*found, strict=True))  # type: ignore[return-value]


def _windows(phrases: Positions, rows: Positions, files: Positions, eligible: Mask) -> Mask:
    """Which places of a sorted part hold their phrase: the first HOLDERS eligible ones of each phrase and file."""
    if not len(rows):
        return np.zeros(0, np.bool_)
    new = np.ones(len(rows), np.bool_)
    file = files[rows]
    new[1:] = (phrases[1:] != phrases[:-1]) | (file[1:] != file[:-1])
    can_hold = eligible[rows]
    before: Positions = np.cumsum(can_hold) - can_hold
    return can_hold & (before - _at_start(before, new) < HOLDERS)


def _pairs(phrases: Positions, rows: Positions, holds: Mask, queries: Mask) -> Iterator[tuple[Positions, Positions]]:
    """(query row, lower holder) pairs of one part, at most about _PAIRS at once."""
    if not len(rows):
        return
    new_phrase = np.ones(len(rows), np.bool_)
    np.not_equal(phrases[1:], phrases[:-1], out=new_phrase[1:])
    holders = rows[holds]
    before: Positions = np.cumsum(holds) - holds  # holders before each place
    first = _at_start(before, new_phrase)
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


def _at_start(values: Positions, starts: Mask) -> Positions:
    """The value at the start of each place's run."""
    places = np.flatnonzero(starts)
    return np.repeat(values[places], np.diff(np.append(places, len(values))))
