"""`corpus cost`."""

from __future__ import annotations

from pathlib import Path

import click

from corpus_pipeline.cli.output import cells, json_option, print_json, print_lines, print_table, say
from corpus_pipeline.units import money


@click.group(invoke_without_command=True)
@click.option(
    "--by",
    type=click.Choice(["consumer", "file", "strategy", "model", "day", "batch", "item"]),
    default="consumer",
    show_default=True,
    help="What to group by; every grouping adds up to the same sum. batch: of ten rows, the dearest first; item: likewise.",
)
@json_option
@click.pass_context
def cost(context: click.Context, by: str, as_json: bool) -> None:
    """Money spent, from the ledger of calls. Calls with an unknown outcome count with the most that they can have cost; what
    of the sum that is, and what it probably is, is said beside it."""
    if context.invoked_subcommand is not None:
        return
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        found = corpus.cost(by)
        items, share = corpus.dearest_share() if by == "item" else (0, 0.0)
    if as_json:
        print_lines(found)
        return
    columns = (by, "calls", "answered", "errors", "unknown", "input_tokens", "output_tokens", "cost_usd")
    print_table(columns, cells(found, columns), right=columns[1:])
    say(f"total {money(sum(row['cost_usd'] for row in found))}")
    if unknown := sum(row["unknown"] for row in found):
        most = sum(row["unknown_usd"] for row in found)
        probably = sum(row["unknown_expected_usd"] for row in found)
        say(
            f"of it at most {money(most)}, probably {money(probably)}, for {unknown:,} calls of unknown outcome;"
            " `corpus cost reconcile FILE` settles them by what the provider billed"
        )
    if items:
        say(f"the dearest tenth of {items:,} items cost {share:.0%} of it")


@cost.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--adopt", is_flag=True, help="Take over the bill where it differs from an answered call.")
@click.option(
    "--complete", is_flag=True, help="The file holds every call: unknown ones that it does not name cost nothing."
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@json_option
def reconcile(file: Path, adopt: bool, complete: bool, dry_run: bool, as_json: bool) -> None:
    """Put a provider's bill beside the ledger: settle calls of unknown outcome, list what does not match.

    FILE: a usage or cost export of OpenAI, Anthropic or OpenRouter (JSON or CSV), or a CSV with the columns request_id,
    model, created_at, input_tokens, output_tokens, cost (US dollars); ids, tokens and cost are enough.
    """
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        found = corpus.reconcile(file, adopt=adopt, complete=complete, dry_run=dry_run)
    if as_json:
        print_json(found)
        return
    columns = ("line", "call", "model", "ledger_usd", "bill_usd", "adopted")
    if found["mismatches"]:
        print_table(columns, cells(found["mismatches"], columns), right=columns[3:5])
    say(
        f"{found['lines']:,} lines: {found['settled']:,} calls settled by them, {found['not_billed']:,} were not billed,"
        f" {found['mismatches_in_all']:,} differ, {found['unmatched']:,} lines ({money(found['unmatched_usd'])}) are of no call"
        f" of ours; {found['still_unknown']:,} calls stay unknown"
    )
    bill = "" if found["bill_usd"] is None else f"; the bill says {money(found['bill_usd'])}"
    unchanged = " (nothing changed)" if dry_run else ""
    say(f"ledger {money(found['ledger_usd_before'])} -> {money(found['ledger_usd'])}{bill}{unchanged}")
