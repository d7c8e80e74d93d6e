"""Words on stderr, data on stdout: tables for people, JSON lines for scripts.

Whatever is shown goes out here and nowhere else (a test holds it): made printable, so that no name, reason, answer or error
steers a terminal. Only what is styled here, and bars, pass by the filter that the whole command stands behind.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

import click
import orjson

from corpus_pipeline.plain_text import behind_filter, plain_json, printable

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout instead of a table.")


def console() -> Any:
    """A rich console on stderr; honours NO_COLOR and knows whether it is a terminal."""
    from rich.console import Console

    return Console(file=behind_filter(sys.stderr), highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """A sentence for people."""
    click.echo(printable(text), err=True)


def tell(text: str) -> None:
    """A line of what was asked for: on stdout, so that it can be kept and searched."""
    click.echo(printable(text))


def tell_styled(text: str, *, bold: bool = False, colour: str | None = None) -> None:
    """A line of what was asked for that stands out."""
    _styled(sys.stdout, "", text, bold=bold, colour=colour)


def tell_bare(text: str) -> None:
    """A file to keep: byte by byte, but on a terminal without what would steer it."""
    click.echo(text, nl=False, file=sys.stdout if sys.stdout.isatty() else behind_filter(sys.stdout))


def error(text: str) -> None:
    """A problem for people: one sentence, with the next step in it."""
    _marked("error:", "red", text)


def say_compared_again(names: Iterable[str]) -> None:
    """That rows of other files are compared again, because what they repeat has changed."""
    if listed := sorted(names):
        say(f"Rows of {', '.join(listed)} that repeat it are compared anew by: corpus run {' '.join(listed)}")


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    print_lines([value])


def print_lines(values: Iterable[Any]) -> None:
    """One JSON document a line on stdout."""
    for value in values:
        document = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
        sys.stdout.buffer.write(plain_json(document))
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()) -> None:
    """A table on stdout; without a terminal it is plain text that cut and awk understand."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    wide = not sys.stdout.isatty()
    out = Console(
        file=behind_filter(sys.stdout), highlight=False, soft_wrap=wide, width=10_000 if wide else None, emoji=False
    )
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
    _marked("warning:", "yellow", text)


def mark(word: str, good: bool, text: str) -> None:
    """A finding behind the word that says whether it is good."""
    _styled(sys.stdout, f" {text}", word, bold=not good, colour="green" if good else "red")


def overwrite(text: str, *, last: bool) -> None:
    """A line on stderr in the place of the one before."""
    click.echo(f"\r{printable(text)}", nl=last, file=behind_filter(sys.stderr))


def confirm(question: str) -> None:
    """Ask; raises click.Abort unless the answer is yes."""
    click.confirm(printable(question), abort=True, err=True)


def ask_secret(what: str) -> str:
    """A password, asked for twice, on the terminal."""
    return str(click.prompt(printable(what), hide_input=True, confirmation_prompt=True, err=True))


def _marked(word: str, colour: str, text: str) -> None:
    _styled(sys.stderr, f" {text}", word, bold=True, colour=colour)


def _styled(stream: TextIO, rest: str, text: str, *, bold: bool, colour: str | None) -> None:
    """`text` in colour, `rest` behind it without."""
    styled = click.style(printable(text), fg=colour, bold=bold or None) + printable(rest)
    click.echo(styled, file=behind_filter(stream), color=_colour())


def _colour() -> bool | None:
    import os

    return False if os.environ.get("NO_COLOR") else None
