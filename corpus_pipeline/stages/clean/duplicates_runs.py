"""Corpus scope at a cost that follows the new file: what is kept of each file so that later files need not read it all.

A run is a set of plain sorted arrays over the rows of one file; kept with `numpy.save` and opened with `mmap_mode="r"`,
a lookup reads a few pages of it. `find_new` looks up what the new file's rows can form a pair with (equal content, a
band of the fingerprint, a held phrase) and hands only those rows to `duplicates.find`. Its answer is the same as a find
over all rows of all files. Work is that of the new file times the logarithm of the corpus, plus, for each new row and
band, the 2**-16th part of the corpus' distinct fingerprints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus_pipeline.stages.clean.candidates import Hashes, Mask, Positions
from corpus_pipeline.stages.clean.candidates_phrases import Signatures, held_phrases
from corpus_pipeline.stages.clean.duplicates import DuplicateArrays, copies_in_file, find
from corpus_pipeline.stages.clean.features_schemes import Scheme
from corpus_pipeline.stages.clean.fingerprint import SKETCH

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_CHUNK = 1 << 20


class FileRun(NamedTuple):
    """Some 400 bytes per row of one file; rows are counted from 0 in id order.

    ids: int64[n]; content_hashes: uint8[n, 32]; fingerprints: uint64[n]; enough: bool[n]; signatures: uint32[n,
    columns]; held: bool[n, sketch columns]; and sorted words `key << 32 | row`:
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
    held: Mask
    contents: Hashes
    bands: Hashes
    values: Hashes
    value_starts: Positions
    value_rows: Positions
    holders: Hashes
    phrases: Hashes


def file_run(
    ids: Positions,
    content_hashes: npt.NDArray[np.uint8],
    fingerprints: Hashes,
    enough: Mask,
    signatures: Signatures,
    threshold: int,
) -> FileRun:
    """The run of all compared rows of one file; arguments as of `duplicates.find`."""
    rows = np.arange(len(ids), dtype=np.uint64)
    held = held_phrases(ids, signatures, copies_in_file(ids, content_hashes) | ~enough)
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
        held,
        _sorted_words(_content_keys(content_hashes), rows),
        np.array(bands, np.uint64).reshape(threshold + 1, len(values)),
        values,
        np.append(starts, len(order)),
        order,
        _sorted_words(signatures[:, SKETCH][held], all_rows[held]),
        _sorted_words(signatures[:, SKETCH][there], all_rows[there]),
    )


def find_new(
    known: Sequence[FileRun],
    new: FileRun,
    scheme: Scheme,
    threshold: int,
    *,
    exact: bool = True,
    near: bool = True,
) -> DuplicateArrays:
    """The duplicates among pairs with at least one row of `new`; merge them with what is known (`duplicates.merged`).

    known: runs of other files, in any order, made with the same scheme and threshold.
    """
    parts = [(run, related_rows(run, new, threshold)) for run in known if len(run.ids)]
    parts.append((new, np.arange(len(new.ids))))
    parts.sort(key=lambda part: int(part[0].ids[0]) if len(part[0].ids) else 0)
    own = np.concatenate([np.full(len(rows), run is new) for run, rows in parts])
    ids, content_hashes, fingerprints, enough, signatures, held = (
        np.concatenate([np.asarray(run[field])[rows] for run, rows in parts]) for field in range(6)
    )
    rows = ids, content_hashes, fingerprints, enough, signatures
    return find(*rows, scheme, threshold, exact=exact, near=near, own=own, held=held)


def related_rows(run: FileRun, new: FileRun, threshold: int) -> Positions:
    """The rows of a run, ascending, that can be half of a pair with a row of `new`."""
    if not len(new.ids):
        return np.zeros(0, np.int64)
    related = np.zeros(len(run.ids), np.bool_)
    for _, rows in _matches(run.contents, np.unique(new.contents >> _HALF)):
        related[rows] = True
    asking, answering = (new.phrases, run.holders) if run.ids[0] < new.ids[0] else (new.holders, run.phrases)
    for _, rows in _matches(answering, np.unique(asking >> _HALF)):
        related[rows] = True
    near = np.zeros(len(run.values), np.bool_)
    for words, band in zip(run.bands, _bands(new.values, threshold), strict=True):
        for asked, numbers in _matches(words, band.astype(np.uint64)):
            close = np.bitwise_count(run.values[numbers] ^ new.values[asked]) <= threshold
            near[numbers[close]] = True
    for number in np.flatnonzero(near).tolist():
        related[run.value_rows[run.value_starts[number] : run.value_starts[number + 1]]] = True
    return np.flatnonzero(related)


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
        count = counts[part]
        within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        places = np.repeat(starts[part], count) + within
        yield np.repeat(part, count), (words[places] & _LOW).astype(np.int64)
        begin = end
