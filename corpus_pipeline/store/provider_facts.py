"""What the answers of endpoints taught: parameters that they refuse, words that were not known, that they answered at all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from corpus_pipeline.model import TaskId
from corpus_pipeline.store.backends import Backend
from corpus_pipeline.store.schema import llm_attempts, provider_facts
from corpus_pipeline.store.types import now_ms

PARAMETER, WORD, ANSWERS = "parameter", "word", "answers"
_F = provider_facts.c


class Fact(NamedTuple):
    """One thing about one model at one endpoint. said: in the words of the provider."""

    origin: str
    model: str
    kind: str
    name: str
    value: str
    said: str

    def fitting(self) -> Fact:
        """The fact as the table holds it."""
        limits = {"origin": 255, "model": 128, "kind": 16, "name": 64, "value": 255, "said": 4000}
        return Fact(*(getattr(self, field)[:most] for field, most in limits.items()))


def save(connection: Connection, backend: Backend, facts: Sequence[Fact]) -> None:
    """Keep facts; a newer one about the same takes the place of the older."""
    newest = {(f.origin, f.model, f.kind, f.name): f for f in (fact.fitting() for fact in facts)}
    if not newest:
        return
    now = int(connection.execute(select(now_ms())).scalar_one())
    columns = (*Fact._fields, "learnt_at")
    backend.insert(
        connection,
        provider_facts,
        columns,
        [(*fact, now) for fact in newest.values()],
        updates={name: "{new}" for name in ("value", "said", "learnt_at")},
    )


def of_endpoint(connection: Connection, origin: str, models: Collection[str]) -> list[Fact]:
    """What is known of these models at an endpoint, oldest first."""
    query = (
        select(*(getattr(_F, name) for name in Fact._fields))
        .where(_F.origin == origin[:255], _F.model.in_([model[:128] for model in models]))
        .order_by(_F.learnt_at, _F.kind, _F.name)
    )
    return [Fact(*row) for row in connection.execute(query)]


def of_task(connection: Connection, task_id: TaskId) -> list[Fact]:
    """What was learnt of the models that a task asked."""
    asked = select(llm_attempts.c.model).where(llm_attempts.c.task_id == task_id).distinct()
    query = (
        select(*(getattr(_F, name) for name in Fact._fields))
        .where(_F.model.in_(asked), _F.kind != ANSWERS)
        .order_by(_F.model, _F.kind, _F.name)
    )
    return [Fact(*row) for row in connection.execute(query)]


def forget(connection: Connection, origin: str, model: str) -> int:
    """Drop what is known of a model at an endpoint; the next call learns it again."""
    where = (_F.origin == origin[:255], _F.model == model[:128])
    return connection.execute(delete(provider_facts).where(*where)).rowcount
