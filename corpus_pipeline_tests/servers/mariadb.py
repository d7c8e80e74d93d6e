"""A private MariaDB server: own folder, own port, no configuration file, never the machine's own service.

It keeps the defaults that hurt on purpose: latin1 as character set and REPEATABLE READ as isolation level. What the
package needs of its connections it must ask for itself.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pymysql
from pymysql.connections import Connection

from corpus_pipeline_tests.servers.process import Server, ServerFailed, free_port

USER = "corpus"
# a password that must be quoted in a URL, so that tests pass through the quoting
PASSWORD = "p@ss/word%+:#"
PREFIX = "test_"

# as root, the server must be told that this is meant; as another user, the option is only a warning
_AS_ROOT = [f"--user={pwd.getpwuid(0).pw_name}"] if os.geteuid() == 0 else []
_SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def missing_programs() -> list[str]:
    """The programs of a MariaDB server that this machine lacks; empty when one can be started."""
    return [name for name in ("mariadbd", "mariadb-install-db") if shutil.which(name, path=_SEARCH) is None]


class MariaDB:
    """A server below `folder`.

    durable: innodb_flush_log_at_trx_commit=1 (committed means on disk); otherwise a crash of the machine may lose a
      second of commits. A crash of the server (`kill9`) loses no commit in either case.
    options: further server variables, e.g. {"innodb_snapshot_isolation": "ON", "tx_isolation": "READ-COMMITTED"}.
    """

    def __init__(self, folder: Path, *, durable: bool = False, options: Mapping[str, str | int] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.host = "127.0.0.1"
        self._numbers = itertools.count(1)
        variables: dict[str, str | int] = {
            "innodb_flush_log_at_trx_commit": 1 if durable else 2,
            "max_allowed_packet": "64M",
            "character_set_server": "latin1",
            "innodb_buffer_pool_size": "128M",
            "innodb_log_file_size": "48M",
            "max_connections": 200,
            "skip_name_resolve": "ON",
            "performance_schema": "OFF",
            **(options or {}),
        }
        mariadbd = shutil.which("mariadbd", path=_SEARCH)
        if mariadbd is None:
            raise ServerFailed("mariadbd is not installed")
        self.server = Server(
            [
                *(mariadbd, "--no-defaults", f"--datadir={self.data}", *_AS_ROOT),
                *(f"--bind-address={self.host}", f"--port={self.port}", f"--pid-file={folder / 'pid'}"),
                # the socket's path may have 107 bytes only: a relative one lies in the data folder
                *("--socket=socket", f"--tmpdir={folder}", "--skip-log-bin"),
                *(f"--{name.replace('_', '-')}={value}" for name, value in variables.items()),
            ],
            log=folder / "server.log",
        )

    @property
    def data(self) -> Path:
        return self.folder / "data"

    # --- life ---

    def start(self) -> None:
        """Makes the data folder when there is none, starts the server and waits until it answers."""
        fresh = not self.data.exists()
        if fresh:
            self._install()
        self.server.start(self._answers)
        if fresh:
            self._create_user()

    def stop(self) -> None:
        self.server.stop()

    def kill9(self) -> None:
        """Ends the server as a crash does. What was committed is there after `restart`."""
        self.server.kill9()

    def restart(self) -> None:
        """Starts it again on the same port and the same data."""
        self.server.stop()
        self.server.start(self._answers)

    def freeze(self) -> None:
        self.server.freeze()

    def thaw(self) -> None:
        self.server.thaw()

    def __enter__(self) -> MariaDB:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- use ---

    def fresh_database(self) -> str:
        """The URL of a new, empty database of the unprivileged user, in the server's default character set."""
        name = f"{PREFIX}{next(self._numbers)}"
        with self.administrator() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{name}`")
        return self.url(name)

    def url(self, database: str, *, port: int | None = None) -> str:
        """The SQLAlchemy URL of a database; `port` puts a proxy in between."""
        address = f"{self.host}:{port or self.port}"
        return f"mysql+pymysql://{USER}:{quote(PASSWORD, safe='')}@{address}/{database}"

    def drop_database(self, url: str) -> None:
        """Drops a database of `fresh_database`, also when sessions still hold locks on its tables: they are ended."""
        name = url.rsplit("/", 1)[1]
        if not name.startswith(PREFIX):
            raise ValueError(f"{name} is not a database of `fresh_database`")
        with self.administrator() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (name,))
            for (identifier,) in cursor.fetchall():
                # the session may have ended meanwhile
                try:
                    cursor.execute(f"KILL {int(identifier)}")
                except pymysql.err.OperationalError as error:
                    if error.args[0] != pymysql.constants.ER.NO_SUCH_THREAD:
                        raise
            cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")

    @contextmanager
    def administrator(self) -> Iterator[Connection[Any]]:
        """A connection of root, for KILL, SET GLOBAL and the like."""
        connection = pymysql.connect(host=self.host, port=self.port, user="root", autocommit=True)
        try:
            yield connection
        finally:
            connection.close()

    def run_as_administrator(self, url: str, statement: str) -> None:
        """Run a statement as root in the database of a URL."""
        with self.administrator() as connection, connection.cursor() as cursor:
            cursor.execute(f"USE `{url.rsplit('/', 1)[1]}`")
            cursor.execute(statement)

    # --- making it ---

    def _install(self) -> None:
        program = shutil.which("mariadb-install-db", path=_SEARCH)
        if program is None:
            raise ServerFailed("mariadb-install-db is not installed")
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [program, "--no-defaults", f"--datadir={self.data}", *_AS_ROOT]
        command += ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if result.returncode:
            raise ServerFailed(f"{program} failed:\n{result.stdout[-2000:]}\n{result.stderr[-2000:]}")

    def _answers(self) -> bool:
        try:
            with self.administrator():
                return True
        except pymysql.err.OperationalError:
            return False

    def _create_user(self) -> None:
        with self.administrator() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE USER %s@'127.0.0.1' IDENTIFIED BY %s", (USER, PASSWORD))
            # `_` and `%` are wildcards here, `%%` is a `%` that pymysql does not read
            cursor.execute(r"GRANT ALL ON `test\_%%`.* TO %s@'127.0.0.1'", (USER,))
