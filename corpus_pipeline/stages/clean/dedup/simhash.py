"""Fingerprints of a batch of texts: a 64-bit SimHash each, and for phrase schemes a signature beside it.

The value equals that of PyPI `simhash` on the same features with the same feature hash:
  default     Simhash(set of features.word_features(text), hashfunc=features.feature_hash)
  words       Simhash(features.word_features(text), hashfunc=features.feature_hash)
  characters  Simhash(text), its own md5
except where that package cannot answer: it raises OverflowError for a shingle that occurs more than 255 times (ours
counts on) and fails on an empty feature list (ours is 0 with `enough` false).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus_pipeline.stages.clean.dedup import features_numpy
from corpus_pipeline.stages.clean.dedup.features_numpy import Hashes, Positions, Tokens
from corpus_pipeline.stages.clean.dedup.schemes import Scheme
from corpus_pipeline.stages.clean.dedup.shingles import Shingles
from corpus_pipeline.stages.clean.dedup.simhash_votes import votes

# fewer features say too little about a text: "yes", "!!!", an emoji; such rows are compared by their content hash only
ENOUGH_FEATURES = 8

SKETCH_SIZE = 16  # lowest triple hashes that are kept of a row
# a signature, in uint32: number of tokens; the sketch in ascending order, 0 where it ends; a hash of the numbers
SKETCH = slice(1, 1 + SKETCH_SIZE)
NUMBERS = 1 + SKETCH_SIZE
SIGNATURE_COLUMNS = NUMBERS + 1
# of a longer row only triples below a bound are sorted, which leaves about this many; too few left: all are
_SKETCH_SORTED = 3 * SKETCH_SIZE
_HALF = np.uint64(32)


class Fingerprints(NamedTuple):
    """values: uint64[n]; enough: bool[n], false (and value 0) when a text has too few features to be compared;
    signatures: uint32[n, SIGNATURE_COLUMNS] for phrase schemes, uint32[n, 0] for the others."""

    values: Hashes
    enough: npt.NDArray[np.bool_]
    signatures: npt.NDArray[np.uint32]


def fingerprints(texts: Sequence[str], scheme: Scheme) -> Fingerprints:
    """The fingerprints of texts, in their order. Memory beyond the result is that of one batch of ~128k characters."""
    columns = SIGNATURE_COLUMNS if scheme.kind == "phrases" else 0
    values = np.zeros(len(texts), np.uint64)
    counts = np.zeros(len(texts), np.int64)
    signatures = np.zeros((len(texts), columns), np.uint32)
    known = Shingles(scheme.width or 4)
    for start, end in features_numpy.batches(texts):
        batch = texts[start:end]
        if scheme.kind == "characters":
            hashes, bounds = known.hashes(batch)
            counts[start:end] = np.diff(bounds)
            values[start:end] = votes(hashes, bounds, counts[start:end])
            continue
        tokens = features_numpy.tokens(batch)
        if scheme.kind == "words":
            values[start:end], counts[start:end] = _words(tokens)
        else:
            values[start:end], counts[start:end] = _distinct(tokens)
            signatures[start:end] = _signatures(tokens)
    enough = counts >= ENOUGH_FEATURES
    values[~enough] = 0
    return Fingerprints(values, enough, signatures)


def _words(tokens: Tokens) -> tuple[Hashes, Positions]:
    """(fingerprint, number of features) per row; tokens and pairs as often as they occur."""
    counts = np.maximum(2 * np.diff(tokens.bounds) - 1, 0)
    return votes(_with_pairs(tokens), 2 * tokens.bounds, counts), counts


def _distinct(tokens: Tokens) -> tuple[Hashes, Positions]:
    """(fingerprint, number of features) per row; each distinct token and pair once."""
    hashes = _with_pairs(tokens)
    chosen = features_numpy.first_of_each(hashes, np.repeat(_rows(tokens), 2))
    chosen[2 * features_numpy.lasts(tokens.bounds) + 1] = False
    bounds = np.concatenate(([0], np.cumsum(chosen)))[2 * tokens.bounds]
    counts = np.diff(bounds)
    return votes(hashes.compress(chosen), bounds, counts), counts


def _with_pairs(tokens: Tokens) -> Hashes:
    """Each token followed by its pair; the filler 0 after a row's last token votes for nothing."""
    interleaved = np.empty((len(tokens.hashes), 2), np.uint64)
    interleaved[:, 0] = tokens.hashes
    interleaved[:, 1] = features_numpy.pairs(tokens)
    return interleaved.ravel()


def _signatures(tokens: Tokens) -> npt.NDArray[np.uint32]:
    """Number of tokens, the lowest SKETCH_SIZE distinct triple hashes (32 bits, never 0), and a hash of the numbers of
    each row: of the tokens that begin with a digit, each as often as it occurs, in any order.

    A bottom-k sketch (Broder 1997): the share of common values among the lowest of two sketches' union estimates the
    Jaccard similarity of the triple sets, and is exact for rows of up to SKETCH_SIZE triples.
    """
    triples, there = features_numpy.triples(tokens)
    triples >>= _HALF
    np.maximum(triples, 1, out=triples)
    rows, sizes = _rows(tokens), np.diff(tokens.bounds)
    limits = (np.float64(1 << 32) * _SKETCH_SORTED / np.maximum(sizes, _SKETCH_SORTED)).astype(np.uint64)
    low = there & (triples <= np.repeat(limits, sizes))
    sketches = _lowest(triples[low], rows[low], len(sizes))
    short = (sketches[:, -1] == 0) & (sizes > _SKETCH_SORTED)
    if short.any():
        again = there & short[rows]
        sketches[short] = _lowest(triples[again], rows[again], len(sizes))[short]
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(np.where(tokens.numbers, tokens.hashes, 0))))
    numbers = (np.diff(sums[tokens.bounds]) >> _HALF).astype(np.uint32)
    return np.concatenate((sizes[:, None].astype(np.uint32), sketches, numbers[:, None]), axis=1)


def _lowest(hashes: Hashes, rows: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.uint32]:
    """The lowest SKETCH_SIZE distinct hashes (below 2**32) of each of `count` rows, ascending, filled with 0."""
    keys = (rows.astype(np.uint64) << _HALF) | hashes
    keys.sort()
    new = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    keys = keys[new]
    starts = np.searchsorted(keys, np.arange(count + 1, dtype=np.uint64) << _HALF)
    result = np.zeros((count, SKETCH_SIZE), np.uint32)
    if len(keys):
        places = starts[:-1, None] + np.arange(SKETCH_SIZE)
        values = keys[np.minimum(places, len(keys) - 1)].astype(np.uint32)
        np.copyto(result, values, where=places < starts[1:, None])
    return result


def _rows(tokens: Tokens) -> npt.NDArray[np.int32]:
    """The row of each token, counted from 0 in the batch."""
    return np.repeat(np.arange(len(tokens.bounds) - 1, dtype=np.int32), np.diff(tokens.bounds))
