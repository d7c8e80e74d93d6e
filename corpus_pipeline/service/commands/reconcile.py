"""The bill beside the ledger: what a provider's usage export says settles calls of unknown outcome, the rest is compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import Connection, Row

from corpus_pipeline.jobs.completion_report import NANO
from corpus_pipeline.llm import prices
from corpus_pipeline.llm.prices import BATCH, PriceList
from corpus_pipeline.llm.usage_exports import Billed, read_export
from corpus_pipeline.model import NanoDollars, Usage
from corpus_pipeline.service.records.calls import Reconciliation, UsageMismatch
from corpus_pipeline.states import AttemptState
from corpus_pipeline.store import Store, audit_log, ledger
from corpus_pipeline.store.ledger import Correction

_SLACK_MS = 60_000  # between our clock and the provider's, and the end of a call
_CALL_MS = 660_000  # how long a call may take
_MAX_LISTED = 50
_TOLERANCE = 0.001


class _Books:
    """The attempts of the ledger by what a bill may call them, and what is corrected."""

    def __init__(self, rows: Sequence[Row], listed: PriceList, adopt: bool) -> None:
        self.rows, self._listed, self._adopt = rows, listed, adopt
        self._by_id: dict[str, Row] = {}
        for row in rows:
            for name in (row.id, row.provider_request_id, row.response_id):
                if name:
                    self._by_id[name] = row
        self.corrections: dict[str, Correction] = {}
        self.mismatches: list[UsageMismatch] = []
        self.matched: set[str] = set()
        self.unmatched: list[Billed] = []

    def match(self, billed: Billed) -> None:
        """A call that the bill names."""
        row = next((self._by_id[name] for name in billed.ids if name in self._by_id), None)
        if row is None:
            self.unmatched.append(billed)
            return
        self.matched.add(row.id)
        self._compare(row, billed)

    def _compare(self, row: Row, billed: Billed) -> None:
        cost = self._cost(billed, row)
        if row.state == AttemptState.UNKNOWN or row.estimated or row.state == AttemptState.INTENT:
            self.settle(row, cost, billed.usage)
            return
        usage = billed.usage
        same = abs(cost - row.cost) <= max(1000, row.cost * _TOLERANCE)
        if usage is not None and same and billed.cost is None:
            same = (usage.input_tokens, usage.output_tokens) == (row.input_tokens, row.output_tokens)
        if same:
            return
        if self._adopt:
            self.settle(row, cost, usage)
        self._differs(billed.line, row.id, row.model, row.cost, cost, adopted=self._adopt)

    def _differs(self, line: int, call: str, model: str, booked: int, bill: int, *, adopted: bool) -> None:
        self.mismatches.append(
            {
                "line": line,
                "call": call,
                "model": model,
                "adopted": adopted,
                "ledger_usd": booked / NANO,
                "bill_usd": bill / NANO,
            }
        )

    def settle(self, row: Row, cost: int, usage: Usage | None) -> None:
        """Book a call at what it was billed."""
        answered = row.state == AttemptState.ANSWERED
        state, outcome = (AttemptState.ANSWERED, row.outcome) if answered else (AttemptState.ERROR, "reconciled")
        if usage is None:
            usage = Usage(row.input_tokens, row.output_tokens, row.cached_tokens, row.reasoning_tokens)
        self.corrections[row.id] = Correction(row, state, outcome, usage, NanoDollars(cost))

    def place(self) -> None:
        """Calls of the bill that name none of ours belong to calls whose answer never came: of that model, at that time."""
        waiting = sorted(self.unknown(), key=lambda row: row.created_at)
        left = []
        for billed in sorted(self.unmatched, key=lambda one: one.begins):
            found = next((row for row in waiting if _fits(row, billed)), None) if billed.begins else None
            if found is None:
                left.append(billed)
                continue
            waiting.remove(found)
            self.matched.add(found.id)
            self.settle(found, self._cost(billed, found), billed.usage)
        self.unmatched = left

    def close(self, begins: int, ends: int) -> int:
        """Unknown calls within the time of the bill that it does not name were not billed. Returns how many."""
        free = [row for row in self.unknown() if begins <= row.created_at <= ends]
        for row in free:
            self.settle(row, 0, Usage(0, 0))
        return len(free)

    def unknown(self) -> list[Row]:
        return [r for r in self.rows if r.state == AttemptState.UNKNOWN and r.id not in self.corrections]

    def compare_sums(self, sums: Iterable[Billed]) -> None:
        """What a bill says of a time and a model, less what is known of it, is what the unknown calls of it cost."""
        buckets: dict[tuple[int, int, str], list[Billed]] = defaultdict(list)
        for billed in sums:
            buckets[billed.begins, billed.ends, billed.model].append(billed)
        for (begins, ends, model), group in sorted(buckets.items()):
            own = [
                row
                for row in self.rows
                if (not begins or begins <= row.created_at < max(ends, begins + 1)) and _is_of(row, model)
            ]
            bill = sum(self._cost(billed, own[0] if own else None) for billed in group)
            known = sum(row.cost for row in own if row.state in (AttemptState.ANSWERED, AttemptState.ERROR))
            unknown = [row for row in own if row.state == AttemptState.UNKNOWN]
            most = sum(row.reserved for row in unknown)
            share = min(1.0, max(0.0, (bill - known) / most)) if most else 0.0
            for row in unknown:
                self.settle(row, round(row.reserved * share), None)
            booked = known + round(most * share)
            if abs(bill - booked) > max(1000, bill * _TOLERANCE):
                self._differs(group[0].line, f"{len(own):,} calls", model, booked, bill, adopted=False)

    def _cost(self, billed: Billed, row: Row | None) -> int:
        if billed.cost is not None:
            return int(billed.cost)
        assert billed.usage is not None
        if row is not None and billed.ids:
            unit = prices.TokenPrice(row.input_price, row.cached_price, row.output_price, row.cache_write_price)
            return int(prices.cost(billed.usage, unit))
        price = prices.price_of(billed.model, None, self._listed)
        tier = BATCH if billed.batch else billed.tier
        return int(prices.cost(billed.usage, price.of(tier)))  # a sum has no length of its own


def _is_of(row: Row, model: str) -> bool:
    names = (row.model, row.model_answered or row.model)
    return not model or any(prices.is_same_model(name, model) or prices.is_same_model(model, name) for name in names)


def _fits(row: Row, billed: Billed) -> bool:
    in_time = row.created_at - _SLACK_MS <= billed.begins <= row.created_at + _CALL_MS
    return in_time and _is_of(row, billed.model)


def reconcile(
    store: Store, listed: PriceList, file: Path, who: str, *, adopt: bool, complete: bool, dry_run: bool
) -> Reconciliation:
    """Settle and compare. adopt: take over the bill where it differs from an answered call. complete: the file holds every
    call, so that unknown ones that it does not name cost nothing. dry_run: change nothing.

    Raises UsageError.
    """
    bill = read_export(file.read_bytes(), str(file))
    calls, sums = [b for b in bill if b.ids], [b for b in bill if not b.ids]

    def work(connection: Connection) -> Reconciliation:
        rows = ledger.for_reconciling(connection)
        books = _Books(rows, listed, adopt)
        for billed in calls:
            books.match(billed)
        books.place()
        if sums:
            books.compare_sums(sums)
        settled, free = len(books.corrections), 0
        times = [billed.begins for billed in calls if billed.begins]
        if complete:
            free = books.close(0, 1 << 62)
        elif calls and times:
            free = books.close(min(times), max(times))
        said = _summary(file, bill, books, settled, free)
        if not dry_run:
            ledger.correct(connection, list(books.corrections.values()))
            kept = {**said, "mismatches": len(books.mismatches)}
            audit_log.log(connection, who, "reconcile", file.name[:255], kept)
        return said

    return store.fetch(work) if dry_run else store.write(work, repeatable=True, name="reconcile")


def _summary(file: Path, bill: Sequence[Billed], books: _Books, settled: int, free: int) -> Reconciliation:
    before = sum(row.cost for row in books.rows)
    after = before + sum(c.cost - c.row.cost for c in books.corrections.values())
    priced = [int(b.cost) for b in bill if b.cost is not None]
    return {
        "file": file.name,
        "lines": len(bill),
        "bill_usd": sum(priced) / NANO if priced else None,
        "ledger_usd_before": before / NANO,
        "ledger_usd": after / NANO,
        "settled": settled,
        "not_billed": free,
        "mismatches": books.mismatches[:_MAX_LISTED],
        "mismatches_in_all": len(books.mismatches),
        "unmatched": len(books.unmatched),
        "unmatched_usd": sum(int(b.cost or 0) for b in books.unmatched) / NANO,
        "still_unknown": len(books.unknown()),
    }
