"""Writes docs/reference.md from the code: commands, settings, recipe keys, rules, strategies, formats, words.

.venv/bin/python scripts/reference.py          write it
.venv/bin/python scripts/reference.py --check  fail when it is not what the code says
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import click
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from corpus_pipeline import states
from corpus_pipeline.cli import EXIT_CODES, cli
from corpus_pipeline.formats import FORMATS
from corpus_pipeline.recipe import Recipe
from corpus_pipeline.settings import VARIABLES
from corpus_pipeline.stages.augment.strategies import KNOWN
from corpus_pipeline.stages.augment.strategies.prefilter import First
from corpus_pipeline.stages.clean.dedup.schemes import SCHEMES
from corpus_pipeline.stages.clean.rules import DEFAULT_RULES, RULES

FIGURES = Path(__file__).parents[1] / "benchmarks" / "verdicts" / "figures.json"
TARGET = Path(__file__).parents[1] / "docs" / "reference.md"


def text() -> str:
    """The whole page."""
    parts = [
        "# Reference",
        "",
        "Written by `scripts/reference.py` from the code; a test fails when it is out of date.",
        "",
        *_commands(),
        *_settings(),
        *_recipe(),
        *_rules(),
        *_schemes(),
        *_strategies(),
        *_formats(),
        *_words(),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _commands() -> Iterator[str]:
    yield "## Commands"
    yield ""
    yield (
        "Words go to stderr, data to stdout. Exit codes: " + ", ".join(f"{c} {w}" for c, w in EXIT_CODES.items()) + "."
    )
    yield ""
    for path, command in _walk(cli, "corpus"):
        yield f"### `{path}`"
        yield ""
        context = click.Context(command, info_name=path, max_content_width=100)
        yield "```text"
        yield command.get_help(context).split("\n\nSettings (environment):")[0].rstrip()
        yield "```"
        yield ""


def _walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in sorted(command.list_commands(context)):
        found = command.get_command(context, name)
        assert found is not None
        yield from _walk(found, f"{path} {name}")


def _settings() -> Iterator[str]:
    yield "## Settings"
    yield ""
    yield from _table(("variable", "default", "meaning"), [(f"`{v.name}`", v.default, v.meaning) for v in VARIABLES])


def _recipe() -> Iterator[str]:
    yield "## Recipe keys"
    yield ""
    yield "`corpus recipe show` prints a recipe with every default written out."
    yield ""
    yield from _table(("key", "default", ""), list(_keys(Recipe, "")))


def _keys(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            yield from _keys(type(default), f"{prefix}{name}.")
        else:
            yield f"`{prefix}{name}`", _default(default), field.description or ""


def _rules() -> Iterator[str]:
    yield "## Cleaning rules"
    yield ""
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    yield (
        f"In the order in which they work by default. *Measured* is what a rule did to {figures['rows']:,} real rows of public"
        " corpora, how many of the labelled cases were right, and the share of all rows that it damaged by that"
        " (`benchmarks/verdicts/harm.py`, which says how)."
    )
    yield ""
    for rule in RULES:
        off = "" if rule.name in DEFAULT_RULES else " (off by default)"
        yield f"### `{rule.name}`{off}"
        yield ""
        yield rule.summary
        if rule.reasons:
            yield ""
            yield "Drops with: " + ", ".join(f"`{reason}`" for reason in rule.reasons) + "."
        if rule.name in figures["rules"]:
            yield ""
            measured = figures["rules"][rule.name]
            again = measured.get("rows", figures["rows"])
            said = _measured(measured)
            yield (
                said if again == figures["rows"] else said.replace("Measured: ", f"Measured again on {again:,} rows: ")
            )
        if dropping := figures["rules"].get(f"{rule.name} (do: drop)"):
            yield ""
            yield f"With `do: drop`, of {dropping['rows']:,} rows: {_measured(dropping).removeprefix('Measured: ')}"
        yield ""
        yield from _params(rule.Params)


def _measured(figure: dict[str, Any]) -> str:
    acts = [
        f"{effect} {figure[effect]:,} (right: {figure[f'{effect}_right']} of {figure[f'{effect}_labelled']})"
        for effect in ("dropped", "changed")
        if figure[effect]
    ]
    harm = "" if figure["harm"] is None or not acts else f"; harm {figure['harm']:.3%} of all rows"
    tagged = [f"tagged {figure['tagged']:,}"] if figure["tagged"] else []
    return f"Measured: {', '.join(acts + tagged) or 'no row touched'}{harm}."


def _schemes() -> Iterator[str]:
    yield "## Deduplication features"
    yield ""
    yield from _table(("name", "what is compared"), [(f"`{s.name}`", s.summary) for s in SCHEMES])


def _strategies() -> Iterator[str]:
    yield "## Strategies"
    yield ""
    yield "What `first` may say, in every strategy:"
    yield ""
    yield from _table(("parameter", "default", ""), list(_param_rows(First, "first.", deep=True)))
    for strategy in KNOWN:
        yield f"### `{strategy.name}`"
        yield ""
        yield f"{strategy.summary} Source: {strategy.source}"
        yield ""
        yield from _params(strategy.Params)


def _params(model: type[BaseModel]) -> Iterator[str]:
    rows = list(_param_rows(model, "", deep=False))
    if rows:
        yield from _table(("parameter", "default", ""), rows)


def _param_rows(model: type[BaseModel], prefix: str, *, deep: bool) -> Iterator[tuple[str, str, str]]:
    """Parameters; deep: also those of a parameter that is a section of its own."""
    for name, field in model.model_fields.items():
        yield f"`{prefix}{name}`", _default(field.get_default(call_default_factory=True)), field.description or ""
        for kind in get_args(field.annotation) if deep else ():
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _param_rows(kind, f"{prefix}{name}.", deep=True)


def _formats() -> Iterator[str]:
    yield "## Formats"
    yield ""
    yield "Each is read and written. The last column is what a row that came in another format can lose in it."
    yield ""
    rows = [
        (
            f"`{f.name}`",
            f.description,
            ", ".join(f"`{k}`" for k in f.keys),
            ", ".join(sorted(map(str, f.loses))) or "nothing",
        )
        for f in FORMATS
    ]
    yield from _table(("name", "what it is", "keys", "can lose"), rows)


def _words() -> Iterator[str]:
    yield "## States and reasons"
    yield ""
    for kind in (states.Status, states.FailedState, states.AttemptState, states.RejectReason):
        yield f"* {kind.__name__}: " + ", ".join(f"`{word.value}`" for word in kind)


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, BaseModel):
        return f"`{value.model_dump(mode='json')}`"
    if isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        return ", ".join(f"`{getattr(item, 'name', item)}`" for item in value)
    if isinstance(value, str) and not value:
        return "empty"
    if isinstance(value, tuple) and value and isinstance(value[0], StrEnum):
        value = tuple(word.value for word in value)
    if isinstance(value, (set, frozenset)):
        value = sorted(value)
    return f"`{value}`"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
    yield ""


def main() -> int:
    """Write the page, or compare it."""
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") == text():
            return 0
        print("docs/reference.md is not what the code says. Run: python scripts/reference.py", file=sys.stderr)
        return 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
