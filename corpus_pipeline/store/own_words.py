"""What this program says itself: the words of its own sentences, which quote no row."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from corpus_pipeline.store.row_words import letters_of, phrases, pieces

_SOURCE = Path(__file__).parent.parent


@cache
def own_words() -> frozenset[str]:
    """The pieces of every text in our modules, as `row_words` compares them. What documents a module is not said to anyone."""
    found = set[str]()
    for path in _SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_bytes())
        silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
                found |= {*pieces(node.value), *phrases(node.value)}
    return frozenset(found)


@cache
def _letters() -> str:
    sources = (path for path in sorted(_SOURCE.rglob("*")) if path.suffix in (".py", ".yaml"))
    return letters_of("\n".join(path.read_text(encoding="utf-8") for path in sources))


def is_ours(quote: str) -> bool:
    """Whether a long quote (letters and digits only) stands in a prompt or a recipe of ours."""
    return quote in _letters()
