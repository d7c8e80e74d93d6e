"""Texts that break programs: none stops deduplication, none makes it quadratic, none makes strangers equal.

Work is counted in CPU seconds of a process of its own, with a limit that a linear program stays far below and a
quadratic one passes by hours.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.dedup import edits
from corpus_pipeline.stages.clean.dedup.duplicates import Rule, find
from corpus_pipeline_tests.clean.dedup.making import Made, dropped, ids_of, made, pair

CPU_SECONDS = 90
LONG = 1_000_000
STORY = "The ferry left before sunrise, and those who had missed it sat on their bundles and counted the gulls. "
SCRIPTS = "abc где ΑΒΓ שלום سلام नमस्ते สวัสดี 你好 こんにちは 안녕 ქართ ሰላም 👋🏽 ﷽ ½ Ⅳ "

# (what, a Python expression of a text of some n characters)
WIDE = {
    "blanks in a line of code": "'x = {' + ' ' * n + 'b \\ny'",
    "blanks behind a tag": "'a <' + ' ' * n + 'b'",
    "closing tags": "'</p>' * (n // 4) + 'x'",
    "breaks": "'<br> ' * (n // 5) + 'x'",
    "full stops": "'word ' * 60 + '.' * n + 'x'",
    "question marks": "'word ' * 60 + '?-' * (n // 2) + 'x'",
    "stars": "' *a' * (n // 3)",
    "bold characters": "'**的' * (n // 3)",
    "quotes": "'\"' * n",
    "quotations": "'“' * n",
    "entities": "'&amp' * (n // 4) + ';'",
    "tables": "'> ' * (n // 2) + '|' * 9",
    "line ends": "'\\r' * n + 'x'",
    "marks": "'e' + '\\u0301' * n",
    "thanks": "'thanks ' * (n // 7)",
    "greetings": "'hi, ' * (n // 4)",
    "fields": "'Name: a\\n' * (n // 8)",
    "a field of many words": "'Style: ' + 'abcdefghij ' * (n // 11)",
    "sentences": "'So it is. ' * (n // 10)",
    "digits": "'1.' * (n // 2)",
    "one letter": "'a' * n",
    "one word": "'ha ' * (n // 3)",
    "one character": "'哈' * n",
    "no tokens": "'!' * n",
    "invisible": "'\\u200b' * n",
}
PROGRAM = """
import resource
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
from corpus_pipeline_tests.clean.dedup.making import dropped, pair
n = {size}
for text in ({texts},):
    print(repr(text[:20]), flush=True)
    middle = len(text) // 2
    other = text[:middle] + ' harbour ' + text[middle:]
    rows = [pair('Go on.', text), pair('Go on.', other), pair('Go on. ' + text, 'No.'), pair('Go on. ' + other, 'No.')]
    found = dropped(rows)
    assert set(found.items()) <= {{(2, 1), (4, 3)}}, found
"""


def run(texts: Sequence[str], size: int) -> None:
    """Compare four rows of each text in a process with a limit of CPU seconds."""
    program = PROGRAM.format(seconds=CPU_SECONDS, size=size, texts=", ".join(texts))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, (done.returncode, done.stdout[-40:], done.stderr[-500:])


def test_texts_of_one_sign_are_compared_in_linear_work() -> None:
    run(list(WIDE.values()), LONG // 20)


def test_a_long_text_is_compared() -> None:
    run([f"{STORY!r} * (n // {len(STORY)})"], LONG // 2)


def test_a_long_line_with_many_edits_is_compared_in_linear_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each token is aligned in a window or two, and each sentence is looked at once."""
    aligned, asked = 0, 0
    opcodes, states_a_result = edits.Levenshtein.opcodes, edits.states_a_result

    class Counting:
        @staticmethod
        def opcodes(one: Sequence[str], other: Sequence[str]) -> object:
            nonlocal aligned
            aligned += len(one)
            return opcodes(one, other)

    def counted(sentence: str, *, last: bool) -> bool:
        nonlocal asked
        asked += len(sentence)
        return states_a_result(sentence, last=last)

    monkeypatch.setattr(edits, "Levenshtein", Counting)
    monkeypatch.setattr(edits, "states_a_result", counted)
    words = ("counted the gulls and waited for noon " * 20_000).split()
    other = [word if number % 16 else "harbour" for number, word in enumerate(words)]
    bounds = edits.Bounds(other_words=len(words))
    assert edits.similarity(" ".join(words), " ".join(other), bounds, question=False) > 0
    assert len(words) <= aligned <= 4 * len(words)
    assert 0 < asked <= 2 * len(" ".join(words)) + len(" ".join(other))


def test_rows_of_one_token_of_different_counts_are_strangers_to_other_tokens() -> None:
    texts = ["ha " * LONG, "ho " * LONG, "哈" * LONG, "呵" * LONG, "1 " * LONG, "2 " * LONG]
    assert dropped([pair("Laugh.", text) for text in texts]) == {}


def test_every_script_mixed_is_equal_to_itself_alone() -> None:
    text = SCRIPTS * 40
    others = [text.replace(word, "", 1) for word in SCRIPTS.split()]
    rows = [
        pair("Greet.", text),
        pair("Greet.", f" {text}\n"),
        *(pair(f"Greet {n}.", one) for n, one in enumerate(others)),
    ]
    assert dropped(rows) == {2: 1}


def test_texts_without_tokens_are_compared_by_their_content_alone() -> None:
    texts = ["…", "?!", "—", "🙂", "🙁", "\u200b", "\u2060", "   ", "。", "、", "( )", "[ ]"]
    found = dropped([(Turn(prompt=text),) for text in texts])
    assert all(
        texts[one - 1].strip("\u200b\u2060 ") == texts[keeper - 1].strip("\u200b\u2060 ")
        for one, keeper in found.items()
    )


@pytest.mark.parametrize("rows", [1, 2, 2000])
def test_a_file_of_equal_rows_keeps_the_lowest(rows: int) -> None:
    assert dropped([pair("Go on.", STORY * 5)] * rows) == dict.fromkeys(range(2, rows + 1), 1)


def asked_of(rows: Sequence[tuple[Turn, ...]]) -> int:
    """How many texts a find asks for."""
    some, asked = made(rows), 0

    def wording(ids: Sequence[int]) -> object:
        nonlocal asked
        asked += len(ids)
        return some.wording(ids)

    assert find(some.rows, Rule(), wording).ids.tolist() == []  # type: ignore[arg-type]
    return asked


CROWDS = {
    "boilerplate prefixes": lambda number: pair(f"{STORY * 8}\nItem {number}: say more.", f"Item {number} is gone."),
    "a template on both sides": lambda number: pair(
        f"{STORY * 4}Case {number}?", f"{STORY * 4}Case {number} is closed."
    ),
    "empty answers": lambda number: pair(f"{STORY * 4}\nWhat about case {number}?", ""),
    "empty questions": lambda number: pair("", f"{STORY * 4}\nCase {number} is closed."),
}


@pytest.mark.parametrize("row", CROWDS.values(), ids=CROWDS)
def test_a_crowd_costs_work_in_proportion_to_its_rows(row) -> None:
    """Twice the rows, twice the texts: no pair of all with all."""
    small, large = (asked_of([row(number) for number in range(size)]) for size in (1_000, 4_000))
    assert large <= 5 * max(small, 1_000)
    assert large <= 20 * 4_000


@pytest.mark.parametrize("row", CROWDS.values(), ids=CROWDS)
def test_a_new_file_costs_texts_in_proportion_to_itself(row) -> None:
    """Ten rows beside a thousand and beside four thousand others of the same template ask for as many texts."""
    asked = []
    for others in (1_000, 4_000):
        rows = [row(number) for number in range(others + 10)]
        some = made(rows, ids_of([1] * others + [2] * 10))
        own = np.arange(len(rows)) >= others
        count = 0

        def wording(ids: Sequence[int], some: Made = some) -> object:
            nonlocal count
            count += len(ids)
            return some.wording(ids)

        assert find(some.rows, Rule(), wording, own=own).ids.tolist() == []  # type: ignore[arg-type]
        asked.append(count)
    assert max(asked) <= 20 * 10
