"""`corpus add`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from corpus_pipeline.cli.output import json_option, print_json, print_table, say, say_compared_again
from corpus_pipeline.errors import UsageError

# what the general reader makes of a file, which is worth a look also among many
_GENERAL = ("instruction", "chat", "preference", "labelled", "message_tree", "mixed", "mapped")


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--name", help="Name of the dataset file (one PATH only). Default: from the file's name.")
@click.option("--recipe", help="A recipe by name or a .yaml file. Default: the built-in one.")
@click.option("--consumer", help="The team that it is worked for; costs roll up to it. Default: 'default'.")
@click.option("--format", "format_name", help="The format, when detection should not decide.")
@click.option("--replace", is_flag=True, help="Let a changed file take the place of the one of the same name.")
@json_option
def add(
    paths: tuple[Path, ...],
    name: str | None,
    recipe: str | None,
    consumer: str | None,
    format_name: str | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Register dataset files (.jsonl, .json, also .gz; .parquet) and their partitions; a folder means the files in it.

    \b
    Examples:
      corpus add data/gsm8k.jsonl
      corpus add data/chats --recipe my_recipe.yaml --consumer search-team
    """
    from corpus_pipeline.defs import instance, partitions
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.service.corpus import who

    found = expand(paths)
    if name is not None and len(found) != 1:
        raise UsageError(f"--name names one file, but {len(found)} are given")
    added: list[dict[str, Any]] = []
    again = set[str]()
    with Corpus.open() as corpus:
        try:
            for path in found:
                result = corpus.add(
                    path,
                    name=name,
                    recipe=recipe,
                    consumer=consumer,
                    format=format_name,
                    replace=replace,
                    who=who(),
                )
                file = result.file
                if result.twins:
                    say(f"{file.name} has the same bytes as {', '.join(result.twins)}; both are kept")
                again.update(result.again)
                added.append(
                    {
                        "name": file.name,
                        "format": file.format,
                        "sha256": file.sha256,
                        "bytes": file.bytes,
                        "container": file.container,
                        "compression": file.compression,
                        "consumer": file.consumer,
                        "new": result.new,
                        "evidence": result.evidence,
                    }
                )
        finally:  # what was registered before a file that is refused stays
            partitions.register(instance.instance(corpus.settings), [entry["name"] for entry in added])
            if 0 < len(added) < len(found):
                say(f"registered before that: {', '.join(entry['name'] for entry in added)}")
    if as_json:
        print_json({"files": added})
        return
    print_table(
        ("name", "format", "bytes", "sha256", ""),
        (
            (e["name"], e["format"], f"{e['bytes']:,}", e["sha256"][:12], "" if e["new"] else "known already")
            for e in added
        ),
        right=("bytes",),
    )
    for entry in added:
        if entry["evidence"] and (len(added) == 1 or entry["format"] in _GENERAL):
            say(f"{entry['name']} is read as {entry['format']}: {entry['evidence']}")
    say_compared_again(again)
    if len(added) == 1:
        say(f"1 dataset file. Next: corpus run {shlex.quote(added[0]['name'])}")
    else:
        say(f"{len(added)} dataset files. Next: corpus run")


def expand(paths: tuple[Path, ...]) -> list[Path]:
    """The files that are meant: folders stand for the dataset files in them. Raises UsageError for an empty folder."""
    from corpus_pipeline.service.commands.inbox import SUFFIXES, candidates

    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = candidates(path)
            if not inside:
                raise UsageError(f"{path}: no file in this folder ends in {', '.join(SUFFIXES)}")
            found += inside
        else:
            found.append(path)
    return found
