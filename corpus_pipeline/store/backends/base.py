"""What differs between the databases, in one place each. A new database is one more subclass."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, Table, event
from sqlalchemy.exc import DBAPIError, StatementError

# connections of a process that stay open when they are not needed, as long as the server lets them: one that writes and one
# that reads. Those of many workers add up to what a server has
KEPT = 2
# what a person does about a right that is missing
GRANTS_STEP = "`corpus doctor --grants ROLE` prints what the user of each kind of process needs"


class Fault(Enum):
    """What a database error means for the unit of work that it ended."""

    CONFLICT = "rolled back by the database; the whole unit may be redone"
    TAKEN = "another transaction inserted the same key; a unit that is redone will find it"
    LOST = "the connection is gone; what a COMMIT in flight did is not known"
    CROWDED = "the server has no connection left for us; others give theirs back"
    FULL = "no space, or the disk fails; a person must act"
    DENIED = "the user of the connection may not do this; a person must grant it"
    WRONG = "the statement or the data are wrong; trying again changes nothing"


class Backend(ABC):
    """One kind of database."""

    name: str

    @abstractmethod
    def create_engine(self, url: str, connections: int, idle_seconds: int) -> Engine:
        """An engine whose every connection has the session settings that the store relies on.

        connections: the most that it opens to a server at a time. idle_seconds: after which the server closes one that lies
        idle. Raises UsageError for an address that cannot be used."""

    @abstractmethod
    def without_values(self, error: BaseException) -> str:
        """What the driver's error says, without what may be a value of a statement or of a row."""

    def hide_values(self, engine: Engine) -> None:
        """Keep values out of every error of this engine: neither the driver's words nor SQLAlchemy's."""

        @event.listens_for(engine, "handle_error")
        def _hide(context: ExceptionContext) -> None:
            if not isinstance(context.original_exception, Exception):
                return
            original, wrapped = context.original_exception, context.sqlalchemy_exception
            said = self.without_values(original)
            if isinstance(wrapped, DBAPIError):
                code = original.args[:1] if isinstance(next(iter(original.args), None), int) else ()
                original.args = (*code, said)
            original.__context__ = original.__cause__ = None
            if isinstance(wrapped, StatementError):
                wrapped.args = (f"({type(original).__name__}) {said}", *wrapped.args[1:])
                wrapped.without_values = said  # type: ignore[attr-defined] # for `error_words`

    @abstractmethod
    def fault(self, error: DBAPIError) -> Fault:
        """What the error means."""

    @abstractmethod
    def problems(self, connection: Connection) -> list[str]:
        """What is wrong with the server's settings, one sentence with the remedy each; empty when all is well."""

    @abstractmethod
    def damage(self, connection: Connection) -> list[str]:
        """What the database finds wrong with its own pages, indexes and references, by reading everything; empty when all is
        well."""

    def protection(self, connection: Connection) -> str:
        """How the way to the database is protected; empty where there is no way."""
        return ""

    def in_the_way(self, engine: Engine) -> str:
        """Who keeps the database from us, as a clause for an error's end; empty where the server knows and we do not."""
        return ""

    @abstractmethod
    def upsert_clause(self, table: Table, updates: dict[str, str]) -> str:
        """The tail of an INSERT that updates on a conflict of the primary key; `updates` maps columns to SQL in which
        `{new}` is the value that was to be inserted and `{old}` the one that stands."""

    def forget_deleted(self, connection: Connection) -> None:  # noqa: B027 - most databases cannot
        """Called in a transaction that removes what must not be found again: overwrite it where the database can."""

    def after_forgetting(self, engine: Engine) -> list[str]:
        """Called after that transaction. Returns where the database may still have it, one sentence with the remedy each."""
        return []

    def save_memory(self, engine: Engine) -> None:  # noqa: B027 - a server has its own
        """Called before hours of small transactions, which need no large caches in this process."""

    @contextmanager
    def exclusive(self, engine: Engine) -> Iterator[None]:
        """Hold off other processes that change the schema. Nothing to do where a write transaction already does."""
        yield

    @abstractmethod
    def insert(
        self,
        connection: Connection,
        table: Table,
        columns: Sequence[str],
        rows: Iterable[tuple[Any, ...]],
        updates: dict[str, str] | None = None,
    ) -> int:
        """Insert tuples without the cost of Core's per-row dictionaries; returns how many rows were handed over.

        Values must already be what the driver takes (str, bytes, int, float, None).
        """

    def around_values(
        self, connection: Connection, table: Table, columns: Sequence[str], updates: dict[str, str] | None
    ) -> tuple[str, str]:
        """What stands before and behind the values of an INSERT."""
        names = ", ".join(connection.dialect.identifier_preparer.quote(column) for column in columns)
        tail = f" {self.upsert_clause(table, updates)}" if updates else ""
        return f"INSERT INTO {table.name} ({names}) VALUES ", tail
