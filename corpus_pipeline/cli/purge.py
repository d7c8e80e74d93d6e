"""`corpus purge`: removal requests."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import confirm, json_option, print_json, tell
from corpus_pipeline.errors import UsageError

if TYPE_CHECKING:
    from corpus_pipeline.service.records.exports import PurgeReport

_MOST_ROWS = 1_000_000  # of one range: their numbers are held


@click.command()
@click.argument("name", shell_complete=dataset_names)
@click.argument("rows", nargs=-1, required=True)
@click.option("--reason", required=True, help="Who asked and why; kept in the audit log.")
@click.option("--copies", is_flag=True, help="Also every row of the corpus with the same content.")
@click.option("--yes", is_flag=True, help="Do not ask. Nothing brings the rows back.")
@json_option
def purge(name: str, rows: tuple[str, ...], reason: str, copies: bool, yes: bool, as_json: bool) -> None:
    """Remove rows of NAME and everything made from them, for good, with a report of what went and what did not.

    NAME is a dataset file, or NAME@VERSION for one that was replaced.

    ROWS are numbers, or ranges such as 10-20, as `corpus rows NAME` lists them. Reading the file again keeps them out. The
    exports that hold them are marked; the next `corpus run NAME` writes the export without them. A second purge of the same
    rows looks again.
    """
    from corpus_pipeline.service import Corpus

    numbers = [number for text in rows for number in _numbers(name, text)]
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("nothing brings purged rows back: repeat the command with --yes")
        confirm(f"Remove {len(numbers):,} rows of {name} for good?")
    with Corpus.open() as corpus:
        report = corpus.purge(name, numbers, reason=reason, copies=copies)
    if as_json:
        print_json(report)
        return
    _show(report)


def _numbers(name: str, text: str) -> range:
    first, dash, last = text.removeprefix(f"{name}:").partition("-")
    ends = (first, last if dash else first)
    if not all(end.isascii() and end.isdigit() and len(end) < 11 for end in ends):
        raise UsageError(f"{text!r} is no row of {name}: rows are numbers, or ranges such as 10-20")
    found = range(int(ends[0]), int(ends[1]) + 1)
    if not 0 < len(found) <= _MOST_ROWS:
        raise UsageError(f"{text!r} are {len(found):,} rows: a range goes up, over {_MOST_ROWS:,} rows at the most")
    return found


def _show(report: PurgeReport) -> None:
    for row in report["rows"][:20]:
        where = f", line {row['line']} from byte {row['byte_offset']:,}" if "line" in row else ""
        tell(f"{row['row']}: {row['was']}{where}")
    if len(report["rows"]) > 20:
        tell(f"and {len(report['rows']) - 20:,} more")
    tell(
        "removed: " + (", ".join(f"{n:,} {k.replace('_', ' ')}" for k, n in report["removed"].items()) or "nothing new")
    )
    if report["kept"]:
        tell(
            "kept: "
            + ", ".join(f"{n:,} {k.replace('_', ' ')}" for k, n in report["kept"].items())
            + " (what was paid, without texts; a shared answer belongs to a row with the same content)"
        )
    for export in report["exports"]:
        lines = ", ".join(str(line) for line in export["lines"][:10]) + (", ..." if len(export["lines"]) > 10 else "")
        tell(f"export {export['export']} of {export['name']} has them in line {lines}: {export['uri']}")
        for gone in export.get("objects", ()):
            tell(f"  {gone['uri']}: {gone['state']}")
    if report["repeated_by"]:
        tell(
            f"{len(report['repeated_by'])} rows repeated them and are looked at again by the next run, one of each cluster"
            f" will be kept: {', '.join(report['repeated_by'][:10])}"
        )
    if report["copies"]:
        tell(f"the same content is in {', '.join(report['copies'][:10])}: --copies purges it, too")
    for sentence in report["left"]:
        tell(f"not removed: {sentence}")
    tell(
        f"The report is entry {report['report']} of the audit log."
        + (f" Next: {report['next']}" if report["next"] else "")
    )
