"""The least privileges of database users, one for each kind of process, as GRANT statements for PostgreSQL, MySQL and
MariaDB.

What came in and how it was judged is out of reach of a process that talks to models: it adds answers and new rows, never a
source row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from sqlalchemy import make_url

from corpus_pipeline.errors import UsageError
from corpus_pipeline.store.schema import metadata


class DatabaseRole(StrEnum):
    """A kind of process with a database user of its own."""

    MIGRATE = "migrate"  # corpus upgrade
    OPERATE = "operate"  # every command, `corpus ui`, runs of all stages
    AUGMENT = "augment"  # runs of the augment stage alone
    VIEW = "view"  # the row browser for readers: `corpus serve --read-only`, status, rows, show


# what the augment stage reads and never writes
_OF_OTHERS: Final = frozenset(
    {
        "recipes", "dataset_files", "conversations", "turns", "rejects", "purged_rows", "kept_rows", "cleaned_rows",
        "cleaned_turns", "duplicates", "exports", "export_chunks", "review_verdicts", "start_requests",
    }
)  # fmt: skip
_WRITE = "INSERT, UPDATE, DELETE"


def statements(database_url: str, role: DatabaseRole) -> list[str]:
    """The statements that make the user of a role, for an administrator to run, once the migrating user has made the tables and
    again after an upgrade that adds some. None gives FILE, SUPER, a role of the server or GRANT OPTION.

    Raises UsageError for a database without users.
    """
    url = make_url(database_url)
    kind = url.get_backend_name()
    if kind not in ("mysql", "mariadb", "postgresql") or not url.database:
        raise UsageError("SQLite has no users: whoever can write its file can do everything")
    return _of_postgres(url.database, role) if kind == "postgresql" else _of_mysql(url.database, role)


def _of_mysql(database: str, role: DatabaseRole) -> list[str]:
    user = f"'corpus_{role}'@'%'"
    # with `*` the name is a pattern, in which `_` and `%` stand for other letters; with a table it is none
    name, pattern = _quoted(database), _quoted(re.sub(r"[_%]", r"\\\g<0>", database))
    made = [f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY 'CHOOSE A PASSWORD' REQUIRE SSL;"]
    for what, table in _granted(role, f"SELECT, {_WRITE}, CREATE, ALTER, DROP, INDEX, REFERENCES"):
        on = f"{pattern}.*" if table == "*" else f"{name}.{_quoted(table)}"
        made.append(f"GRANT {what} ON {on} TO {user};")
    return made


def _of_postgres(database: str, role: DatabaseRole) -> list[str]:
    """To be run in the database itself. Tables and sequences belong to the user who made them, the migrating one."""
    user, name = f"corpus_{role}", '"' + database.replace('"', '""') + '"'
    made = [
        f"DO $$ BEGIN CREATE ROLE {user} LOGIN PASSWORD 'CHOOSE A PASSWORD';"
        " EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
        f"GRANT CONNECT ON DATABASE {name} TO {user};",
        f"GRANT USAGE{', CREATE' if role is DatabaseRole.MIGRATE else ''} ON SCHEMA public TO {user};",
    ]
    if role is DatabaseRole.MIGRATE:
        return made
    for what, table in _granted(role, ""):
        on = "ALL TABLES IN SCHEMA public" if table == "*" else f"public.{table}"
        made.append(f"GRANT {what} ON {on} TO {user};")
    return [*made, f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {user};"]


def _granted(role: DatabaseRole, to_migrate: str) -> Iterator[tuple[str, str]]:
    """(privileges, table; `*` for all)."""
    if role is DatabaseRole.MIGRATE:
        yield to_migrate, "*"
    elif role is DatabaseRole.OPERATE:
        yield f"SELECT, {_WRITE}", "*"
    elif role is DatabaseRole.AUGMENT:
        yield "SELECT", "*"
        for name in sorted(set(metadata.tables) - _OF_OTHERS):
            yield ("INSERT" if name == "audit_log" else _WRITE), name
    else:
        yield "SELECT", "*"
        yield "INSERT", "audit_log"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
