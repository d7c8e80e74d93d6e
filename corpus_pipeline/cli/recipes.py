"""`corpus recipe`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corpus_pipeline.cli.output import say, say_compared_again, tell_bare, warn
from corpus_pipeline.errors import UsageError

if TYPE_CHECKING:
    from corpus_pipeline.service.queries.exportability import Fit


@click.group()
def recipe() -> None:
    """Recipes: how a dataset file is worked. Bundled, stored in the database, or a YAML file."""


@recipe.command()
@click.argument("name", default="default")
def show(name: str) -> None:
    """A recipe with every default written out."""
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.service.commands.recipes import resolve

    with Corpus.open() as corpus:
        chosen = resolve(corpus.store, name)
    say(f"# {chosen.origin}, version {chosen.recipe.version[:12]}")
    tell_bare(chosen.recipe.to_yaml())


@recipe.command()
@click.argument("name")
@click.option("--bind", "files", multiple=True, help="Bind it to this dataset file when it is right. Repeatable.")
@click.option("--anyway", is_flag=True, help="Bind it also to a file of which no row could be exported.")
def check(name: str, files: tuple[str, ...], anyway: bool) -> None:
    """Check a recipe: every section, rule, strategy, parameter and template.

    With --bind, rows are tried in the export format first: what cannot be written is said by reason, and nothing is bound when
    no row of a file can be written.
    """
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.service.commands.recipes import resolve

    with Corpus.open() as corpus:
        chosen = resolve(corpus.store, name)
        say(f"{name} is right; version {chosen.recipe.version[:12]}")
        hopeless = []
        for file in files:
            fit = corpus.fit(file, chosen.recipe)
            for sentence in fit_lines(file, fit):
                warn(sentence)
            if fit.rows and fit.withheld == fit.rows:
                hopeless.append(file)
        if hopeless and not anyway:
            raise UsageError(
                f"nothing of {', '.join(hopeless)} could be exported, so nothing was bound: name another export.format"
                " (docs/formats.md), or bind nevertheless with --anyway"
            )
        for file in files:
            bound = corpus.bind_recipe(file, name)
            say_compared_again(bound.again)
            say(f"{file} is bound to it: new work takes this version. Next: corpus run {file}")


def fit_lines(name: str, fit: Fit) -> Iterator[str]:
    """What the export format cannot hold of a file, before anything is exported."""
    from corpus_pipeline.stages.export.gate import listed

    of = f"of {_which(fit)} rows of {name}"
    if fit.withheld:
        yield (
            f"{fit.withheld:,} {of} cannot be written as {fit.format} ({listed(fit.reasons)}; first: line {fit.first})."
            " The gate holds an export with more of them than export.gate.max_not_exportable."
        )
    if fit.losses:
        yield f"{of}, written as {fit.format}, lose something: {listed(fit.losses)}"


def _which(fit: Fit) -> str:
    if fit.of is None:
        return f"the first {fit.rows:,}"
    return f"all {fit.rows:,}" if fit.rows >= fit.of else f"{fit.rows:,} (of {fit.of:,})"


@recipe.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default=Path("recipe.yaml"))
def new(path: Path) -> None:
    """Write a recipe file to start from."""
    from corpus_pipeline.recipe import parse

    name = path.stem.lower().replace(" ", "_")
    text = parse("{}").model_copy(update={"name": name}).to_yaml()
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} exists already; name another file") from error
    say(f"{path} is written. Next: edit it, then corpus recipe check {shlex.quote(str(path))}")
