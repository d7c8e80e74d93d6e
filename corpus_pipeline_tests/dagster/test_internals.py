"""Dagster's private names: all in one module, and each where that module says."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import corpus_pipeline
from corpus_pipeline.defs import dagster_internals


@pytest.mark.parametrize("name", sorted(dagster_internals.PLACES))
def test_what_we_use_of_dagsters_inside_is_there(name: str) -> None:
    assert getattr(dagster_internals, name) is not None


@pytest.mark.parametrize("module", [*dagster_internals.RUN_MODULES, dagster_internals.DAEMON])
def test_modules_that_we_name_are_there(module: str) -> None:
    importlib.import_module(module)


def test_no_other_module_names_them() -> None:
    package = Path(str(corpus_pipeline.__file__)).parent
    found = [
        path.name for path in package.rglob("*.py") if re.search(r"\bdagster\._\w", path.read_text(encoding="utf-8"))
    ]
    assert found == ["dagster_internals.py"]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute"):
        dagster_internals.Nothing  # noqa: B018
