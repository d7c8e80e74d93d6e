"""Column types and SQL functions whose form differs between the databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, CursorResult, Integer, LargeBinary, Select, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.type_api import TypeEngine

_MYSQL = ("mysql", "mariadb")

# texts have no length limit of their own: a plain TEXT would end at 64 KiB in MySQL
LongText: TypeEngine[str] = Text().with_variant(mysql.LONGTEXT(), *_MYSQL)
LongBlob: TypeEngine[bytes] = LargeBinary().with_variant(mysql.LONGBLOB(), *_MYSQL)
Hash: TypeEngine[bytes] = LargeBinary(32).with_variant(mysql.VARBINARY(32), *_MYSQL)  # a sha256
Key = BigInteger().with_variant(Integer(), "sqlite")  # autoincrement needs INTEGER in SQLite
Moment = BigInteger  # milliseconds since 1970-01-01 UTC, by the clock of the database
Money = BigInteger  # nano-dollars; a price: micro-dollars per million tokens
Name = String(64)
HexHash = String(64)  # a sha256 as 64 hexadecimal digits

# every table: InnoDB, and text compared byte by byte, so that 'a', 'A' and 'á' stay three keys
TABLE_OPTIONS: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in _MYSQL
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}


class now_ms(FunctionElement[int]):  # noqa: N801 - it reads as the SQL function that it is
    """The time of the database in milliseconds since 1970-01-01 UTC."""

    type = BigInteger()
    inherit_cache = True


@compiles(now_ms, "sqlite")
def _now_sqlite(element: ColumnElement[Any], compiler: Any, **kw: Any) -> str:
    return "(CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))"


@compiles(now_ms, "postgresql")
def _now_postgresql(element: ColumnElement[Any], compiler: Any, **kw: Any) -> str:
    # of the statement, not of the transaction's begin
    return "(CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000 AS BIGINT))"


@compiles(now_ms, "mysql")
@compiles(now_ms, "mariadb")
def _now_mysql(element: ColumnElement[Any], compiler: Any, **kw: Any) -> str:
    return "(CAST(UNIX_TIMESTAMP(CURRENT_TIMESTAMP(3)) * 1000 AS SIGNED))"


def inserted_id(result: CursorResult[Any]) -> int:
    """The id that the database gave to the row of a single INSERT."""
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def tuples(connection: Connection, query: Select) -> Sequence[tuple[Any, ...]]:
    """The rows of a query as plain tuples: whole pages of rows without an object and a conversion for each.

    Only for columns that the drivers give as they are: numbers, texts and bytes; a Boolean comes as 0 or 1, or
    as False or True.
    """
    result = connection.execute(query)
    try:
        return result.cursor.fetchall()
    finally:
        result.close()
