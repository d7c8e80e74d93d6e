"""`corpus index`: the search index of the row browser."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import json_option, overwrite, print_lines, say
from corpus_pipeline.cli.single_instance import only_one
from corpus_pipeline.errors import UsageError
from corpus_pipeline.units import size

if TYPE_CHECKING:
    from corpus_pipeline.service.search_index import State

# not the lowest: who reads SQLite and gets no processor keeps a writer waiting
_NICE = 10


@click.command()
@click.argument("names", nargs=-1, shell_complete=dataset_names)
@click.option("--status", "only_status", is_flag=True, help="Show its progress; build nothing.")
@click.option("--anew", is_flag=True, help="Rebuild it from scratch.")
@click.option("--polite", is_flag=True, help="At low priority, and wait while files are read, cleaned or exported.")
@json_option
def index(names: tuple[str, ...], only_status: bool, anew: bool, polite: bool, as_json: bool) -> int:
    """Make the index by which the row browser searches, for all dataset files or those named.

    It is kept up beside `corpus serve` and `corpus ui` (unless CORPUS_INDEX=0); what is not in it is looked through row by row,
    so searches find the same without it, later. It lies in CORPUS_HOME/search and can be deleted at any time. Stop it when you
    like: the same command goes on.
    """
    from corpus_pipeline.service import Corpus, search_index

    with Corpus.open() as corpus:
        folder = corpus.settings.search_folder
        if not only_status:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if polite:
                os.nice(_NICE)
            try:
                with only_one(folder / "lock", "the indexer", f"process {os.getpid()}"):
                    search_index.make(corpus.store, folder, names, anew=anew, polite=polite, told=_tell)
            except UsageError:
                if not polite:  # another one is at it already
                    raise
        found = search_index.states(corpus.store, folder, names)
    if as_json:
        print_lines(state._asdict() for state in found)
        return 0
    for state in found:
        on_disk = f", {size(state.bytes)}" if state.bytes else ""
        say(f"{state.file}: {state.indexed:,} of {state.rows:,} rows{on_disk}")
    if not found:
        say(f"no dataset file is ingested and has {search_index.LEAST_ROWS:,} rows or more: smaller ones need no index")
    return 0


def _tell(state: State) -> None:
    if sys.stderr.isatty():
        done = state.indexed == state.rows
        overwrite(f"{state.file}: {state.indexed:,} of {state.rows:,} rows", last=done)
