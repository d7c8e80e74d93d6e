"""MySQL and MariaDB through PyMySQL: for corpora that several machines and people share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.exc import DBAPIError

from corpus_pipeline.errors import StoreUnavailable
from corpus_pipeline.store.backends import certificates, mysql_access, mysql_tls, mysql_values, server_addresses
from corpus_pipeline.store.backends.base import KEPT, Backend, Fault

# the whole transaction is rolled back, or one statement of it is (1205): always roll back and redo the unit
_CONFLICTS = frozenset({1205, 1213, 1020, 1412, 3101, 3572})
_LOST = frozenset({0, 1053, 1152, 1158, 1159, 1160, 1161, 1927, 2002, 2003, 2006, 2013, 2014, 2055, 4031})
# all connections of the server, of the user at a time
_CROWDED = frozenset({1040, 1203, 1226})
_FULL = frozenset({3, 28, 1021, 1114, 1290, 1836, 1969, 3024})
# no access, no such name, NULL, too long, out of range, foreign key, check: their words are names of ours
_ABOUT_NAMES = frozenset(
    {
        1044,
        1045,
        1046,
        1048,
        1049,
        1050,
        1051,
        1054,
        1091,
        1142,
        1143,
        1146,
        1153,
        1227,
        1264,
        1364,
        1406,
        1451,
        1452,
        4025,
    }
)
# a worker that is frozen inside a transaction must not keep its rows locked for longer than this
_IDLE = "SET SESSION idle_write_transaction_timeout = 20"
_DUPLICATE_KEY = 1062
_SESSION = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',"
    " SESSION time_zone = '+00:00', SESSION innodb_lock_wait_timeout = 20"
)
# seconds; a URL may say others, as in mysql+pymysql://.../corpus?read_timeout=30
_TIMEOUTS = {"connect_timeout": 10, "read_timeout": 120, "write_timeout": 120}
_HEAD_BYTES = 2048  # of a statement around its values
_RAISE_PACKET = "SET GLOBAL max_allowed_packet = 67108864 and put it in the server's configuration"
_SMALLEST_PACKET = 32 * 1024 * 1024  # a record may be 16 MiB and grows when it is escaped


def _speaks_of_names(code: int) -> bool:
    # 2000 to 2999 are the driver's own: of the connection
    return 2000 <= code < 3000 or code in _ABOUT_NAMES | _CONFLICTS | _LOST | _CROWDED | _FULL


class MySQLBackend(Backend):
    """InnoDB, utf8mb4, strict mode, READ COMMITTED: control reads see what others committed."""

    name = "mysql"

    def create_engine(self, url: str, connections: int, idle_seconds: int) -> Engine:
        from pymysql.err import (  # with cryptography behind it: not for those who have no such server
            DatabaseError,
            OperationalError,
        )

        parsed = mysql_access.parsed(url)
        self._url = parsed
        seconds = {name: server_addresses.whole_seconds(parsed, name, default) for name, default in _TIMEOUTS.items()}
        engine = create_engine(
            mysql_tls.without_options(parsed.difference_update_query(_TIMEOUTS)),
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            pool_recycle=1800,
            pool_size=KEPT,
            max_overflow=connections - KEPT,
            pool_use_lifo=True,  # what is not needed stays idle until the server closes it
            hide_parameters=True,
            connect_args={
                "charset": "utf8mb4",
                "local_infile": False,
                # at once, before SQLAlchemy asks how names are quoted: a server in ANSI_QUOTES mode would be misread
                "init_command": f"{_SESSION}, SESSION wait_timeout = {idle_seconds}",
                **seconds,
                **mysql_tls.arguments(parsed),
            },
        )

        self.hide_values(engine)

        @event.listens_for(engine, "do_connect")
        def _connect(_dialect: Any, _record: Any, positional: Any, named: dict[str, Any]) -> Any:
            try:
                return mysql_values.connect(*positional, sock=mysql_tls.connected(parsed, named), **named)
            except OperationalError as error:
                refusal = mysql_access.refusal(parsed, error) or mysql_tls.refusal(parsed, error)
                if refusal is None:
                    raise
                raise refusal from None

        @event.listens_for(engine, "connect")
        def _configure(connection: Any, _record: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT @@max_allowed_packet")
                self._packet = int(cursor.fetchone()[0])
                with suppress(DatabaseError):  # MySQL has no such variable
                    cursor.execute(_IDLE)

        return engine

    def insert(
        self,
        connection: Connection,
        table: Table,
        columns: Sequence[str],
        rows: Iterable[tuple[Any, ...]],
        updates: dict[str, str] | None = None,
    ) -> int:
        """See the base class. All rows of a statement are one bound parameter, so that no error and no log of a statement has
        a value in it. The driver's own `executemany` takes several times as long: it looks at each value on its own."""
        batch = list(rows)
        head, tail = (part.replace("%", "%%") for part in self.around_values(connection, table, columns, updates))
        for values in mysql_values.batches(batch):
            self._check_size(values)
            connection.exec_driver_sql(f"{head}%s{tail}", (values,))
        return len(batch)

    def _check_size(self, values: mysql_values.Values) -> None:
        """Raises StoreUnavailable for a row that the server would not take: it would end the connection without a word."""
        if len(values) * 4 < self._packet or (size := len(values.encode()) + _HEAD_BYTES) < self._packet:
            return
        raise StoreUnavailable(
            f"a row of {size:,} bytes is longer than the {self._packet:,} that the database server takes;"
            f" {_RAISE_PACKET}, then run the same command again"
        )

    def without_values(self, error: BaseException) -> str:
        """See the base class. Of the server's errors those are quoted whose words are names and numbers; others quote the
        statement ("near ..."), a key ("Duplicate entry ...") or what a trigger says."""
        from pymysql.constants import CR, ER

        code = error.args[0] if error.args else None
        if not isinstance(code, int):
            return type(error).__name__
        names = {value: name for kind in (CR, ER) for name, value in vars(kind).items() if isinstance(value, int)}
        said = f": {error.args[1]}" if len(error.args) > 1 and _speaks_of_names(code) else ""
        return f"{code} {names.get(code, '')}".rstrip() + said

    def fault(self, error: DBAPIError) -> Fault:
        code = error.orig.args[0] if error.orig is not None and error.orig.args else None
        if code in _CONFLICTS:
            return Fault.CONFLICT
        if code == _DUPLICATE_KEY:
            return Fault.TAKEN
        if code in _CROWDED:
            return Fault.CROWDED
        if error.connection_invalidated or code in _LOST:
            return Fault.LOST
        if code in _FULL:
            return Fault.FULL
        if code in mysql_access.DENIED:
            return Fault.DENIED
        return Fault.WRONG

    def problems(self, connection: Connection) -> list[str]:
        def variable(name: str) -> str:
            row = connection.exec_driver_sql("SHOW VARIABLES LIKE %s", (name,)).first()
            return "" if row is None else str(row[1])

        found = []
        packet = int(variable("max_allowed_packet") or 0)
        if packet < _SMALLEST_PACKET:
            found.append(
                f"max_allowed_packet is {packet:,} bytes, so that long records cannot be stored; {_RAISE_PACKET}"
            )
        if variable("innodb_flush_log_at_trx_commit") != "1":
            found.append(
                "innodb_flush_log_at_trx_commit is not 1, so that a commit may be lost when the machine loses power;"
                " SET GLOBAL innodb_flush_log_at_trx_commit = 1 and put it in the server's configuration"
            )
        if variable("wsrep_on") == "ON":
            found.append("the server is part of a Galera cluster, whose commits may be refused late; use one primary")
        return found

    def damage(self, connection: Connection) -> list[str]:
        found = []
        for (table,) in connection.exec_driver_sql("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'").columns(0).all():
            quoted = f"`{table.replace('`', '``')}`"
            for name, _, kind, text in connection.exec_driver_sql(f"CHECK TABLE {quoted} EXTENDED"):
                if kind.lower() in ("error", "warning"):
                    found.append(f"{name}: {text}")
        return found

    def protection(self, connection: Connection) -> str:
        row = connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Ssl_version'").first()
        version = "" if row is None else str(row[1])
        if not version:
            return "not encrypted"
        driver = connection.connection.driver_connection
        shown = driver._sock.getpeercert(binary_form=True) if driver is not None else None
        return certificates.in_words(
            version,
            verified=server_addresses.tls_mode(self._url) == "verified",
            issuer=certificates.issuer_of(shown),
        )

    @contextmanager
    def exclusive(self, engine: Engine) -> Iterator[None]:
        with engine.connect() as connection:
            # it lies idle as long as the change takes, and is not given back to the pool
            connection.detach()
            connection.exec_driver_sql("SET SESSION wait_timeout = 604800")
            if connection.exec_driver_sql("SELECT GET_LOCK('corpus-schema', 60)").scalar() != 1:
                raise StoreUnavailable("another process is changing the schema; try again in a minute")
            try:
                yield
            finally:
                connection.exec_driver_sql("SELECT RELEASE_LOCK('corpus-schema')")

    def after_forgetting(self, engine: Engine) -> list[str]:
        with engine.connect() as connection:
            binary_log = connection.exec_driver_sql("SELECT @@log_bin").scalar_one()
        return ["the server's binary log has the texts as they were written: PURGE BINARY LOGS"] if binary_log else []

    def upsert_clause(self, table: Table, updates: dict[str, str]) -> str:
        assignments = ", ".join(
            f"{column} = {value.format(new=f'VALUES({column})', old=column)}" for column, value in updates.items()
        )
        return f"ON DUPLICATE KEY UPDATE {assignments}"
