"""A small corpus for tests: our own rows, worked without Dagster against a stand-in model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from corpus_pipeline import llm_stub
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage

THINGS = ("kettle", "ladder", "violin", "harbour", "pumpkin", "lantern", "compass", "meadow", "teapot", "glacier")


def pair(number: int, thing: str | None = None) -> dict[str, str]:
    """A question and an answer that no other number shares more than a few words with."""
    word = thing or THINGS[number % len(THINGS)]
    return {
        "question": f"In workshop {number} somebody mends a {word} and counts {number * 3 + 1} screws. How many are left"
        f" after {number} of them fell behind the {THINGS[(number * 7 + 3) % len(THINGS)]}?",
        "answer": f"There were {number * 3 + 1} screws and {number} fell, so {number * 2 + 1} are left beside the {word}.\n"
        f"#### {number * 2 + 1}",
    }


def write_jsonl(path: Path, records: Sequence[Any]) -> Path:
    """Records as lines; bytes are written as they are, which is how broken lines get in."""
    lines = [r if isinstance(r, bytes) else json.dumps(r, ensure_ascii=False).encode() for r in records]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def settings(home: Path, **more: str) -> Settings:
    """Settings of a corpus below `home`, from nothing but the arguments."""
    return Settings.from_env({"CORPUS_HOME": str(home), "CORPUS_MODEL": "corpus-stub", **more})


@contextmanager
def opened(home: Path, options: llm_stub.StubOptions | None = None, **more: str) -> Iterator[Corpus]:
    """An open corpus with a stand-in model of its own."""
    with llm_stub.running(options or llm_stub.StubOptions()) as server:
        corpus = Corpus.open(settings(home, OPENAI_BASE_URL=server.base_url, **more))
        try:
            yield corpus
        finally:
            corpus.close()


def run_path(corpus: Corpus, name: str, to: Stage = Stage.EXPORT) -> None:
    """All stages of a dataset file up to `to`, without Dagster."""
    for stage in list(Stage)[: list(Stage).index(to) + 1]:
        corpus.run_stage(name, stage)
