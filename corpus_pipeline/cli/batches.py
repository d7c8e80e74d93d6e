"""`corpus batches`: what the provider's Batch API works on for us."""

from __future__ import annotations

import click

from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import json_option, money, print_lines, print_table, say


@click.group()
def batches() -> None:
    """Provider batches (`provider_batch: true` in a recipe): what each came to; cancel them."""


@batches.command("list")
@click.argument("names", nargs=-1, shell_complete=dataset_names)
@json_option
def list_(names: tuple[str, ...], as_json: bool) -> None:
    """Every batch, newest first, with its requests by outcome and its money."""
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        found = corpus.batches(names)
    if as_json:
        print_lines(found)
        return
    columns = ("batch", "file", "model", "state", "provider_status", "requests", "answered", "errors", "waiting")
    rows = (
        [entry[key] for key in columns] + [money(entry["cost_usd"]), money(entry["reserved_usd"])] for entry in found
    )
    print_table((*columns, "cost", "reserved"), rows, right=(*columns[5:], "cost", "reserved"))
    say(f"total {money(sum(entry['cost_usd'] for entry in found))}" if found else "there is no provider batch")


@batches.command()
@click.argument("names", nargs=-1, required=True, shell_complete=dataset_names)
@click.option("--reason", required=True, help="Why; shown to whoever finds the work paused.")
def cancel(names: tuple[str, ...], reason: str) -> None:
    """Ask the provider to stop the batches of dataset files, and pause their augment stage.

    What was worked until then is billed; the next run after `corpus resume` takes it in and asks for the rest again.
    """
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        found = corpus.cancel_batches(names, reason)
    for entry in found:
        say(f"batch {entry['batch']} of {entry['file']}: {entry['provider_status']}")
    say(
        f"{len(found)} batches were under way; augment of {', '.join(names)} is paused."
        f" Next: corpus resume {' '.join(names)} --stage augment, then corpus run"
    )
