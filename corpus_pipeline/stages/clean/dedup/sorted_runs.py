"""Corpus scope at a cost that follows the new file: what is kept of other files so that a new one need not read them all.

A run is a set of plain sorted arrays over the rows of one or more files; kept in a file and mapped (`duplicates_kept`), a
lookup reads a few pages of it. `find_new` looks up what the new file's rows can form a pair with (equal content, a
band of the fingerprint, a held phrase) and hands only those rows to `duplicates.find`. Its answer is the same as a find
over all rows of all files. Work is that of the new file times the number of runs, which are joined as they grow in
number, and the logarithm of their rows, plus, for each new row and band, the 2**-16th part of their distinct
fingerprints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus_pipeline.model import ROW_BITS
from corpus_pipeline.stages.clean.dedup.duplicates import DuplicateArrays, copies_in_file, find
from corpus_pipeline.stages.clean.dedup.hamming_search import Hashes, Mask, Positions
from corpus_pipeline.stages.clean.dedup.phrase_search import Signatures, held_phrases
from corpus_pipeline.stages.clean.dedup.schemes import Scheme
from corpus_pipeline.stages.clean.dedup.simhash import SKETCH

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_CHUNK = 1 << 20
_COLUMNS = 7  # fields of a run that have one entry per row
_CROWDED = 1024  # comparisons per value of a band's key, above which all with that key are taken without comparing


class FileRun(NamedTuple):
    """Some 450 bytes per row; rows are counted from 0 in id order.

    ids: int64[n]; content_hashes: uint8[n, 32]; fingerprints: uint64[n]; enough: bool[n]; signatures: uint32[n,
    columns]; copies: bool[n], what repeats the content of a lower row of its file; held: bool[n, sketch columns], the
    phrases that a row holds within its file; and sorted words `key << 32 | row`:
    contents: uint64[n] by the first 4 bytes of the content hash;
    bands: uint64[threshold + 1, m] by each band of the m distinct fingerprints, the row is the number of the value;
    values: uint64[m], value_starts: int64[m + 1], value_rows: int64[...]: the rows of each distinct fingerprint;
    holders, phrases: uint64[p], uint64[q] by phrase, of the rows that hold it and of all rows that have it.
    """

    ids: Positions
    content_hashes: npt.NDArray[np.uint8]
    fingerprints: Hashes
    enough: Mask
    signatures: Signatures
    copies: Mask
    held: Mask
    contents: Hashes
    bands: Hashes
    values: Hashes
    value_starts: Positions
    value_rows: Positions
    holders: Hashes
    phrases: Hashes


class Known(NamedTuple):
    """A run, and the numbers of those of its files that count; whole: that is all of them. The others were worked anew
    or replaced since."""

    run: FileRun
    files: Positions
    whole: bool


def file_run(
    ids: Positions,
    content_hashes: npt.NDArray[np.uint8],
    fingerprints: Hashes,
    enough: Mask,
    signatures: Signatures,
    threshold: int,
) -> FileRun:
    """The run of all compared rows of one file; arguments as of `duplicates.find`."""
    copies = copies_in_file(ids, content_hashes)
    held = held_phrases(ids, signatures, copies | ~enough)
    return _indexed(threshold, ids, content_hashes, fingerprints, enough, signatures, copies, held)


def joined(known: Sequence[Known]) -> FileRun:
    """One run in place of several of the same threshold, of the files that count."""
    columns = _rows_of([(one.run, _counting(one, np.arange(len(one.run.ids)))) for one in known])
    return _indexed(len(known[0].run.bands) - 1, *columns)


def find_new(
    known: Sequence[Known],
    new: FileRun,
    scheme: Scheme,
    threshold: int,
    *,
    exact: bool = True,
    near: bool = True,
) -> DuplicateArrays:
    """The duplicates among pairs with at least one row of `new`, one file's; merge them with what is known
    (`duplicates.merged`).

    known: runs of other files, in any order, made with the same scheme and threshold.
    """
    parts = [(one.run, related_rows(one, new, scheme, threshold)) for one in known]
    columns = _rows_of([*parts, (new, np.arange(len(new.ids)))])
    ids, content_hashes, fingerprints, enough, signatures, _, held = columns
    own = ids >> ROW_BITS == (new.ids[0] >> ROW_BITS if len(new.ids) else -1)
    rows = ids, content_hashes, fingerprints, enough, signatures
    return find(*rows, scheme, threshold, exact=exact, near=near, own=own, held=held)


def related_rows(known: Known, new: FileRun, scheme: Scheme, threshold: int) -> Positions:
    """The rows of a run, ascending, that can be half of a pair with a row of `new`: all that it may be the lower half
    of, and of equal ones below it the lowest."""
    run = known.run
    if not len(new.ids) or not len(run.ids):
        return np.zeros(0, np.int64)
    below = int(np.searchsorted(run.ids, new.ids[0]))
    same = _distinct([rows for _, rows in _matches(run.contents, np.unique(new.contents >> _HALF))])
    related = [same[(same >= below) | ~run.copies[same]]]
    if below > 0:
        related.append(_sharing(run, run.holders, new, new.phrases, scheme.verified_threshold or 0))
    if below < len(run.ids):
        related.append(_sharing(run, run.phrases, new, new.holders, scheme.verified_threshold or 0))
    numbers = _near_values(run, new, threshold)
    starts = run.value_starts[numbers]
    rows = run.value_rows[_ranges(starts, run.value_starts[numbers + 1] - starts)]
    if below == len(run.ids) and known.whole:
        rows = run.value_rows[starts]
    return _counting(known, _distinct([*related, rows]))


def _sharing(run: FileRun, words: Hashes, new: FileRun, asking: Hashes, distance: int) -> Positions:
    """The rows of a run that share a phrase with a new row and lie within `distance` bits of it."""
    related = []
    for asked, rows in _matches(words, asking >> _HALF):
        new_rows = (asking[asked] & _LOW).astype(np.int64)
        close = np.bitwise_count(run.fingerprints[rows] ^ new.fingerprints[new_rows]) <= distance
        related.append(np.unique(rows[close]))
    return _distinct(related)


def _near_values(run: FileRun, new: FileRun, threshold: int) -> Positions:
    """The numbers of the run's values that lie within the threshold of a new value, ascending; of a crowded band (one
    template in both) all."""
    near = []
    for words, band in zip(run.bands, _bands(new.values, threshold), strict=True):
        keys, places, asking = np.unique(band, return_inverse=True, return_counts=True)
        there = np.searchsorted(words, keys << _HALF | _LOW, side="right") - np.searchsorted(words, keys << _HALF)
        crowded = asking * there > _CROWDED * (asking + there)
        near += [numbers for _, numbers in _matches(words, keys[crowded])]
        some = np.flatnonzero(~crowded[places])
        for asked, numbers in _matches(words, band[some]):
            close = np.bitwise_count(run.values[numbers] ^ new.values[some[asked]]) <= threshold
            near.append(numbers[close])
    return _distinct(near)


def _indexed(
    threshold: int,
    ids: Positions,
    content_hashes: npt.NDArray[np.uint8],
    fingerprints: Hashes,
    enough: Mask,
    signatures: Signatures,
    copies: Mask,
    held: Mask,
) -> FileRun:
    rows = np.arange(len(ids), dtype=np.uint64)
    compared = np.flatnonzero(enough)
    order = compared[np.argsort(fingerprints[compared], kind="stable")]
    values, starts = np.unique(fingerprints[order], return_index=True)
    numbers = np.arange(len(values), dtype=np.uint64)
    bands = [_sorted_words(band, numbers) for band in _bands(values, threshold)]
    all_rows = np.broadcast_to(rows[:, None], signatures[:, SKETCH].shape)
    there = (signatures[:, SKETCH] > 0) & enough[:, None]
    return FileRun(
        ids,
        content_hashes,
        fingerprints,
        enough,
        signatures,
        copies,
        held,
        _sorted_words(_content_keys(content_hashes), rows),
        np.array(bands, np.uint64).reshape(threshold + 1, len(values)),
        values,
        np.append(starts, len(order)),
        order,
        _sorted_words(signatures[:, SKETCH][held], all_rows[held]),
        _sorted_words(signatures[:, SKETCH][there], all_rows[there]),
    )


def _counting(known: Known, rows: Positions) -> Positions:
    """Those of the rows that belong to files that count."""
    return rows if known.whole else rows[np.isin(known.run.ids[rows] >> ROW_BITS, known.files)]


def _rows_of(parts: Sequence[tuple[FileRun, Positions]]) -> list[npt.NDArray]:
    """The columns of some rows of some runs, in id order."""
    order = np.argsort(np.concatenate([run.ids[rows] for run, rows in parts]), kind="stable")
    return [np.concatenate([run[field][rows] for run, rows in parts])[order] for field in range(_COLUMNS)]


def _distinct(parts: Sequence[Positions]) -> Positions:
    return np.unique(np.concatenate([np.zeros(0, np.int64), *parts]))


def _bands(values: Hashes, threshold: int) -> Iterator[Hashes]:
    """threshold + 1 cuts of each value, the most 32 bits each; values within the threshold agree in one at least."""
    for number in range(threshold + 1):
        low, high = 64 * number // (threshold + 1), 64 * (number + 1) // (threshold + 1)
        yield (values >> np.uint64(low)) & np.uint64((1 << min(high - low, 32)) - 1)


def _content_keys(content_hashes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    return np.ascontiguousarray(content_hashes[:, :4]).view(np.uint32).ravel()


def _sorted_words(keys: npt.NDArray, rows: Hashes) -> Hashes:
    words = (keys.astype(np.uint64) << _HALF) | rows
    words.sort()
    return words


def _matches(words: Hashes, keys: Hashes) -> Iterator[tuple[Positions, Positions]]:
    """(place in `keys`, row) of all words with one of the keys, at most about _CHUNK at once."""
    starts = np.searchsorted(words, keys << _HALF)
    counts = np.searchsorted(words, keys << _HALF | _LOW, side="right") - starts
    asked = np.flatnonzero(counts)
    ends = np.cumsum(counts[asked])
    begin = 0
    while begin < len(asked):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + _CHUNK, side="right")))
        part = asked[begin:end]
        places = _ranges(starts[part], counts[part])
        yield np.repeat(part, counts[part]), (words[places] & _LOW).astype(np.int64)
        begin = end


def _ranges(starts: Positions, counts: Positions) -> Positions:
    """starts[0], starts[0] + 1, ... counts[0] of them, and so on."""
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(starts, counts) + within
