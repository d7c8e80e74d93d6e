"""What is public has a type of its own: no bags of values, and one tree of errors."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import corpus_pipeline
from corpus_pipeline import errors
from corpus_pipeline.errors import ControlFlow, CorpusError

ROOT = Path(corpus_pipeline.__file__).parent
SEAMS = [ROOT / "api.py", *sorted((ROOT / "service").rglob("*.py"))]
BAG = "dict[str, Any]"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def public(body: list[ast.stmt]) -> Iterator[Function]:
    """Functions, and methods of classes, that another module may call."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public(node.body)
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield node


def faults_of(source: str) -> list[str]:
    """Public functions that take anything, or that take or return a dictionary of anything."""
    found = []
    for one in public(ast.parse(source).body):
        arguments = [*one.args.posonlyargs, *one.args.args, *one.args.kwonlyargs]
        told = [a.annotation for a in arguments if a.annotation] + ([one.returns] if one.returns else [])
        if one.args.kwarg is not None and ast.unparse(one.args.kwarg.annotation or ast.Name("Any")) == "Any":
            found.append(f"{one.name}: **{one.args.kwarg.arg}: Any")
        found += [f"{one.name}: {ast.unparse(annotation)}" for annotation in told if BAG in ast.unparse(annotation)]
    return found


@pytest.mark.parametrize("path", SEAMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_public_function_takes_or_returns_a_bag(path: Path) -> None:
    assert faults_of(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "def add(path, **options: Any): ...",
        "def status() -> list[dict[str, Any]]: ...",
        "class Corpus:\n    async def show(self, found: dict[str, Any] | None) -> None: ...",
    ],
)
def test_the_check_finds_a_bag(source: str) -> None:
    assert len(faults_of(source)) == 1
    assert faults_of(source.replace("def ", "def _")) == []


OTHERS = ("corpus_pipeline.llm_stub", "corpus_pipeline.store.migrations")


def raised() -> set[type[Exception]]:
    """Every exception class of the package; of the stand-in model, which is a program of its own, none."""
    for module in pkgutil.walk_packages([str(ROOT)], "corpus_pipeline."):
        if not module.name.startswith(OTHERS) and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, waiting = set(), [Exception]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one.__module__.startswith("corpus_pipeline.") and ".llm_stub" not in one.__module__:
            found.add(one)
    return found


def test_what_is_raised_on_purpose_is_in_the_one_tree() -> None:
    classes = raised()
    assert len(classes) > 30
    assert [one for one in classes if not issubclass(one, CorpusError | ControlFlow)] == []
    page = errors.__doc__ or ""
    assert [one.__qualname__ for one in classes if one.__name__ not in page] == []
