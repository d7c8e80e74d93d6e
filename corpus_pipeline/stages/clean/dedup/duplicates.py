"""Which rows repeat a lower row. Local and the same in whatever order files and batches come.

Rows are ordered by id, that is by (file, row). A row is an EXACT duplicate when a lower row has the same content hash;
otherwise it is a NEAR duplicate when a lower row lies within the threshold (`candidates`) or, for schemes with
signatures, shares a phrase with it and is verified (`candidates_phrases`). With signatures both rows have the same
numbers. Whether two rows are near depends on their two files only, so a file that is cleaned later adds pairs and takes
none away. `nearest` is the lowest such row; `duplicate_of` follows it from row to row down to the one that is kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus_pipeline.model import ROW_BITS, ConversationId, Duplicate
from corpus_pipeline.stages.clean.dedup.hamming_search import NOBODY, Hashes, Mask, Positions, lowest_within
from corpus_pipeline.stages.clean.dedup.phrase_search import Signatures, lowest_verified
from corpus_pipeline.stages.clean.dedup.schemes import Scheme
from corpus_pipeline.stages.clean.dedup.simhash import NUMBERS
from corpus_pipeline.states import DuplicateKind


class DuplicateArrays(NamedTuple):
    """One entry per duplicate, ascending by id.

    ids, nearest, duplicate_of: int64[d]; exact: bool[d]; distance: int64[d], bits between the row and `nearest`, 0 when
    exact. `nearest` is what later finds are merged by; `duplicate_of` is a kept row.
    """

    ids: Positions
    nearest: Positions
    duplicate_of: Positions
    exact: Mask
    distance: Positions

    def records(self) -> list[Duplicate]:
        """The same as records."""
        return [
            Duplicate(ConversationId(identifier), ConversationId(keeper), KINDS[exact], distance)
            for identifier, keeper, exact, distance in zip(
                self.ids.tolist(), self.duplicate_of.tolist(), self.exact.tolist(), self.distance.tolist(), strict=True
            )
        ]


KINDS = {True: DuplicateKind.EXACT, False: DuplicateKind.NEAR}


def find(
    ids: Positions,
    content_hashes: npt.NDArray[np.uint8],
    fingerprints: Hashes,
    enough: Mask,
    signatures: Signatures,
    scheme: Scheme,
    threshold: int,
    *,
    exact: bool = True,
    near: bool = True,
    own: Mask | None = None,
    held: Mask | None = None,
) -> DuplicateArrays:
    """The duplicates among rows.

    ids: int64[n], strictly ascending; content_hashes: uint8[n, 32]; fingerprints: uint64[n]; enough: bool[n], false for
    rows that are compared by content hash only; signatures: uint32[n, columns] of the same scheme; threshold: 0..64
    bits; exact, near: the recipe's switches; own: bool[n], only pairs with at least one of these rows are found (merge
    them with what is known already, see `merged`); held: bool[n, sketch columns], what `held_phrases` said of the whole
    files when only some of their rows are given. Raises ValueError when the ids do not ascend.
    Memory beside the arguments is some 250 bytes per row.
    """
    if len(ids) > 1 and not (ids[1:] > ids[:-1]).all():
        raise ValueError("ids must ascend strictly")
    everyone = np.ones(len(ids), np.bool_)
    lowest_same, lowest_own_same, copies = _same_content(ids, content_hashes, everyone if own is None else own)
    nearest = (lowest_same if own is None else lowest_own_same) if exact else np.full(len(ids), NOBODY)
    is_exact = nearest != NOBODY
    if near:
        queries = enough & (lowest_same == NOBODY) if exact else enough
        found = _nearest(ids, fingerprints, enough, signatures, scheme, threshold, queries, copies, own, held)
        nearest = np.where(is_exact, nearest, found)
    rows = np.flatnonzero(nearest != NOBODY)
    nearest, is_exact = nearest[rows], is_exact[rows]
    distance = np.bitwise_count(fingerprints[rows] ^ fingerprints[nearest]).astype(np.int64)
    distance[is_exact] = 0
    return _followed(ids[rows], ids[nearest], is_exact, distance)


def merged(known: DuplicateArrays, new: DuplicateArrays) -> DuplicateArrays:
    """Both finds as one: per row exact before near, then the lowest `nearest`; `duplicate_of` is followed anew."""
    ids = np.concatenate((known.ids, new.ids))
    nearest = np.concatenate((known.nearest, new.nearest))
    exact = np.concatenate((known.exact, new.exact))
    distance = np.concatenate((known.distance, new.distance))
    order = np.lexsort((nearest, ~exact, ids))
    order = order[np.diff(ids[order], prepend=-1) != 0]
    return _followed(ids[order], nearest[order], exact[order], distance[order])


def copies_in_file(ids: Positions, content_hashes: npt.NDArray[np.uint8]) -> Mask:
    """Which rows repeat the content of a lower row of their own file: bool[n]."""
    return _same_content(ids, content_hashes, np.ones(len(ids), np.bool_))[2]


def _followed(ids: Positions, nearest: Positions, exact: Mask, distance: Positions) -> DuplicateArrays:
    """With `duplicate_of`: from each row to its nearest, from there on as long as that is a duplicate itself."""
    keeper = nearest.copy()
    while len(ids):
        place = np.minimum(np.searchsorted(ids, keeper), len(ids) - 1)
        is_duplicate = ids[place] == keeper
        if not is_duplicate.any():
            break
        keeper = np.where(is_duplicate, keeper[place], keeper)
    return DuplicateArrays(ids, nearest, keeper, exact, distance)


def _nearest(
    ids: Positions,
    fingerprints: Hashes,
    enough: Mask,
    signatures: Signatures,
    scheme: Scheme,
    threshold: int,
    queries: Mask,
    copies: Mask,
    own: Mask | None,
    held: Mask | None,
) -> Positions:
    """The lowest near-duplicate row of each query row, NOBODY where there is none."""
    marks = None if scheme.verified_threshold is None else signatures[:, NUMBERS]
    if own is None:
        found = lowest_within(fingerprints, threshold, queries, enough, marks)
    else:
        found = _lower(
            lowest_within(fingerprints, threshold, queries & own, enough, marks),
            lowest_within(fingerprints, threshold, queries & ~own, enough & own, marks),
        )
    if scheme.verified_threshold is None:
        return found
    silent = copies | ~enough
    phrased = lowest_verified(ids, fingerprints, signatures, scheme.verified_threshold, queries, silent, own, held)
    return _lower(found, phrased)


def _lower(one: Positions, other: Positions) -> Positions:
    """The lower row of two answers, where NOBODY is no answer."""
    return np.where((one == NOBODY) | ((other != NOBODY) & (other < one)), other, one)


def _same_content(ids: Positions, hashes: npt.NDArray[np.uint8], own: Mask) -> tuple[Positions, Positions, Mask]:
    """For each row the lowest lower row with its content hash, the same counting only pairs with an own row,
    and whether a lower row of its own file has its content."""
    lowest = np.full(len(ids), NOBODY, np.int64)
    lowest_own = lowest.copy()
    copies = np.zeros(len(ids), np.bool_)
    words = np.ascontiguousarray(hashes).view(np.uint64)
    rows = _repeated(words[:, 0])
    if not len(rows):
        return lowest, lowest_own, copies
    rows = rows[np.lexsort((rows, *words[rows].T))]
    new = np.ones(len(rows), np.bool_)
    new[1:] = (words[rows[1:]] != words[rows[:-1]]).any(axis=1)
    starts = np.flatnonzero(new)
    sizes = np.diff(np.append(starts, len(rows)))
    first = np.repeat(rows[starts], sizes)
    first_own = np.repeat(np.minimum.reduceat(np.where(own[rows], rows, len(ids)), starts), sizes)
    lowest[rows] = np.where(first < rows, first, NOBODY)
    wanted = np.where(own[rows], first, first_own)
    lowest_own[rows] = np.where(wanted < rows, wanted, NOBODY)
    files = ids[rows] >> ROW_BITS
    copies[rows[1:]] = ~new[1:] & (files[1:] == files[:-1])
    return lowest, lowest_own, copies


def _repeated(values: Hashes) -> Positions:
    """The places whose value occurs more than once."""
    order = np.argsort(values, kind="stable")
    same = values[order[1:]] == values[order[:-1]]
    repeated = np.zeros(len(values), np.bool_)
    repeated[order[1:][same]] = True
    repeated[order[:-1][same]] = True
    return np.flatnonzero(repeated)
