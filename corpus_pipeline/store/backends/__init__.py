"""The kinds of database. To add one, write `<name>.py` and name it here; the conformance suite proves it."""

from __future__ import annotations

from corpus_pipeline.store.backends.base import GRANTS_STEP, Backend, Fault
from corpus_pipeline.store.backends.mysql import MySQLBackend
from corpus_pipeline.store.backends.postgres import PostgresBackend
from corpus_pipeline.store.backends.sqlite import SQLiteBackend

BACKENDS: dict[str, type[Backend]] = {
    "sqlite": SQLiteBackend,
    "mysql": MySQLBackend,
    "mariadb": MySQLBackend,
    "postgresql": PostgresBackend,
}


def backend_of(url: str) -> Backend:
    """The kind of the database at an address."""
    return BACKENDS[url.split(":", 1)[0].split("+", 1)[0]]()


__all__ = ["BACKENDS", "GRANTS_STEP", "Backend", "Fault", "backend_of"]
