"""The index by itself: it never misses a row, goes on where it was stopped, and forgets what it is told to."""

from __future__ import annotations

import stat
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus_pipeline import search
from corpus_pipeline.search import CHUNK, SPAN, Identity, Index, Maker, segment
from corpus_pipeline.search.grams import BUCKETS

OURS = Identity(b"r" * 32, b"c" * 32)

# letters that have made trouble elsewhere: quotes and wildcards, no case and several, wide and beyond 16 bits, controls
LETTERS = "aAbZß İıſKﬁÉé%_!'\"\\\n\t\x01\x1f\x7f水壶怎么除垢한글ｶﾅ𠮷😀👩\u200d\u0301\ufeff\u202e"
texts = st.text(alphabet=LETTERS, max_size=12) | st.text(max_size=12)


def found(block: bytes, text: str) -> set[int] | None:
    buckets = search.wanted(text)
    if buckets is None:
        return None
    rows = segment.rows(lambda at, size: block[at : at + size], len(block) - segment.HEAD, buckets)
    assert rows is not None and rows.tolist() == sorted(set(rows.tolist()))
    return set(rows.tolist())


@settings(max_examples=40)
@given(rows=st.lists(texts, min_size=1, max_size=24), query=texts.filter(bool), data=st.data())
def test_every_row_that_contains_a_text_is_named(rows: list[str], query: str, data: st.DataObject) -> None:
    block = search.build([rows])
    assert segment.is_sound(block)
    some = data.draw(st.sampled_from(rows))
    for text in (query, some, some[1:], some[:2], some[-1:], some.swapcase()):
        named = found(block, text)
        if named is not None:
            assert {n for n, row in enumerate(rows) if text.casefold() in row.casefold()} <= named


@settings(max_examples=40)
@given(rows=st.lists(texts.filter(lambda text: len(text) > 2), min_size=2, max_size=24), data=st.data())
def test_what_is_taken_out_is_in_no_bucket_and_the_rest_stays(rows: list[str], data: st.DataObject) -> None:
    gone = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, unique=True))
    block = search.build([rows])
    left = segment.without(block, gone)
    assert len(left) == len(block) and segment.is_sound(left)
    for n, row in enumerate(rows):
        assert (n in (found(left, row) or ())) == (n not in gone)
    # nothing is left of them: as good as if they had never been there, but for the room that they took
    never = search.build([["" if n in gone else row for n, row in enumerate(rows)]])
    assert _members(left) == _members(never)


def _members(block: bytes) -> dict[int, list[int]]:
    directory = np.frombuffer(block, dtype=np.uint32, count=2 * (BUCKETS + 1), offset=segment.HEAD)
    offsets = directory[::2].tolist()
    body = block[segment.HEAD + segment.DIRECTORY :]
    found = {}
    for bucket, (start, stop) in enumerate(pairwise(offsets)):
        assert stop - start < SPAN // 8  # so few rows are lists
        rows = np.frombuffer(body[start:stop], dtype=np.uint16)
        if (rows != segment.GONE).any():
            found[bucket] = rows[rows != segment.GONE].tolist()
    return found


def test_a_text_longer_than_what_is_worked_on_at_once_is_found_from_end_to_end() -> None:
    long = "".join(chr(0x61 + n * n % 26) + str(n) for n in range(90_000))
    block = search.build([["short", long, "水" * 3]])
    for start in range(0, len(long) - 9, 997):
        assert 1 in (found(block, long[start : start + 9]) or ())
    assert found(block, "水水") == {2} and found(block, "short") == {0}


def test_many_rows_are_bits_and_few_are_a_list_and_both_forget() -> None:
    texts = [f"row {n} of all, {'odd' if n % 2 else 'even'}" for n in range(SPAN)]
    block = search.build([texts[start : start + CHUNK] for start in range(0, SPAN, CHUNK)])
    assert found(block, "all") == set(range(SPAN)) and found(block, "even") == set(range(0, SPAN, 2))
    assert 77 in (found(block, "row 77 of") or ())
    left = segment.without(block, [77, 78, SPAN - 1])
    assert found(left, "all") == set(range(SPAN)) - {77, 78, SPAN - 1}
    assert 77 not in (found(left, "row 77 of") or ())


# --- the file ---


def test_it_goes_on_behind_the_last_whole_block(tmp_path: Path) -> None:
    path = tmp_path / "search" / "1.idx"
    maker = Maker(path, OURS)
    maker.append(search.build([["alpha beta"]]))
    with maker.target.open("ab") as file:  # killed in the middle of a block
        file.write(b"\0" * segment.HEAD + search.build([["gamma delta"]])[segment.HEAD : -100])
    again = Maker(path, OURS)
    assert again.blocks == 1 and not path.exists()
    again.append(search.build([["gamma delta"]]))
    again.finish()
    assert named(path, "gamma") == [SPAN + 1] and named(path, "alpha") == [1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Maker(path, OURS).blocks == 2


def test_an_index_of_other_rows_serves_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "1.idx"
    old = Maker(path, OURS)
    old.append(search.build([["alpha"]]))
    old.finish()
    new = Maker(path, Identity(b"R" * 32, OURS.cleaned))
    assert new.blocks == 0
    new.append(search.build([["beta"]]))
    assert named(path, "alpha") == [1]
    new.finish()
    assert named(path, "alpha") == [] and named(path, "beta") == [1] and not search.paths(path)[1].exists()


@pytest.mark.parametrize("harm", ["nothing of ours", "older", "a bit"])
def test_what_is_broken_is_made_again(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "1.idx"
    maker = Maker(path, OURS)
    for text in ("alpha", "beta", "gamma"):
        maker.append(search.build([[text]]))
    maker.finish()
    data = bytearray(path.read_bytes())
    if harm == "nothing of ours":
        data = bytearray(b"x" * 70_000)
    elif harm == "older":
        data[7:8] = b"0"
    else:
        data[len(data) // 2] ^= 1
    path.write_bytes(data)
    again = Maker(path, OURS)
    assert again.blocks == (1 if harm == "a bit" else 0)
    for text in ("alpha", "beta", "gamma")[again.blocks :]:
        again.append(search.build([[text]]))
    again.finish()
    assert [named(path, text) for text in ("alpha", "beta", "gamma")] == [[1], [SPAN + 1], [2 * SPAN + 1]]


def test_a_block_that_is_being_changed_says_that_it_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "1.idx"
    maker = Maker(path, OURS)
    maker.append(search.build([["alpha"]]))
    maker.append(search.build([["alpha"]]))
    maker.finish()
    with path.open("r+b") as file:  # as a crash leaves it
        file.seek(-len(search.build([["alpha"]])), 2)
        file.write(segment.Header(segment.CHANGING, len(search.build([["alpha"]])) - segment.HEAD, 0).packed())
    index = Index.open(path)
    assert index is not None
    with index:
        buckets = search.wanted("alpha")
        assert buckets is not None
        assert [c.numbers for c in index.candidates(buckets, 0)] == [[1], None]
    assert Maker(path, OURS).blocks == 1


def named(path: Path, text: str) -> list[int]:
    index, buckets = Index.open(path), search.wanted(text)
    assert index is not None and buckets is not None
    with index:
        return [n for part in index.candidates(buckets, 0) for n in part.numbers or ()]
