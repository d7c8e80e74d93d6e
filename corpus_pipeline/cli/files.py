"""`corpus add`."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corpus_pipeline.cli.output import json_option, print_json, print_table, say, say_compared_again, warn
from corpus_pipeline.errors import CorpusError, StopJob, UsageError
from corpus_pipeline.settings import masked_url
from corpus_pipeline.store.dataset_files import title_of
from corpus_pipeline.units import size

if TYPE_CHECKING:
    from corpus_pipeline.service.commands.naming import Given
    from corpus_pipeline.service.commands.register import Added
    from corpus_pipeline.service.records.progress import AddedFile

_TELL_SECONDS = 5.0

# what the general reader makes of a file, which is worth a look also among many
_GENERAL = ("instruction", "chat", "preference", "labelled", "message_tree", "mixed", "mapped")


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--name", help="Name of the dataset file (one PATH only). Default: from the file's name.")
@click.option("--recipe", help="A recipe by name or a .yaml file. Default: the built-in one.")
@click.option("--consumer", help="The team it is processed for; costs roll up to it. Default: 'default'.")
@click.option("--format", "format_name", help="The format, instead of detecting it.")
@click.option("--replace", is_flag=True, help="Replace the file of the same name with a changed one.")
@json_option
def add(
    paths: tuple[str, ...],
    name: str | None,
    recipe: str | None,
    consumer: str | None,
    format_name: str | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Register dataset files and their partitions; a folder means the files in it.

    PATHS are paths, or addresses: s3://BUCKET/KEY (or a prefix), https://HOST/FILE, hf://datasets/OWNER/NAME[/CONFIG/SPLIT].
    What lies elsewhere is copied into CORPUS_HOME; a copy that was cut is continued by the same command.

    Read are JSON lines, JSON arrays, CSV and TSV (packed by gzip, zstd, bzip2, xz or zip, too), Parquet and Arrow.

    \b
    Examples:
      corpus add data/gsm8k.jsonl
      corpus add data/chats --recipe my_recipe.yaml --consumer search-team
      corpus add hf://datasets/openai/gsm8k/main/train
    """
    from corpus_pipeline.defs import instance, partitions
    from corpus_pipeline.service import Corpus

    added: list[AddedFile] = []
    again, problems = set[str](), list[CorpusError]()
    with Corpus.open() as corpus:
        found = expand(paths, lambda address: corpus.copied(address, _Telling(address)))
        if name is not None and len(found) != 1:
            raise UsageError(f"--name names one file, but {len(found)} are given")
        names = [name] if len(found) == 1 else corpus.names_for(found)
        try:
            for given, one in zip(found, names, strict=True):
                try:
                    result = corpus.register(
                        given, name=one, recipe=recipe, consumer=consumer, format=format_name, replace=replace
                    )
                except CorpusError as error:  # a file that is refused keeps no other one out
                    problems.append(error)
                    continue
                if result.twins:
                    say(f"{result.file.name} has the same bytes as {', '.join(result.twins)}; both are kept")
                again.update(result.again)
                added.append(_entry(result))
                if recipe is not None:
                    from corpus_pipeline.cli.recipes import fit_lines

                    for sentence in fit_lines(
                        result.file.name, corpus.fit(result.file.name, corpus.recipe_of(result.file))
                    ):
                        warn(sentence)
        finally:
            partitions.register(instance.instance(corpus.settings), [entry["name"] for entry in added])
    if problems:
        if added:
            say(f"registered nevertheless: {', '.join(entry['name'] for entry in added)}")
        raise _all_of(problems)
    if as_json:
        print_json({"files": added})
        return
    print_table(
        ("name", "file", "format", "bytes", "sha256", ""),
        (
            (
                e["name"],
                e["title"],
                e["format"],
                f"{e['bytes']:,}",
                e["sha256"][:12],
                "" if e["new"] else "known already",
            )
            for e in added
        ),
        right=("bytes",),
    )
    if len(found) > 1:
        _say_names_that_met(found, [str(one) for one in names], {entry["name"] for entry in added if entry["new"]})
    for entry in added:
        if entry["evidence"] and (len(added) == 1 or entry["format"] in _GENERAL):
            say(f"{entry['name']} is read as {entry['format']}: {entry['evidence']}")
    say_compared_again(again)
    if len(added) == 1:
        say(f"1 dataset file. Next: corpus run {shlex.quote(added[0]['name'])}")
    else:
        say(f"{len(added)} dataset files. Next: corpus run")


def _say_names_that_met(found: Sequence[Given], names: Sequence[str], new: set[str]) -> None:
    """Says which new files have another name than their own, because it was taken or several have it."""
    from corpus_pipeline.stages.ingest import identity

    met: dict[str, list[str]] = {}
    for given, name in zip(found, names, strict=True):
        base = identity.dataset_name(given.path)
        if name in new and name != base:
            met.setdefault(base, []).append(f"{given.path.name} is {name}")
    for base, files in met.items():
        say(f"{base} would be the name of several files: {', '.join(files)}")


def _entry(result: Added) -> AddedFile:
    file = result.file
    return {
        "name": file.name,
        "title": title_of(file.path),
        "format": file.format,
        "sha256": file.sha256,
        "bytes": file.bytes,
        "container": file.container,
        "compression": file.compression,
        "consumer": file.consumer,
        "new": result.new,
        "evidence": result.evidence,
    }


def _all_of(problems: list[CorpusError]) -> CorpusError:
    """One error that says all of them."""
    if len(problems) == 1:
        return problems[0]
    said = "\n".join(dict.fromkeys(map(str, problems)))
    return UsageError(said) if all(isinstance(one, UsageError) for one in problems) else StopJob(said)


class _Telling:
    """Says on stderr how far a copy is, every few seconds."""

    def __init__(self, address: str) -> None:
        self._address, self._told = masked_url(address), time.monotonic()

    def __call__(self, done: int, whole: int | None) -> None:
        if time.monotonic() - self._told >= _TELL_SECONDS:
            self._told = time.monotonic()
            of = f" of {size(whole)}" if whole else ""
            say(f"{self._address}: {size(done)}{of} are here")


def _say_left_out(folder: Path, taken: set[Path]) -> None:
    """Says what of a folder is not added, and why."""
    rest = sorted(path for path in folder.iterdir() if path not in taken and not path.name.startswith("."))
    below = [f"{path.name}/" for path in rest if path.is_dir()]
    others = [path.name for path in rest if not path.is_dir()]
    if below:
        say(f"{folder}: folders in it are not read, add each by its own path: {_some(below)}")
    if others:
        say(f"{folder}: left out, as their names are not those of dataset files: {_some(others)}")


def _some(names: list[str], most: int = 8) -> str:
    return ", ".join(map(repr, names[:most])) + (f" and {len(names) - most} more" if len(names) > most else "")


def expand(paths: tuple[str, ...], copied: Callable[[str], list[Given]]) -> list[Given]:
    """The files that are meant: folders stand for the dataset files in them, addresses for their copies. Raises UsageError for
    an empty folder."""
    from corpus_pipeline.jobs.remote import is_remote
    from corpus_pipeline.service.commands.inbox import candidates
    from corpus_pipeline.service.commands.naming import Given
    from corpus_pipeline.stages.ingest.identity import DATASET_SUFFIXES

    found: list[Given] = []
    for text in paths:
        path = Path(text)
        if is_remote(text):
            found += copied(text)
        elif "://" in text and not path.exists():
            raise UsageError(
                f"{masked_url(text)}: files are added by a path, or by an s3://, https:// or hf://datasets/ address"
            )
        elif path.is_dir():
            inside = candidates(path)
            _say_left_out(path, set(inside))
            if not inside:
                raise UsageError(f"{path}: no file in this folder ends in {', '.join(DATASET_SUFFIXES)}")
            found += map(Given, inside)
        else:
            found.append(Given(path))
    return found
