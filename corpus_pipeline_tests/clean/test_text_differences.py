"""Where two versions of a conversation differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.text_differences import differences

TEXTS = st.text(alphabet="ab c1+-\n水壶", max_size=30)


@given(TEXTS, TEXTS)
def test_a_difference_and_its_surroundings_make_up_both_texts(kept: str, dropped: str) -> None:
    found = list(differences([Turn(prompt=kept)], [Turn(prompt=dropped)]))
    if kept == dropped:
        assert found == []
        return
    (one,) = found
    assert one.before + one.left + one.behind == kept
    assert one.before + one.right + one.behind == dropped
    assert one.left != one.right


def test_differences_of_long_texts_take_no_long_time() -> None:
    text = "word " * 400_000
    (one,) = differences([Turn(prompt=text + "x" + text)], [Turn(prompt=text + "y" + text)])
    assert (one.left.strip(), one.right.strip()) == ("x", "y")
