"""Corpus scope at a cost that follows the new file: what is kept of other files so that a new one need not read them all.

A run is a set of plain sorted arrays over the rows of one or more files; kept in a file and mapped (`run_cache`), a
lookup reads a few pages of it. `find_new` looks up what the new file's rows can form a pair with (equal content, equal
form, a held key) and hands only those rows to `duplicates.find`. Its answer is the same as a find over all rows of all
files. Work is that of the new file times the number of runs, which are joined as they grow in number, and the logarithm
of their rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus_pipeline.model import ROW_BITS
from corpus_pipeline.stages.clean.dedup.candidates import Mask, Sharing, row_keys
from corpus_pipeline.stages.clean.dedup.duplicates import (
    DuplicateArrays,
    Rows,
    Rule,
    WordingOf,
    copies_in_file,
    find,
    sharing_of,
)
from corpus_pipeline.stages.clean.dedup.features_numpy import Hashes, Positions
from corpus_pipeline.stages.clean.dedup.signatures import Signatures, form_keys

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_CHUNK = 1 << 20
_COLUMNS = 8  # fields of a run that have one entry per row


class FileRun(NamedTuple):
    """Some 700 bytes per row with long texts, 300 per other row; rows are counted from 0 in id order.

    ids: int64[n]; content_hashes: uint8[n, 32]; fingerprints: uint64[n]; enough: bool[n]; signatures: uint32[n,
    columns]; copies: bool[n], what repeats the content of a lower row of its file; shared, held: of
    `candidates.Sharing`; and sorted words `key << 32 | row`:
    contents, forms: uint64[n] by the first 4 bytes of the content hash and of the form key;
    holders, keys: uint64[p], uint64[q] by key, of the rows that hold it and of all rows that have it.
    """

    ids: Positions
    content_hashes: npt.NDArray[np.uint8]
    fingerprints: Hashes
    enough: Mask
    signatures: Signatures
    copies: Mask
    shared: Mask
    held: Mask
    contents: Hashes
    forms: Hashes
    holders: Hashes
    keys: Hashes


class Known(NamedTuple):
    """A run, and the numbers of those of its files that count; whole: that is all of them. The others were cleaned again
    or replaced since."""

    run: FileRun
    files: Positions
    whole: bool


def file_run(rows: Rows, rule: Rule) -> FileRun:
    """The run of all compared rows of one file."""
    copies = copies_in_file(rows.ids, rows.content_hashes)
    return _indexed(*rows, copies, *sharing_of(rows, rule))


def joined(known: Sequence[Known]) -> FileRun:
    """One run in place of several, of the files that count."""
    return _indexed(*_rows_of([(one.run, _counting(one, np.arange(len(one.run.ids)))) for one in known]))


def find_new(known: Sequence[Known], new: FileRun, rule: Rule, wording_of: WordingOf) -> DuplicateArrays:
    """The duplicates among pairs with at least one row of `new`, one file's; merge them with what is known
    (`duplicates.merged`).

    known: runs of other files, in any order, made by the same rule.
    """
    parts = [(one.run, related_rows(one, new, rule)) for one in known]
    columns = _rows_of([*parts, (new, np.arange(len(new.ids)))])
    rows = Rows(*columns[:5])
    own = rows.ids >> ROW_BITS == (new.ids[0] >> ROW_BITS if len(new.ids) else -1)
    return find(rows, rule, wording_of, own=own, known=Sharing(*columns[6:8]))


def related_rows(known: Known, new: FileRun, rule: Rule) -> Positions:
    """The rows of a run, ascending, that can be half of a pair with a row of `new`: all that it may be the lower half
    of, and of equal ones below it the lowest."""
    run = known.run
    if not len(new.ids) or not len(run.ids):
        return np.zeros(0, np.int64)
    below = int(np.searchsorted(run.ids, new.ids[0]))
    same = _distinct([rows for _, rows in _matches(run.contents, np.unique(new.contents >> _HALF))])
    related = [same[(same >= below) | ~run.copies[same]]]
    if rule.near:
        related += [rows for _, rows in _matches(run.forms, np.unique(new.forms >> _HALF))]
        if below > 0:
            related.append(_sharing(run, run.holders, new, new.keys, rule.limits.threshold))
        if below < len(run.ids):
            related.append(_sharing(run, run.keys, new, new.holders, rule.limits.threshold))
    return _counting(known, _distinct(related))


def _sharing(run: FileRun, words: Hashes, new: FileRun, asking: Hashes, distance: int) -> Positions:
    """The rows of a run that share a key with a new row and lie within `distance` bits of it."""
    related = []
    for asked, rows in _matches(words, asking >> _HALF):
        new_rows = (asking[asked] & _LOW).astype(np.int64)
        close = np.bitwise_count(run.fingerprints[rows] ^ new.fingerprints[new_rows]) <= distance
        related.append(np.unique(rows[close]))
    return _distinct(related)


def _indexed(
    ids: Positions,
    content_hashes: npt.NDArray[np.uint8],
    fingerprints: Hashes,
    enough: Mask,
    signatures: Signatures,
    copies: Mask,
    shared: Mask,
    held: Mask,
) -> FileRun:
    rows = np.arange(len(ids), dtype=np.uint64)
    keys = row_keys(fingerprints, signatures, shared)
    there = keys > 0
    compared = np.flatnonzero(enough)
    forms = form_keys(signatures)[compared] >> _HALF
    return FileRun(
        ids,
        content_hashes,
        fingerprints,
        enough,
        signatures,
        copies,
        shared,
        held,
        _sorted_words(_content_keys(content_hashes), rows),
        _sorted_words(forms, rows[compared]),
        _sorted_words(keys[held], np.nonzero(held)[0].astype(np.uint64)),
        _sorted_words(keys[there], np.nonzero(there)[0].astype(np.uint64)),
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
