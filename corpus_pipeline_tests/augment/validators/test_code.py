from __future__ import annotations

import pytest

from corpus_pipeline.stages.augment.validators.base import Pair
from corpus_pipeline.stages.augment.validators.code import CodeKept, LatexKept, code_blocks, formulas, inline_code
from corpus_pipeline.stages.augment.validators.words import BadReason

BLOCK = "```python\ndef add(a, b):\n    # the sum\n    return a + b\n```"
SOURCE = f"Explain this, and what `add` does:\n{BLOCK}"


def code_reason(source: str, new: str, translated: bool = False) -> str | None:
    fault = CodeKept(("prompt",), translated=translated).judge(Pair("prompt", source, new))
    return fault.reason if fault else None


def latex_reason(source: str, new: str) -> str | None:
    fault = LatexKept(("prompt",)).judge(Pair("prompt", source, new))
    return fault.reason if fault else None


def test_code_and_its_names_are_found() -> None:
    assert code_blocks(SOURCE) == ["def add(a, b):\n    # the sum\n    return a + b"]
    assert inline_code(SOURCE) == ["add"]
    assert code_blocks("~~~\nx\n~~~\n````md\n```\ny\n```\n````\n") == ["x", "```\ny\n```"]


def test_code_that_is_kept_passes_whatever_is_around_it() -> None:
    assert code_reason(SOURCE, f"What is the job of `add`?\n\n{BLOCK}\n") is None
    assert code_reason("no code", "`new` code") is None
    assert code_reason(SOURCE, f"`add`?\n```py\n{BLOCK.split(chr(10), 1)[1]}") is None


@pytest.mark.parametrize(
    "new",
    [
        "What does `add` do?",
        f"What does it do?\n{BLOCK.replace('add', 'plus')}",
        f"`add`?\n{BLOCK.replace('a + b', 'a - b')}",
        f"`add`?\n{BLOCK.replace('    return', '  return')}",
    ],
)
def test_code_that_is_gone_or_altered_is_named(new: str) -> None:
    assert code_reason(SOURCE, new) == BadReason.CODE_CHANGED


def test_a_translation_may_translate_comments_and_strings_only() -> None:
    assert code_reason(SOURCE, f"`add` 有什么用？\n{BLOCK.replace('the sum', '求和')}", translated=True) is None
    assert code_reason(SOURCE, f"`add`?\n{BLOCK.replace('a + b', 'sum([a, b])')}", translated=True) is not None
    assert code_reason(SOURCE, "`add` 有什么用？", translated=True) == BadReason.CODE_CHANGED
    said = '```js\nalert("Hello")\n```'
    assert code_reason(said, said.replace("Hello", "你好"), translated=True) is None
    assert code_reason(said, said.replace("Hello", "你好")) == BadReason.CODE_CHANGED


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Solve $x^2 = 4$ for $x$.", ["x^2=4", "x"]),
        ("\\(a + b\\) and \\[c\\]", ["a+b", "c"]),
        ("$$\\int_0^1 x\\,dx$$", ["\\int_0^1xdx"]),
        ("It costs $5 and then $6.", []),
        ("between $10 a day and $20 a week", []),
        ("a \\$5 and $6 note", []),
        ("`$HOME/bin` and\n```\n$x$\n```", []),
        ("nothing", []),
    ],
)
def test_formulas_are_told_from_prices(text: str, found: list[str]) -> None:
    assert formulas(text) == found


def test_formulas_are_kept_whatever_their_delimiters() -> None:
    assert latex_reason("Solve $x^2 = 4$.", "Find \\(x^2=4\\)'s roots.") is None
    assert latex_reason("$\\text{speed} = 3$", "$\\text{速度} = 3$") is None
    assert latex_reason("no formula", "none either") is None


@pytest.mark.parametrize("new", ["Find its roots.", "Find $x^3 = 4$.", "Find $x^2=5$."])
def test_a_formula_that_is_gone_or_altered_is_named(new: str) -> None:
    assert latex_reason("Solve $x^2 = 4$.", new) == BadReason.LATEX_CHANGED
