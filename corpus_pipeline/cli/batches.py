"""`corpus batches`: what the provider's Batch API works on for us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import cells, json_option, print_lines, print_table, say, tell
from corpus_pipeline.errors import UsageError
from corpus_pipeline.units import money


@click.group()
def batches() -> None:
    """Provider batches (`provider_batch: true` in a recipe): what each came to, and a way out of every odd state."""


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
        [*own, money(entry["cost_usd"]), money(entry["reserved_usd"])]
        for own, entry in zip(cells(found, columns), found, strict=True)
    )
    print_table((*columns, "cost", "reserved"), rows, right=(*columns[5:], "cost", "reserved"))
    say(f"total {money(sum(entry['cost_usd'] for entry in found))}" if found else "there is no provider batch")


@batches.command()
@click.argument("batch", type=int)
@json_option
def show(batch: int, as_json: bool) -> None:
    """One batch by its number: where it is, what the provider said, what its requests came to, and what to do next."""
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        found = next((entry for entry in corpus.batches(()) if entry["batch"] == batch), None)
    if found is None:
        raise UsageError(f"there is no provider batch {batch}; `corpus batches list` shows them")
    if as_json:
        print_lines([found])
        return
    told: Mapping[str, Any] = found
    for key, value in told.items():
        if value is not None:
            tell(f"{key.replace('_', ' ')}: {money(value) if key.endswith('_usd') else value}")
    if found["state"] != "taken":
        name = found["file"]
        tell(
            f"next: corpus batches refetch {name} (looks at the provider again), corpus batches cancel {name} --reason TEXT,"
            f" or corpus batches forget {name} --batch {batch} --reason TEXT (books it as spent)"
        )


@batches.command()
@click.argument("names", nargs=-1, required=True, shell_complete=dataset_names)
def refetch(names: tuple[str, ...]) -> None:
    """Look at the provider again for the open batches of dataset files, and collect what is there; asks nothing new."""
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        found = corpus.refetch_batches(names)
    for entry in found:
        said = f"{entry['answered']:,} of {entry['requests']:,} answered, {entry['waiting']:,} open"
        say(f"batch {entry['batch']} of {entry['file']}: {entry['state']} ({entry['provider_status']}), {said}")
    say(f"{len(found)} batches were open" if found else "no batch is open")


@batches.command()
@click.argument("names", nargs=-1, required=True, shell_complete=dataset_names)
@click.option("--batch", type=int, help="Only this one, by its number.")
@click.option("--reason", required=True, help="Why; kept in the audit log.")
def forget(names: tuple[str, ...], batch: int | None, reason: str) -> None:
    """Release the open batches of dataset files: they are booked at the most that they can have cost, no ledger row is
    deleted, and the next run asks for their rows in another batch."""
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        found = corpus.forget_batches(names, reason, batch)
    for entry in found:
        say(
            f"batch {entry['batch']} of {entry['file']}: {entry['unknown']:,} requests booked, {money(entry['cost_usd'])}"
        )
    say(f"{len(found)} batches forgotten. Next: corpus run {' '.join(names)}" if found else "no batch is open")


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
