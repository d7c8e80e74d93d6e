"""Duplicates: what is found, who is kept, and that neither depends on the order of files and batches."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.model import ConversationId, Duplicate, FileId, conversation_id
from corpus_pipeline.stages.clean.dedup.duplicates import DuplicateArrays, find, merged
from corpus_pipeline.stages.clean.dedup.schemes import SCHEMES, Scheme, scheme_named
from corpus_pipeline.stages.clean.dedup.simhash import SIGNATURE_COLUMNS, fingerprints
from corpus_pipeline.states import DuplicateKind

DEFAULT = scheme_named("default")
FERRY = "The harbour master counts every lantern before the last ferry leaves for the island at nine."
BAKER = "A baker who oversleeps twice in one week must carry flour up the hill for the whole guild."


def found(
    texts: list[str],
    scheme: Scheme = DEFAULT,
    threshold: int = 3,
    ids: list[int] | None = None,
    own: list[bool] | None = None,
    exact: bool = True,
    near: bool = True,
) -> DuplicateArrays:
    """`find` on texts; the content hash is that of the lower-cased text without superfluous spaces."""
    made = fingerprints(texts, scheme)
    digests = [hashlib.sha256(" ".join(text.lower().split()).encode()).digest() for text in texts]
    return find(
        np.array(range(1, len(texts) + 1) if ids is None else ids, np.int64),
        np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32),
        made.values,
        made.enough,
        made.signatures,
        scheme,
        threshold,
        exact=exact,
        near=near,
        own=None if own is None else np.array(own, np.bool_),
    )


def pairs(result: DuplicateArrays) -> dict[int, tuple[int, bool]]:
    return dict(
        zip(result.ids.tolist(), zip(result.duplicate_of.tolist(), result.exact.tolist(), strict=True), strict=True)
    )


def test_exact_and_near_duplicates_name_the_lowest_row() -> None:
    near = FERRY.replace("nine", "ten")
    result = found([BAKER, FERRY, BAKER.upper(), near, FERRY, "  " + BAKER])
    assert pairs(result) == {3: (1, True), 4: (2, False), 5: (2, True), 6: (1, True)}
    assert result.distance.tolist()[0] == 0 and 0 < result.distance.tolist()[1] <= 16
    assert result.records()[0] == Duplicate(ConversationId(3), ConversationId(1), DuplicateKind.EXACT, 0)
    assert result.records()[1].kind is DuplicateKind.NEAR


def test_a_chain_of_edits_ends_at_the_kept_row() -> None:
    words = [f"word{number}" for number in range(24)]
    texts = []
    for step in range(8):  # each is near the one before it, the last far from the first
        words[3 * step] = f"changed{step}"
        texts.append(" ".join(words))
    result = found(texts)
    assert set(result.duplicate_of.tolist()) == {1}
    assert result.nearest.tolist()[-1] > 1
    assert result.ids.tolist() == [2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_short_and_empty_texts_are_never_near(scheme: Scheme) -> None:
    texts = ["", "!!!", "???", "👍🏽", "❤️", "yes", "Yes.", "no", "好", "好的", "ok ok", "1 2 3"]
    assert pairs(found(texts, scheme, threshold=16)) == {}
    assert pairs(found(["yes", "no", "YES"], scheme)) == {3: (1, True)}


def test_the_switches_of_the_recipe() -> None:
    texts = [FERRY, FERRY.upper(), FERRY.replace("nine", "ten")]
    assert pairs(found(texts, near=False)) == {2: (1, True)}
    assert pairs(found(texts, exact=False)) == {2: (1, False), 3: (1, False)}
    assert pairs(found(texts, exact=False, near=False)) == {}


def test_the_threshold_decides_without_signatures() -> None:
    texts = [FERRY, FERRY.replace("nine", "ten")]
    words = scheme_named("words")
    values = fingerprints(texts, words).values
    distance = int(np.bitwise_count(values[0] ^ values[1]))
    assert pairs(found(texts, words, distance)) == {2: (1, False)}
    assert pairs(found(texts, words, distance - 1)) == {}


def test_one_edited_character_of_a_chinese_sentence_is_near() -> None:
    text = "港口的管理员每天晚上都要在最后一班渡轮离开之前数一数码头上的灯笼"
    other = "面包师傅如果一周之内睡过头两次就必须替整个行会把面粉背上山坡"
    assert pairs(found([text, other, text.replace("晚", "早")])) == {3: (1, False)}


def test_hash_prefixes_that_agree_are_not_the_same_content() -> None:
    hashes = np.zeros((3, 32), np.uint8)
    hashes[1, 31] = 1
    nothing = np.zeros(3, np.uint64)
    result = find(
        np.array([1, 2, 3]), hashes, nothing, nothing > 0, np.zeros((3, 0), np.uint32), scheme_named("words"), 3
    )
    assert pairs(result) == {3: (1, True)}


def test_ids_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(ValueError, match="ascend"):
        found([FERRY, BAKER], ids=[2, 1])


def test_no_rows_have_no_duplicates() -> None:
    nothing = np.zeros(0, np.int64)
    result = find(
        nothing,
        np.zeros((0, 32), np.uint8),
        nothing.astype(np.uint64),
        nothing > 0,
        np.zeros((0, SIGNATURE_COLUMNS), np.uint32),
        DEFAULT,
        3,
    )
    assert result.records() == []


def edited_corpus(seed: int, rows: int, words: int) -> list[str]:
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


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
@given(data=st.data(), seed=st.integers(0, 2**32), rows=st.integers(2, 80), words=st.sampled_from([5, 30, 1000]))
def test_files_in_any_order_give_what_one_find_gives(
    scheme: Scheme, data: st.DataObject, seed: int, rows: int, words: int
) -> None:
    texts = edited_corpus(seed, rows, words)
    chooser = random.Random(seed)
    files = sorted(chooser.randint(1, 4) for _ in range(rows))
    ids = [conversation_id(FileId(file), row + 1) for row, file in enumerate(files)]
    whole = found(texts, scheme, ids=ids)

    known: DuplicateArrays | None = None
    arrived: list[int] = []
    for file in data.draw(st.permutations(sorted(set(files)))):
        arrived = sorted(arrived + [row for row in range(rows) if files[row] == file])
        own = [files[row] == file for row in arrived]
        new = found([texts[row] for row in arrived], scheme, ids=[ids[row] for row in arrived], own=own)
        known = new if known is None else merged(known, new)
    assert known is not None
    for one, other in zip(whole, known, strict=True):
        assert one.tolist() == other.tolist()


@given(seed=st.integers(0, 2**32), rows=st.integers(2, 60), kept=st.integers(1, 60))
def test_a_verdict_depends_on_lower_rows_only(seed: int, rows: int, kept: int) -> None:
    texts = edited_corpus(seed, rows, 30)
    whole, part = pairs(found(texts)), pairs(found(texts[:kept]))
    assert part == {row: answer for row, answer in whole.items() if row <= kept}


def test_rows_that_differ_in_a_number_only_are_no_duplicates() -> None:
    """Long texts in which a number weighs too little to move the fingerprint."""
    story = " ".join(f"word{number}" for number in random.Random(5).sample(range(10_000), 700))
    texts = [f"{story} It costs {price} crowns." for price in (60, 61, 120, 60)]
    values = fingerprints(texts, DEFAULT).values
    assert int(np.bitwise_count(values[0] ^ values[1])) <= 3
    assert pairs(found(texts, exact=False)) == {4: (1, False)}
    chinese = "港口的灯塔守护人每天晚上都要数一遍码头上的灯笼，然后最后一班渡船才会离开前往小岛。" * 12
    assert pairs(found([f"{chinese}一共{n}盏。" for n in (12, 13, 12)], exact=False)) == {3: (1, False)}
