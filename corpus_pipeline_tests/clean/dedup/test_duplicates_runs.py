"""Finds by the runs of files: the answer of one find over all rows, whatever file comes last."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.model import FileId, conversation_id
from corpus_pipeline.stages.clean.duplicates import DuplicateArrays, find, merged
from corpus_pipeline.stages.clean.duplicates_runs import FileRun, file_run, find_new, related_rows
from corpus_pipeline.stages.clean.features_schemes import SCHEMES, Scheme, scheme_named
from corpus_pipeline.stages.clean.fingerprint import fingerprints


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
        new = find_new(arrived, runs[number], scheme, threshold)
        known = new if known is None else merged(known, new)
        arrived.append(runs[number])
    assert known is not None
    for one, other in zip(whole, known, strict=True):
        assert one.tolist() == other.tolist()


def test_a_new_file_reads_the_rows_that_matter_only(tmp_path: Path) -> None:
    scheme = scheme_named("default")
    texts = edited_texts(1, 3000, 5000)
    run = run_of(1, texts, scheme)
    for field, column in zip(FileRun._fields, run, strict=True):
        np.save(tmp_path / f"{field}.npy", column)
    mapped = FileRun(*(np.load(tmp_path / f"{field}.npy", mmap_mode="r") for field in FileRun._fields))
    new = run_of(2, [texts[7], "nothing of this was ever said in the other file at all"], scheme)
    related = related_rows(mapped, new, 3)
    assert 7 in related and len(related) < 60
    assert find_new([mapped], new, scheme, 3).ids.tolist() == [new.ids[0]]
