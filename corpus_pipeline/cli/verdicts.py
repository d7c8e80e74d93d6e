"""`corpus duplicates` and `corpus keep`: what cleaning dropped as a repetition, and rows that are kept anyway."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import json_option, print_lines, say, tell, tell_styled
from corpus_pipeline.plain_text import printable
from corpus_pipeline.units import moment

if TYPE_CHECKING:
    from corpus_pipeline.service.records.rows import DuplicatePair, KeptRow

_SHOWN = 20


@click.command()
@click.argument("name", shell_complete=dataset_names)
@click.option(
    "--sort",
    type=click.Choice(["row", "difference"]),
    default="row",
    show_default=True,
    help="By row number, or the least alike pairs first.",
)
@click.option("--kept-anyway", is_flag=True, help="The rows that a person keeps instead.")
@click.option(
    "--after", type=click.IntRange(min=0), default=0, help="Where the next page starts, as the last one says."
)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=_SHOWN, show_default=True, help="Maximum number of rows."
)
@json_option
def duplicates(name: str, sort: str, kept_anyway: bool, after: int, limit: int, as_json: bool) -> None:
    """Rows dropped as duplicates, each beside the row that is kept, with what differs marked.

    \b
    Examples:
      corpus duplicates chats --sort difference    # the most doubtful verdicts first
      corpus keep chats:17 --reason "another answer"
    """
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        if kept_anyway:
            _list_kept(name, corpus.kept_anyway(name), as_json)
            return
        page = corpus.duplicates(name, sort=sort, after=after, limit=limit)
    if as_json:
        print_lines(page["duplicates"])
    for entry in () if as_json else page["duplicates"]:
        _show(entry)
    if page["next_after"] is not None:
        again = ["corpus", "duplicates", name, "--sort", sort, f"--limit={limit}", *["--json"] * as_json]
        say(f"more: {shlex.join(again)} --after {page['next_after']}")
    elif not page["duplicates"]:
        say(
            f"no row of {name} is dropped as a duplicate"
            if page["decided"]
            else f"the next run decides about the duplicates of {name}: corpus run {shlex.quote(name)}"
        )


def _list_kept(name: str, found: list[KeptRow], as_json: bool) -> None:
    if as_json:
        print_lines(found)
    for entry in () if as_json else found:
        _show_kept(entry)
    if not found:
        say(f"no row of {name} is kept anyway")


def _show(entry: DuplicatePair) -> None:
    alike = "".join(
        f", {part} alike {similarity:.2f}"
        for part, similarity in (("question", entry["question_similarity"]), ("answer", entry["answer_similarity"]))
        if similarity is not None
    )
    bits = f", {entry['distance']} bits" if entry["kind"] == "near" else ""
    tell_styled(f"{entry['row']} repeats {entry['keeper']} ({entry['kind']}{bits}{alike})", bold=True)
    if not entry["differences"]:
        tell("  equal but for white space, case or names of the record")
    for difference in entry["differences"]:
        place = f"  turn {difference['turn']} {difference['field']}: "
        before, behind = _short(difference["before"][-40:]), _short(difference["behind"][:40])
        marked = f"[-{_short(difference['kept'])}-] {{+{_short(difference['dropped'])}+}}"
        tell(printable(f"{place}…{before}{marked}{behind}…"))


def _show_kept(entry: KeptRow) -> None:
    how = "kept unchanged from the source" if entry["unchanged"] else "kept"
    tell(printable(f"{entry['row']}  {how} by {entry['by']} at {moment(entry['at'])}: {entry['reason']}"))


def _short(text: str, most: int = 200) -> str:
    text = text.replace("\n", " ")
    return text if len(text) <= most else text[: most - 1] + "…"


@click.command()
@click.argument("rows", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why; kept with the row and in the audit log.")
@click.option("--undo", is_flag=True, help="Let cleaning decide about these rows again.")
def keep(rows: tuple[str, ...], reason: str, undo: bool) -> None:
    """Keep ROWS although cleaning drops or changes them: over any number of cleanings, until --undo.

    ROWS are FILE:NUMBER, as `corpus duplicates` and `corpus rows` list them. A row that cleaning drops, as a duplicate or by
    a rule, is kept as the other rules leave it. A row that it keeps and changes goes out as its source brought it; one in which
    personal data are masked is refused, and if a later cleaning finds any in a row that is kept so, the rules change it again.

    \b
    Examples:
      corpus duplicates chats --sort difference       # what is dropped: keep one of these anyway
      corpus rows chats --where changed=markup        # what a rule changed: keep one of these as it was
      corpus keep chats:17 --reason "the tags are what it is about"
    """
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        kept = corpus.keep(rows, reason, undo=undo)
    others = [row for row in kept.rows if row not in kept.unchanged]
    if others:
        say(f"{'cleaning decides again about' if undo else 'kept from now on:'} {', '.join(others)}")
    if kept.unchanged:
        say(f"kept unchanged from the source from now on: {', '.join(kept.unchanged)}")
    say(f"Next: corpus run {shlex.join(kept.run)}")
