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


@pytest.mark.parametrize(
    "text",
    [
        "LIBS = -lm\n\n\n\nprogram: program.o\n\tcc -o program program.o $(LIBS)\n\n\n\nclean:\n\trm -f program",
        "name: staging\n\n\n\n\nsteps:\n  - build \n  - deploy",
        "# settings\n\n\n\n\n[server]\nport = 80\n\n\n\n[client]\nretries = 3",
        "import os\n\n\n\ndef home():\n    return os.environ['HOME']\n\n\n\nprint(home())",
        "-old line\n+new line \n\n\n\n unchanged",
        "| fruit | price |\n|---|---|\n| pear | 2 |\n\n\n\n| plum | 3 |",
        "1\t2\t3\n4\t\t6\n\n\n\n7\t8\t9",
        "Put these lines into a file in the folder of your project. They build the program and remove it again when you ask "
        "for that.\nNothing else is needed.\nThe words before the colon are the targets.\n\nall: main.o\n\tcc -o main main.o"
        "\n\n\n\nclean:\n\trm -f main",
    ],
)
def test_programs_and_data_without_a_fence_keep_their_blank_lines(text: str) -> None:
    assert Whitespace().fix(text, "response") == (text, 0)


def test_prose_beside_a_program_loses_blank_lines() -> None:
    text = "These are the rules of the house.\n\n\n\n\nBe kind.\nBe quiet after ten.\n\nOne line\nand another line\nand more."
    fixed, count = Whitespace().fix(text, "response")
    assert count == 1 and fixed == text.replace("\n\n\n\n\n", "\n\n\n")


@pytest.mark.parametrize(
    "text",
    [
        "The sea,\n\n\n\nthe silence,\n\n\n\n\nthe shore.",
        "산유화\n\n\n산에는 꽃 피네\n꽃이 피네\n\n\n\n갈 봄 여름 없이\n꽃이 피네",
        "First gate\n\n\n\nNobody waits,\nnobody goes\n\n\n\n\nSecond gate\n\n\n\nA dog.",
    ],
)
def test_gaps_between_lines_of_verse_stay(text: str) -> None:
    assert Whitespace().fix(text, "response") == (text, 0)


def test_gaps_stay_where_verse_was_asked_for() -> None:
    turns = one("Write a poem about the harbour.", "Ships leave.\n\n\n\n\nShips come home.")
    assert outcome(Whitespace(), turns) == Outcome(turns)
