"""`corpus prices`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpus_pipeline.cli.output import cells, json_option, print_lines, print_table, say

if TYPE_CHECKING:
    from corpus_pipeline.llm.prices import ModelPrice
    from corpus_pipeline.service.records.calls import PricedModel


@click.group()
def prices() -> None:
    """What models cost, as calls are booked: show the list, take over a newer one."""


@prices.command()
@click.argument("models", nargs=-1)
@json_option
def show(models: tuple[str, ...], as_json: bool) -> None:
    """Prices in US dollars per million tokens, of all models or of those whose name holds one of these words."""
    from corpus_pipeline.llm.prices import current
    from corpus_pipeline.settings import Settings

    listed = current(Settings.from_env().price_file)
    wanted = [name for name in sorted(listed.models) if not models or any(word in name for word in models)]
    found = [_entry(name, listed.models[name]) for name in wanted]
    if as_json:
        print_lines(found)
        return
    columns = ("model", "input", "cached_input", "cache_write", "output", "tiers", "long_context")
    rows = ([_cell(value) for value in own] for own in cells(found, columns))
    print_table(columns, rows, right=columns[1:5])
    age = listed.age_days(datetime.now(UTC).date())
    say(f"{len(found):,} models; list of {listed.as_of} ({age} days old), {listed.origin}")


def _entry(name: str, price: ModelPrice) -> PricedModel:
    unit = price.standard
    tiers = {word: round(tier.input / price.standard.input, 4) for word, tier in sorted(price.tiers.items())}
    steps = [step.above for step in price.steps.get("", ())]
    return {
        "model": name,
        "input": unit.input / 1_000_000,
        "cached_input": unit.cached_input / 1_000_000,
        "output": unit.output / 1_000_000,
        "cache_write": unit.cache_write / 1_000_000,
        "tiers": tiers,
        "long_context": steps,
    }


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{word} x{factor:g}" for word, factor in value.items())
    if isinstance(value, list):
        return ", ".join(f"above {above:,}" for above in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


@prices.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as-of", help="Day of the list (YYYY-MM-DD), when it does not say so itself.")
def update(file: Path, as_of: str | None) -> None:
    """Take over a price list: JSON as public price lists have it, {model: {input_cost_per_token: ...}}, in US dollars.

    It goes before the list of the package; what it does not name keeps its price. Calls that are booked keep theirs.
    """
    from corpus_pipeline.service import Corpus

    with Corpus.open() as corpus:
        changed = corpus.update_prices(file, _day(as_of))
    say(
        f"{changed['models']:,} prices of {changed['as_of']} taken over: {changed['new']:,} new,"
        f" {changed['changed']:,} changed. Next: corpus prices show, corpus doctor"
    )


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("a day is written YYYY-MM-DD", param_hint="--as-of") from None
