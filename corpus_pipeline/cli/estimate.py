"""`corpus estimate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from corpus_pipeline.cli.completion import dataset_names
from corpus_pipeline.cli.output import json_option, print_json, print_table, tell
from corpus_pipeline.stages.skip_reasons import skips_in_words
from corpus_pipeline.units import money

if TYPE_CHECKING:
    from corpus_pipeline.service.records.calls import CostEstimate, StrategyEstimate


@click.command()
@click.argument("name", shell_complete=dataset_names)
@json_option
def estimate(name: str, as_json: bool) -> None:
    """What augmenting a dataset file will cost, from its cleaned rows: calls, tokens, money (low, expected, high).

    What is answered already is not asked again and not counted. No model is asked.
    """
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        found = corpus.estimate(name)
    if as_json:
        print_json(found)
        return
    columns = ("strategy", "model", "items", "answered", "calls", "input", "output", "low", "expected", "high")
    print_table(columns, (_cells(line) for line in found["strategies"]), right=columns[2:])
    for line in closing_lines(found):
        tell(line)


def _cells(line: StrategyEstimate) -> tuple[Any, ...]:
    cost = line["cost_usd"]
    return (
        line["strategy"],
        line["model"],
        line["items"],
        line["already_answered"],
        line["calls"],
        line["input_tokens"],
        line["output_tokens"],
        money(cost["low"]),
        money(cost["expected"]),
        money(cost["high"]),
    )


def closing_lines(found: CostEstimate) -> list[str]:
    """The sum, what is saved and could be, and which budget will stop it."""
    total = found["total"]
    cost = total["cost_usd"]
    lines = [
        f"{found['rows']:,} rows; {total['calls']:,} calls for about {money(cost['expected'])}"
        f" (at least {money(cost['low'])}, at most {money(cost['high'])})"
    ]
    if total["margin"] is not None:
        lines.append(
            f"in 19 of 20 such jobs the bill is within {total['margin']:.1%} of that, by the rows that are paid"
        )
        if total["trial_rows"] is not None:
            lines.append(
                f"for one within 5 %, pay for more rows first: corpus run {found['name']} --limit {total['trial_rows']}"
                " --spread"
            )
    elif total["calls"]:
        lines.append(
            f"for a closer one, pay for a trial that is kept: corpus run {found['name']} --limit 200 --spread, and ask again"
        )
    if found["rows_looked_at"] < found["rows"]:
        lines.append(f"from {found['rows_looked_at']:,} rows, evenly spread")
    for line in found["strategies"]:
        if line["skip_reasons"]:
            lines.append(f"{line['strategy']} will skip {line['skipped']:,}: {skips_in_words(line['skip_reasons'])}")
    if total["already_answered"]:
        lines.append(
            f"{total['already_answered']:,} items are answered already: {money(total['saved_by_reuse_usd'])} saved"
        )
    if total["saved_by_caching_usd"]:
        lines.append(f"prompt caching saves about {money(total['saved_by_caching_usd'])} of it (counted)")
    batched = [line for line in found["strategies"] if line["provider_batch"]]
    if saved := sum(line["saving_of_provider_batch_usd"] for line in batched):
        lines.append(f"provider batches save {money(saved)} (counted)")
    if more := total["saving_of_provider_batch_usd"] - saved:
        lines.append(f"as provider batches (`provider_batch: true`, up to 24 hours) it would cost {money(more)} less")
    for number, way in enumerate(found["ways"], 1):
        if way["cost_usd"] is None:
            lines.append(f"  - {way['way']}: {way['note']}")
        else:
            lines.append(f"  {number}. {way['way']}: {money(way['cost_usd'])}, {way['hours']:g} hours ({way['note']})")
    for name, limit in found["budgets"].items():
        if cost["expected"] > limit:
            lines.append(f"the budget {name} of {money(limit)} will stop it before its end")
    return lines
