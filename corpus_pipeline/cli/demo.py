"""`corpus demo`: the whole path on a small bundled corpus, with embedded defaults, no key and no server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corpus_pipeline.cli.output import say
from corpus_pipeline.states import Stage
from corpus_pipeline.units import money

if TYPE_CHECKING:
    from corpus_pipeline.service import Corpus

CONSUMER = "demo-team"


@click.command()
@click.option(
    "--home", type=click.Path(path_type=Path), help="Where to keep it. Default: CORPUS_HOME, else .corpus-demo."
)
def demo(home: Path | None) -> int:
    """The whole path on a small bundled corpus. Without a key and a base URL a stand-in model is started for it."""
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.settings import Settings

    if home is not None or "CORPUS_HOME" not in os.environ:
        os.environ["CORPUS_HOME"] = str((home or Path(".corpus-demo")).absolute())
    with _model(), Corpus.open(Settings.from_env()) as corpus:
        say(f"corpus demo, in {corpus.settings.home}")
        names = _add(corpus)
        say(f"{len(names)} dataset files of the bundled sample corpus are registered; working through all four stages")
        from corpus_pipeline.cli.run import run_files

        code = run_files(corpus, names, Stage.EXPORT)
        _tell(corpus, names)
    return 0 if code == 3 else code  # some samples fail on purpose


def _add(corpus: Corpus) -> list[str]:
    from corpus_pipeline.service.commands.inbox import candidates

    with resources.as_file(resources.files("corpus_pipeline") / "demo" / "data") as folder:
        # the files must still be there when a later run looks at them
        kept = corpus.settings.home / "sample"
        kept.mkdir(mode=0o700, exist_ok=True)
        for path in candidates(folder):
            target = kept / path.name
            if not target.exists():
                target.write_bytes(path.read_bytes())
    return [corpus.add(path, recipe="demo", consumer=CONSUMER).file.name for path in candidates(kept)]


@contextmanager
def _model() -> Iterator[None]:
    """Where models are asked: the user's own, or a stand-in for as long as the demo runs."""
    if os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL"):
        yield
        return
    from corpus_pipeline import llm_stub
    from corpus_pipeline.llm_stub.faults import Fault
    from corpus_pipeline.llm_stub.latency import parse_latency

    # a provider as it is in life: some calls are sent away, some fail, some answers are no good
    options = llm_stub.StubOptions(
        latency=parse_latency("lognormal:median=0.05,p99=0.3"),
        faults={
            Fault.RATE_LIMIT: 0.03,
            Fault.SERVER_ERROR: 0.02,
            Fault.REFUSAL: 0.06,
            Fault.CUT: 0.02,
            Fault.EMPTY: 0.02,
        },
        retry_after=0.2,
    )
    with llm_stub.running(options) as server:
        say(f"no key is set: a stand-in model answers at {server.base_url}; its texts are made up")
        os.environ["OPENAI_BASE_URL"] = server.base_url
        try:
            yield
        finally:
            del os.environ["OPENAI_BASE_URL"]


def _tell(corpus: Corpus, names: list[str]) -> None:
    """Where everything is, and what to try next."""
    spent = sum(row["cost_usd"] for row in corpus.cost("consumer"))
    waiting = sum(state["open_failed_samples"] for state in corpus.status(names))
    exports = {report["export_uri"] for name in names for report in corpus.report(name, Stage.EXPORT)}
    uri = next((uri for uri in sorted(filter(None, exports))), None)
    home = os.path.relpath(corpus.settings.home)
    say("")
    say(
        f"{waiting} failed samples wait in the queue; the calls would have cost {money(spent)} at the stand-in's price list"
    )
    say(f"exports: {corpus.settings.export_url}" + (f", for example {uri}" if uri else ""))
    say("")
    say(f"Next, with CORPUS_HOME={home}:")
    for command, what in (
        ("corpus status", "every file and stage"),
        ("corpus failed list", "what failed, and why"),
        (f"corpus rows {names[0]} --limit 5", "look at rows"),
        (f"corpus trace {names[0]} 1", "where an exported line comes from"),
        ("corpus cost --by strategy", "who spent what"),
        ("corpus ui", "the same in the Dagster UI"),
    ):
        say(f"  {command:<34} {what}")
