"""For each row the lowest row within a Hamming distance, exactly: the same answer as comparing all pairs.

Only rows with the same mark (a hash of their numbers) are compared: what differs in a number says something else. Rows
with equal fingerprints and marks are collapsed first. Then the pigeonhole principle (Manku, Jain, Das Sarma, WWW 2007): when
64 bits are cut into `blocks` blocks, two values that differ in at most k bits agree in at least blocks - k of them. For
each choice of blocks - k blocks the values are sorted by those bits, and only values of one run are compared, lowest
first; a row leaves the comparison as soon as nothing lower can come. A run that is crowded (one template, one
boilerplate) is cut again by its other bits.
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NOBODY = -1
_HALF = np.uint64(32)
_NEVER = np.iinfo(np.int64).max
Marks = npt.NDArray[np.uint32]

_SCATTER, _MARKED = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_STEPS = 64  # comparisons per member of a run before a crowded run is cut again
_CROWDED = 1024  # members from which cutting again pays
_SORT_COST = 60  # nanoseconds to sort one value, in units of one comparison


class _Values(NamedTuple):
    """Distinct fingerprints with their marks in ascending order of their first target row."""

    values: Hashes
    marks: Marks
    first: Positions  # the lowest target row with this value, _NEVER when there is none
    best: Positions  # written: the lowest target row within the distance so far
    last: Positions  # the highest query row with this value, -1 when there is none


def lowest_within(
    fingerprints: Hashes,
    distance: int,
    queries: Mask | None = None,
    targets: Mask | None = None,
    marks: Marks | None = None,
) -> Positions:
    """The lowest lower target row within `distance` bits of each query row, of those with the same mark.

    fingerprints: uint64[n]; distance: 0..64; queries, targets: bool[n], default all rows; marks: uint32[n], default all
    alike. Returns int64[n], a row number below the row's own, or NOBODY. Memory is some 80 bytes per row beside the
    result.
    """
    result = np.full(len(fingerprints), NOBODY, np.int64)
    query_rows = np.arange(len(fingerprints)) if queries is None else np.flatnonzero(queries)
    target_rows = np.arange(len(fingerprints)) if targets is None else np.flatnonzero(targets)
    if not len(query_rows) or not len(target_rows):
        return result
    if marks is None:
        marks = np.zeros(len(fingerprints), np.uint32)
    collapsed, value_of_query = _collapse(fingerprints, marks, query_rows, target_rows)
    if distance > 0:
        _search(collapsed, np.arange(len(collapsed.values)), distance, list(range(64)))
    found = collapsed.best[value_of_query]
    lower = found < query_rows
    result[query_rows[lower]] = found[lower]
    return result


def _collapse(
    fingerprints: Hashes, marks: Marks, query_rows: Positions, target_rows: Positions
) -> tuple[_Values, Positions]:
    """The distinct values with their marks, and the value of each query row."""
    asked = np.zeros(len(fingerprints), np.bool_)
    asked[query_rows] = asked[target_rows] = True
    rows = np.flatnonzero(asked)
    values, inverse = np.unique(fingerprints[rows], return_inverse=True)
    marked = marks[rows]
    if marked.any():
        words, inverse = np.unique((inverse.astype(np.uint64) << _HALF) | marked, return_inverse=True)
        values, marked = values[(words >> _HALF).astype(np.int64)], words.astype(np.uint32)
    else:
        marked = np.zeros(len(values), np.uint32)
    first = np.full(len(values), _NEVER, np.int64)
    last = np.full(len(values), -1, np.int64)
    value_of_target = inverse[np.searchsorted(rows, target_rows)]
    value_of_query = inverse[np.searchsorted(rows, query_rows)]
    first[value_of_target[::-1]] = target_rows[::-1]  # of repeated indices the last assignment, the lowest row, stays
    last[value_of_query] = query_rows
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    first = first[order]
    return _Values(values[order], marked[order], first, first.copy(), last[order]), rank[value_of_query]


def _search(all_: _Values, members: Positions, distance: int, free: list[int]) -> None:
    """Compare `members` (ascending), which agree in every bit that is not `free`, and lower their `best`."""
    differing = int(np.bitwise_or.reduce(all_.values[members] ^ all_.values[members[0]]))
    free = [bit for bit in free if differing >> bit & 1]  # bits in which all agree would make one run of everything
    blocks = _blocks(len(members), distance, len(free))
    if blocks is None:
        ordered, starts = _runs(np.zeros(len(members), np.uint64), all_.marks[members])
        _compare(all_, members[ordered], starts, distance, None)
        return
    cuts = [free[len(free) * block // blocks : len(free) * (block + 1) // blocks] for block in range(blocks)]
    for chosen in combinations(cuts, blocks - distance):
        agreeing = {bit for block in chosen for bit in block}
        mask = np.uint64(sum(1 << bit for bit in agreeing))
        ordered, starts = _runs(all_.values[members] & mask, all_.marks[members])
        _compare(all_, members[ordered], starts, distance, [bit for bit in free if bit not in agreeing])


def _blocks(members: int, distance: int, bits: int) -> int | None:
    """The number of blocks with the least work by an estimate on evenly spread values; None: compare all pairs."""
    best, best_cost = None, members * members / 2
    for blocks in range(distance + 1, min(bits, distance + 6) + 1):
        agreeing = bits * (blocks - distance) / blocks
        cost = comb(blocks, distance) * members * (_SORT_COST + members / 2 ** (agreeing + 1))
        if cost < best_cost:
            best, best_cost = blocks, cost
    return best


def _runs(keys: Hashes, marks: Marks) -> tuple[Positions, Positions]:
    """(order that brings equal keys with equal marks together and keeps the order within, start of its run for each
    place).

    The scattered key and the position share one word, which sorts several times faster than an argsort. Two keys may
    fall into one run by chance: that costs a comparison and changes no answer.
    """
    places = np.uint64(max(len(keys) - 1, 1).bit_length())
    words = ((keys * _SCATTER + marks * _MARKED) >> places << places) | np.arange(len(keys), dtype=np.uint64)
    words.sort()
    order = (words & ((np.uint64(1) << places) - np.uint64(1))).astype(np.int64)
    words >>= places
    new = np.ones(len(words), np.bool_)
    np.not_equal(words[1:], words[:-1], out=new[1:])
    starts = np.flatnonzero(new)
    return order, np.repeat(starts, np.diff(np.append(starts, len(words))))


def _compare(all_: _Values, ordered: Positions, starts: Positions, distance: int, free: list[int] | None) -> None:
    """Compare the members of each run with one another and lower their `best`; starts: first place of each one's
    run."""
    is_start = np.ones(len(starts), np.bool_)
    np.not_equal(starts[1:], starts[:-1], out=is_start[1:])
    lengths = np.diff(np.append(np.flatnonzero(is_start), len(starts)))
    length = np.repeat(lengths, lengths)
    short = np.flatnonzero((length > 1) & (length <= _STEPS))
    if len(short):
        _compare_short(all_, ordered[short], starts[short], distance)
    if len(lengths) and lengths.max() > _STEPS:
        _compare_long(all_, ordered, starts, starts + length, np.flatnonzero(length > _STEPS), distance, free)


def _compare_short(all_: _Values, ordered: Positions, starts: Positions, distance: int) -> None:
    """All pairs of each run, whole columns at a time: each place with the one `offset` before it."""
    values, marks, first = all_.values[ordered], all_.marks[ordered], all_.first[ordered]
    for offset in range(1, _STEPS):
        same = starts[offset:] == starts[:-offset]
        if not same.any():
            return
        same &= np.bitwise_count(values[offset:] ^ values[:-offset]) <= distance
        same &= marks[offset:] == marks[:-offset]
        hit = np.flatnonzero(same)
        value = ordered[hit + offset]
        all_.best[value] = np.minimum(all_.best[value], first[hit])


def _compare_long(
    all_: _Values,
    ordered: Positions,
    starts: Positions,
    ends: Positions,
    active: Positions,
    distance: int,
    free: list[int] | None,
) -> None:
    """The `active` places with their run's members from the lowest on; a place leaves when nothing lower can come."""
    values, marks, first = all_.values[ordered], all_.marks[ordered], all_.first[ordered]
    limits = np.minimum(all_.best[ordered], all_.last[ordered])  # only a target row below this one helps
    active = active[first[starts[active]] < limits[active]]
    step = 0
    while len(active):
        if step == _STEPS and free is not None:
            active = _cut_again(all_, ordered, starts, ends, active, distance, free)
        target = starts[active] + step
        near = np.bitwise_count(values[active] ^ values[target]) <= distance
        near &= marks[active] == marks[target]
        hit = ordered[active[near]]
        if len(hit):
            all_.best[hit] = np.minimum(all_.best[hit], first[target[near]])
            active, target = active[~near], target[~near]
        step += 1
        target += 1
        inside = target < ends[active]
        active, target = active[inside], target[inside]
        active = active[first[target] < limits[active]]


def _cut_again(
    all_: _Values,
    ordered: Positions,
    starts: Positions,
    ends: Positions,
    active: Positions,
    distance: int,
    free: list[int],
) -> Positions:
    """Search the crowded runs by their other bits; returns the active places of the runs that are left."""
    crowded = np.unique(starts[active][ends[active] - starts[active] >= _CROWDED])
    done = []
    for start in crowded:
        members = ordered[start : ends[start]]
        waiting = active[(active >= start) & (active < ends[start])]
        if len(free) <= distance or len(waiting) * 8 < len(members):
            continue  # few wait: walking on is cheaper
        _search(all_, members, distance, free)
        done.append(start)
    return active[~np.isin(starts[active], done)] if done else active
