"""Money by consumer, file, strategy, model, day, provider batch or item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, cast

from sqlalchemy import Connection

from corpus_pipeline.errors import UnknownName
from corpus_pipeline.jobs.completion_report import NANO
from corpus_pipeline.model import split_id
from corpus_pipeline.service.records.calls import Spending
from corpus_pipeline.store import ledger, spending

ITEM, BATCH = "item", "batch"  # the cost keys of single items and of row batches, beside those of the ledger
DEAREST = 20
BATCH_ROWS = 10  # of a batch as `corpus cost` shows it


def cost(connection: Connection, by: str) -> list[Spending]:
    """Money by one key. The rows of every key add up to the same sum, that of the ledger."""
    if by == ITEM:
        return _dearest(ITEM, [(_name_of_item(row), [row]) for row in ledger.cost_by_item(connection)])
    if by == BATCH:
        return _dearest(BATCH, _batches(connection))
    if by not in spending.KEYS:
        raise UnknownName("cost key", by, [*spending.KEYS, BATCH, ITEM])
    expected = _expected_of_unknown(connection, by)
    return [
        _spending(
            by,
            row.key,
            {name: int(getattr(row, name)) for name in _COUNTS},
            int(row.cost),
            int(row.unknown_cost),
            expected[row.key],
        )
        for row in spending.by(connection, by)
    ]


def _expected_of_unknown(connection: Connection, by: str) -> dict[Any, int]:
    """What the calls of unknown outcome probably cost, by the key of their group."""
    found: dict[Any, list[Any]] = {}
    for row in spending.by_model(connection, by):
        found.setdefault(row.key, []).append(row)
    return {key: spending.unknown_expected(rows) for key, rows in found.items()}


def _spending(by: str, name: Any, counts: Mapping[str, int], cost: int, unknown: int, expected: int) -> Spending:
    """One group. cost, unknown, expected: nano-dollars."""
    found = {
        by: name,
        **counts,
        "cost_usd": cost / NANO,
        "unknown_usd": unknown / NANO,
        "unknown_expected_usd": expected / NANO,
        "expected_usd": (cost - unknown + expected) / NANO,
    }
    return cast(Spending, found)


_COUNTS = ("calls", "answered", "errors", "unknown", "input_tokens", "cached_tokens", "output_tokens")


def _dearest(by: str, groups: Sequence[tuple[str, Sequence[Any]]]) -> list[Spending]:
    """The dearest groups one by one, then the others of the dearest tenth and all the rest in a row each. `groups`: by
    falling cost."""
    tenth = -(-len(groups) // 10)
    found = [_sum_of(by, name, rows) for name, rows in groups[:DEAREST]]
    if rest := groups[DEAREST:tenth]:
        found.append(_sum_of(by, f"{len(rest):,} more of the dearest tenth", [row for _, rows in rest for row in rows]))
    if rest := groups[max(DEAREST, tenth) :]:
        found.append(_sum_of(by, f"{len(rest):,} others", [row for _, rows in rest for row in rows]))
    return found


def _name_of_item(row: Any) -> str:
    return f"{row.name}:{split_id(row.conversation_id)[1]}/{row.strategy}/{row.sample_index}"


def _batches(connection: Connection) -> list[tuple[str, list[Any]]]:
    """The items of each batch of rows that were asked about, by falling cost; named by file, first and last row."""
    items = sorted(ledger.cost_by_item(connection), key=lambda row: (row.name, row.conversation_id))
    found = []
    for name, own in groupby(items, lambda row: row.name):
        rows = [list(group) for _, group in groupby(own, lambda row: row.conversation_id)]
        for start in range(0, len(rows), BATCH_ROWS):
            some = rows[start : start + BATCH_ROWS]
            first, last = (split_id(group[0].conversation_id)[1] for group in (some[0], some[-1]))
            found.append((f"{name}:{first}-{last}", [row for group in some for row in group]))
    return sorted(found, key=lambda group: -sum(int(row.cost) for row in group[1]))


def _sum_of(by: str, name: str, rows: Sequence[Any]) -> Spending:
    sums = {key: sum(int(getattr(row, key)) for row in rows) for key in _COUNTS}
    cost, unknown = sum(int(row.cost) for row in rows), sum(int(row.unknown_cost) for row in rows)
    known = (cost - unknown) // sums["answered"] if sums["answered"] else unknown
    return _spending(by, name, sums, cost, unknown, min(unknown, sums["unknown"] * known))


def dearest_share(connection: Connection) -> tuple[int, float]:
    """(items that were asked about, share of all money that the dearest tenth of them cost)."""
    costs = [int(row.cost) for row in ledger.cost_by_item(connection)]
    return len(costs), sum(costs[: -(-len(costs) // 10)]) / max(1, sum(costs))
