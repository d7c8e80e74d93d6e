"""`corpus pause`, `corpus resume` and `corpus unlock`."""

from __future__ import annotations

import time

import click

from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import say
from corpus_pipeline.states import Stage, Status

_STAGES = click.Choice([stage.value for stage in Stage])
_stage = click.option("--stage", type=_STAGES, help="Only this stage.")


@click.command()
@click.argument("names", nargs=-1, shell_complete=dataset_names)
@_stage
@click.option("--all", "everything", is_flag=True, help="Everything, including files registered later.")
@click.option("--reason", required=True, help="Why; shown to whoever finds the work paused.")
@click.option("--wait/--no-wait", default=True, help="Wait until each scope has really stopped.")
@click.option("--timeout", type=float, default=600.0, show_default=True, help="Seconds to wait.")
def pause(names: tuple[str, ...], stage: str | None, everything: bool, reason: str, wait: bool, timeout: float) -> int:
    """Stop work at its next batch boundary: dataset files, a stage, a stage of a file, or everything.

    No new model call begins, those in flight are waited for and kept. Exit code 4 when it has not stopped by --timeout.

    \b
    Examples:
      corpus pause chats --reason "a look at the prices"
      corpus pause --stage augment --reason "quota is needed elsewhere"
      corpus pause --all --reason upgrade --no-wait
    """
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.service.commands.pause import scope_text

    with Corpus.open() as corpus:
        flags = corpus.pause(names, Stage(stage) if stage else None, everything, reason)
        for flag in flags:
            say(f"pause flag {flag.id}: {scope_text(flag)}")
        deadline = time.monotonic() + timeout
        while wait:
            busy = [
                f"{state['name']} {name}"
                for state in corpus.status()
                for name, own in state["stages"].items()
                if own["status"] in (Status.PAUSING, Status.RUNNING)
                and any(flag.covers(state["name"], Stage(name)) for flag in flags)
            ]
            if not busy:
                say("stopped; `corpus resume` with the same scope goes on")
                return 0
            if time.monotonic() > deadline:
                say(f"still pausing: {', '.join(busy)}; calls in flight are waited for. `corpus status` shows them")
                return 4
            time.sleep(0.2)
    return 0


@click.command()
@click.argument("names", nargs=-1, shell_complete=dataset_names)
@_stage
@click.option("--all", "everything", is_flag=True, help="Clear every flag.")
def resume(names: tuple[str, ...], stage: str | None, everything: bool) -> None:
    """Clear pause flags. With `corpus ui` running the work goes on by itself, otherwise with `corpus run`."""
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.service.commands.pause import scope_text

    with Corpus.open() as corpus:
        flags = corpus.resume(names, Stage(stage) if stage else None, everything)
        for flag in flags:
            say(f"cleared: {scope_text(flag)} ({flag})")
        if not flags:
            say("no flag of this scope is set; `corpus status` shows what is paused and why")
            return
        say("Next: corpus run (a running `corpus ui` goes on by itself)")


@click.command()
@click.argument("name", shell_complete=dataset_names)
@_stage
@click.option("--reason", required=True, help="Why; kept in the audit log.")
@click.option("--force", is_flag=True, help="Also from a process of this machine that is alive.")
def unlock(name: str, stage: str | None, reason: str, force: bool) -> None:
    """Take a lease from a worker that holds it without working; what it writes from then on is refused.

    A worker that has died needs no unlocking: on this machine it is seen at once, elsewhere its lease ends by itself.

    \b
    Examples:
      corpus unlock chats --reason "hangs since noon, host unreachable"
      corpus unlock chats --stage augment --force --reason "stopped in a debugger"
    """
    from corpus_pipeline.process_identity import in_words
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        taken = corpus.unlock(name, Stage(stage) if stage else None, reason, force=force)
    for lease in taken:
        say(f"{lease.stage} of {name}: taken from {in_words(lease.owner)}")
    say(f"Next: corpus run {name}" if taken else f"nobody holds a lease of {name}")
