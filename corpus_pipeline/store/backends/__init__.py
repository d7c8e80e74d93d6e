"""The kinds of database. To add one, write `<name>.py` and name it here; the conformance suite proves it."""

from __future__ import annotations

import importlib

from corpus_pipeline.store.backends.base import GRANTS_STEP, Backend, Fault

# imported when it is asked for: each brings SQLAlchemy's dialect, and a command needs one of them
_PLACES = {
    "sqlite": ("sqlite", "SQLiteBackend"),
    "mysql": ("mysql", "MySQLBackend"),
    "mariadb": ("mysql", "MySQLBackend"),
    "postgresql": ("postgres", "PostgresBackend"),
}


def backend_of(url: str) -> Backend:
    """The kind of the database at an address."""
    module, name = _PLACES[url.split(":", 1)[0].split("+", 1)[0]]
    kind: type[Backend] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return kind()


__all__ = ["GRANTS_STEP", "Backend", "Fault", "backend_of"]
