"""Finds by the runs of files: the answer of one find over all rows, whatever file comes last, kept and joined or not."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus_pipeline.model import ROW_BITS, FileId, Turn, conversation_id
from corpus_pipeline.stages.clean.dedup.candidates import Limits
from corpus_pipeline.stages.clean.dedup.duplicates import DuplicateArrays, Rows, Rule, find, merged
from corpus_pipeline.stages.clean.dedup.run_cache import KeptRuns, Member, damaged
from corpus_pipeline.stages.clean.dedup.signatures import SIGNATURE_COLUMNS
from corpus_pipeline.stages.clean.dedup.sorted_runs import FileRun, Known, file_run, find_new, related_rows
from corpus_pipeline_tests.clean.dedup.making import Made, edited_pairs, made, pair


class Files:
    """Files of conversations with their texts, as the store would give them."""

    def __init__(self, parts: list[list[tuple[Turn, ...]]]) -> None:
        self.parts: list[Made] = []
        for file, part in enumerate(parts, 1):
            ids = [conversation_id(FileId(file), row + 1) for row in range(len(part))]
            self.parts.append(made(part, ids))
        self.texts = {number: text for part in self.parts for number, text in part.texts.items()}

    def wording(self, ids):
        return {identifier: self.texts[identifier] for identifier in ids}

    def whole(self, rule: Rule) -> DuplicateArrays:
        """One find over the rows of all files."""
        rows = Rows(*(np.concatenate(columns) for columns in zip(*(part.rows for part in self.parts), strict=True)))
        return find(rows, rule, self.wording)


def known_run(run: FileRun) -> Known:
    return Known(run, np.unique(run.ids >> ROW_BITS), True)


def assert_same(one: DuplicateArrays, other: DuplicateArrays | None) -> None:
    assert other is not None
    for left, right in zip(one, other, strict=True):
        assert np.array_equal(left, right, equal_nan=left.dtype == np.float64)


@given(
    data=st.data(),
    seed=st.integers(0, 2**32),
    rows=st.integers(1, 60),
    words=st.sampled_from([5, 30, 400]),
    threshold=st.integers(0, 16),
)
@settings(max_examples=50, deadline=None)
def test_files_in_any_order_give_what_one_find_gives(
    data: st.DataObject, seed: int, rows: int, words: int, threshold: int
) -> None:
    conversations, rule = edited_pairs(seed, rows, words), Rule(limits=Limits(threshold=threshold))
    chooser = random.Random(seed)
    cuts = sorted(chooser.randint(0, rows) for _ in range(3))
    files = Files([conversations[a:b] for a, b in zip([0, *cuts], [*cuts, rows], strict=True) if a < b])
    runs = [file_run(part.rows, rule) for part in files.parts]
    known: DuplicateArrays | None = None
    arrived: list[FileRun] = []
    for number in data.draw(st.permutations(range(len(runs)))):
        new = find_new([known_run(run) for run in arrived], runs[number], rule, files.wording)
        known = new if known is None else merged(known, new)
        arrived.append(runs[number])
    assert_same(files.whole(rule), known)


@given(
    data=st.data(),
    seed=st.integers(0, 2**32),
    sizes=st.lists(st.integers(1, 25), min_size=1, max_size=9),
    words=st.sampled_from([5, 30, 400]),
)
@settings(max_examples=30, deadline=None)
def test_kept_and_joined_runs_give_what_one_find_gives(
    data: st.DataObject, seed: int, sizes: list[int], words: int
) -> None:
    conversations, rule = edited_pairs(seed, sum(sizes), words), Rule()
    ends = np.cumsum(sizes).tolist()
    files = Files([conversations[end - size : end] for end, size in zip(ends, sizes, strict=True)])
    runs = [file_run(part.rows, rule) for part in files.parts]
    known: DuplicateArrays | None = None
    arrived: list[Member] = []
    with tempfile.TemporaryDirectory() as folder:
        kept = KeptRuns(Path(folder))
        for number in data.draw(st.permutations(range(len(runs)))):
            others, missing = kept.known(arrived)
            assert not missing
            new = find_new(others, runs[number], rule, files.wording)
            known = new if known is None else merged(known, new)
            kept.keep(runs[number], Member(number + 1, "now"), arrived)
            arrived.append(Member(number + 1, "now"))
        assert len(list(Path(folder).iterdir())) <= 3 * len({size.bit_length() // 2 for size in range(1, 300)})
    assert_same(files.whole(rule), known)


def test_a_new_file_reads_the_rows_that_matter_only(tmp_path: Path) -> None:
    rule, conversations = Rule(), edited_pairs(1, 1500, 5000)
    files = Files([conversations, [conversations[7], pair("Nothing of this was said before.", "Not in this file.")]])
    kept, old = KeptRuns(tmp_path), Member(1, "a")
    kept.keep(file_run(files.parts[0].rows, rule), old, [])
    (mapped,), _ = kept.known([old])
    new = file_run(files.parts[1].rows, rule)
    related = related_rows(mapped, new, rule)
    assert 7 in related and len(related) < 60
    assert find_new([mapped], new, rule, files.wording).ids.tolist() == [new.ids[0]]


def test_of_equal_rows_below_the_lowest_is_enough() -> None:
    rule, same = Rule(), pair("What does the baker do at four?", "He lights the oven and weighs the flour.")
    files = Files([[same] * 500, [same] * 3])
    known, new = known_run(file_run(files.parts[0].rows, rule)), file_run(files.parts[1].rows, rule)
    assert find_new([known], new, rule, files.wording).nearest.tolist() == [known.run.ids[0]] * 3


def test_a_crowd_in_one_band_is_bounded_by_the_window() -> None:
    """Rows of one class that agree in a band of the fingerprint: each is compared with the lowest holders only."""
    chooser = np.random.default_rng(1)
    rows = 20_000
    signatures = np.zeros((rows, SIGNATURE_COLUMNS), np.uint32)
    signatures[:, 0] = np.arange(rows)
    signatures[:, 3] = 7
    values = chooser.integers(0, 1 << 48, rows, np.uint64) << np.uint64(16)
    hashes = chooser.integers(0, 256, (rows, 32), np.uint8)
    ids = conversation_id(FileId(1), 1) + np.arange(rows)
    asked = 0

    def wording(wanted):
        nonlocal asked
        asked += len(wanted)
        return {}

    assert find(Rows(ids, hashes, values, np.ones(rows, np.bool_), signatures), Rule(), wording).ids.tolist() == []
    assert asked <= 3 * rows


def test_what_is_damaged_or_gone_is_asked_for_again(tmp_path: Path) -> None:
    members = [Member(file, "a") for file in (1, 2, 3)]
    files = Files([edited_pairs(member.file, 40, 300) for member in members])
    kept = KeptRuns(tmp_path)
    for member, part in zip(members, files.parts, strict=True):
        kept.keep(file_run(part.rows, Rule()), member, members)
    one, other, _ = sorted(tmp_path.iterdir())
    one.write_bytes(one.read_bytes()[:2000])
    other.write_bytes(b"something else")
    known, missing = kept.known(members)
    assert len(known) == 1 and len(missing) == 2
    assert kept.known([Member(1, "b")]) == ([], [Member(1, "b")])
    assert KeptRuns(tmp_path / "nowhere").known(members) == ([], members)


def test_a_changed_bit_of_a_kept_run_changes_no_verdict_and_is_told(tmp_path: Path, caplog) -> None:
    rule, conversations = Rule(), edited_pairs(3, 60, 400)
    files = Files([conversations[:50], [*conversations[50:], *conversations[:9]]])
    old, new = Member(1, "a"), file_run(files.parts[1].rows, rule)
    kept, first = KeptRuns(tmp_path), file_run(files.parts[0].rows, rule)
    kept.keep(first, old, [])
    (path,) = tmp_path.iterdir()
    content, chance = path.read_bytes(), random.Random(7)
    expected = find_new(kept.known([old])[0], new, rule, files.wording)
    assert len(expected.ids) >= 9
    places = [*range(0, 60, 7), *range(len(content) - 4, len(content)), *chance.choices(range(len(content)), k=60)]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        assert damaged(tmp_path) == (1, [path])
        caplog.clear()
        known, missing = kept.known([old])
        assert (known, missing) == ([], [old]) and "made again" in caplog.text and not path.exists(), place
    path.write_bytes(content)
    assert_same(expected, find_new(kept.known([old])[0], new, rule, files.wording))
    path.write_bytes(content.replace(b"corpus run 3", b"corpus run 2"))
    assert damaged(tmp_path) == (1, []) and kept.known([old]) == ([], [old]) and not path.exists()
