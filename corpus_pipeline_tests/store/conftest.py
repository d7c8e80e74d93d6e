"""A store with its schema, on each database: made once, because each test works on tasks of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from corpus_pipeline.store import Store, migrate
from corpus_pipeline_tests.conftest import EVERY_DATABASE, SERVERS, fresh_database


@pytest.fixture(scope="session", params=EVERY_DATABASE)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    found = Store(fresh_database(request, tmp_path_factory.mktemp("store")))
    migrate.ensure(found)
    yield found
    found.close()


@pytest.fixture(scope="session", params=SERVERS)
def server_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """For what only a server does."""
    found = Store(fresh_database(request, tmp_path_factory.mktemp("store")))
    migrate.ensure(found)
    yield found
    found.close()


@pytest.fixture(scope="session")
def mariadb_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """For what only this server does."""
    found = Store(request.getfixturevalue("mariadb_server").fresh_database())
    migrate.ensure(found)
    yield found
    found.close()


@pytest.fixture(scope="session")
def postgres_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """For what only this server does."""
    found = Store(request.getfixturevalue("postgres_server").fresh_database())
    migrate.ensure(found)
    yield found
    found.close()
