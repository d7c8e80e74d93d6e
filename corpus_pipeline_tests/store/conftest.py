"""A store with its schema, on SQLite and on MariaDB: made once, because each test works on tasks of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from corpus_pipeline.store import Store, migrate
from corpus_pipeline_tests.conftest import DATABASES


@pytest.fixture(scope="session", params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'corpus.db'}"
    else:
        url = request.getfixturevalue("mariadb_server").fresh_database()
    found = Store(url)
    migrate.ensure(found)
    yield found
    found.close()


@pytest.fixture(scope="session")
def mariadb_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """For what only a server does."""
    found = Store(request.getfixturevalue("mariadb_server").fresh_database())
    migrate.ensure(found)
    yield found
    found.close()
