"""Makes small exports for the tests of this folder."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from corpus_pipeline.formats import jsontext
from corpus_pipeline.stages.export.hf_features import infer_file
from corpus_pipeline.stages.export.manifest import ExportFacts
from corpus_pipeline.stages.export.targets import open_target
from corpus_pipeline.stages.export.writer import Compression, FileFacts, LineSpool


class Stop(Exception):
    """Raised by a step of a drill."""


def spooled(
    folder: Path, lines: Iterable[bytes], name: str = "notes", compression: Compression = "none", batch: int = 1000
) -> FileFacts:
    """A finished part of these lines, marked every `batch` lines."""
    spool, held = LineSpool.start(folder, name, compression), list(lines)
    for start in range(0, len(held), batch):
        spool.write(held[start : start + batch])
        spool.mark()
    return spool.finish()


def facts(name: str = "notes", **changes: Any) -> ExportFacts:
    """The facts of an export of the dataset file `name`."""
    base = ExportFacts(
        name=name,
        source_sha256="ab" * 32,
        source_bytes=1234,
        source_format="openai",
        export_format="openai",
        recipe_name="default",
        recipe_version="cd" * 32,
        stage_counts={"ingest": {"rows": 5, "rejects": 1}, "clean": {"kept": 4, "dropped": 1}},
        drop_reasons={"empty": 1},
        rows_by_origin={"cleaned": 4, "paraphrase": 3},
        llama_factory={"file_name": "x", "formatting": "sharegpt", "columns": {"messages": "messages"}},
        created="2026-11-22T06:00:00Z",
    )
    return ExportFacts(**{**base.__dict__, **changes})


def described(data: FileFacts, name: str = "notes", **changes: Any) -> ExportFacts:
    """`facts` with the features of the file."""
    found = infer_file(data.path, data.compression)
    return facts(name, features=found.columns, guessable=found.guessable, unloadable=found.unloadable, **changes)


def rows(records: Sequence[Any]) -> list[bytes]:
    return [jsontext.encode(record) for record in records]


def chat(*contents: str, **more: Any) -> dict[str, Any]:
    """An OpenAI record whose messages alternate between user and assistant."""
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": text} for number, text in enumerate(contents)]
    return {"messages": messages, **more}


def stopping_at(wanted: str, count: int = 1) -> Callable[[str], None]:
    """An on_step that raises Stop when the step `wanted` comes for the `count`-th time."""
    seen = 0

    def on_step(step: str) -> None:
        nonlocal seen
        seen += step == wanted
        if step == wanted and seen == count:
            raise Stop(step)

    return on_step


def publish_and_die(url: str, work: Path, lines: list[bytes], step: str, count: int = 1, **options: Any) -> None:
    """Publishes in a process of its own, which kills itself when `step` comes for the `count`-th time."""
    child = multiprocessing.get_context("spawn").Process(target=_publish, args=(url, work, lines, step, count, options))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL


def _publish(url: str, work: Path, lines: list[bytes], step: str, count: int, options: dict[str, Any]) -> None:
    data, stop = spooled(work, lines), stopping_at(step, count)

    def on_step(passed: str) -> None:
        try:
            stop(passed)
        except Stop:
            os.kill(os.getpid(), signal.SIGKILL)

    open_target(url, **options).publish(described(data), data, on_step=on_step)
