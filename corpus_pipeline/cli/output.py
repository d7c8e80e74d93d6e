"""Words on stderr, data on stdout: tables for people, JSON lines for scripts."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import orjson

from corpus_pipeline.plain_text import printable

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout instead of a table.")


def console() -> Any:
    """A rich console on stderr; honours NO_COLOR and knows whether it is a terminal."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """A sentence for people."""
    click.echo(printable(text), err=True)


def tell(text: str) -> None:
    """A line of what was asked for: on stdout, so that it can be kept and searched."""
    click.echo(printable(text))


def error(text: str) -> None:
    """A problem for people: one sentence, with the next step in it."""
    click.echo(f"{click.style('error:', fg='red', bold=True)} {printable(text)}", err=True, color=_colour())


def say_compared_again(names: Iterable[str]) -> None:
    """That rows of other files are compared anew, because what they repeat has changed."""
    if listed := sorted(names):
        say(f"Rows of {', '.join(listed)} that repeat it are compared anew by: corpus run {' '.join(listed)}")


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS))
    sys.stdout.flush()


def print_lines(values: Iterable[Any]) -> None:
    """One JSON document a line on stdout."""
    for value in values:
        sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS))
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()) -> None:
    """A table on stdout; without a terminal it is plain text that cut and awk understand."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = Console(highlight=False, soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 10_000)
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(str(value))) if value is not None else Text("") for value in row))
    out.print(table)


def cells(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[list[Any]]:
    """The values of some keys, for a table."""
    return ([row[key] for key in columns] for row in rows)


def shown(text: str, most: int = 200) -> str:
    """A text on one line, cut to its beginning."""
    text = text.replace("\n", " ")
    return text if len(text) <= most else text[: most - 1] + "…"


def further(command: Sequence[str], after: int) -> str:
    """The command that shows the next page."""
    return shlex.join([*command, "--after", str(after)])


def warn(text: str) -> None:
    """What a person must see although nothing failed."""
    click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {text}", err=True, color=_colour())


def money(dollars: float) -> str:
    """Dollars with as many digits as they need."""
    return f"${dollars:,.2f}" if dollars >= 1 else f"${dollars:.4f}"


def moment(milliseconds: int | None) -> str:
    """A time of the database, in UTC."""
    if milliseconds is None:
        return "?"
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """A time span in words."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _colour() -> bool | None:
    import os

    return False if os.environ.get("NO_COLOR") else None
