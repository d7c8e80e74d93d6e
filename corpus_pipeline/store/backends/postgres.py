"""PostgreSQL through psycopg: for corpora that several machines and people share."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Connection, Engine, String, Table, create_engine, event
from sqlalchemy.dialects.postgresql.base import PGDDLCompiler
from sqlalchemy.exc import DBAPIError

from corpus_pipeline.errors import StoreUnavailable, UsageError
from corpus_pipeline.store.backends import certificates, postgres_access, postgres_values
from corpus_pipeline.store.backends.base import KEPT, Backend, Fault
from corpus_pipeline.store.backends.server_addresses import checked

# SQLSTATEs, or the two letters of their class
_CONFLICTS = frozenset({"40", "55P03", "55006"})
_TAKEN = "23505"
_LOST = frozenset({"08", "57P01", "57P02", "57P03", "57P05", "25P03"})
_CROWDED = "53300"
# a refused connection has no SQLSTATE: the server's words, which another language of its messages hides
_CROWDED_WORDS = re.compile(r"too many clients|too many connections|remaining connection slots")
_FULL = frozenset({"53100", "53200", "53400", "58", "25006", "XX001", "XX002"})
_DENIED = "42501"
# their words are names of ours and numbers; the others may quote a value or the statement
_ABOUT_NAMES = frozenset(
    {"08", "22001", "23", "25", "28", "3D", "40", "42501", "42703", "42704", "42P01", "53", "55", "57", "58"}
)
_SESSION = {
    "TimeZone": "UTC",
    "lock_timeout": "20s",
    # a worker that is frozen inside a transaction must not keep its rows locked for longer than this
    "idle_in_transaction_session_timeout": "20s",
    "synchronous_commit": "on",
    "bytea_output": "hex",
    "client_min_messages": "warning",
    "jit": "off",  # it plans short statements for longer than they run
}
_OLDEST = 12
_IDLE_SINCE = 14  # the server's version from which it closes a connection that lies idle
_COPY_FROM = 4  # rows from which COPY, with one more way to the server and back, is the faster one
_COPY = "COPY "
_LOCK = "hashtext('corpus-schema')"
_MAX_DAMAGE = 100  # faults that are listed


def _is_among(sqlstate: str, known: frozenset[str]) -> bool:
    return sqlstate in known or sqlstate[:2] in known


def _at_checked_addresses(named: dict[str, Any]) -> dict[str, str]:
    """Where libpq connects, so that it does not look the name up itself; nothing for a socket in the file system."""
    host = str(named.get("host") or "")
    if not host or host.startswith(("/", "@")) or "," in host or "hostaddr" in named:
        return {}
    try:
        addresses = checked(host, int(named.get("port") or 5432))
    except OSError:  # it does not resolve: libpq says so in its words
        return {}
    # one host for each address, tried in this order; the certificate must have the name
    return {"host": ",".join([host] * len(addresses)), "hostaddr": ",".join(addresses)}


class _ByteByByte(PGDDLCompiler):
    """Texts are compared byte by byte, whatever the collation of the database: 'a', 'A' and 'á' stay three keys, and are in
    the order of every other database."""

    def get_column_specification(self, column: Column, **kwargs: Any) -> str:
        found = str(super().get_column_specification(column, **kwargs))  # type: ignore[no-untyped-call]
        of_text = isinstance(column.type, String) and not column.type.collation
        return f'{found} COLLATE "C"' if of_text else found


class PostgresBackend(Backend):
    """UTF-8, READ COMMITTED: control reads see what others committed."""

    name = "postgresql"

    def create_engine(self, url: str, connections: int, idle_seconds: int) -> Engine:
        try:
            from psycopg import OperationalError  # an extra: not for those who have no such server
        except ImportError:
            raise UsageError("PostgreSQL needs the extra [postgres]: pip install 'corpus-pipeline[postgres]'") from None
        parsed = postgres_access.parsed(url)
        self._url = parsed
        named = postgres_access.arguments(parsed)
        driver = postgres_values.connection_class(postgres_access.whole_seconds(parsed, "read_timeout"))
        engine = create_engine(
            parsed.set(query={}),
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            pool_recycle=1800,
            pool_size=KEPT,
            max_overflow=connections - KEPT,
            pool_use_lifo=True,  # what is not needed stays idle until the server closes it
            hide_parameters=True,
            use_native_hstore=False,
            connect_args=named,
        )
        engine.dialect.ddl_compiler = _ByteByByte
        postgres_values.register(engine.dialect._psycopg_adapters_map)  # type: ignore[attr-defined]
        self.hide_values(engine)

        @event.listens_for(engine, "do_connect")
        def _connect(_dialect: Any, _record: Any, positional: Any, named: dict[str, Any]) -> Any:
            try:
                return driver.connect(*positional, **named | _at_checked_addresses(named))
            except OperationalError as error:
                refusal = postgres_access.refusal(parsed, error)
                if refusal is None:
                    raise
                raise refusal from None

        @event.listens_for(engine, "connect")
        def _configure(connection: Any, _record: Any) -> None:
            settings = dict(_SESSION)
            if connection.info.server_version >= _IDLE_SINCE * 10_000:
                settings["idle_session_timeout"] = f"{idle_seconds}s"
            pairs = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())
            connection.execute(f"SELECT {pairs}")
            connection.commit()

        @event.listens_for(engine, "do_execute")
        def _copy(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
            if not statement.startswith(_COPY):
                return False
            postgres_values.copy(cursor, statement, *parameters)
            return True

        return engine

    def insert(
        self,
        connection: Connection,
        table: Table,
        columns: Sequence[str],
        rows: Iterable[tuple[Any, ...]],
        updates: dict[str, str] | None = None,
    ) -> int:
        """See the base class. All rows of a COPY are one bound parameter, so that no error and no log of a statement has a
        value in it."""
        batch = list(rows)
        if not batch:
            return 0
        if updates is None and len(batch) >= _COPY_FROM:
            names = ", ".join(connection.dialect.identifier_preparer.quote(column) for column in columns)
            statement = f"{_COPY}{table.name} ({names}) FROM STDIN (FORMAT BINARY)"
            connection.exec_driver_sql(statement, (postgres_values.Rows(table, columns, batch),))
            return len(batch)
        head, tail = (part.replace("%", "%%") for part in self.around_values(connection, table, columns, updates))
        marks = ", ".join(["%s"] * len(columns))
        connection.exec_driver_sql(f"{head}({marks}){tail}", postgres_values.converted(table, columns, batch))
        return len(batch)

    def without_values(self, error: BaseException) -> str:
        """See the base class. Of the server's errors those are quoted whose words are names and numbers, without their details;
        others quote a value or the statement ("at or near ..."), or what a trigger says."""
        sqlstate = getattr(error, "sqlstate", None)
        if sqlstate is None:
            # of the connection: libpq's own words, or the server's before a login
            own = type(error).__name__ in ("OperationalError", "ConnectionTimeout")
            return re.sub(r"\s+", " ", str(error)).strip() if own else type(error).__name__
        name = f"{sqlstate} {type(error).__name__}"
        said = getattr(error, "diag", None) and error.diag.message_primary  # type: ignore[attr-defined]
        return f"{name}: {said}" if said and _is_among(sqlstate, _ABOUT_NAMES) else name

    def fault(self, error: DBAPIError) -> Fault:
        sqlstate = getattr(error.orig, "sqlstate", None) or ""
        if sqlstate == _TAKEN:
            return Fault.TAKEN
        if sqlstate == _CROWDED or (not sqlstate and _CROWDED_WORDS.search(str(error.orig))):
            return Fault.CROWDED
        if error.connection_invalidated or _is_among(sqlstate, _LOST):
            return Fault.LOST
        if not sqlstate and type(error.orig).__name__ in ("OperationalError", "ConnectionTimeout"):
            return Fault.LOST
        if _is_among(sqlstate, _CONFLICTS):
            return Fault.CONFLICT
        if _is_among(sqlstate, _FULL):
            return Fault.FULL
        return Fault.DENIED if sqlstate == _DENIED else Fault.WRONG

    def problems(self, connection: Connection) -> list[str]:
        def variable(name: str) -> str:
            return str(connection.exec_driver_sql("SELECT current_setting(%s)", (name,)).scalar())

        found = []
        if int(variable("server_version_num")) < _OLDEST * 10_000:
            found.append(f"the server is PostgreSQL {variable('server_version')}; use {_OLDEST} or newer")
        if variable("server_encoding") != "UTF8":
            found.append(
                f"the database keeps texts as {variable('server_encoding')}, which cannot hold every text;"
                " make one with ENCODING 'UTF8' TEMPLATE template0"
            )
        for name in ("fsync", "full_page_writes"):
            if variable(name) != "on":
                found.append(
                    f"{name} is off, so that a commit may be lost when the machine loses power; ALTER SYSTEM SET {name} = on"
                )
        if connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar():
            found.append("the server is a standby, which takes no changes; name the primary in CORPUS_DATABASE_URL")
        return found

    def damage(self, connection: Connection) -> list[str]:
        found = list[str]()
        tables = connection.exec_driver_sql(
            "SELECT c.oid, quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'r' AND n.nspname = current_schema() ORDER BY c.relname"
        ).all()
        checks = bool(connection.exec_driver_sql("SELECT 1 FROM pg_extension WHERE extname = 'amcheck'").scalar())
        for oid, table in tables:
            # every page, and every text that lies beside its row, is read and taken apart
            questions = [(table, f"SELECT count(hashtext(t::text)) FROM {table} t")]
            if checks:
                indexes = connection.exec_driver_sql(
                    "SELECT i.indexrelid, i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                    " JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND i.indrelid = %s",
                    (oid,),
                )
                questions += [(name, f"SELECT bt_index_check({number}, true)") for number, name in indexes]
            for name, question in questions:
                try:
                    with connection.begin_nested():
                        connection.exec_driver_sql(question)
                except DBAPIError as error:
                    if self.fault(error) in (Fault.LOST, Fault.DENIED):
                        raise
                    found.append(f"{name}: {self.without_values(error.orig or error)}")
        return found[:_MAX_DAMAGE]

    def protection(self, connection: Connection) -> str:
        row = connection.exec_driver_sql("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").first()
        if row is None or not row[0]:
            return "not encrypted"
        shown = certificates.of_postgres(self._url.host or "", self._url.port or 5432)
        return certificates.in_words(
            str(row[1]),
            verified=postgres_access.tls_mode(self._url) == "verified",
            issuer=certificates.issuer_of(shown),
        )

    @contextmanager
    def exclusive(self, engine: Engine) -> Iterator[None]:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # it lies idle as long as the change takes, and is not given back to the pool
            connection.detach()
            if (engine.dialect.server_version_info or ()) >= (_IDLE_SINCE,):
                connection.exec_driver_sql("SET idle_session_timeout = 0")
            deadline = time.monotonic() + 60
            while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({_LOCK})").scalar():
                if time.monotonic() > deadline:
                    raise StoreUnavailable("another process is changing the schema; try again in a minute")
                time.sleep(0.1)
            try:
                yield
            finally:
                connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_LOCK})")

    def after_forgetting(self, engine: Engine) -> list[str]:
        return [
            "the server keeps removed rows in its files until they are written anew: VACUUM FULL; archived WAL has them, too"
        ]

    def upsert_clause(self, table: Table, updates: dict[str, str]) -> str:
        keys = ", ".join(column.name for column in table.primary_key)
        assignments = ", ".join(
            f"{column} = {value.format(new=f'excluded.{column}', old=f'{table.name}.{column}')}"
            for column, value in updates.items()
        )
        return f"ON CONFLICT ({keys}) DO UPDATE SET {assignments}"
