"""Fingerprints of a batch of texts: a 64-bit SimHash each, and for phrase schemes a signature beside it.

The value equals that of PyPI `simhash` on the same features with the same feature hash:
  default     Simhash(set of features.word_features(text), hashfunc=features.once_hash)
  words       Simhash(features.word_features(text), hashfunc=features.feature_hash)
  characters  Simhash(text), its own md5
except where that package cannot answer: it raises OverflowError for a shingle that occurs more than 255 times (ours
counts on) and fails on an empty feature list (ours is 0 with `enough` false).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus_pipeline.stages.clean import features, features_batch
from corpus_pipeline.stages.clean.features_batch import Hashes, Positions, Tokens
from corpus_pipeline.stages.clean.features_schemes import Scheme
from corpus_pipeline.stages.clean.fingerprint_votes import votes

# fewer features say too little about a text: "yes", "!!!", an emoji; such rows are compared by their content hash only
ENOUGH_FEATURES = 8

SKETCH_SIZE = 16  # lowest triple hashes that are kept of a row
SIGNATURE_COLUMNS = 1 + SKETCH_SIZE  # uint32: number of tokens, then the sketch in ascending order, 0 where it ends
_ROW_SHIFT = np.uint64(features.ONCE_BITS)
_HASH_MASK = np.uint64((1 << features.ONCE_BITS) - 1)
_SKETCH_SHIFT = np.uint64(32)
_MAX_CACHED_SHINGLES = 1 << 20


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
    shingle_hashes: dict[str, int] = {}
    for start, end in features_batch.batches(texts):
        batch = texts[start:end]
        if scheme.kind == "characters":
            values[start:end], counts[start:end] = _characters(batch, scheme.width or 4, shingle_hashes)
            continue
        tokens = features_batch.tokens(batch)
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
    interleaved = np.empty((len(tokens.hashes), 2), np.uint64)
    interleaved[:, 0] = tokens.hashes
    interleaved[:, 1] = features_batch.pairs(tokens)  # the filler 0 at a row's last token votes for nothing
    counts = np.maximum(2 * np.diff(tokens.bounds) - 1, 0)
    return votes(interleaved.ravel(), 2 * tokens.bounds, counts), counts


def _distinct(tokens: Tokens) -> tuple[Hashes, Positions]:
    """(fingerprint, number of features) per row; each distinct token and pair once.

    One sort of (row, 48 bits of hash) brings equal features of a row together; the vote is a new mix of the 48 bits.
    """
    rows = _rows(tokens) << _ROW_SHIFT
    pairs = features_batch.pairs(tokens)
    there = np.ones(len(pairs), np.bool_)
    there[features_batch.lasts(tokens.bounds)] = False
    keys = np.concatenate(
        (rows | (tokens.hashes >> features_batch.ONCE_SHIFT), (rows | (pairs >> features_batch.ONCE_SHIFT))[there])
    )
    keys, bounds = _sorted_once(keys, len(tokens.bounds) - 1, _ROW_SHIFT)
    counts = np.diff(bounds)
    keys &= _HASH_MASK
    return votes(features_batch.mixed(keys), bounds, counts), counts


def _signatures(tokens: Tokens) -> npt.NDArray[np.uint32]:
    """Number of tokens and the lowest SKETCH_SIZE distinct triple hashes (32 bits, never 0) of each row.

    A bottom-k sketch (Broder 1997): the share of common values among the lowest of two sketches' union estimates the
    Jaccard similarity of the triple sets, and is exact for rows of up to SKETCH_SIZE triples.
    """
    triples, there = features_batch.triples(tokens)
    keys = (_rows(tokens)[there] << _SKETCH_SHIFT) | np.maximum(triples[there] >> _SKETCH_SHIFT, np.uint64(1))
    keys, bounds = _sorted_once(keys, len(tokens.bounds) - 1, _SKETCH_SHIFT)
    result = np.zeros((len(tokens.bounds) - 1, SIGNATURE_COLUMNS), np.uint32)
    result[:, 0] = np.diff(tokens.bounds)
    if len(keys):
        places = bounds[:-1, None] + np.arange(SKETCH_SIZE)
        result[:, 1:] = np.where(places < bounds[1:, None], keys[np.minimum(places, len(keys) - 1)], np.uint64(0))
    return result


def _rows(tokens: Tokens) -> Hashes:
    """The row of each token, counted from 0 in the batch."""
    return np.repeat(np.arange(len(tokens.bounds) - 1, dtype=np.uint64), np.diff(tokens.bounds))


def _sorted_once(keys: Hashes, rows: int, row_shift: np.uint64) -> tuple[Hashes, Positions]:
    """(sorted keys without repetitions, int64[rows + 1] where each row's keys start); the row stands above
    `row_shift`."""
    keys.sort()
    new = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    keys = keys[new]
    return keys, np.searchsorted(keys, np.arange(rows + 1, dtype=np.uint64) << row_shift)


def _characters(texts: Sequence[str], width: int, known: dict[str, int]) -> tuple[Hashes, Positions]:
    """(fingerprint, number of features) per row, as PyPI simhash; `known` keeps md5 values from batch to batch."""
    bounds = np.zeros(len(texts) + 1, np.int64)
    found: list[int] = []
    if len(known) > _MAX_CACHED_SHINGLES:
        known.clear()
    for row, text in enumerate(texts):
        shingles = features.character_features(text, width)
        for shingle in shingles:
            if shingle not in known:
                known[shingle] = int.from_bytes(hashlib.md5(shingle.encode("utf-8")).digest()[-8:], "big")
        found.extend([known[shingle] for shingle in shingles])
        bounds[row + 1] = len(found)
    counts = np.diff(bounds)
    return votes(np.array(found, np.uint64), bounds, counts), counts
