"""What a format joins keeps its edges byte for byte, whatever the default rules do to the text between them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from corpus_pipeline.formats import FORMATS
from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.rules import build
from corpus_pipeline.stages.clean.rules.base import View
from corpus_pipeline_tests.clean.rules.making import one

_EVERY_BLANK = " \t\n\r\u00a0\u3000\u2028\x0b\x85\u200b"
_BLANKS = st.text(alphabet=_EVERY_BLANK, max_size=5)
_WORDS = st.lists(
    st.sampled_from(
        [
            "the tide",
            "a  b",
            "x = 1",
            "line \nline",
            "a\n\n\n\n\nb",
            "<b>bold</b>",
            "cafÃ©",
            "end.",
            "ok\r\nthen",
            "你好",
            "- item",
        ]
    ),
    min_size=1,
    max_size=4,
)
_FIELDS = ("prompt", "response", "rejected")


def _edges(text: str) -> tuple[str, str]:
    inner = text.strip(_EVERY_BLANK)
    start = text.index(inner) if inner else len(text)
    return text[:start], text[start + len(inner) :]


def _cleaned(turns: tuple[Turn, ...]) -> tuple[Turn, ...] | None:
    """The turns after all default rules, as a format that joins them has them; None when the row was dropped."""
    for rule in build(None):
        view = View(turns, joined=True)
        if rule.screen(view):
            outcome = rule.apply(view)
            if outcome.drop_reason is not None:
                return None
            turns = outcome.turns
    return turns


def test_some_formats_join() -> None:
    assert sum(format.joins for format in FORMATS) >= 5


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(_BLANKS, _WORDS, _BLANKS), min_size=3, max_size=3))
def test_edges_stay_byte_for_byte(parts: list[tuple[str, list[str], str]]) -> None:
    prompt, response, rejected = (before + " ".join(words) + behind for before, words, behind in parts)
    turns = one(prompt, response, rejected=rejected)
    cleaned = _cleaned(turns)
    if cleaned is None:
        return
    for field in _FIELDS:
        before, after = getattr(turns[0], field), getattr(cleaned[0], field)
        assert _edges(after) == _edges(before), field
