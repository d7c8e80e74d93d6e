from __future__ import annotations

import pytest

from corpus_pipeline.errors import GateRefused
from corpus_pipeline.recipe import CleanGate, Gate
from corpus_pipeline.stages.export.gate import GateFacts, Limits, Written, decide, enforce, tolerated

CLEAN = GateFacts("notes", total=10)
DEFAULT = Limits()


def limits(**gate):
    """The default limits but for some of the export gate."""
    return Limits(Gate(**gate))


def test_a_file_without_bad_rows_passes():
    assert decide(CLEAN, DEFAULT) == ()
    enforce(CLEAN, DEFAULT)


@pytest.mark.parametrize(
    ("word", "command"),
    [
        ("failed", "`corpus failed list --where file=notes`"),
        ("empty", "`corpus rows notes --stage augment --where empty=true`"),
        ("unfinished", "`corpus run notes --to augment`"),
        ("stale", "`corpus run notes --to augment`"),
    ],
)
def test_one_row_of_each_bad_class_refuses_and_names_the_next_command(word, command):
    (finding,) = decide(CLEAN._replace(**{word: 1}), DEFAULT)
    assert (finding.word, finding.count, finding.limit) == (word, 1, 0)
    assert command in finding.sentence
    assert finding.sentence.startswith("1 ") and "(allowed: 0)" in finding.sentence


def test_the_refusal_carries_every_count():
    with pytest.raises(GateRefused) as refused:
        enforce(CLEAN._replace(failed=2, empty=1, stale=3), DEFAULT)
    assert refused.value.findings == {"failed": 2, "empty": 1, "stale": 3}
    assert "'notes'" in str(refused.value) and "export.gate" in str(refused.value)


def test_the_recipe_may_tolerate_rows_and_the_manifest_is_told():
    facts, gate = CLEAN._replace(failed=2, unfinished=1), limits(max_failed=2, max_unfinished=5)
    assert decide(facts, gate) == ()
    assert tolerated(facts, gate) == {"failed": {"count": 2, "limit": 2}, "unfinished": {"count": 1, "limit": 5}}
    (finding,) = decide(facts._replace(failed=3), gate)
    assert (finding.word, finding.count, finding.limit) == ("failed", 3, 2)


def test_stale_rows_are_never_tolerated():
    facts = CLEAN._replace(stale=1)
    assert decide(facts, limits(max_failed=9, max_empty=9, max_unfinished=9))[0].word == "stale"
    assert tolerated(facts, DEFAULT) == {}


def test_a_name_with_spaces_is_quoted_in_the_command():
    (finding,) = decide(GateFacts("my notes", total=1, failed=1), DEFAULT)
    assert "`corpus failed list --where file='my notes'`" in finding.sentence


def test_rejected_lines_are_a_share_of_the_records_and_the_refusal_says_how_to_see_them():
    facts = CLEAN._replace(total=98, rejects={"broken_json": 1, "wrong_shape": 1})
    (finding,) = decide(facts, DEFAULT)
    assert (finding.word, finding.count, finding.limit) == ("rejected", 2, 0.01)
    assert "2 of 100 records" in finding.sentence and "`corpus rejects notes`" in finding.sentence
    assert "broken_json 1" in finding.sentence and "wrong_shape 1" in finding.sentence
    assert decide(facts._replace(total=198), DEFAULT) == ()  # 2 of 200 is the limit itself
    assert tolerated(facts, limits(max_rejected=0.05)) == {"rejected": {"count": 2, "limit": 0.05}}


def test_a_file_that_cleaning_dropped_by_more_than_half_is_held():
    facts = CLEAN._replace(drops={"near_duplicate": 4, "too_short": 2, "exact_duplicate": 2})
    (finding,) = decide(facts, DEFAULT)
    assert (finding.word, finding.count, finding.limit) == ("dropped", 6, 0.5)
    assert "reason=near_duplicate" in finding.sentence
    assert decide(facts._replace(drops={"near_duplicate": 5, "exact_duplicate": 5}), DEFAULT) == ()
    assert decide(facts, Limits(Gate(), CleanGate(max_dropped=0.6))) == ()


def test_rows_that_the_format_cannot_hold_are_asked_about_once_the_lines_lie_ready():
    facts = CLEAN._replace(written=Written("sharegpt", 8, {"turn_order": 2}))
    (finding,) = decide(facts, DEFAULT)
    assert (finding.word, finding.count, finding.limit) == ("not_exportable", 2, 0)
    assert "2 of 10 rows cannot be written as sharegpt (turn_order 2)" in finding.sentence
    assert decide(facts, limits(max_not_exportable=2)) == ()
    assert tolerated(facts, limits(max_not_exportable=2)) == {"not_exportable": {"count": 2, "limit": 2}}


def test_an_empty_export_is_held_unless_the_recipe_wants_it():
    facts = CLEAN._replace(written=Written("text", 0))
    assert [finding.word for finding in decide(facts, DEFAULT)] == ["rows"]
    assert decide(facts, limits(min_rows=0)) == ()
    assert [f.word for f in decide(facts._replace(written=Written("text", 9)), limits(min_rows=10))] == ["rows"]
    assert decide(CLEAN, DEFAULT) == (), "nothing is said of rows before they were written"
