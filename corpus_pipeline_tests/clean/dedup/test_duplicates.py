"""Duplicates: what is found, which row is kept, and that neither depends on the order of files and batches."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.dedup.candidates import Limits, row_keys, weights
from corpus_pipeline.stages.clean.dedup.duplicates import (
    EXACT,
    DuplicateArrays,
    Rule,
    copies_in_file,
    find,
    merged,
    sharing_of,
)
from corpus_pipeline.stages.clean.dedup.edits import Bounds
from corpus_pipeline.stages.clean.dedup.same_prompt import with_one_answer
from corpus_pipeline.stages.clean.dedup.signatures import class_keys, form_keys
from corpus_pipeline.stages.clean.dedup.verification import form_of, verified
from corpus_pipeline.states import DuplicateKind
from corpus_pipeline_tests.clean.dedup.making import Made, dropped, edited_pairs, ids_of, made, pair

ESSAY = (
    "The old lighthouse on the northern cape was built by fishermen who had grown tired of losing their boats to the reef."
    " They carried the stones up the path on their backs for three summers, and the keeper's family still tells how the"
    " lamp was lit for the first time during a storm that nobody in the village has forgotten since that winter evening."
)
ASK = "Tell me how the lighthouse on the cape came to be built and who carried the stones."

DISTINCT = [
    (pair("Is the bridge open to lorries today?", "Yes."), pair("Is the bridge not open to lorries today?", "Yes.")),
    (pair("What is a + b for 3 and 4?", "7"), pair("What is a - b for 3 and 4?", "7")),
    (pair("Which lake has less salt?", "The upper one"), pair("Which lake has more salt?", "The upper one")),
    (pair("Convert 12 miles to km.", "19.3 km"), pair("Convert 21 miles to km.", "19.3 km")),
    (pair("Spell the word.", "True"), pair("Spell the word.", "TRUE")),
    (pair("Who wrote 'Ashes'?", "I do not know."), pair("Who wrote 'Embers'?", "I do not know.")),
    (pair("云杉镇有什么特产？", "蜂蜜"), pair("松石镇有什么特产？", "蜂蜜")),
    (pair("饭前能喝茶吗？", "可以"), pair("饭后能喝茶吗？", "可以")),
    (pair(ASK, ESSAY), pair(ASK, "Fishermen built it.")),
    (pair(ESSAY + " Who lit the lamp?", "The family"), pair(ESSAY + " Who carried the stones?", "The family")),
    (pair(ESSAY + " It took 3 summers.", "Yes"), pair(ESSAY + " It took 4 summers.", "Yes")),
    (pair("Sort these.", "def f(a):\n    return a+1"), pair("Sort these.", "def f(a):\n    return a-1")),
    (
        (Turn(prompt="x", response="fine", extra={"label": True}),),
        (Turn(prompt="x", response="fine", extra={"label": False}),),
    ),
    ((Turn(prompt="x", response="fine", weight=0.0),), (Turn(prompt="x", response="fine", weight=1.0),)),
    (
        (Turn(prompt="x", extra={"tool_calls": [{"name": "f", "arguments": '{"n": 1}'}]}),),
        (Turn(prompt="x", extra={"tool_calls": [{"name": "f", "arguments": '{"n": 2}'}]}),),
    ),
]

FORM_NOISE = [
    (
        pair("Name three rivers of the north.", "The Elv, the Tana and the Ob."),
        pair("NAME THREE RIVERS OF THE NORTH", "the elv, the tana and the ob"),
    ),
    (pair("What does a baker do?", "He bakes bread."), pair("What does a baker do ?", "He  bakes bread.\n")),
    (pair("What does a baker do?", "He bakes bread."), pair("**What does a baker do?**", "- He bakes bread.")),
    (pair('Explain "flour".', "It's ground grain."), pair("Explain “flour”.", "It’s ground grain.")),
    (pair("Salt & pepper?", "Both, please, on the fish."), pair("Salt &amp; pepper?", "Both, please, on the fish.")),
    (pair("面包师傅每天做什么？", "他每天烤面包。"), pair("面包师傅每天做什么?", "他每天烤面包")),
]


@pytest.mark.parametrize("rows", DISTINCT, ids=range(len(DISTINCT)))
def test_rows_that_teach_different_things_are_both_kept(rows: tuple[tuple[Turn, ...], tuple[Turn, ...]]) -> None:
    assert dropped(rows) == {} == dropped(rows[::-1])


@pytest.mark.parametrize("rows", FORM_NOISE, ids=range(len(FORM_NOISE)))
def test_rows_that_differ_in_form_alone_are_one(rows: tuple[tuple[Turn, ...], tuple[Turn, ...]]) -> None:
    assert dropped(rows) == {2: 1} == dropped(rows[::-1])


def test_small_edits_of_a_long_answer_and_a_cut_tail_are_near() -> None:
    edited = ESSAY.replace("grown tired", "grown weary").replace("on their backs", "upon their backs")
    cut = ESSAY[: int(len(ESSAY) * 0.93)]
    some = made([pair(ASK, ESSAY), pair(ASK, edited), pair(ASK, cut)])
    found = find(some.rows, Rule(), some.wording)
    assert found.ids.tolist() == [2, 3] and set(found.duplicate_of.tolist()) == {1}
    assert [record.kind for record in found.records()] == [DuplicateKind.NEAR] * 2
    assert found.question.tolist() == [1.0, 1.0] and all(0.8 <= like < 1 for like in found.answer)


def test_what_many_rows_share_carries_no_weight() -> None:
    """Forty questions on one passage, of two words each: the passage makes no two of them alike."""
    words = [f"the {a}{b} stone" for a in "bdfghjklmn" for b in ("arn", "ell", "ond", "usk")]
    rows = [pair(f"{ESSAY}\nWhere did they put {word}?", f"They put {word} under the stairs.") for word in words]
    assert dropped(rows) == {}


def test_one_prompt_with_several_answers_is_kept_unless_the_recipe_says_otherwise() -> None:
    answers = ["The mill stands by the river.", "A mill stands beside the river, and it still turns.", "It is gone."]
    some = made([pair("Describe the mill in a sentence.", answer) for answer in answers])
    found = find(some.rows, Rule(), some.wording)
    assert found.ids.tolist() == []
    for longest, keeper in ((False, 1), (True, 2)):
        one = with_one_answer(some.rows, found, some.wording, longest=longest)
        assert sorted({1, 2, 3} - set(one.ids.tolist())) == [keeper] and set(one.duplicate_of.tolist()) == {keeper}
        assert {record.kind for record in one.records()} == {DuplicateKind.SAME_PROMPT}


def test_the_switches_and_bounds_of_the_recipe() -> None:
    rows = [pair(ASK, ESSAY), pair(ASK, ESSAY), pair(ASK, ESSAY.replace("grown tired", "grown weary"))]
    assert dropped(rows) == {2: 1, 3: 1}
    assert dropped(rows, Rule(near=False)) == {2: 1}
    assert dropped(rows, Rule(exact=False, near=False)) == {}
    assert dropped(rows, Rule(bounds=Bounds(similarity=1.0))) == {2: 1}
    assert dropped(rows, Rule(bounds=Bounds(long_part=500))) == {2: 1}
    assert dropped(rows, Rule(limits=Limits(threshold=0))) == {2: 1}


@given(seed=st.integers(0, 2**32), threshold=st.integers(0, 16))
@settings(max_examples=25, deadline=None)
def test_the_threshold_bounds_everything_that_is_near(seed: int, threshold: int) -> None:
    some = made(edited_pairs(seed, 30, 40))
    found = find(some.rows, Rule(limits=Limits(threshold=threshold)), some.wording)
    near = found.kinds != EXACT
    assert (found.distance[near] <= threshold).all()


def test_ids_that_do_not_ascend_are_refused() -> None:
    some = made([pair("a", "b"), pair("c", "d")], ids=[2, 1])
    with pytest.raises(ValueError, match="ascend"):
        find(some.rows, Rule(), some.wording)


def test_no_rows_have_no_duplicates() -> None:
    some = made([])
    assert find(some.rows, Rule(), some.wording).records() == []


@pytest.mark.parametrize(
    "texts",
    [["", "   ", "!!!", "???"], ["👍🏽", "❤️", "🙂"], ["yes", "no", "ok"], ["x " * 100_000, "y " * 100_000]],
    ids=["nothing", "emoji", "short", "one token"],
)
def test_texts_with_little_in_them_make_no_strangers_equal(texts: list[str]) -> None:
    kept = {keeper for keeper in dropped([pair("Go on.", text) for text in texts]).values()}
    assert kept <= {1}
    if texts[0].strip():
        assert dropped([pair("Go on.", text) for text in texts]) == {}


def test_a_crowd_of_one_template_is_compared_in_bounded_work() -> None:
    rows = [pair(f"{ESSAY}\nItem {number}: what is it?", f"{ESSAY}\nIt is item {number}.") for number in range(3_000)]
    some = made(rows)
    asked = 0

    def wording(ids):
        nonlocal asked
        asked += len(ids)
        return some.wording(ids)

    assert find(some.rows, Rule(), wording).ids.tolist() == []
    assert asked < 20 * len(rows)


def by_all_pairs(some: Made, rule: Rule) -> dict[int, int]:
    """The lowest near row of each row, by looking at every pair as `candidates` and `duplicates` define the relation."""
    rows, found = some.rows, dict[int, int]()
    copies = copies_in_file(rows.ids, rows.content_hashes)
    shared = sharing_of(rows, rule)
    keys, forms, classes = (
        row_keys(rows.fingerprints, rows.signatures, shared.shared),
        form_keys(rows.signatures),
        class_keys(rows.signatures),
    )
    for one in range(len(rows.ids)):
        if not rows.enough[one] or any(
            (rows.content_hashes[one] == rows.content_hashes[low]).all() for low in range(one)
        ):
            continue
        for other in range(one):
            if not rows.enough[other] or copies[other]:
                continue
            if int(rows.fingerprints[one] ^ rows.fingerprints[other]).bit_count() > rule.limits.threshold:
                continue
            left, right = some.texts[int(rows.ids[one])], some.texts[int(rows.ids[other])]
            signed = {form_of(left).signature, form_of(right).signature} - {""}
            if forms[one] == forms[other] and form_of(left).key == form_of(right).key and len(signed) < 2:
                found.setdefault(one, other)
            held = {(c, k) for c, k in enumerate(keys[other].tolist()) if k and shared.held[other, c]}
            asks = set(keys[one][keys[one] > 0].tolist())
            if classes[one] == classes[other] != 0 and asks & {k for _, k in held}:
                share = weights(rows.signatures, shared.shared, np.array([one]), np.array([other]))[0]
                equal = [rows.signatures[one, column] == rows.signatures[other, column] for column in (4, 5)]
                if all(
                    same or weight >= rule.limits.least_own for same, weight in zip(equal, share, strict=True)
                ) and verified(left, right, share, rule.bounds):
                    found[one] = min(found.get(one, one), other)
    return found


@given(
    seed=st.integers(0, 2**32), rows=st.integers(2, 40), words=st.sampled_from([5, 30, 400]), files=st.integers(1, 3)
)
@settings(max_examples=60, deadline=None)
def test_the_find_is_that_of_a_comparison_of_all_pairs(seed: int, rows: int, words: int, files: int) -> None:
    chooser = random.Random(seed)
    some = made(edited_pairs(seed, rows, words), ids_of(sorted(chooser.randint(1, files) for _ in range(rows))))
    found = find(some.rows, Rule(), some.wording)
    near = {
        int(np.searchsorted(some.rows.ids, one)): int(np.searchsorted(some.rows.ids, other))
        for one, other, kind in zip(found.ids.tolist(), found.nearest.tolist(), found.kinds.tolist(), strict=True)
        if kind != EXACT
    }
    assert near == by_all_pairs(some, Rule())


@given(data=st.data(), seed=st.integers(0, 2**32), rows=st.integers(2, 50), words=st.sampled_from([5, 30, 400]))
@settings(max_examples=40, deadline=None)
def test_files_in_any_order_give_what_one_find_gives(data: st.DataObject, seed: int, rows: int, words: int) -> None:
    chooser = random.Random(seed)
    files = sorted(chooser.randint(1, 4) for _ in range(rows))
    some = made(edited_pairs(seed, rows, words), ids_of(files))
    whole = find(some.rows, Rule(), some.wording)
    of_file = np.array(files)
    known: DuplicateArrays | None = None
    arrived: list[int] = []
    for file in data.draw(st.permutations(sorted(set(files)))):
        arrived.append(file)
        there = np.isin(of_file, arrived)
        part = some.rows._replace(**{name: getattr(some.rows, name)[there] for name in some.rows._fields})
        new = find(part, Rule(), some.wording, own=of_file[there] == file)
        known = new if known is None else merged(known, new)
    assert known is not None
    for one, other in zip(whole, known, strict=True):
        assert np.array_equal(one, other, equal_nan=one.dtype == np.float64)
