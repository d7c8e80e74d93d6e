"""Texts that are hard for a regular expression, made from the expression itself."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any, NamedTuple

from corpus_pipeline.lazy_patterns import LazyPattern

_ALWAYS = (
    "a",
    "1",
    " ",
    "\n",
    "a ",
    "1 ",
    "a.",
    "1.",
    "<",
    "(",
    "`",
    "\\",
    '"',
    "://",
    "a\n",
    "é",
    "的",
    "A",
    "-",
    "=",
)
_SAMPLES = {
    op.CATEGORY_DIGIT: "1",
    op.CATEGORY_NOT_DIGIT: "a",
    op.CATEGORY_SPACE: " ",
    op.CATEGORY_NOT_SPACE: "a",
    op.CATEGORY_WORD: "a",
    op.CATEGORY_NOT_WORD: "-",
}
_MOST_PIECES = 32


def modules(*packages: ModuleType) -> Iterator[ModuleType]:
    """Modules and packages with everything below them."""
    for package in packages:
        yield package
        for found in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{package.__name__}."):
            yield importlib.import_module(found.name)


class Expression(NamedTuple):
    """A compiled expression and whether it is tried at one place of a text only (`match`), by what its module does."""

    pattern: re.Pattern[str]
    at_one_place: bool

    def work(self, text: str) -> None:
        """Try it on a text as it is tried there."""
        if self.at_one_place:
            self.pattern.match(text)
        else:
            for _ in self.pattern.finditer(text):
                pass


def expressions(*packages: ModuleType) -> dict[str, Expression]:
    """Every compiled expression over texts that modules hold, by module and name, also inside of their constants."""
    found: dict[str, Expression] = {}
    seen: set[re.Pattern[str]] = set()
    for module in modules(*packages):
        source = inspect.getsource(module)
        for name, value in vars(module).items():
            ways = set(
                re.findall(rf"\b{name}(?:\[\w+\])?\.(match|fullmatch|search|finditer|findall|subn?|split)\b", source)
            )
            for number, pattern in enumerate(_inside(value, 3)):
                if pattern not in seen:
                    seen.add(pattern)
                    key = f"{module.__name__.removeprefix('corpus_pipeline.stages.')}.{name}"
                    at_one_place = bool(ways) and ways <= {"match", "fullmatch"}
                    found[f"{key}[{number}]" if number else key] = Expression(pattern, at_one_place)
    return found


def _inside(value: Any, depth: int) -> Iterator[re.Pattern[str]]:
    if isinstance(value, LazyPattern):
        value = value.compiled
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif depth and isinstance(value, dict):
        for part in value.values():
            yield from _inside(part, depth - 1)
    elif depth and isinstance(value, list | tuple | frozenset):
        for part in value:
            yield from _inside(part, depth - 1)
    elif depth and type(value).__module__.startswith("corpus_pipeline") and hasattr(value, "__dict__"):
        yield from _inside(vars(value), depth - 1)


def pieces(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """(what stands before, what is repeated) for texts that an expression may take long to say no to: what its repeats
    match, behind what leads to them, and everything that it nearly matches."""
    tree = _parser.parse(pattern.pattern, pattern.flags)
    found = [("", piece) for piece in _ALWAYS]
    for before, body in _repeats(tree, ""):
        found += [(before, body), ("", before + body), ("", body + " "), ("", body + "a")]
    whole = _sample(tree)
    found += [("", whole), ("", whole[:-1]), ("", whole + " "), ("", whole[: len(whole) // 2])]
    return [piece for piece in dict.fromkeys(found) if piece[1]][:_MOST_PIECES]


def _repeats(nodes: Iterable[Any], before: str) -> Iterator[tuple[str, str]]:
    for kind, value in nodes:
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            body = _sample(value[2])
            if value[1] > 8:
                yield before, body
            yield from _repeats(value[2], before)
        elif kind is op.SUBPATTERN:
            yield from _repeats(value[3], before)
        elif kind is op.BRANCH:
            for branch in value[1]:
                yield from _repeats(branch, before)
        elif kind is op.ATOMIC_GROUP:
            yield from _repeats(value, before)
        elif kind in (op.ASSERT, op.ASSERT_NOT):
            yield from _repeats(value[1], before)
        before += _sample([(kind, value)])


def _sample(nodes: Iterable[Any]) -> str:
    """A short text that the nodes match, or nearly."""
    return "".join(_one(kind, value) for kind, value in nodes)


def _one(kind: Any, value: Any) -> str:
    if kind is op.LITERAL:
        return chr(value)
    if kind is op.NOT_LITERAL:
        return "a" if value != ord("a") else "b"
    if kind is op.ANY:
        return "a"
    if kind is op.IN:
        return _of_class(value)
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        return _sample(value[2]) * min(max(value[0], 1), 20)
    if kind is op.SUBPATTERN:
        return _sample(value[3])
    if kind is op.BRANCH:
        return _sample(value[1][0])
    if kind is op.ATOMIC_GROUP:
        return _sample(value)
    return ""  # assertions and references match nothing of their own


def _of_class(parts: list[Any]) -> str:
    if parts[0][0] is op.NEGATE:
        taken = {value for kind, value in parts if kind is op.LITERAL}
        return next(c for c in "a1 -x\n" if ord(c) not in taken)
    kind, value = parts[0]
    if kind is op.RANGE:
        return chr(value[0])
    return _SAMPLES.get(value, "a") if kind is op.CATEGORY else chr(value)


def attack(before: str, body: str, size: int) -> str:
    """A text of about `size` characters that goes on and on, and ends in what nothing expects."""
    return before + body * (size // len(body)) + "\x01"
