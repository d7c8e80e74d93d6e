"""Fixtures that every test may use: databases, S3 servers, a home folder; and an environment without keys and proxies.

`database_url` runs a test on SQLite and on a real MariaDB, `every_database_url` on a real PostgreSQL, too.
CORPUS_TEST_WITHOUT_MARIADB=1 and CORPUS_TEST_WITHOUT_POSTGRES=1 leave them out, and the last lines of the run say so;
CORPUS_TEST_ALL_ON_POSTGRES=1 runs on PostgreSQL whatever runs on both of the others.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url

from corpus_pipeline.store import migrate
from corpus_pipeline_tests.prepared_schema import PreparedSchema
from corpus_pipeline_tests.servers import postgres, s3
from corpus_pipeline_tests.servers.mariadb import MariaDB, missing_programs
from corpus_pipeline_tests.servers.postgres import Postgres

WITHOUT_MARIADB = "CORPUS_TEST_WITHOUT_MARIADB"
WITHOUT_POSTGRES = "CORPUS_TEST_WITHOUT_POSTGRES"
WITHOUT_BROWSER = "CORPUS_TEST_WITHOUT_BROWSER"
ALL_ON_POSTGRES = "CORPUS_TEST_ALL_ON_POSTGRES"
AS_WORKER = "CORPUS_TEST_AS_WORKER"
OWN = (WITHOUT_MARIADB, WITHOUT_POSTGRES, WITHOUT_BROWSER, ALL_ON_POSTGRES, AS_WORKER, "CORPUS_TEST_ARTIFACTS")

settings.register_profile("local", deadline=None)
# the same examples on every run, so that a red build is red for everybody
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if os.environ.get("CI") else "local")


# --- the environment of the tests ---

FOREIGN = ("OPENAI_", "CORPUS_", "AWS_", "DAGSTER_", "HF_")
FOREIGN_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NO_COLOR", "FORCE_COLOR", "COLUMNS")


def clean_environment(home: Path) -> None:
    """Takes out of this process's environment what would make a test use a real key, account, proxy or home folder."""
    for name in list(os.environ):
        if name not in OWN and (name.startswith(FOREIGN) or name.upper() in FOREIGN_NAMES):
            del os.environ[name]
    os.environ.update(
        HOME=str(home),
        DAGSTER_DISABLE_TELEMETRY="yes",
        AWS_EC2_METADATA_DISABLED="true",
        HF_HUB_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
    )


def pytest_configure(config: pytest.Config) -> None:
    folder = tempfile.TemporaryDirectory(prefix="corpus-tests-home-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    clean_environment(Path(folder.name))


# Tracing every line costs half as much again as the tests. These repeat on many texts, faults or moments what other tests
# have run through; what they reach is not counted, so that the floor of `make test` is held by the others alone.
UNCOUNTED = (
    "torture/",
    "dagster/test_browser.py",
    "dagster/test_daemon.py",
    "dagster/test_launch.py",
    "dagster/test_one_truth.py",
    "dagster/test_stopping.py",
    "dagster/test_worker.py",
    "augment/answers/",
    "augment/engine/test_answer_spool.py",
    "augment/engine/test_budgets.py",
    "augment/engine/test_money_known.py",
    "augment/engine/test_provider_batches.py",
    "augment/engine/test_reconcile.py",
    "augment/engine/test_single_flight.py",
    "augment/engine/test_stopping.py",
    "clean/dedup/test_bad_input.py",
    "clean/dedup/test_labelled_pairs.py",
    "clean/refusals/",
    "clean/test_hostile_texts.py",
    "ingest/test_records.py",
    "jobs/test_carrying.py",
    "jobs/test_changes.py",
    "jobs/test_corpus_scope.py",
    "jobs/test_resume.py",
    "llm/test_fuzzed_bodies.py",
    "service/test_purge.py",
    "service/test_remove.py",
)


# So is what a test reaches with the first parameters only.
COUNTED_TIMES = 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    times = Counter[str]()
    for item in items:
        function = item.nodeid.partition("[")[0]
        times[function] += 1
        if times[function] > COUNTED_TIMES or item.path.relative_to(folder).as_posix().startswith(UNCOUNTED):
            item.add_marker("no_cover")


PREPARED = PreparedSchema()
migrate.upgrade = PREPARED.upgrade
# these make every table by the migrations
MIGRATING = ("store/", "servers/")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    own = item.path.relative_to(Path(__file__).parent).as_posix()
    PREPARED.is_on = not own.startswith(MIGRATING)
    return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for variable, mark in ((WITHOUT_MARIADB, "mariadb"), (WITHOUT_POSTGRES, "postgres")):
        if os.environ.get(variable) == "1":
            skipped = sum(mark in report.keywords for report in terminalreporter.stats.get("skipped", []))
            terminalreporter.section(f"NOT TESTED ON {mark.upper()}", sep="!", red=True, bold=True)
            terminalreporter.line(f"{variable}=1: {skipped} tests were left out. Unset it before you merge.")
    unread = [report for report in terminalreporter.stats.get("skipped", []) if "NOT READ BY" in str(report.longrepr)]
    if unread:
        terminalreporter.section("EXPORTS NOT READ BY THE TOOLS' OWN CODE", sep="!", yellow=True)
        terminalreporter.line(f"{len(unread)} tests were left out; test_real_readers.py says what to install.")


@pytest.fixture
def corpus_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """CORPUS_HOME for one test; the folder does not exist yet."""
    home = tmp_path / "corpus-home"
    monkeypatch.setenv("CORPUS_HOME", str(home))
    return home


# --- databases ---


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """The session's MariaDB. Tests that kill or stop a server make one of their own."""
    require_mariadb()
    with MariaDB(tmp_path_factory.mktemp("mariadb")) as server:
        yield server


def require_mariadb() -> None:
    """Fails when there is no MariaDB to start, and skips only when somebody said that this is accepted."""
    if os.environ.get(WITHOUT_MARIADB) == "1":
        pytest.skip(f"{WITHOUT_MARIADB}=1")
    if missing := missing_programs():
        install = "apt-get install --no-install-recommends mariadb-server-core mariadb-client-core"
        pytest.fail(f"{', '.join(missing)} not found: run `{install}`, or set {WITHOUT_MARIADB}=1", pytrace=False)


@pytest.fixture
def mariadb_url(mariadb_server: MariaDB) -> Iterator[str]:
    """The URL of a new, empty MariaDB database."""
    url = mariadb_server.fresh_database()
    yield url
    mariadb_server.drop_database(url)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The session's PostgreSQL. Tests that kill or stop a server make one of their own."""
    require_postgres()
    with Postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


def require_postgres() -> None:
    """As `require_mariadb`."""
    if os.environ.get(WITHOUT_POSTGRES) == "1":
        pytest.skip(f"{WITHOUT_POSTGRES}=1")
    if postgres.programs() is None:
        message = "PostgreSQL not found: run `python3 scripts/setup.py --test`"
        pytest.fail(f"{message}, or set {WITHOUT_POSTGRES}=1", pytrace=False)


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database."""
    url = postgres_server.fresh_database()
    yield url
    postgres_server.drop_database(url)


EVERY_DATABASE = [
    pytest.param("sqlite", marks=pytest.mark.sqlite),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
    pytest.param("postgres", marks=pytest.mark.postgres),
]
SERVERS = EVERY_DATABASE[1:]
# on PostgreSQL what the store itself does is tested, and a few whole runs; all that runs on both of the others when asked for
DATABASES = EVERY_DATABASE if os.environ.get(ALL_ON_POSTGRES) == "1" else EVERY_DATABASE[:2]


def fresh_database(request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of a new, empty database of the kind that a fixture's parameter names; for fixtures of a whole session."""
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'corpus.sqlite'}"
    url: str = request.getfixturevalue(f"{request.param}_server").fresh_database()
    return url


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new, empty database: each test runs once on SQLite and once on MariaDB; with CORPUS_TEST_AS_WORKER=1 there
    with no more rights than `corpus doctor --grants operate` gives, the tables made."""
    url = _fresh_for_a_test(request, tmp_path)
    if request.param == "sqlite" or os.environ.get(AS_WORKER) != "1":
        return url
    return as_worker(request.getfixturevalue(f"{request.param}_server"), url)


@pytest.fixture(params=EVERY_DATABASE)
def every_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """As `database_url`, and on PostgreSQL, too."""
    return _fresh_for_a_test(request, tmp_path)


@pytest.fixture(params=SERVERS)
def server_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new, empty database of each server."""
    return _fresh_for_a_test(request, tmp_path)


def as_worker(server: MariaDB | Postgres, owned: str, role: str = "operate") -> str:
    """The URL of a database of its owner for the user of a role, once the owner has made the tables."""
    from corpus_pipeline.store import Store, migrate
    from corpus_pipeline.store.grants import DatabaseRole, statements

    with closing(Store(owned)) as store:
        migrate.ensure(store)
    password = "a password of the tests"
    for statement in statements(owned, DatabaseRole(role)):
        server.run_as_administrator(
            owned, statement.replace("CHOOSE A PASSWORD", password).replace(" REQUIRE SSL", "").rstrip(";")
        )
    changed = make_url(owned).set(username=f"corpus_{role}", password=password)
    return changed.render_as_string(hide_password=False)


def _fresh_for_a_test(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'corpus.sqlite'}"
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


# --- object stores ---


@pytest.fixture(scope="session", params=[s3.rclone, s3.moto], ids=["rclone", "moto"])
def s3_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.S3]:
    """An S3-compatible server: each test runs on two implementations."""
    with request.param(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def s3_bucket(s3_server: s3.S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a new, empty bucket; the environment is set for writing to it."""
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    return s3_server.fresh_bucket()
