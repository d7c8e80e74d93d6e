"""Hold docstrings and comments to the field's words: private idioms per 1,000 words, module by module.

    .venv/bin/python scripts/word_lint.py              fail above the ceiling (`MAX_RATE`)
    .venv/bin/python scripts/word_lint.py --worst 20   list the modules with the most idioms, and each place

docs/glossary.md has the word to use instead.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
MAX_RATE = 0.5  # private idioms in 1,000 words of docstrings and comments

# Words and phrases that no reader would search for; each has a standard term in docs/glossary.md.
IDIOMS = re.compile(
    r"\b(?:whoever|whomever|whosoever|anew|meanwhile|patience|nobody|aside|lets? go|by turns|come[s]? home|came home"
    r"|comes? to nothing|twin[s]?|lies? there|as good as|falls? the same way|and no more|no more than once"
    r"|is told|are told|was told|were told|stand[s]? in the way|in the way|goes? on without|gives? up its place"
    r"|is of use|at hand|of old|of late|what is due|all in all|so many|so much as|takes? its place"
    r"|looked? at once|is gone|are gone|was gone|tak(?:e|es|ing) in|a die|rested|insisted|forget[s]? what)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")


class Found(NamedTuple):
    """One idiom at one line of one module."""

    path: Path
    line: int
    idiom: str


def main() -> int:
    """Print the rate; return 1 when it is above the ceiling."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--worst", type=int, default=0, help="list this many modules with their idioms")
    parser.add_argument("--max", type=float, default=MAX_RATE, help="the highest rate that passes")
    options = parser.parse_args()
    found, words = [], 0
    for path in sorted((ROOT / "corpus_pipeline").rglob("*.py")):
        for line, text in prose(path):
            words += len(WORD.findall(text))
            found += [Found(path, line, match.group()) for match in IDIOMS.finditer(text)]
    rate = 1000 * len(found) / max(words, 1)
    for path in worst(found, options.worst):
        print(path.relative_to(ROOT), *(f"{f.line}:{f.idiom!r}" for f in found if f.path == path))
    print(f"word lint: {len(found)} private idioms in {words} words: {rate:.2f} per 1,000 (at most {options.max})")
    return int(rate > options.max)


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Docstrings and comments of a module with the line where each begins."""
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=False)
            if text:
                yield node.body[0].lineno, text
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


def worst(found: list[Found], most: int) -> list[Path]:
    """The modules with the most idioms, most first."""
    paths = {f.path for f in found}
    return sorted(paths, key=lambda path: -sum(f.path == path for f in found))[:most]


if __name__ == "__main__":
    sys.exit(main())
