"""`corpus try`: a strategy on a few rows, before it is paid for on all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import json_option, print_json, print_table, say, tell, tell_styled
from corpus_pipeline.errors import UsageError
from corpus_pipeline.plain_text import printable
from corpus_pipeline.units import money, span

if TYPE_CHECKING:
    from corpus_pipeline.service.records.calls import TriedCell, TriedTotal

_SHOWN = 600  # characters of a text
_COLUMNS = ("variant", "rows", "passed", "skipped", "calls", "input", "output", "cost")


@click.command(name="try")
@click.argument("name", shell_complete=dataset_names)
@click.option("--strategy", required=True, help="The label of a strategy of the recipe.")
@click.option("--rows", type=click.IntRange(1, 50), default=3, show_default=True, help="The first rows it applies to.")
@click.option("--row", "numbers", type=click.IntRange(1), multiple=True, help="This row instead. Repeatable.")
@click.option("--model", "models", multiple=True, help="Ask this model instead. Repeatable: side by side.")
@click.option(
    "--recipe", "recipe_names", multiple=True, help="A recipe by name or file instead of the bound one. Repeatable."
)
@click.option(
    "--template",
    "templates",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with another template. Repeatable.",
)
@click.option("--full", is_flag=True, help="Texts and requests as they are, not shortened.")
@json_option
def try_out(
    name: str,
    strategy: str,
    rows: int,
    numbers: tuple[int, ...],
    models: tuple[str, ...],
    recipe_names: tuple[str, ...],
    templates: tuple[Path, ...],
    full: bool,
    as_json: bool,
) -> None:
    """Ask a strategy about a few rows of NAME: the request, the answer, the validators' verdicts, tokens, cost.

    Several models, recipes and templates are tried side by side. Nothing of it enters the corpus; the calls are in the
    ledger under `try`, and a run that asks the same takes their answers without paying again.

    \b
    Examples:
      corpus try chats --strategy quality --model gpt-4.1-mini --model gpt-4.1
      corpus try chats --strategy quality --recipe edited.yaml --row 17
    """
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.service.commands.recipes import resolve

    with Corpus.open() as corpus:
        found = corpus.try_out(
            name,
            strategy,
            rows=rows,
            numbers=numbers,
            recipes=[(origin, resolve(corpus.store, origin).recipe) for origin in recipe_names],
            models=models,
            templates=[(path.name, _text(path)) for path in templates],
        ).to_dict()
    if as_json:
        print_json(found)
        return
    most = None if full else _SHOWN
    for row, turns in found["sources"].items():
        tell_styled(row, bold=True)
        for turn in turns[-1:]:
            _show("prompt", turn.get("prompt"), most)
            _show("response", turn.get("response"), most)
        for cell in found["cells"]:
            if cell["row"] == row:
                _show_cell(cell, most)
    print_table(_COLUMNS, (_line(total) for total in found["totals"]), right=_COLUMNS[1:])
    say("Nothing of it entered the corpus. The calls are in the ledger: corpus cost --by strategy")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from error


def _show_cell(cell: TriedCell, most: int | None) -> None:
    word = "skipped" if cell["skipped"] else "passed" if cell["passed"] else "failed"
    tell_styled(f"  {cell['variant']}: {word}", colour={"passed": "green", "failed": "red"}.get(word))
    if cell["skipped"] or cell["error"]:
        tell(f"    {printable(str(cell['skipped'] or cell['error']))}")
    for request in cell["requests"]:
        for message in request["messages"]:
            _show(f"  asked ({message['role']})", message["content"], most)
            for medium in message.get("media", ()):
                tell(f"    with {', '.join(f'{name} {value}' for name, value in medium.items())}")
    for answer in cell["answers"]:
        _show("  answer", answer["text"], most)
    if cell["values"]:
        _show("  values", ", ".join(f"{key}: {value}" for key, value in cell["values"].items()), most)
    for verdict in cell["verdicts"]:
        if not verdict["passed"]:
            tell(f"    {verdict['validator']}: {printable(verdict['detail'])}")
    if cell["verdicts"]:
        good = sum(verdict["passed"] for verdict in cell["verdicts"])
        paid = "answered before: nothing paid" if not cell["calls"] else money(cell["cost_usd"])
        tell(
            f"    {good} of {len(cell['verdicts'])} validators pass it;"
            f" {cell['input_tokens']:,} + {cell['output_tokens']:,} tokens, {paid}, {span(cell['seconds'])}"
        )


def _show(what: str, text: str | None, most: int | None) -> None:
    if not text:
        return
    shown = text if most is None or len(text) <= most else f"{text[:most]} … {len(text) - most:,} more characters"
    lines = printable(shown).split("\n")
    tell(f"  {what}: {lines[0]}")
    for line in lines[1:]:
        tell(f"    {line}")


def _line(total: TriedTotal) -> tuple[Any, ...]:
    return (
        total["variant"],
        total["rows"],
        total["passed"],
        total["skipped"],
        total["calls"],
        total["input_tokens"],
        total["output_tokens"],
        money(total["cost_usd"]),
    )
