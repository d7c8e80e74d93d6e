"""Finds by the runs of files: the answer of one find over all rows, whatever file comes last, kept and joined or not."""

from __future__ import annotations

import hashlib
import random
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus_pipeline.model import ROW_BITS, FileId, conversation_id
from corpus_pipeline.stages.clean.dedup.duplicates import DuplicateArrays, find, merged
from corpus_pipeline.stages.clean.dedup.run_cache import KeptRuns, Member
from corpus_pipeline.stages.clean.dedup.schemes import SCHEMES, Scheme, scheme_named
from corpus_pipeline.stages.clean.dedup.simhash import fingerprints
from corpus_pipeline.stages.clean.dedup.sorted_runs import FileRun, Known, file_run, find_new, related_rows


def edited_texts(seed: int, rows: int, words: int) -> list[str]:
    chooser = random.Random(seed)
    vocabulary = [f"w{number}" for number in range(words)]
    texts: list[str] = []
    for _ in range(rows):
        items = chooser.choices(vocabulary, k=chooser.randint(3, 40))
        if texts and chooser.random() < 0.7:
            items = chooser.choice(texts).split()
            for _ in range(chooser.randint(0, 3)):
                items[chooser.randrange(len(items))] = chooser.choice(vocabulary)
        texts.append(" ".join(items))
    return texts


def run_of(file: int, texts: list[str], scheme: Scheme, threshold: int = 3) -> FileRun:
    made = fingerprints(texts, scheme)
    digests = b"".join(hashlib.sha256(text.encode()).digest() for text in texts)
    ids = np.array([conversation_id(FileId(file), row + 1) for row in range(len(texts))], np.int64)
    hashes = np.frombuffer(digests, np.uint8).reshape(-1, 32)
    return file_run(ids, hashes, made.values, made.enough, made.signatures, threshold)


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@given(
    data=st.data(),
    seed=st.integers(0, 2**32),
    rows=st.integers(1, 80),
    words=st.sampled_from([5, 30, 1000]),
    threshold=st.integers(0, 8),
)
def test_files_in_any_order_give_what_one_find_gives(
    scheme: Scheme, data: st.DataObject, seed: int, rows: int, words: int, threshold: int
) -> None:
    texts = edited_texts(seed, rows, words)
    chooser = random.Random(seed)
    cuts = sorted(chooser.randint(0, rows) for _ in range(3))
    parts = [texts[start:end] for start, end in zip([0, *cuts], [*cuts, rows], strict=True)]
    runs = [run_of(file + 1, part, scheme, threshold) for file, part in enumerate(parts)]
    columns = [np.concatenate([run[field] for run in runs]) for field in range(5)]
    whole = find(*columns, scheme, threshold)

    known: DuplicateArrays | None = None
    arrived: list[FileRun] = []
    for number in data.draw(st.permutations(range(len(runs)))):
        new = find_new([known_run(run) for run in arrived], runs[number], scheme, threshold)
        known = new if known is None else merged(known, new)
        arrived.append(runs[number])
    assert known is not None
    for one, other in zip(whole, known, strict=True):
        assert one.tolist() == other.tolist()


@given(
    data=st.data(),
    seed=st.integers(0, 2**32),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=9),
    words=st.sampled_from([5, 30, 1000]),
)
@settings(max_examples=40)
def test_kept_and_joined_runs_give_what_one_find_gives(
    data: st.DataObject, seed: int, sizes: list[int], words: int
) -> None:
    scheme = scheme_named("default")
    texts = edited_texts(seed, sum(sizes), words)
    ends = np.cumsum(sizes).tolist()
    parts = [texts[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    runs = [run_of(file + 1, part, scheme) for file, part in enumerate(parts)]
    whole = find(*(np.concatenate([run[field] for run in runs]) for field in range(5)), scheme, 3)

    known: DuplicateArrays | None = None
    arrived: list[Member] = []
    with tempfile.TemporaryDirectory() as folder:
        kept = KeptRuns(Path(folder))
        for number in data.draw(st.permutations(range(len(runs)))):
            if data.draw(st.booleans()):  # a state of the file that is out of date is not looked at
                kept.keep(run_of(number + 1, texts[: sizes[0]], scheme), Member(number + 1, "before"), arrived)
            others, missing = kept.known(arrived)
            assert not missing
            new = find_new(others, runs[number], scheme, 3)
            known = new if known is None else merged(known, new)
            kept.keep(runs[number], Member(number + 1, "now"), arrived)
            arrived.append(Member(number + 1, "now"))
        assert len(list(Path(folder).iterdir())) <= 3 * len({size.bit_length() // 2 for size in range(1, 300)})
    assert known is not None
    for one, other in zip(whole, known, strict=True):
        assert one.tolist() == other.tolist()


def known_run(run: FileRun) -> Known:
    return Known(run, np.unique(run.ids >> ROW_BITS), True)


def test_a_new_file_reads_the_rows_that_matter_only(tmp_path: Path) -> None:
    scheme = scheme_named("default")
    texts = edited_texts(1, 3000, 5000)
    kept, old = KeptRuns(tmp_path), Member(1, "a")
    kept.keep(run_of(1, texts, scheme), old, [])
    (mapped,), _ = kept.known([old])
    new = run_of(2, [texts[7], "nothing of this was ever said in the other file at all"], scheme)
    related = related_rows(mapped, new, scheme, 3)
    assert 7 in related and len(related) < 60
    assert find_new([mapped], new, scheme, 3).ids.tolist() == [new.ids[0]]


def test_of_equal_rows_below_the_lowest_is_enough() -> None:
    scheme = scheme_named("default")
    text = " ".join(f"word{number}" for number in range(20))
    known, new = known_run(run_of(1, [text] * 500, scheme)), run_of(2, [text] * 3, scheme)
    assert related_rows(known, new, scheme, 3).tolist() == [0]
    assert find_new([known], new, scheme, 3).nearest.tolist() == [known.run.ids[0]] * 3


def test_a_crowd_in_one_band_is_not_compared_pair_by_pair() -> None:
    chooser = np.random.default_rng(1)

    def crowded(file: int, rows: int) -> FileRun:
        ids = conversation_id(FileId(file), 1) + np.arange(rows)
        values = chooser.integers(0, 1 << 48, rows, np.uint64) << np.uint64(16)
        hashes = chooser.integers(0, 256, (rows, 32), np.uint8)
        return file_run(ids, hashes, values, np.ones(rows, np.bool_), np.zeros((rows, 0), np.uint32), 3)

    known, new = known_run(crowded(1, 60_000)), crowded(2, 60_000)
    begun = time.process_time()
    related_rows(known, new, scheme_named("words"), 3)
    assert time.process_time() - begun < 5  # all pairs of this band take a minute


def test_what_is_damaged_or_gone_is_asked_for_again(tmp_path: Path) -> None:
    scheme = scheme_named("default")
    members = [Member(file, "a") for file in (1, 2, 3)]
    kept = KeptRuns(tmp_path)
    for member in members:
        kept.keep(run_of(member.file, edited_texts(member.file, 40, 300), scheme), member, members)
    one, other, _ = sorted(tmp_path.iterdir())
    one.write_bytes(one.read_bytes()[:2000])
    other.write_bytes(b"something else")
    known, missing = kept.known(members)
    assert len(known) == 1 and len(missing) == 2
    assert kept.known([Member(1, "b")]) == ([], [Member(1, "b")])
    assert KeptRuns(tmp_path / "nowhere").known(members) == ([], members)
