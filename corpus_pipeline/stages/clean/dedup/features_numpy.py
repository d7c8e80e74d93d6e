"""The features of many texts at once, in numpy: the same hashes as `features`, some hundred times faster.

A batch is one long array of code points. Every character is looked up once (kind, mixed value); a token's polynomial
hash is a difference of running sums of value * BASE**position, shifted back by BASE**-start, all modulo 2**64.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus_pipeline.stages.clean.dedup import features

Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]

BATCH_CHARACTERS = 1 << 17  # a batch's arrays stay within the second-level cache
BATCH_ROWS = 1 << 14
_ALPHABETS = (0x80, 0x10000, 0x110000)  # ASCII, the basic plane, all code points


class Tokens(NamedTuple):
    """hashes: uint64[t], all tokens of a batch; bounds: int64[rows + 1], row r has the tokens bounds[r]:bounds[r +
    1]; alone: bool[t], characters of a script without blanks."""

    hashes: Hashes
    bounds: Positions
    alone: npt.NDArray[np.bool_]


def mixed(values: Hashes) -> Hashes:
    """`features.mix` of an array, which it overwrites."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        values ^= values >> np.uint64(shift)
        values *= np.uint64(factor)
    values ^= values >> np.uint64(31)
    return values


@lru_cache(maxsize=3)
def _alphabet(size: int) -> tuple[npt.NDArray[np.uint8], Hashes]:
    """(kind, mixed value of the lower-case character) of the first `size` code points; 0 and 0 for separators."""
    codes = range(min(size, features.FIRST_UNUSED))
    kinds, lowered = np.zeros(size, np.uint8), np.zeros(size, np.uint64)
    kinds[: len(codes)] = np.fromiter(map(features.kind_of, codes), np.uint8, len(codes))
    lowered[: len(codes)] = np.fromiter(map(features.lower_code, codes), np.uint64, len(codes))
    values = mixed(lowered + np.uint64(features.BASE))
    values[kinds == features.SEPARATOR] = 0
    return kinds, values


@lru_cache(maxsize=1)
def _powers(size: int) -> tuple[Hashes, Hashes]:
    """BASE**i and BASE**-i modulo 2**64 for i < size (BASE is odd, so it has an inverse)."""
    both = []
    for base in (features.BASE, pow(features.BASE, -1, 1 << 64)):
        factors = np.full(size, base, np.uint64)
        factors[0] = 1
        both.append(np.multiply.accumulate(factors))
    return both[0], both[1]


def powers(size: int) -> tuple[Hashes, Hashes]:
    """BASE**i and BASE**-i modulo 2**64 for i < size at least."""
    return _powers(max(1 << max(size - 1, 0).bit_length(), BATCH_CHARACTERS * 2))


def code_points(texts: Sequence[str]) -> tuple[npt.NDArray[np.integer], Positions]:
    """The code points of all texts with one separator after each, and where each text starts (one entry more)."""
    joined = "\n".join(texts) + "\n"
    starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1, out=starts[1:])
    if joined.isascii():
        return np.frombuffer(joined.encode("ascii"), np.uint8), starts
    return np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.dtype("<u4")), starts


def tokens(texts: Sequence[str]) -> Tokens:
    """The token hashes of a batch of texts."""
    codes, text_starts = code_points(texts)
    highest = int(codes.max())
    kinds, values = _alphabet(next(size for size in _ALPHABETS if highest < size))
    kind = kinds.take(codes)
    goes_on = np.zeros(len(kind), np.uint8)  # this character continues the word of the one before it
    np.bitwise_and(kind[1:], kind[:-1], out=goes_on[1:])
    starts = np.flatnonzero((kind > 0) & ((goes_on & features.LETTER) == 0))
    bounds = np.searchsorted(starts, text_starts)
    if not len(starts):
        return Tokens(np.zeros(0, np.uint64), bounds, np.zeros(0, np.bool_))
    power, inverse = powers(len(codes))
    sums = np.empty(len(codes) + 1, np.uint64)  # of the characters before each place
    sums[0] = 0
    np.cumsum(values.take(codes) * power[: len(codes)], out=sums[1:])
    # separators weigh nothing, so the sum up to the next token's start is the sum of this token
    at_start = sums.take(starts)
    hashes = np.append(at_start[1:], sums[-1]) - at_start
    hashes *= inverse.take(starts)
    return Tokens(mixed(hashes), bounds, kind.take(starts) == features.ALONE)


def pairs(found: Tokens) -> Hashes:
    """Hash of each token with its right neighbour; 0 at the last token of a row, which has none."""
    hashes = found.hashes
    result = np.zeros(len(hashes), np.uint64)
    if len(hashes):
        result[:-1] = mixed(hashes[:-1] * np.uint64(features.PAIR) + hashes[1:])
        result[lasts(found.bounds)] = 0
    return result


def triples(found: Tokens) -> tuple[Hashes, npt.NDArray[np.bool_]]:
    """Hash of each token with its two right neighbours, and where there are two."""
    hashes = found.hashes
    result = np.zeros(len(hashes), np.uint64)
    there = np.ones(len(hashes), np.bool_)
    there[-2:] = False
    if len(hashes) > 2:
        first = hashes[:-2] * np.uint64(features.TRIPLE)
        first += hashes[1:-1] * np.uint64(features.PAIR)
        first += hashes[2:]
        result[:-2] = mixed(first)
    last = lasts(found.bounds)
    there[last] = False
    there[np.maximum(last - 1, 0)] = False
    return result, there


def lasts(bounds: Positions) -> Positions:
    """The last token of every row that has one."""
    return bounds[1:][bounds[1:] > bounds[:-1]] - 1


def first_of_each(hashes: Hashes, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """One place of every distinct (row, hash): bool[f].

    A scatter instead of a sort, which numpy does several times slower: every place writes its number into the slot of
    its key, and who reads another key there tries again among the others of this kind.
    """
    chosen = np.zeros(len(hashes), np.bool_)
    left = np.arange(len(hashes))
    keys = rows.astype(np.uint64)
    keys *= np.uint64(features.PAIR)
    keys += hashes
    while len(left):
        places = np.arange(len(left))
        bits = len(left).bit_length() + 1
        slots = ((keys * np.uint64(features.BASE)) >> np.uint64(64 - bits)).view(np.int64)
        table = np.empty(1 << bits, np.int64)
        table[slots] = places
        winner = table.take(slots)
        first = winner == places
        chosen[left[first]] = True
        other = keys.take(winner) != keys
        again = np.flatnonzero(first == other)  # neither the first nor of another key: a repetition, most likely
        other[again] = rows[left[again]] != rows[left[winner[again]]]
        left, keys = left[other], keys[other]
    return chosen
