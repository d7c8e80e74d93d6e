"""Imports run one way (the contracts are in pyproject.toml)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import corpus_pipeline

PACKAGE = Path(corpus_pipeline.__file__).parent
PYPROJECT = PACKAGE.parent / "pyproject.toml"


def imported_packages(path: Path) -> Iterator[str]:
    """The top-level names that a module imports anywhere, inside functions too."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def test_layers_know_only_what_is_below_them():
    # in a process of its own: it turns off the loggers of the process that it runs in
    program = Path(sys.executable).with_name("lint-imports")
    command = [program, "--config", PYPROJECT, "--no-cache"]
    done = subprocess.run(command, cwd=PYPROJECT.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_defs_and_definitions_import_dagster():
    strangers = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(name.startswith("dagster") for name in imported_packages(path))
        and path.relative_to(PACKAGE).parts[0] not in ("defs", "definitions.py")
    }
    assert strangers == set()
