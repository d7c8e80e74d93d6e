"""Fixtures that every test may use: databases, S3 servers, a home folder; and an environment without keys and proxies.

`database_url` runs a test on SQLite and on a real MariaDB. CORPUS_TEST_WITHOUT_MARIADB=1 leaves the second out, and the
last lines of the run say so.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from corpus_pipeline_tests.servers import s3
from corpus_pipeline_tests.servers.mariadb import MariaDB, missing_programs

WITHOUT_MARIADB = "CORPUS_TEST_WITHOUT_MARIADB"
WITHOUT_BROWSER = "CORPUS_TEST_WITHOUT_BROWSER"
OWN = (WITHOUT_MARIADB, WITHOUT_BROWSER, "CORPUS_TEST_ARTIFACTS")

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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.environ.get(WITHOUT_MARIADB) == "1":
        skipped = sum("mariadb" in report.keywords for report in terminalreporter.stats.get("skipped", []))
        terminalreporter.section("NOT TESTED ON MARIADB", sep="!", red=True, bold=True)
        terminalreporter.line(f"{WITHOUT_MARIADB}=1: {skipped} tests were left out. Unset it before you merge.")
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


DATABASES = [pytest.param("sqlite", marks=pytest.mark.sqlite), pytest.param("mariadb", marks=pytest.mark.mariadb)]


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new, empty database: each test runs once on SQLite and once on MariaDB."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'corpus.sqlite'}"
    url: str = request.getfixturevalue("mariadb_url")
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
