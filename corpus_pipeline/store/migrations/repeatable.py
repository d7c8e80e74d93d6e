"""Changes of the schema that can be run again after the process that ran them was killed half-way.

SQLite and PostgreSQL take a change back as a whole. MySQL and MariaDB end the transaction with every CREATE and ALTER: what
was made stays, and the version that is written behind a script does not. There, what a script asks for and is there already
is passed over. Rows are changed behind the last ALTER of a script, in one transaction with its version, so that they are
changed once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, Inspector, inspect

from corpus_pipeline import failpoints

_STEPS = (
    "create_table",
    "add_column",
    "create_index",
    "drop_constraint",
    "add_constraint",
    "drop_column",
    "drop_table",
)


def make_repeatable(context: MigrationContext) -> None:
    """Wrap the steps of a migration: each is a point at which a test may end the process, and none is done twice."""
    connection = context.connection
    assert connection is not None
    impl = context.impl
    for name in _STEPS:
        setattr(impl, name, _wrapped(connection, name, getattr(impl, name)))


def _wrapped(connection: Connection, name: str, step: Callable[..., None]) -> Callable[..., None]:
    keeps_halves = connection.dialect.name in ("mysql", "mariadb")

    def run(*given: Any, **named: Any) -> None:
        failpoints.point(f"migration: {name}")
        if not (keeps_halves and _is_done(inspect(connection), name, *given)):
            step(*given, **named)

    return run


def _is_done(there: Inspector, name: str, what: Any, column: Any = None) -> bool:
    """Whether a step has nothing left to do. A kind of step that is not known here is always done."""
    if name == "create_table":
        return there.has_table(what.name)
    if name == "drop_table":
        return not there.has_table(what.name)
    if name == "add_column":
        return column.name in _columns(there, what)
    if name == "drop_column":
        return column.name not in _columns(there, what)
    if name == "create_index":
        return what.name in {index["name"] for index in there.get_indexes(what.table.name)}
    if isinstance(what, CheckConstraint):
        is_there = what.name in {check["name"] for check in there.get_check_constraints(what.table.name)}
        return is_there == (name == "add_constraint")
    return False


def _columns(there: Inspector, table: str) -> set[str]:
    return {found["name"] for found in there.get_columns(table)}
