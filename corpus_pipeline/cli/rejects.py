"""`corpus rejects`."""

from __future__ import annotations

import click

from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import further, json_option, print_lines, say, shown, tell
from corpus_pipeline.plain_text import printable

_SHOWN = 20


@click.command()
@click.argument("name", shell_complete=dataset_names)
@click.option("--where", "reason", help="Only those of this reason: reason=WORD.")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Start after this row number.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=_SHOWN, show_default=True, help="Maximum number of lines."
)
@json_option
def rejects(name: str, reason: str | None, after: int, limit: int, as_json: bool) -> None:
    """Lines of a dataset file that became no row: where they stand, why, and their bytes.

    \b
    Examples:
      corpus rejects chats
      corpus rejects chats --where reason=broken_json --json
    """
    from corpus_pipeline.cli.inspect import pairs
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.states import Stage

    where = pairs((reason,)) if reason else {}
    with Corpus.open() as corpus:
        found, behind = corpus.rows(name, Stage.INGEST, where={**where, "state": "rejected"}, after=after, limit=limit)
    if as_json:
        print_lines(found)
    for row in () if as_json else found:
        assert "raw" in row  # asked for by their state
        tell(f"{row['row']}  line {row['line']:,}, byte {row['byte_offset']:,} +{row['bytes']:,}: {row['reason']}")
        if row["detail"]:
            tell(f"  {printable(row['detail'])}")
        tell(f"  {printable(shown(row['raw']))}")
    if behind is not None:
        asked = [f"--where={reason}"] if reason else []
        asked += [f"--limit={limit}"] * (limit != _SHOWN) + ["--json"] * as_json
        say(f"more: {further(['corpus', 'rejects', name, *asked], behind)}")
    elif not found:
        say(f"no rejected line{' behind ' + str(after) if after else ''}")
