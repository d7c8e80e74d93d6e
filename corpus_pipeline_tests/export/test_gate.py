from __future__ import annotations

import pytest

from corpus_pipeline.errors import GateRefused
from corpus_pipeline.recipe import Gate
from corpus_pipeline.stages.export.gate import GateFacts, decide, enforce, tolerated

CLEAN = GateFacts("notes", total=10)


def test_a_file_without_bad_rows_passes():
    assert decide(CLEAN, Gate()) == ()
    enforce(CLEAN, Gate())


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
    (finding,) = decide(CLEAN._replace(**{word: 1}), Gate())
    assert (finding.word, finding.count, finding.limit) == (word, 1, 0)
    assert command in finding.sentence
    assert finding.sentence.startswith("1 of 10 ")


def test_the_refusal_carries_every_count():
    with pytest.raises(GateRefused) as refused:
        enforce(CLEAN._replace(failed=2, empty=1, stale=3), Gate())
    assert refused.value.findings == {"failed": 2, "empty": 1, "stale": 3}
    assert "'notes'" in str(refused.value) and "export.gate" in str(refused.value)


def test_the_recipe_may_tolerate_rows_and_the_manifest_is_told():
    facts, gate = CLEAN._replace(failed=2, unfinished=1), Gate(max_failed=2, max_unfinished=5)
    assert decide(facts, gate) == ()
    assert tolerated(facts, gate) == {"failed": {"count": 2, "limit": 2}, "unfinished": {"count": 1, "limit": 5}}
    (finding,) = decide(facts._replace(failed=3), gate)
    assert (finding.word, finding.count, finding.limit) == ("failed", 3, 2)


def test_stale_rows_are_never_tolerated():
    facts = CLEAN._replace(stale=1)
    assert decide(facts, Gate(max_failed=9, max_empty=9, max_unfinished=9))[0].word == "stale"
    assert tolerated(facts, Gate()) == {}


def test_a_name_with_spaces_is_quoted_in_the_command():
    (finding,) = decide(GateFacts("my notes", total=1, failed=1), Gate())
    assert "`corpus failed list --where file='my notes'`" in finding.sentence
