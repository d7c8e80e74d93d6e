"""Money under control: what is spent and what is reserved per task, consumer and day; one guarded UPDATE keeps the sum.

Every intent reserves the most that its call can cost and every settlement gives that back, in the transactions of the
ledger rows themselves: the sum over the ledger and these rows cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from corpus_pipeline.model import NanoDollars, TaskId
from corpus_pipeline.states import BudgetScope
from corpus_pipeline.store.backends import Backend
from corpus_pipeline.store.schema import budgets
from corpus_pipeline.store.types import now_ms

_B = budgets.c
# nano-dollars per scope; a scope that is not named has no limit
Ceilings = Mapping[BudgetScope, int]


class Payer(NamedTuple):
    """Whose money a call is; day: ISO date, UTC."""

    task_id: TaskId
    consumer: str
    day: str

    def subjects(self) -> list[tuple[BudgetScope, str]]:
        """The rows of a call, in the order of locking."""
        return [
            (BudgetScope.TASK, str(self.task_id)),
            (BudgetScope.CONSUMER, self.consumer),
            (BudgetScope.DAY, self.day),
        ]


class Booked(NamedTuple):
    """A reservation that ends: what was reserved, and what it came to."""

    payer: Payer
    reserved: int
    cost: int


class Level(NamedTuple):
    """How full a budget is, in nano-dollars."""

    spent: NanoDollars
    reserved: NanoDollars


def day_of(milliseconds: int) -> str:
    """The UTC day of a moment."""
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).date().isoformat()


def today(connection: Connection) -> str:
    """The UTC day by the clock of the database."""
    return day_of(int(connection.execute(select(now_ms())).scalar_one()))


_ROW = (_B.scope == bindparam("of"), _B.subject == bindparam("whose"))
_BOOK = (
    update(budgets).where(*_ROW).values(spent=_B.spent + bindparam("more"), reserved=_B.reserved - bindparam("less"))
)
_RESERVE = (
    update(budgets)
    .where(*_ROW, _B.spent + _B.reserved + bindparam("amount") <= bindparam("ceiling"))
    .values(reserved=_B.reserved + bindparam("amount"))
)
_GIVE_BACK = update(budgets).where(*_ROW).values(reserved=_B.reserved - bindparam("amount"))
_NO_CEILING = 2**62


def book(connection: Connection, ended: Iterable[Booked]) -> None:
    """Reservations become what they came to."""
    sums: dict[tuple[BudgetScope, str], tuple[int, int]] = {}
    for entry in ended:
        for key in entry.payer.subjects():
            spent, reserved = sums.get(key, (0, 0))
            sums[key] = (spent + entry.cost, reserved + entry.reserved)
    order = list(BudgetScope)
    changes = sorted(sums.items(), key=lambda entry: (order.index(entry[0][0]), entry[0][1]))
    if changes:
        connection.execute(
            _BOOK,
            [
                {"of": scope.value, "whose": subject, "more": spent, "less": reserved}
                for (scope, subject), (spent, reserved) in changes
            ],
        )


def reserve(
    connection: Connection, backend: Backend, payer: Payer, amounts: Sequence[int], ceilings: Ceilings
) -> tuple[int, BudgetScope | None]:
    """Reserve as many of the amounts, in their order, as every ceiling allows. Returns how many, and which ceiling refused
    the next one."""
    refusal = _reserve(connection, payer, sum(amounts), ceilings)
    if refusal is None:
        return len(amounts), None
    # a row that no one opened refuses as one that is full does
    opened = [(scope.value, subject, 0, 0) for scope, subject in payer.subjects()]
    backend.insert(connection, budgets, ("scope", "subject", "spent", "reserved"), opened, updates={"spent": "{old}"})
    if _reserve(connection, payer, sum(amounts), ceilings) is None:
        return len(amounts), None
    for number, amount in enumerate(amounts):
        refusal = _reserve(connection, payer, amount, ceilings)
        if refusal is not None:
            return number, refusal
    return len(amounts), None


def _reserve(connection: Connection, payer: Payer, amount: int, ceilings: Ceilings) -> BudgetScope | None:
    """All scopes or none. Returns the one that refused."""
    done: list[dict[str, Any]] = []
    for scope, subject in payer.subjects():
        change = {"of": scope.value, "whose": subject, "amount": amount}
        ceiling = ceilings.get(scope, _NO_CEILING)
        if connection.execute(_RESERVE, {**change, "ceiling": ceiling}).rowcount != 1:
            if done:
                connection.execute(_GIVE_BACK, done)
            return scope
        done.append(change)
    return None


def level(connection: Connection, scope: BudgetScope, subject: str) -> Level:
    """How full a budget is; nothing when it was never touched."""
    row = connection.execute(
        select(_B.spent, _B.reserved).where(_B.scope == scope.value, _B.subject == subject)
    ).first()
    return Level(NanoDollars(0), NanoDollars(0)) if row is None else Level(row.spent, row.reserved)
