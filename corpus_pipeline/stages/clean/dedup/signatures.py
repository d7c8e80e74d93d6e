"""The signature of a row: what tells which rows may be near-duplicates of it, and what of its text others share.

Made in numpy over many rows at once, from the tokens of `features`. A text is *long* from `long_part` words on (a
character of a script without blanks is 0.4 of a word). Columns, in uint32:

* FORM: two rows with the same one have the same frame and the same tokens in each text, so that form alone may differ;
* CLASS: the same frame and the same tokens in each short text; 0 for a row without a long one;
* QUESTION, ANSWER: the tokens of all texts on one side (system and prompt; reasoning, response and rejected);
* two bottom-k sketches (Broder 1997): the lowest hashes of token triples in the long texts of each side, 0 where it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus_pipeline.stages.clean.dedup import features, features_numpy
from corpus_pipeline.stages.clean.dedup.features_numpy import Hashes, Positions, Tokens, mixed

Signatures = npt.NDArray[np.uint32]

SKETCH_SIZE = 12
FORM, CLASS, QUESTION, ANSWER = slice(0, 2), slice(2, 4), 4, 5
SKETCHES = slice(6, 6 + 2 * SKETCH_SIZE)
SIDES = 2
SIGNATURE_COLUMNS = SKETCHES.stop
SHORT_COLUMNS = SKETCHES.start  # of a row without a long text the rest is 0 and not stored
CJK_WEIGHT = 0.4

_SKETCH_SORTED = 3 * SKETCH_SIZE  # of a longer side only triples below a bound are sorted: about this many
_HALF = np.uint64(32)
_LONG = 0x5851F42D4C957F2D  # stands for the tokens of a long text in CLASS


class Texts(NamedTuple):
    """The texts of some rows, prepared, one after the other.

    texts: as `form_noise.prepared` leaves them; sides: 0 for the question's, 1 for the answer's, of each text;
    bounds: int64[rows + 1], row r has texts[bounds[r]:bounds[r + 1]]; frames: uint64[rows], a hash of each frame.
    """

    texts: Sequence[str]
    sides: npt.NDArray[np.uint8]
    bounds: Positions
    frames: Hashes


def signatures(tokens: Tokens, texts: Texts, long_part: float) -> Signatures:
    """uint32[rows, SIGNATURE_COLUMNS]; tokens: those of `texts.texts`, text by text."""
    rows = len(texts.bounds) - 1
    result = np.zeros((rows, SIGNATURE_COLUMNS), np.uint32)
    row_of_text = np.repeat(np.arange(rows), np.diff(texts.bounds))
    hashes = _text_hashes(tokens)
    long = _is_long(tokens, long_part)
    result[:, FORM] = _as_columns(_row_hashes(hashes, texts, texts.frames))
    classes = _row_hashes(np.where(long, np.uint64(_LONG), hashes), texts, texts.frames ^ np.uint64(features.PAIR))
    has_long = np.zeros(rows, np.bool_)
    has_long[row_of_text[long]] = True
    result[:, CLASS] = _as_columns(np.where(has_long, np.maximum(classes, 1), 0))
    nothing = np.zeros(rows, np.uint64)
    for side, column in ((0, QUESTION), (1, ANSWER)):
        own = np.where(texts.sides == side, hashes, np.uint64(0))
        result[:, column] = _row_hashes(own, texts, nothing) >> _HALF
    result[:, SKETCHES] = _sketches(tokens, texts, row_of_text, long)
    return result


def form_keys(found: Signatures) -> Hashes:
    """FORM as one number of 64 bits."""
    return _joined(found[:, FORM])


def class_keys(found: Signatures) -> Hashes:
    """CLASS as one number of 64 bits."""
    return _joined(found[:, CLASS])


def _joined(columns: Signatures) -> Hashes:
    return columns[:, 0].astype(np.uint64) << _HALF | columns[:, 1]


def _as_columns(values: Hashes) -> Signatures:
    return np.stack((values >> _HALF, values & np.uint64(0xFFFFFFFF)), axis=1).astype(np.uint32)


def _text_hashes(tokens: Tokens) -> Hashes:
    """One hash of the token sequence of each text; texts without tokens have the same one."""
    sums = _powered_sums(tokens.hashes)
    starts, ends = tokens.bounds[:-1], tokens.bounds[1:]
    _, inverse = features_numpy.powers(len(tokens.hashes) + 1)
    found = (sums[ends] - sums[starts]) * inverse[starts]
    found += (ends - starts).astype(np.uint64) * np.uint64(features.TRIPLE)
    return mixed(found)


def _row_hashes(of_texts: Hashes, texts: Texts, frames: Hashes) -> Hashes:
    """One hash of the sequence of texts of each row and of its frame."""
    sums = _powered_sums(of_texts)
    starts, ends = texts.bounds[:-1], texts.bounds[1:]
    _, inverse = features_numpy.powers(len(of_texts) + 1)
    return mixed((sums[ends] - sums[starts]) * inverse[starts] * np.uint64(features.PAIR) + mixed(frames.copy()))


def _powered_sums(hashes: Hashes) -> Hashes:
    power, _ = features_numpy.powers(len(hashes) + 1)
    sums = np.zeros(len(hashes) + 1, np.uint64)
    np.cumsum(hashes * power[: len(hashes)], out=sums[1:])
    return sums


def _is_long(tokens: Tokens, long_part: float) -> npt.NDArray[np.bool_]:
    """Which texts have `long_part` words at least."""
    alone = np.concatenate((np.zeros(1, np.int64), np.cumsum(tokens.alone)))[tokens.bounds]
    counts = np.diff(tokens.bounds)
    return counts - (1 - CJK_WEIGHT) * np.diff(alone) >= long_part


def _sketches(tokens: Tokens, texts: Texts, row_of_text: Positions, long: npt.NDArray[np.bool_]) -> Signatures:
    rows = len(texts.bounds) - 1
    triples, there = features_numpy.triples(tokens)
    triples >>= _HALF
    np.maximum(triples, 1, out=triples)
    text_of_token = np.repeat(np.arange(len(texts.texts)), np.diff(tokens.bounds))
    there &= long[text_of_token]
    places = np.flatnonzero(there)
    triples, of_text = triples[places], text_of_token[places]
    cells = (row_of_text[of_text] * SIDES + texts.sides[of_text]).astype(np.int64)
    sizes = np.bincount(cells, minlength=rows * SIDES)
    limits = (np.float64(1 << 32) * _SKETCH_SORTED / np.maximum(sizes, _SKETCH_SORTED)).astype(np.uint64)
    low = triples <= limits[cells]
    found = _lowest(triples[low], cells[low], rows * SIDES)
    short = (found[:, -1] == 0) & (sizes > _SKETCH_SORTED)
    if short.any():
        again = short[cells]
        found[short] = _lowest(triples[again], cells[again], rows * SIDES)[short]
    return found.reshape(rows, SIDES * SKETCH_SIZE)


def _lowest(hashes: Hashes, cells: Positions, count: int) -> Signatures:
    """The lowest SKETCH_SIZE distinct hashes (below 2**32) of each of `count` cells, ascending, filled with 0."""
    keys = (cells.astype(np.uint64) << _HALF) | hashes
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
