"""A command imports what it needs: counted in modules, which no load of the machine changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from corpus_pipeline.cli import cli
from corpus_pipeline_tests.cli.conftest import below, run

# each takes a tenth of a second or more, and none has a part in looking at a status
HEAVY = {
    "aiohttp",
    "alembic",
    "boto3",
    "cryptography",
    "dagster",
    "jinja2",
    "jsonschema",
    "numpy",
    "openai",
    "pandas",
    "phonenumbers",
    "psutil",
    "pydantic",
    "re2",
    "yaml",
}
IMPORTED = """
import json, sys
from corpus_pipeline.cli import _run
code = _run(sys.argv[1:])
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def modules(environment: dict[str, str], *arguments: str) -> set[str]:
    """The modules that a command has imported when it is done, in a process of its own."""
    found = subprocess.run(
        [sys.executable, "-c", IMPORTED, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(environment["CORPUS_HOME"]).parent,
    )
    assert found.returncode == 0, found.stderr
    return set(json.loads(found.stderr.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [("status",), ("status", "sums", "--json"), ("--help",), ("run", "--help")])
def test_a_command_that_looks_imports_little(worked, arguments):
    found = modules(worked, *arguments)
    assert {name.partition(".")[0] for name in found} & HEAVY == set()
    assert "sqlalchemy.dialects.postgresql" not in found, "another database's than that of the corpus"
    assert len(found) < 600


def test_a_command_that_runs_nothing_needs_no_dagster(worked):
    found = {name.partition(".")[0] for name in modules(worked, "run", "sums")}
    assert "corpus_pipeline" in found
    assert found & {"dagster", "pandas", "openai"} == set()


def test_definitions_and_what_ingests_open_no_connection_to_models(worked):
    """A quarter of a second each, that a code server, a sensor and the first row of `corpus run` would wait for."""
    code = "import json, sys, corpus_pipeline.definitions; print(json.dumps([*sys.modules]))"
    found = subprocess.run(
        [sys.executable, "-c", code], env=worked, capture_output=True, text=True, timeout=120, check=False
    )
    assert found.returncode == 0, found.stderr
    assert set(json.loads(found.stdout)) & {"aiohttp", "grpc", "pandas", "openai", "boto3", "jsonschema"} == set()


def test_the_help_lists_every_command_and_each_has_a_text_of_its_own(worked):
    listed = [line.split(maxsplit=1) for line in run(worked, "--help").stdout.splitlines() if line.startswith("  ")]
    told = {words[0]: words[1] for words in listed if len(words) == 2}
    commands = below(cli)
    assert set(commands) <= set(told)
    for name, command in commands.items():
        assert command.name == name
        assert command.help, name
