"""`corpus remove`: taking a dataset file out again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import confirm, json_option, print_json, say_compared_again, tell
from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.units import money

if TYPE_CHECKING:
    from corpus_pipeline.service.records.exports import RemovalReport


_AND_OBJECTS = ", and what its exports left in the bucket"


@click.command()
@click.argument("name", shell_complete=dataset_names)
@click.option("--reason", default="", help="Why; kept in the audit log.")
@click.option(
    "--keep-answers", is_flag=True, help="Keep what models answered: the same rows are then not paid for twice."
)
@click.option("--objects", is_flag=True, help="Delete what its exports left in an S3 bucket, too.")
@click.option("--yes", is_flag=True, help="Do not ask. Nothing brings back what was made.")
@json_option
def remove(name: str, reason: str, keep_answers: bool, objects: bool, yes: bool, as_json: bool) -> None:
    """Take the dataset file NAME out again, with everything that was made from it, in all its versions.

    Rows, verdicts, new rows, failed samples, reports, exports and their registration, the search index and the partition go.
    What was paid stays in the ledger, and who did what in the audit log; the source file itself is not touched. Rows of
    other files that were dropped because they repeat rows of this one are compared again by the next run.

    \b
    Example: corpus remove chats --reason "wrong file"
    Exports in an S3 bucket are deleted with --objects, which needs a key that may delete.
    A second `corpus remove NAME` looks again, and ends what a process that died has begun.
    """
    from corpus_pipeline.defs import instance, partitions
    from corpus_pipeline.service import Corpus
    from corpus_pipeline.service.commands.remove import preview

    with Corpus.open() as corpus:
        try:
            what = _in_words(preview(corpus.store, name))
        except UnknownName:
            what = ""  # removed before, perhaps: `remove` knows
        if what and not yes:
            if not sys.stdin.isatty():
                raise UsageError(f"{name} has {what}; nothing brings them back: repeat the command with --yes")
            confirm(f"Remove {name} with {what}{_AND_OBJECTS if objects else ''}?")
        report = corpus.remove(name, reason=reason, keep_answers=keep_answers, objects=objects)
        partitions.forget(instance.instance(corpus.settings), name)
    if as_json:
        print_json(report)
        return
    _show(report)


def _in_words(counts: dict[str, int]) -> str:
    return ", ".join(
        f"{count:,} {word.replace('_', ' ')}" for word, count in counts.items() if word not in ("calls", "spent")
    )


def _show(report: RemovalReport) -> None:
    when = " before; looked again" if report.get("before") else ""
    tell(f"removed {report['file']}{when}: {_in_words(report['counts'])}")
    tell(f"kept: {report['kept']['calls']:,} calls in the ledger, {money(report['kept']['cost_usd'])}")
    for uri in report.get("files_removed", ()):
        tell(f"removed file: {uri}")
    for sentence in report["left"]:
        tell(f"not removed: {sentence}")
    tell(f"The report is entry {report['report']} of the audit log.")
    say_compared_again(report["again"])
