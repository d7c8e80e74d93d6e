"""One small corpus for all command tests: worked once, only read by them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import click
import pytest

from corpus_pipeline import llm_stub
from corpus_pipeline.cli import _run
from corpus_pipeline.llm_stub.faults import Fault
from corpus_pipeline_tests.small_corpus import pair, write_jsonl

Command = Callable[..., subprocess.CompletedProcess[str]]

ROWS = [pair(n) for n in range(1, 13)]
DIRTY = [
    *ROWS,
    pair(3),  # an exact duplicate of row 3
    {"question": "", "answer": "Nothing was asked here at all."},
    b'{"question": "cut',
    {
        "question": "Write to mira@greenhouse.nowhere about the seven clay pots on the shelf.",
        "answer": "I wrote to her.",
    },
]


@pytest.fixture(scope="session")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a corpus that `corpus add` and `corpus run` have worked on: `sums` is done, `dirty` has failures."""
    folder = tmp_path_factory.mktemp("cli")
    write_jsonl(folder / "sums.jsonl", ROWS)
    write_jsonl(folder / "dirty.jsonl", DIRTY)
    with llm_stub.running(llm_stub.StubOptions()) as server:
        environment = os.environ | {
            "CORPUS_HOME": str(folder / "home"),
            "CORPUS_MODEL": "corpus-stub",
            "OPENAI_BASE_URL": server.base_url,
            "COLUMNS": "200",
        }
        assert run(environment, "add", str(folder / "sums.jsonl"), "--consumer", "school").returncode == 0
        assert run(environment, "add", str(folder / "dirty.jsonl"), "--consumer", "hospital").returncode == 0
        done = run(environment, "run", "sums")
        assert done.returncode == 0, done.stderr
        server.meet(**{Fault.EMPTY.value: 0.5})
        failed = run(environment, "run", "dirty")
        assert failed.returncode == 3, failed.stderr
        server.meet()
        yield environment


@pytest.fixture
def fresh(tmp_path: Path) -> dict[str, str]:
    """The environment of a corpus that nothing was done in."""
    return os.environ | {"CORPUS_HOME": str(tmp_path / "home"), "CORPUS_MODEL": "corpus-stub"}


@pytest.fixture
def corpus(worked: dict[str, str]) -> Command:
    """`corpus(*arguments)` runs the command."""
    return lambda *arguments: run(worked, *arguments)


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as its entry point runs it, in this process: a new one for each would take seconds to import."""
    out, err = io.TextIOWrapper(io.BytesIO(), write_through=True), io.StringIO()
    with mock.patch.dict(os.environ, environment), redirect_stdout(out), redirect_stderr(err):
        code = _run(list(arguments))
    return subprocess.CompletedProcess(arguments, code, out.buffer.getvalue().decode(), err.getvalue())  # type: ignore[attr-defined]


def run_process(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "corpus_pipeline", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(environment["CORPUS_HOME"]).parent,
    )


def below(group: click.Group) -> dict[str, click.Command]:
    """The commands of a group, by name."""
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    assert None not in found.values()
    return {name: command for name, command in found.items() if command is not None}


def lines(done: subprocess.CompletedProcess[str]) -> list[Any]:
    """The JSON documents that a command printed, one a line."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
