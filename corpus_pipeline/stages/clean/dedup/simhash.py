"""Fingerprints of a batch of rows: a 64-bit SimHash each, and the signature beside it.

The fingerprint is made of all prepared texts of a row, joined by line feeds, and equals that of PyPI `simhash` on the
same features with the same feature hash:
  default     Simhash(set of features.word_features(text), hashfunc=features.feature_hash)
  words       Simhash(features.word_features(text), hashfunc=features.feature_hash)
  characters  Simhash(text), its own md5
except where that package cannot answer: it raises OverflowError for a shingle that occurs more than 255 times (ours
counts on) and fails on an empty feature list (ours is 0 with `enough` false).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus_pipeline.stages.clean.dedup import features_numpy
from corpus_pipeline.stages.clean.dedup.features_numpy import Hashes, Positions, Tokens
from corpus_pipeline.stages.clean.dedup.schemes import Scheme
from corpus_pipeline.stages.clean.dedup.shingles import Shingles
from corpus_pipeline.stages.clean.dedup.signatures import SIGNATURE_COLUMNS, Signatures, Texts, signatures
from corpus_pipeline.stages.clean.dedup.simhash_votes import votes

QUESTION_SIDE, ANSWER_SIDE = 0, 1


class RowTexts(NamedTuple):
    """The prepared texts of one row with their sides, and a hash of its frame."""

    texts: Sequence[tuple[int, str]]
    frame: int


class Fingerprints(NamedTuple):
    """values: uint64[n]; enough: bool[n], false (and value 0) for a row without a token, which is compared by its
    content hash only; signatures: uint32[n, SIGNATURE_COLUMNS]."""

    values: Hashes
    enough: npt.NDArray[np.bool_]
    signatures: Signatures


def fingerprints(rows: Sequence[RowTexts], scheme: Scheme, long_part: float) -> Fingerprints:
    """The fingerprints of rows, in their order. Memory beyond the result is that of one batch of ~128k characters."""
    values = np.zeros(len(rows), np.uint64)
    enough = np.zeros(len(rows), np.bool_)
    marks = np.zeros((len(rows), SIGNATURE_COLUMNS), np.uint32)
    known = Shingles(scheme.width or 4)
    for start, end in _batches(rows):
        texts = texts_of(rows[start:end])
        tokens = features_numpy.tokens(texts.texts)
        of_rows = Tokens(tokens.hashes, tokens.bounds[texts.bounds], tokens.alone)
        enough[start:end] = np.diff(of_rows.bounds) > 0
        if scheme.kind == "characters":
            joined = ["\n".join(text for _, text in row.texts) for row in rows[start:end]]
            hashes, bounds = known.hashes(joined)
            values[start:end] = votes(hashes, bounds, np.diff(bounds))
        elif scheme.kind == "words":
            values[start:end] = _words(of_rows)
        else:
            values[start:end] = _distinct(of_rows)
        marks[start:end] = signatures(tokens, texts, long_part)
    values[~enough] = 0
    marks[~enough] = 0
    return Fingerprints(values, enough, marks)


def texts_of(rows: Sequence[RowTexts]) -> Texts:
    """Rows as parallel arrays; a row without texts gets an empty one."""
    every = [row.texts or ((ANSWER_SIDE, ""),) for row in rows]
    bounds = np.zeros(len(every) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, every), np.int64, len(every)), out=bounds[1:])
    flat = [text for row in every for text in row]
    sides = np.fromiter((side for side, _ in flat), np.uint8, len(flat))
    frames = np.fromiter((row.frame for row in rows), np.uint64, len(every))
    return Texts([text for _, text in flat], sides, bounds, frames)


def _batches(rows: Sequence[RowTexts]) -> Iterator[tuple[int, int]]:
    """Half-open ranges of rows of at most BATCH_ROWS rows and about BATCH_CHARACTERS characters, one row at least."""
    start = size = 0
    for number, row in enumerate(rows):
        size += sum([len(text) + 1 for _, text in row.texts])
        if size >= features_numpy.BATCH_CHARACTERS or number - start + 1 >= features_numpy.BATCH_ROWS:
            yield start, number + 1
            start, size = number + 1, 0
    if start < len(rows):
        yield start, len(rows)


def _words(tokens: Tokens) -> Hashes:
    """The fingerprint per row; tokens and pairs as often as they occur."""
    counts = np.maximum(2 * np.diff(tokens.bounds) - 1, 0)
    return votes(_with_pairs(tokens), 2 * tokens.bounds, counts)


def _distinct(tokens: Tokens) -> Hashes:
    """The fingerprint per row; each distinct token and pair once."""
    hashes = _with_pairs(tokens)
    chosen = features_numpy.first_of_each(hashes, np.repeat(_rows(tokens), 2))
    chosen[2 * features_numpy.lasts(tokens.bounds) + 1] = False
    bounds: Positions = np.concatenate(([0], np.cumsum(chosen)))[2 * tokens.bounds]
    return votes(hashes.compress(chosen), bounds, np.diff(bounds))


def _with_pairs(tokens: Tokens) -> Hashes:
    """Each token followed by its pair; the filler 0 after a row's last token votes for nothing."""
    interleaved = np.empty((len(tokens.hashes), 2), np.uint64)
    interleaved[:, 0] = tokens.hashes
    interleaved[:, 1] = features_numpy.pairs(tokens)
    return interleaved.ravel()


def _rows(tokens: Tokens) -> npt.NDArray[np.int32]:
    """The row of each token, counted from 0 in the batch."""
    return np.repeat(np.arange(len(tokens.bounds) - 1, dtype=np.int32), np.diff(tokens.bounds))
