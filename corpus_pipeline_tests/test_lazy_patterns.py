"""Patterns that compile when they are first used: all of them can, and they are what `re` would give."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest

import corpus_pipeline
from corpus_pipeline.lazy_patterns import LazyPattern, lazily


def _held(value: Any) -> Iterator[LazyPattern]:
    if isinstance(value, LazyPattern):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _held(one)
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from _held(one)


def test_the_patterns_of_all_modules_compile() -> None:
    modules = [
        import_module(module.name)
        for package in ("stages", "llm", "formats")
        for module in walk_packages(
            import_module(f"corpus_pipeline.{package}").__path__, f"{corpus_pipeline.__name__}.{package}."
        )
    ]
    found = [pattern for module in modules for value in vars(module).values() for pattern in _held(value)]
    assert len(found) > 400
    for pattern in found:
        assert pattern.compiled.pattern == pattern.pattern


def test_a_lazy_pattern_does_what_the_compiled_one_does() -> None:
    pattern = lazily(r"(?P<word>[a-z]+)-", re.IGNORECASE)
    assert pattern.pattern == r"(?P<word>[a-z]+)-"
    assert pattern.sub("_", "A-b-c") == "__c"
    assert [found["word"] for found in pattern.finditer("Ab-c-")] == ["Ab", "c"]
    assert pattern.flags & re.IGNORECASE and pattern.groups == 1
    assert pattern.match(" a-") is None and pattern.search(" a-", 1) is not None
    assert lazily(b"\xff+").search(b"a\xff") is not None


def test_a_lazy_pattern_goes_to_another_process() -> None:
    pattern = pickle.loads(pickle.dumps(lazily("a|b", re.IGNORECASE)))
    assert pattern.fullmatch("B") is not None


def test_a_wrong_pattern_is_told_at_the_first_use() -> None:
    pattern = lazily("(")
    with pytest.raises(re.error):
        pattern.search("a")
