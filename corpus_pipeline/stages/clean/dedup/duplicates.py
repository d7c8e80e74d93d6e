"""Which rows repeat a lower row. Local and the same in whatever order files and batches come.

Rows are ordered by id, that is by (file, row). A row is an EXACT duplicate when a lower row has the same content hash;
otherwise it is a NEAR duplicate of a lower row within `threshold` bits when both have the same form (`verification.Form`),
or when the two are candidates (`candidates`) and verified text by text. Whether two rows are near depends on the two and
on their two files only, so a file that is cleaned later adds pairs and takes none away. `nearest` is the lowest such row;
`duplicate_of` follows it from row to row down to the one that is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus_pipeline.model import ROW_BITS, ConversationId, Duplicate
from corpus_pipeline.stages.clean.dedup.candidates import (
    Limits,
    Mask,
    Sharing,
    candidates,
    sharing,
    weights,
)
from corpus_pipeline.stages.clean.dedup.edits import Bounds
from corpus_pipeline.stages.clean.dedup.features_numpy import Hashes, Positions
from corpus_pipeline.stages.clean.dedup.signatures import Signatures, form_keys
from corpus_pipeline.stages.clean.dedup.verification import Form, Likeness, Wording, form_of, verified
from corpus_pipeline.states import DuplicateKind

NOBODY = -1
_ROWS_AT_ONCE = 256  # whose texts are looked at at once

WordingOf = Callable[[Sequence[int]], Mapping[int, Wording]]


class DuplicateArrays(NamedTuple):
    """One entry per duplicate, ascending by id.

    ids, nearest, duplicate_of: int64[d]; kinds: int64[d], places in KINDS; distance: int64[d], bits between the row and
    `nearest`; question, answer: float64[d], how like `nearest` the row is by side, NaN where it was not measured.
    `nearest` is what later finds are merged by; `duplicate_of` is a kept row.
    """

    ids: Positions
    nearest: Positions
    duplicate_of: Positions
    kinds: Positions
    distance: Positions
    question: npt.NDArray[np.float64]
    answer: npt.NDArray[np.float64]

    def records(self) -> list[Duplicate]:
        """The same as records."""
        return [
            Duplicate(ConversationId(identifier), ConversationId(keeper), KINDS[kind], distance)
            for identifier, keeper, kind, distance in zip(
                self.ids.tolist(), self.duplicate_of.tolist(), self.kinds.tolist(), self.distance.tolist(), strict=True
            )
        ]


KINDS = (DuplicateKind.EXACT, DuplicateKind.NEAR, DuplicateKind.SAME_PROMPT)  # the better ones first
EXACT, NEAR, SAME_PROMPT = range(len(KINDS))


class Rows(NamedTuple):
    """What is compared of rows, in id order.

    ids: int64[n], strictly ascending; content_hashes: uint8[n, 32]; fingerprints: uint64[n]; enough: bool[n], false for
    rows that are compared by content hash only; signatures: uint32[n, SIGNATURE_COLUMNS].
    """

    ids: Positions
    content_hashes: npt.NDArray[np.uint8]
    fingerprints: Hashes
    enough: Mask
    signatures: Signatures


class Rule(NamedTuple):
    """What counts as a duplicate: the recipe's switches and bounds."""

    exact: bool = True
    near: bool = True
    limits: Limits = Limits()
    bounds: Bounds = Bounds()


class _Found(NamedTuple):
    """The lowest near row of each row, NOBODY where there is none, and how like the two are."""

    nearest: Positions
    question: npt.NDArray[np.float64]
    answer: npt.NDArray[np.float64]


def find(
    rows: Rows, rule: Rule, wording_of: WordingOf, *, own: Mask | None = None, known: Sharing | None = None
) -> DuplicateArrays:
    """The duplicates among rows.

    wording_of: the texts of some rows by id, asked for in pages. own: bool[n], only pairs with at least one of these rows
    are found (merge them with what is known already, see `merged`); known: what `candidates.sharing` said of the whole
    files when only some of their rows are given. Raises ValueError when the ids do not ascend.
    Memory beside the arguments is some 400 bytes per row and the texts of one page.
    """
    ids = rows.ids
    if len(ids) > 1 and not (ids[1:] > ids[:-1]).all():
        raise ValueError("ids must ascend strictly")
    everyone = np.ones(len(ids), np.bool_)
    lowest_same, lowest_own_same, copies = _same_content(ids, rows.content_hashes, everyone if own is None else own)
    nearest = (lowest_same if own is None else lowest_own_same) if rule.exact else np.full(len(ids), NOBODY)
    is_exact = nearest != NOBODY
    likeness = [np.where(is_exact, 1.0, np.nan) for _ in range(2)]
    if rule.near:
        queries = rows.enough & (lowest_same == NOBODY) if rule.exact else rows.enough.copy()
        silent = copies | ~rows.enough if rule.exact else ~rows.enough
        found = _near(rows, rule, wording_of, queries, silent, own, known)
        near = ~is_exact & (found.nearest != NOBODY)
        nearest = np.where(near, found.nearest, nearest)
        likeness = [np.where(near, new, old) for new, old in zip(found[1:], likeness, strict=True)]
    places = np.flatnonzero(nearest != NOBODY)
    nearest, is_exact = nearest[places], is_exact[places]
    distance = np.bitwise_count(rows.fingerprints[places] ^ rows.fingerprints[nearest]).astype(np.int64)
    distance[is_exact] = 0
    kinds = np.where(is_exact, EXACT, NEAR)
    return _followed(ids[places], ids[nearest], kinds, distance, *(side[places] for side in likeness))


def merged(known: DuplicateArrays, new: DuplicateArrays) -> DuplicateArrays:
    """Both finds as one: per row exact before near, then the lowest `nearest`; `duplicate_of` is followed to its end."""
    every = DuplicateArrays(*(np.concatenate(both) for both in zip(known, new, strict=True)))
    order = np.lexsort((every.nearest, every.kinds, every.ids))
    order = order[np.diff(every.ids[order], prepend=-1) != 0]
    ids, nearest, _, kinds, distance, question, answer = (column[order] for column in every)
    return _followed(ids, nearest, kinds, distance, question, answer)


def copies_in_file(ids: Positions, content_hashes: npt.NDArray[np.uint8]) -> Mask:
    """Which rows repeat the content of a lower row of their own file: bool[n]."""
    return _same_content(ids, content_hashes, np.ones(len(ids), np.bool_))[2]


def sharing_of(rows: Rows, rule: Rule) -> Sharing:
    """`candidates.sharing` of whole files."""
    silent = ~rows.enough
    if rule.exact:
        silent = silent | copies_in_file(rows.ids, rows.content_hashes)
    return sharing(rows.ids, rows.fingerprints, rows.signatures, silent, rule.limits)


def _followed(
    ids: Positions,
    nearest: Positions,
    kinds: Positions,
    distance: Positions,
    question: npt.NDArray[np.float64],
    answer: npt.NDArray[np.float64],
) -> DuplicateArrays:
    """With `duplicate_of`: from each row to its nearest, from there on as long as that is a duplicate itself."""
    keeper = nearest.copy()
    while len(ids):
        place = np.minimum(np.searchsorted(ids, keeper), len(ids) - 1)
        is_duplicate = ids[place] == keeper
        if not is_duplicate.any():
            break
        keeper = np.where(is_duplicate, keeper[place], keeper)
    return DuplicateArrays(ids, nearest, keeper, kinds, distance, question, answer)


def _near(
    rows: Rows,
    rule: Rule,
    wording_of: WordingOf,
    queries: Mask,
    silent: Mask,
    own: Mask | None,
    known: Sharing | None,
) -> _Found:
    """The lowest near-duplicate row of each query row."""
    number = len(rows.ids)
    found = _Found(np.full(number, NOBODY, np.int64), np.full(number, np.nan), np.full(number, np.nan))
    _same_form(rows, rule, wording_of, queries, ~silent, own, found)
    if known is None:
        known = sharing(rows.ids, rows.fingerprints, rows.signatures, silent, rule.limits)
    pairs = candidates(rows.ids, rows.fingerprints, rows.signatures, known, queries, rule.limits, own)
    below = found.nearest[pairs.query]
    useful = (below == NOBODY) | (pairs.target < below)
    query, target = pairs.query[useful], pairs.target[useful]
    for part in _pages(query, target):
        _verify(rows, rule, wording_of, known, query[part], target[part], found)
    return found


def _verify(
    rows: Rows, rule: Rule, wording_of: WordingOf, known: Sharing, query: Positions, target: Positions, found: _Found
) -> None:
    """Record the lowest target of each query that is verified; all pairs of a query are given, the lowest first."""
    texts = wording_of(rows.ids[np.unique(np.concatenate((query, target)))].tolist())
    share = weights(rows.signatures, known.shared, query, target)
    done = NOBODY
    for one, other, by_side in zip(query.tolist(), target.tolist(), share, strict=True):
        if one == done:
            continue
        pair = texts.get(int(rows.ids[one])), texts.get(int(rows.ids[other]))
        if pair[0] is None or pair[1] is None:  # removed since its signature was read
            continue
        likeness = verified(pair[0], pair[1], by_side, rule.bounds)
        if likeness is not None:
            _record(found, one, other, likeness)
            done = one


def _record(found: _Found, one: int, other: int, likeness: Likeness) -> None:
    found.nearest[one] = other
    found.question[one], found.answer[one] = likeness


def _pages(query: Positions, target: Positions) -> Iterator[slice]:
    """Ranges of pairs, each with all pairs of its queries."""
    starts = np.flatnonzero(np.diff(query, prepend=-1))
    ends = np.append(starts[1:], len(query))
    begin = 0
    while begin < len(starts):
        end = max(begin + 1, int(np.searchsorted(ends, starts[begin] + _ROWS_AT_ONCE, side="right")))
        yield slice(int(starts[begin]), int(ends[end - 1]))
        begin = end


def _same_form(
    rows: Rows, rule: Rule, wording_of: WordingOf, queries: Mask, targets: Mask, own: Mask | None, found: _Found
) -> None:
    """Record the lowest row of the same form of each query row."""
    asked = np.flatnonzero(queries | targets)
    keys = form_keys(rows.signatures)[asked]
    order = np.argsort(keys, kind="stable")  # rows stay in order within a key
    asked, keys = asked[order], keys[order]
    new = np.ones(len(keys), np.bool_)
    new[1:] = keys[1:] != keys[:-1]
    starts = np.flatnonzero(new)
    sizes = np.diff(np.append(starts, len(keys)))
    wanted = np.repeat((sizes > 1) & (np.add.reduceat(queries[asked], starts) > 0 if len(starts) else True), sizes)
    if own is not None and len(starts):
        wanted &= np.repeat(np.add.reduceat(own[asked], starts) > 0, sizes)
    asked, keys = asked[wanted], keys[wanted]
    lowest: dict[tuple[bytes, str | None, bool], int] = {}
    last = None
    for begin in range(0, len(asked), _ROWS_AT_ONCE):
        part, part_keys = asked[begin : begin + _ROWS_AT_ONCE].tolist(), keys[begin : begin + _ROWS_AT_ONCE].tolist()
        texts = wording_of([int(rows.ids[row]) for row in part])
        for row, key in zip(part, part_keys, strict=True):
            if key != last:
                lowest, last = {}, key
            wording = texts.get(int(rows.ids[row]))
            if wording is None:
                continue
            form, mine = form_of(wording), own is None or bool(own[row])
            if queries[row]:
                other = _lowest(lowest, form, mine)
                if other is not None and _distance(rows, row, other) <= rule.limits.threshold:
                    _record(found, row, other, Likeness(1.0, 1.0))
            if targets[row]:
                for signature in {form.signature, None}:
                    lowest.setdefault((form.key, signature, False), row)
                    if mine:
                        lowest.setdefault((form.key, signature, True), row)


def _lowest(lowest: Mapping[tuple[bytes, str | None, bool], int], form: Form, mine: bool) -> int | None:
    """The lowest row of a form; who is signed by somebody is like those that he signed and those without a signature.
    None stands for any signature; without `mine`, own rows only."""
    signatures = (form.signature, "") if form.signature else (None,)
    found = [lowest[key] for signature in signatures if (key := (form.key, signature, not mine)) in lowest]
    return min(found, default=None)


def _distance(rows: Rows, one: int, other: int) -> int:
    return int(rows.fingerprints[one] ^ rows.fingerprints[other]).bit_count()


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
