"""The least privileges of database users, one for each kind of process, as GRANT statements for MySQL and MariaDB.

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
    again after an upgrade that adds some. None gives FILE, SUPER or GRANT OPTION.

    Raises UsageError for a database without users.
    """
    url = make_url(database_url)
    if url.get_backend_name() not in ("mysql", "mariadb") or not url.database:
        raise UsageError("SQLite has no users: whoever can write its file can do everything")
    user = f"'corpus_{role}'@'%'"
    # with `*` the name is a pattern, in which `_` and `%` stand for other letters; with a table it is none
    name, pattern = _quoted(url.database), _quoted(re.sub(r"[_%]", r"\\\g<0>", url.database))
    made = [f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY 'CHOOSE A PASSWORD' REQUIRE SSL;"]
    granted = (
        f"GRANT {what} ON {pattern if table == '*' else name}.{table} TO {user};" for what, table in _granted(role)
    )
    return [*made, *granted]


def _granted(role: DatabaseRole) -> Iterator[tuple[str, str]]:
    """(privileges, table)."""
    if role is DatabaseRole.MIGRATE:
        yield f"SELECT, {_WRITE}, CREATE, ALTER, DROP, INDEX, REFERENCES", "*"
    elif role is DatabaseRole.OPERATE:
        yield f"SELECT, {_WRITE}", "*"
    elif role is DatabaseRole.AUGMENT:
        yield "SELECT", "*"
        for name in sorted(set(metadata.tables) - _OF_OTHERS):
            yield ("INSERT" if name == "audit_log" else _WRITE), _quoted(name)
    else:
        yield "SELECT", "*"
        yield "INSERT", _quoted("audit_log")


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
