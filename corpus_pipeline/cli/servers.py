"""`corpus ui` and `corpus llm-stub`."""

from __future__ import annotations

import os
import sys

import click

from corpus_pipeline.cli.only_one import only_one
from corpus_pipeline.cli.output import say
from corpus_pipeline.cli.supervise import supervise
from corpus_pipeline.settings import Settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=3000, show_default=True, help="Port of the Dagster UI.")
@click.option(
    "--rows-port", default=8787, show_default=True, help="Port of the row browser, on this machine's own address only."
)
def ui(host: str, port: int, rows_port: int) -> int:
    """The Dagster UI with its daemon: materialize, backfill, re-run, follow the lineage. The row browser runs beside it.

    Dagster has no login: whoever reaches the port can start work. Any address but this machine's own must be allowed by
    CORPUS_UI_ALLOW_REMOTE=1, behind a proxy that asks for one.
    """
    from corpus_pipeline.defs import home
    from corpus_pipeline.defs.partitions import register
    from corpus_pipeline.errors import UsageError
    from corpus_pipeline.service import Corpus

    if host not in ("127.0.0.1", "localhost", "::1") and os.environ.get("CORPUS_UI_ALLOW_REMOTE") != "1":
        raise UsageError(
            f"--host {host} lets others in, and Dagster asks nobody for a password. Put a proxy with a login in front"
            " and set CORPUS_UI_ALLOW_REMOTE=1, or keep 127.0.0.1"
        )
    settings = Settings.from_env()
    with Corpus.open(settings) as corpus:
        register(home.instance(corpus.settings), [file.name for file in corpus.files()])
    # two daemons on one home would each start what the sensors ask for
    with only_one(settings.home / "ui.lock", "the Dagster UI", f"http://{host}:{port}"):
        return _serve(settings, host, port, rows_port)


def _serve(settings: Settings, host: str, port: int, rows_port: int) -> int:
    from corpus_pipeline.errors import UsageError
    from corpus_pipeline.web.serve import start_background

    rows = None
    try:
        rows = start_background(settings, port=rows_port)
        say(f"Row browser: {rows.url}")
    except UsageError as problem:  # perhaps a `corpus serve` that runs already
        say(f"the row browser was not started: {problem}")
    say(
        f"Dagster UI: http://{host}:{port} (ready in about 20 seconds; Ctrl-C stops it, and runs at their next boundary)"
    )
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "dagster",
        "dev",
        "--log-level",
        "warning",
        "--module-name",
        "corpus_pipeline.definitions",
        "--host",
        host,
        "--port",
        str(port),
    ]
    try:
        return supervise(command)
    finally:
        if rows is not None:
            rows.stop()


@click.command(
    "llm-stub", context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def llm_stub(arguments: tuple[str, ...]) -> int:
    """An OpenAI-compatible stand-in for demos, load and fault drills. `corpus llm-stub --help` lists its options."""
    from corpus_pipeline.llm.stub.__main__ import main

    return main(list(arguments))
