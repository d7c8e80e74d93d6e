"""Provider batches: planned with the intents of their requests in one transaction, so that no call is without its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, select, update

from corpus_pipeline.errors import ControlFlow
from corpus_pipeline.model import Answer, NanoDollars, TaskId, Usage
from corpus_pipeline.states import AttemptState, BatchState, BudgetScope
from corpus_pipeline.store import ledger
from corpus_pipeline.store.backends import Backend
from corpus_pipeline.store.budgets import Ceilings
from corpus_pipeline.store.ledger import Intent, Settlement
from corpus_pipeline.store.schema import dataset_files, llm_attempts, provider_batches, tasks
from corpus_pipeline.store.types import inserted_id, now_ms

_P = provider_batches.c
_A = llm_attempts.c


class TooDear(ControlFlow):
    """Only the first `fitting` requests of a batch fit into the budget `scope`. Nothing was written."""

    def __init__(self, fitting: int, scope: BudgetScope) -> None:
        super().__init__(fitting, scope)
        self.fitting, self.scope = fitting, scope


def plan(
    connection: Connection, backend: Backend, task_id: TaskId, key: str, intents: Sequence[Intent], ceilings: Ceilings
) -> int:
    """A batch that is about to be sent, with the worst case of each request reserved. Raises TooDear."""
    added = connection.execute(
        insert(provider_batches).values(
            task_id=task_id,
            chunk_key=key,
            model=intents[0].model,
            requests=len(intents),
            state=BatchState.PLANNED.value,
        )
    )
    batch_id = inserted_id(added)
    numbered = [intent._replace(batch_id=batch_id) for intent in intents]
    refused = ledger.insert_intents(connection, backend, numbered, ceilings).refused
    if refused:
        raise TooDear(len(intents) - len(refused), next(iter(refused.values())))
    return batch_id


def open_batches(connection: Connection, task_id: TaskId) -> Sequence[Row]:
    """Batches whose results are not taken in, oldest first."""
    waiting = (BatchState.PLANNED.value, BatchState.SENT.value)
    query = select(provider_batches).where(_P.task_id == task_id, _P.state.in_(waiting))
    return connection.execute(query.order_by(_P.id)).all()


def provider_ids(connection: Connection) -> list[str]:
    """The provider's ids of all batches that are known to be of some task."""
    return [
        str(name) for name in connection.execute(select(_P.provider_id).where(_P.provider_id.is_not(None))).scalars()
    ]


def figures(connection: Connection, names: Sequence[str]) -> Sequence[Row]:
    """Every batch of these dataset files (of all, when none is named) with what its requests came to, newest first:
    (file_name, provider_batches.*, answered, errors, unknown, waiting, input_tokens, output_tokens, cost, reserved);
    cost and reserved in nano-dollars, reserved of the waiting ones."""

    def of(state: AttemptState, value: Any) -> Any:
        return func.coalesce(func.sum(case((_A.state == state.value, value), else_=0)), 0)

    query = (
        select(
            dataset_files.c.name.label("file_name"),
            provider_batches,
            of(AttemptState.ANSWERED, 1).label("answered"),
            of(AttemptState.ERROR, 1).label("errors"),
            of(AttemptState.UNKNOWN, 1).label("unknown"),
            of(AttemptState.INTENT, 1).label("waiting"),
            func.coalesce(func.sum(_A.input_tokens), 0).label("input_tokens"),
            func.coalesce(func.sum(_A.output_tokens), 0).label("output_tokens"),
            func.coalesce(func.sum(_A.cost), 0).label("cost"),
            of(AttemptState.INTENT, _A.reserved).label("reserved"),
        )
        .select_from(
            provider_batches.join(tasks, tasks.c.id == _P.task_id)
            .join(dataset_files, dataset_files.c.id == tasks.c.file_id)
            .outerjoin(llm_attempts, _A.batch_id == _P.id)
        )
        .group_by(_P.id, dataset_files.c.name)
        .order_by(_P.id.desc())
    )
    return connection.execute(query.where(dataset_files.c.name.in_(names)) if names else query).all()


def note_status(connection: Connection, batch_id: int, status: str, detail: str | None = None) -> None:
    """What the provider said last of a batch that is under way."""
    connection.execute(
        update(provider_batches)
        .where(_P.id == batch_id, _P.state == BatchState.SENT.value)
        .values(provider_status=status[:32], detail=detail)
    )


def uploaded(connection: Connection, batch_id: int, file_id: str) -> None:
    """Its input file is at the provider: from here on the batch may have been made."""
    connection.execute(update(provider_batches).where(_P.id == batch_id).values(input_file_id=file_id[:128]))


def sent(connection: Connection, batch_id: int, provider_id: str) -> None:
    """The provider has it, under this id."""
    connection.execute(
        update(provider_batches)
        .where(_P.id == batch_id, _P.state == BatchState.PLANNED.value)
        .values(state=BatchState.SENT.value, provider_id=provider_id, sent_at=now_ms())
    )


def forget(connection: Connection, batch_id: int) -> None:
    """It never reached the provider: take its intents back."""
    ledger.withdraw(connection, [row.id for row in unsettled(connection, batch_id)])
    connection.execute(delete(provider_batches).where(_P.id == batch_id))


def requests_of(connection: Connection, batch_id: int) -> Sequence[Row]:
    """All its requests, in the order in which they were planned."""
    return connection.execute(select(llm_attempts).where(_A.batch_id == batch_id).order_by(_A.id)).all()


def unsettled(connection: Connection, batch_id: int) -> Sequence[Row]:
    """Its requests without a result, in the order in which they were planned."""
    query = select(llm_attempts).where(_A.batch_id == batch_id, _A.state == AttemptState.INTENT.value)
    return connection.execute(query.order_by(_A.id)).all()


def take_in(
    connection: Connection,
    backend: Backend,
    settlements: Sequence[Settlement],
    answers: Sequence[tuple[str, str, Answer]],
) -> None:
    """Some results, each once: those of requests that are settled already change nothing."""
    open_ids = ledger.still_open(connection, [entry.id for entry in settlements])
    ledger.settle(connection, [entry for entry in settlements if entry.id in open_ids])
    ledger.insert_answers(connection, backend, [entry for entry in answers if entry[0] in open_ids])


def lost(connection: Connection, batch_id: int, status: str, detail: str) -> int:
    """Nothing more will be known of it: each open request is booked at the most that it can have cost. Returns how many."""
    return taken(connection, batch_id, status, detail, unknown=True)


def taken(connection: Connection, batch_id: int, status: str, detail: str, *, unknown: bool = False) -> int:
    """All results are in. What has none was not worked and costs nothing: it is taken back, and may be asked again.

    unknown: it may have been worked, and is booked at the most that it can have cost. Returns how many have no result.
    """
    left = unsettled(connection, batch_id)
    if unknown:
        nothing, why = Usage(0, 0), AttemptState.UNKNOWN
        ledger.settle(
            connection, [Settlement(row.id, why, "batch_lost", nothing, NanoDollars(row.reserved), 0) for row in left]
        )
    else:
        ledger.withdraw(connection, [row.id for row in left])
    connection.execute(
        update(provider_batches)
        .where(_P.id == batch_id)
        .values(state=BatchState.TAKEN.value, provider_status=status[:32], detail=detail or None, taken_at=now_ms())
    )
    return len(left) if unknown else 0
