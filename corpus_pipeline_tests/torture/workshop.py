"""Workers that may be killed: a process that has all imported and forks one child for each order.

Use: `with Workshop() as shop: shop.run(order)`. The process itself is `python -m corpus_pipeline_tests.torture.workshop`;
it has one thread, so that forking it is safe, and dies with whoever started it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Order:
    """What one child does: work the stages of the named files, one after the other.

    at, how: where it dies or freezes (see `crashpoints`). log: where it writes the points that it passes.
    extra: {"part_bytes": so many bytes in a part of an upload to S3}.
    """

    env: dict[str, str]
    names: tuple[str, ...]
    stages: tuple[str, ...] = ("ingest", "clean", "augment", "export")
    at: str = ""
    how: str = "kill"
    log: str = ""
    result: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """How a child ended. signal: 9 when it was killed. said: `[[name, stage, word], ...]`, word is done or an error's name."""

    exit: int
    signal: int
    said: list[list[str]]


class Workshop:
    """The process that forks. Not for several threads."""

    def __enter__(self) -> Workshop:
        guard = ["setpriv", "--pdeathsig", "KILL"]
        self._process = subprocess.Popen(
            [*guard, sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._answer() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def start(self, order: Order) -> int:
        """Fork a child; returns its process id."""
        return int(self._say({"start": asdict(order)}))

    def wait(self, pid: int, order: Order) -> Done | None:
        """Wait until a child ended; None when it froze itself instead."""
        status = int(self._say({"wait": pid}))
        if os.WIFSTOPPED(status):
            return None
        said = json.loads(Path(order.result).read_text()) if order.result and Path(order.result).exists() else []
        if os.WIFSIGNALED(status):
            return Done(-1, os.WTERMSIG(status), said)
        return Done(os.WEXITSTATUS(status), 0, said)

    def run(self, order: Order) -> Done | None:
        """Start a child and wait for it."""
        return self.wait(self.start(order), order)

    def _say(self, words: dict[str, Any]) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the workshop is gone")
        return line.strip()


def work(order: Order) -> list[list[str]]:
    """What a child does."""
    from corpus_pipeline import failpoints
    from corpus_pipeline.errors import CorpusError
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.stages.export.targets.s3 import S3Target
    from corpus_pipeline.states import Stage

    os.environ.update(order.env)
    if "part_bytes" in order.extra:
        S3Target.__init__.__kwdefaults__["part_bytes"] = order.extra["part_bytes"]
    failpoints.arm(order.at, order.log, order.how)
    said = []
    with Corpus.open() as corpus:
        for name in order.names:
            for stage in order.stages:
                try:
                    outcome = corpus.run_stage(name, Stage(stage))
                    said.append([name, stage, "done" if outcome.worked else "complete"])
                except CorpusError as error:
                    said.append([name, stage, type(error).__name__])
                    break
    return said


def _child(order: Order) -> int:
    try:
        said = work(order)
        if order.result:
            Path(order.result).write_text(json.dumps(said))
        return 0
    except BaseException:
        traceback.print_exc()
        return 70


def _serve() -> None:
    import corpus_pipeline.jobs.augment.scheduler
    import corpus_pipeline.service  # noqa: F401
    from corpus_pipeline.stages.clean.rules import build

    build(None)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        words = json.loads(line)
        if "start" in words:
            pid = os.fork()
            if pid == 0:
                out.close()
                os._exit(_child(Order(**words["start"])))
            print(pid, file=out, flush=True)
        else:
            _, status = os.waitpid(words["wait"], os.WUNTRACED)
            print(status, file=out, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve()
