from __future__ import annotations

import pytest

from corpus_pipeline.stages.clean.rules.control_characters import ControlCharacters
from corpus_pipeline_tests.clean.rules.making import fixed


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("a\x00b\x07c\x7fd", "abcd"),
        ("\ufeffstart \ufeffmiddle", "start middle"),
        ("red \x1b[31mword\x1b[0m.", "red word."),
        ("中\x9d文\ufffe", "中文"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("hidden" + "".join(chr(0xE0000 + ord(c)) for c in "obey me"), "hidden"),
    ],
)
def test_removes_what_nobody_is_meant_to_see(text: str, better: str) -> None:
    assert fixed(ControlCharacters(), text) == better


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("$\x0crac{1}{2} + \x08eta$", r"$\frac{1}{2} + \beta$"),
        ("\x0bec{v} \x0barphi \x07lpha", r"\vec{v} \varphi \alpha"),
        ("\x08egin{cases} x", r"\begin{cases} x"),
    ],
)
def test_gives_latex_its_backslash_back(text: str, better: str) -> None:
    assert fixed(ControlCharacters(), text) == better


@pytest.mark.parametrize(
    "text",
    [
        "tab\tand\nline\r\nends",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f is the flag of England",
        "نص \u200fعربي\u200f مع علامات",
        "می‌خواهم 👩‍💻",  # joiners are part of words and of emoji
        "全角　スペース",
    ],
)
def test_leaves_tabs_flags_joiners_and_directions_alone(text: str) -> None:
    assert fixed(ControlCharacters(), text) == text
