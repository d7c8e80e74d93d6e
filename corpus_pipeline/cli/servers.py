"""`corpus ui` and `corpus llm-stub`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import click

from corpus_pipeline import secret_words
from corpus_pipeline.cli.output import say
from corpus_pipeline.cli.process_supervisor import supervise
from corpus_pipeline.cli.serve import door_of, door_options, tell_if_nobody_can_log_in
from corpus_pipeline.cli.single_instance import only_one
from corpus_pipeline.errors import UsageError
from corpus_pipeline.settings import Settings

if TYPE_CHECKING:
    from corpus_pipeline.web.options import Options


@click.command()
@click.option("--port", default=3000, show_default=True, help="Port of the Dagster UI.")
@click.option("--rows-port", default=8787, show_default=True, help="Port of the row browser.")
@door_options
@click.option("--child", is_flag=True, hidden=True)
def ui(port: int, rows_port: int, child: bool, **chosen: Any) -> int:
    """The Dagster UI with its daemon: materialize, backfill, re-run, follow the lineage. The row browser runs beside it.

    Both ask for the same login, see `corpus serve`. Viewers look at Dagster, too; operators also start and stop runs.

    \b
    On this machine:  corpus ui
    For a team:       corpus serve --add-user ann --role operator
                      corpus ui --host 0.0.0.0 --allow-host corpus.example.org --login
    """
    settings = Settings.from_env()
    options = door_of(settings, chosen, port)
    if child:
        return _serve(settings, options, rows_port)
    settings.make_home()
    tell_if_nobody_can_log_in(options)
    # two daemons on one home would each start what the sensors ask for
    with only_one(settings.home / "ui.lock", "the Dagster UI", f"http://{options.host}:{port}"):
        return supervise(
            [sys.executable, "-W", "ignore", "-m", "corpus_pipeline", *sys.argv[1:], "--child"], _hider(settings)
        )


def _hider(settings: Settings) -> Callable[[str], str]:
    """Takes out what is secret in the environment and in the files of Dagster's configuration."""
    secrets = [*secret_words.in_environment(os.environ)]
    for path in (settings.dagster_config, settings.dagster_home / "dagster.yaml"):
        with suppress(OSError, ValueError):
            secrets += secret_words.in_yaml(path.read_text(encoding="utf-8")) if path is not None else ()
    return secret_words.hider(secrets)


def _serve(settings: Settings, options: Options, rows_port: int) -> int:
    """What the supervised child does. The row browser answers at once, Dagster takes its time."""
    from dataclasses import replace

    from corpus_pipeline.web.app import create_app
    from corpus_pipeline.web.index_worker import Indexer
    from corpus_pipeline.web.serve import first_address, listen, open_corpus, start_background, url_for_others, url_of

    with ExitStack() as stack:
        listener, corpus = stack.enter_context(listen(options)), stack.enter_context(open_corpus(settings))
        rows = create_app(corpus, options)
        try:
            background = start_background(rows, replace(options, port=rows_port))
            say(f"Row browser: {first_address(options, background.url)}")
            stack.callback(background.stop)
            stack.enter_context(Indexer(corpus))
            # what Dagster's pages link to
            os.environ.setdefault("CORPUS_WEB_URL", url_for_others(options, background.url))
        except UsageError as problem:  # perhaps a `corpus serve` that runs already
            say(f"the row browser was not started: {problem}")
        url = url_of(options, listener.getsockname()[1])
        os.environ.setdefault("CORPUS_DAGSTER_URL", url_for_others(options, url))  # what the row browser links to
        say(f"Dagster UI: {first_address(options, url)} (starting, which takes about 15 seconds)")
        from corpus_pipeline.defs import webserver

        with suppress(KeyboardInterrupt):
            webserver.run(
                settings,
                rows,
                listener,
                ready=lambda: say("ready; Ctrl-C stops it, and runs at their next boundary"),
                said=say,
            )
    return 0


@click.command(
    "llm-stub", context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def llm_stub(arguments: tuple[str, ...]) -> int:
    """An OpenAI-compatible stand-in for demos, load and fault drills. `corpus llm-stub --help` lists its options."""
    from corpus_pipeline.llm_stub.__main__ import main

    try:
        return main(list(arguments))
    except SystemExit as ended:  # of its own parser, which has said why
        return ended.code if isinstance(ended.code, int) else 1
