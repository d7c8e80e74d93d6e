"""A private PostgreSQL server: own folder, own port, never the machine's own service.

It keeps the defaults that hurt on purpose: a database of `fresh_database` compares text by the rules of a language where the
machine has one. What the package needs of its connections it must ask for itself.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString, cast
from urllib.parse import quote

import psycopg
from psycopg import Connection, sql

from corpus_pipeline_tests.servers.process import Server, ServerFailed, free_port

USER = "corpus"
PASSWORD = "p@ss/word%+:#"  # must be quoted in a URL
PREFIX = "test_"
_ROOT = os.geteuid() == 0
_OWNER = "nobody"  # as which root starts it: it refuses to run as root


@functools.cache
def programs() -> Path | None:
    """The folder of `initdb` and `postgres`; None where they are not installed. Debian keeps them out of PATH."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    found = (path for path in folders if all((path / name).is_file() for name in ("initdb", "postgres", "pg_dump")))
    return next(found, None)


def _open_folder() -> str | None:
    """A folder for temporary files that every user may enter; None: the default one, whoever may."""
    for name in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        if all(path.stat().st_mode & 0o001 for path in (Path(name), *Path(name).parents)):
            return name
    return None


def _as_owner(command: Sequence[str | Path]) -> list[str]:
    """The command without root's rights; said again there, because the signal at the parent's death goes with them."""
    if not _ROOT:
        return list(map(str, command))
    drop = ["setpriv", f"--reuid={_OWNER}", f"--regid={pwd.getpwnam(_OWNER).pw_gid}", "--clear-groups"]
    return [*drop, "--pdeathsig", "KILL", *map(str, command)]


class Postgres:
    """A server below `folder`. durable: committed means on disk; a crash of the server loses no commit in either case.

    options: further settings, e.g. {"max_connections": 60}; access: lines of pg_hba.conf instead of a password for everybody.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = False,
        options: Mapping[str, str | int] | None = None,
        access: Sequence[str] = (),
    ) -> None:
        found = programs()
        if found is None:
            raise ServerFailed("postgres is not installed")
        self.programs = found
        # as another user than the one whose folder it is, who may be kept out of it at any time
        self._own = tempfile.TemporaryDirectory(prefix="corpus-postgres-", dir=_open_folder()) if _ROOT else None
        self.folder = Path(self._own.name) if self._own else folder
        self.port = free_port()
        self.host = "127.0.0.1"
        self.access = access
        self._numbers = itertools.count(1)
        settings: dict[str, str | int] = {
            "listen_addresses": self.host,
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "on" if durable else "off",
            "full_page_writes": "on" if durable else "off",
            "synchronous_commit": "off",  # what we need we ask for
            "max_connections": 200,
            "shared_buffers": "128MB",
            "jit": "on",
            "autovacuum_naptime": "5s",
            **(options or {}),
        }
        self.server = Server(
            _as_owner(
                [
                    *(found / "postgres", "-D", self.data),
                    *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
                ]
            ),
            log=self.folder / "server.log",
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
            with self.administrator() as connection:
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(USER), sql.Literal(PASSWORD))
                )

    def stop(self) -> None:
        # SIGTERM would wait for its clients; SIGINT ends their connections
        if self.server.running:
            self.server.thaw()
            os.kill(self.server.pid, signal.SIGINT)
        self.server.stop()

    def kill9(self) -> None:
        """Ends the server as a crash does, with all of its processes. What was committed is there after `restart`."""
        pids = [self.server.pid, *_children(self.server.pid)]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.server.kill9()

    def restart(self) -> None:
        """Starts it again on the same port and the same data."""
        self.stop()
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self.server.start(self._answers)

    def freeze(self) -> None:
        for pid in (self.server.pid, *_children(self.server.pid)):
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in (self.server.pid, *_children(self.server.pid)):
            os.kill(pid, signal.SIGCONT)

    def __enter__(self) -> Postgres:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._own is not None:
            self._own.cleanup()

    # --- use ---

    def fresh_database(self) -> str:
        """The URL of a new, empty database that the unprivileged user owns."""
        name = f"{PREFIX}{next(self._numbers)}"
        with self.administrator() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(USER))
            )
        return self.url(name)

    def url(self, database: str, *, port: int | None = None) -> str:
        """The SQLAlchemy URL of a database; `port` puts a proxy in between."""
        address = f"{self.host}:{port or self.port}"
        return f"postgresql+psycopg://{USER}:{quote(PASSWORD, safe='')}@{address}/{database}"

    def drop_database(self, url: str) -> None:
        """Drops a database of `fresh_database`; sessions that use it are ended."""
        name = url.rsplit("/", 1)[1]
        if not name.startswith(PREFIX):
            raise ValueError(f"{name} is not a database of `fresh_database`")
        with self.administrator() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def administrator(self, database: str = "postgres") -> Iterator[Connection[Any]]:
        """A connection of the superuser, each statement a transaction of its own."""
        with psycopg.connect(
            host=self.host, port=self.port, user="postgres", password=PASSWORD, dbname=database, autocommit=True,
            connect_timeout=10,
        ) as connection:  # fmt: skip
            yield connection

    def run_as_administrator(self, url: str, statement: str) -> None:
        """Run a statement as the superuser in the database of a URL."""
        with self.administrator(url.rsplit("/", 1)[1]) as connection:
            connection.execute(cast(LiteralString, statement))

    # --- making it ---

    def _install(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(_fresh_data(self.programs), self.data, copy_function=shutil.copyfile)
        for path in (self.data, *self.data.rglob("*")):
            path.chmod(0o700 if path.is_dir() else 0o600)
        if self.access:
            (self.data / "pg_hba.conf").write_text("\n".join(self.access) + "\n")
        if _ROOT:
            own = pwd.getpwnam(_OWNER)
            for path in (self.folder, self.data, *self.data.rglob("*")):
                os.chown(path, own.pw_uid, own.pw_gid)

    def _answers(self) -> bool:
        try:
            with self.administrator():
                return True
        except psycopg.OperationalError:
            return False


@functools.cache
def _fresh_data(programs: Path) -> Path:
    """What `initdb` makes, once for all servers of this process."""
    kept = tempfile.TemporaryDirectory(prefix="corpus-postgres-", dir=_open_folder() if _ROOT else None)
    atexit.register(kept.cleanup)
    folder = Path(kept.name)
    secret = folder / "password"
    secret.write_text(PASSWORD)
    if _ROOT:
        own = pwd.getpwnam(_OWNER)
        for path in (folder, secret):
            os.chown(path, own.pw_uid, own.pw_gid)
    command = [programs / "initdb", "-D", folder / "data", "-U", "postgres", f"--pwfile={secret}", "--no-sync"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=icu", "--icu-locale=en-US"]
    result = subprocess.run(_as_owner(command), stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=folder)
    if result.returncode:
        raise ServerFailed(f"initdb failed:\n{result.stdout[-2000:]}\n{result.stderr[-2000:]}")
    return folder / "data"


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]
