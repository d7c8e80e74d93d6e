"""`corpus cost`."""

from __future__ import annotations

import click

from corpus_pipeline.cli.output import json_option, money, print_lines, print_table, say


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
    print_table(columns, ([row[key] for key in columns] for row in found), right=columns[1:])
    say(f"total {money(sum(row['cost_usd'] for row in found))}")
    if unknown := sum(row["unknown"] for row in found):
        most, probably = (sum(row[key] for row in found) for key in ("unknown_usd", "unknown_expected_usd"))
        say(
            f"of it at most {money(most)}, probably {money(probably)}, for {unknown:,} calls of unknown outcome;"
            " `corpus cost reconcile FILE` settles them by what the provider billed"
        )
    if items:
        say(f"the dearest tenth of {items:,} items cost {share:.0%} of it")
