"""Money under control: what is spent and what is reserved per task, consumer and day; one guarded UPDATE keeps the sum.

Every intent reserves the most that its call can cost and every settlement gives that back, in the transactions of the
ledger rows themselves: the sum over the ledger and these rows cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from corpus_pipeline.model import MicroDollars, TaskId
from corpus_pipeline.states import BudgetScope
from corpus_pipeline.store.backends import Backend
from corpus_pipeline.store.schema import budgets
from corpus_pipeline.store.types import now_ms

_B = budgets.c
# micro-dollars per scope; a scope that is not named has no limit
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
    """How full a budget is, in micro-dollars."""

    spent: MicroDollars
    reserved: MicroDollars


def day_of(milliseconds: int) -> str:
    """The UTC day of a moment."""
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).date().isoformat()


def today(connection: Connection) -> str:
    """The UTC day by the clock of the database."""
    return day_of(int(connection.execute(select(now_ms())).scalar_one()))


def book(connection: Connection, ended: Iterable[Booked]) -> None:
    """Reservations become what they came to."""
    sums: dict[tuple[BudgetScope, str], tuple[int, int]] = {}
    for entry in ended:
        for key in entry.payer.subjects():
            spent, reserved = sums.get(key, (0, 0))
            sums[key] = (spent + entry.cost, reserved + entry.reserved)
    order = list(BudgetScope)
    for (scope, subject), (spent, reserved) in sorted(sums.items(), key=lambda e: (order.index(e[0][0]), e[0][1])):
        connection.execute(
            update(budgets)
            .where(_B.scope == scope.value, _B.subject == subject)
            .values(spent=_B.spent + spent, reserved=_B.reserved - reserved)
        )


def reserve(
    connection: Connection, backend: Backend, payer: Payer, amounts: Sequence[int], ceilings: Ceilings
) -> tuple[int, BudgetScope | None]:
    """Reserve as many of the amounts, in their order, as every ceiling allows. Returns how many, and which ceiling refused
    the next one."""
    opened = [(scope.value, subject, 0, 0) for scope, subject in payer.subjects()]
    backend.insert(connection, budgets, ("scope", "subject", "spent", "reserved"), opened, updates={"spent": "{old}"})
    refusal = _reserve(connection, payer, sum(amounts), ceilings)
    if refusal is None:
        return len(amounts), None
    for number, amount in enumerate(amounts):
        refusal = _reserve(connection, payer, amount, ceilings)
        if refusal is not None:
            return number, refusal
    return len(amounts), None


def _reserve(connection: Connection, payer: Payer, amount: int, ceilings: Ceilings) -> BudgetScope | None:
    """All scopes or none. Returns the one that refused."""
    done: list[tuple[BudgetScope, str]] = []
    for scope, subject in payer.subjects():
        statement = update(budgets).where(_B.scope == scope.value, _B.subject == subject)
        if (ceiling := ceilings.get(scope)) is not None:
            statement = statement.where(_B.spent + _B.reserved + amount <= ceiling)
        if connection.execute(statement.values(reserved=_B.reserved + amount)).rowcount != 1:
            for other, whose in done:
                connection.execute(
                    update(budgets)
                    .where(_B.scope == other.value, _B.subject == whose)
                    .values(reserved=_B.reserved - amount)
                )
            return scope
        done.append((scope, subject))
    return None


def level(connection: Connection, scope: BudgetScope, subject: str) -> Level:
    """How full a budget is; nothing when it was never touched."""
    row = connection.execute(
        select(_B.spent, _B.reserved).where(_B.scope == scope.value, _B.subject == subject)
    ).first()
    return Level(MicroDollars(0), MicroDollars(0)) if row is None else Level(row.spent, row.reserved)
