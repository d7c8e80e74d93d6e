from __future__ import annotations

import pytest

from corpus_pipeline.stages.clean.rules.base import Outcome
from corpus_pipeline.stages.clean.rules.whitespace import Whitespace
from corpus_pipeline_tests.clean.rules.making import fixed, one, outcome


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("one \ntwo\t\n\nthree \u00a0", "one\ntwo\n\nthree"),
        ("one\r\ntwo\rthree\u2028four\x85five", "one\ntwo\nthree\nfour\nfive"),
        ("\n\n  indented first line\n\n", "  indented first line"),
        ("a\n\n\n\n\n\nb", "a\n\n\nb"),
        ("zero\u200bwidth\u2060", "zerowidth"),
        ("中文\u200b字符\u3000\n下一行\u3000\u3000", "中文字符\n下一行"),
        (" \n\t\n", ""),
    ],
)
def test_tidies(text: str, better: str) -> None:
    assert fixed(Whitespace(), text) == better


@pytest.mark.parametrize(
    "text",
    [
        "　　段落以两个全角空格开头，中间　也有。\n　　第二段。",
        "def f(x):\n    if x:\n\treturn 1\n\n\nclass A:\n    pass",
        "a  b   c | d\nx  y   z | w",
        "Look:\n```python\nx = 1   \n\n\n\n\ny = 2\t\n```\nDone.",
        "~~~\ntrailing  \n~~~",
        "```\nnever closed  \n\n\n\n\nend",
        "ภาษา\u200bไทย ខ្មែរ\u200bភាសា",  # here a zero-width space parts words
        "Combien ? Dix\u00a0euros\u202f!",
        "A line that breaks here,  \nand its second half.",
        "name\tsize\tshelf\nclog\t41\t\nboot\t\t",
        "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n \n-b \n+c",
        "def f(a):\n    b = a \n\n\n\n\n    return b",
        "",
    ],
)
def test_leaves_indentation_code_and_inner_blanks_alone(text: str) -> None:
    assert fixed(Whitespace(), text) == text


def test_blank_lines_are_a_parameter() -> None:
    assert fixed(Whitespace(max_blank_lines=0), "a\n\nb\n\n\nc") == "a\nb\nc"
    assert fixed(Whitespace(max_blank_lines=5), "a\n\n\n\n\n\nb") == "a\n\n\n\n\n\nb"


def test_every_field_is_tidied_and_counted() -> None:
    result = outcome(Whitespace(), one("p ", "r \nr ", system="s ", reasoning="t ", rejected="j "))
    assert result.turns == one("p", "r\nr", system="s", reasoning="t", rejected="j")
    assert {change.field: change.count for change in result.changes} == {
        "system": 1,
        "prompt": 1,
        "reasoning": 1,
        "response": 2,
        "rejected": 1,
    }


@pytest.mark.parametrize(
    "prompt",
    [
        "Put four blank lines between the two words.",
        "Is there trailing whitespace in the second line?",
        "How do I draw it as ASCII art?",
        "Where is the zero-width space?",
    ],
)
def test_blanks_that_are_the_subject_stay(prompt: str) -> None:
    turns = one(prompt, "up \n\n\n\n\ndo\u200bwn \t")
    assert outcome(Whitespace(), turns) == Outcome(turns)


def test_dialogues_in_one_text_stay_as_they_are() -> None:
    turns = one(None, "\n\nHuman: Hi \n\nAssistant: \n\nHuman: Say it.\n\nAssistant: It. ")
    assert outcome(Whitespace(), turns) == Outcome(turns)
