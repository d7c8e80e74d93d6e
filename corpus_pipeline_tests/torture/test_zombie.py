"""Frozen inside a transaction on a server: the server ends it, and another worker goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from sqlalchemy import text, update

from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage
from corpus_pipeline.store import cursors, invariants, schema
from corpus_pipeline_tests.conftest import SERVERS
from corpus_pipeline_tests.servers.mariadb import MariaDB
from corpus_pipeline_tests.servers.postgres import Postgres
from corpus_pipeline_tests.torture import small
from corpus_pipeline_tests.torture.workshop import Order, Workshop


def _end_what_writes(server: MariaDB | Postgres) -> None:
    """What the server does by itself after 20 s in which a transaction lies idle."""
    if isinstance(server, Postgres):
        with server.administrator() as root:
            found = root.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE state = 'idle in transaction' AND backend_xid IS NOT NULL"
            ).fetchall()
        assert found == [(True,)]
        return
    with server.administrator() as root, root.cursor() as cursor:
        cursor.execute("SELECT trx_mysql_thread_id FROM information_schema.innodb_trx")
        (connection,) = {row[0] for row in cursor.fetchall()}
        cursor.execute(f"KILL {connection}")


@pytest.mark.parametrize("kind", SERVERS)
def test_a_transaction_of_a_frozen_worker_does_not_keep_others_out(
    kind: str, quick_folder: Path, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(f"{kind}_server")
    url = server.fresh_database()
    env = {"CORPUS_HOME": str(quick_folder / "home"), "CORPUS_DATABASE_URL": url, "CORPUS_LEASE_SECONDS": "60"}
    sources = small.write_files(quick_folder / "sources")
    with Corpus.open(Settings.from_env(env)) as corpus, Workshop() as shop:
        corpus.add(sources[0], recipe=str(small.write_recipe(quick_folder)))
        at, result = "before commit: ingest write_batch#2", str(quick_folder / "result")
        order = Order(env, ("birds",), ("ingest",), at=at, how="stop", result=result)
        zombie = shop.start(order)
        assert shop.wait(zombie, order) is None
        _end_what_writes(server)
        corpus.store.write(lambda c: c.execute(update(schema.leases).values(expires_at=1)))
        corpus.run_stage("birds", Stage.INGEST)
        os.kill(zombie, signal.SIGCONT)
        done = shop.wait(zombie, order)
        assert done is not None and done.said == [["birds", "ingest", "Fenced"]]
        assert corpus.store.fetch(invariants.violations) == []
        (file,) = corpus.files(["birds"])
        (cursor_row,) = corpus.store.fetch(
            cursors.stage_cursors, corpus.work("birds", Stage.INGEST).task.id, Stage.INGEST
        )
        assert (file.lines, cursor_row.current_offset) == (7, 7)


def test_the_server_ends_transactions_of_frozen_workers(server_url: str) -> None:
    from corpus_pipeline.store import Store

    store = Store(server_url)
    asked = (
        "SELECT EXTRACT(EPOCH FROM current_setting('idle_in_transaction_session_timeout')::interval)"
        if store.backend.name == "postgresql"
        else "SELECT @@idle_write_transaction_timeout"
    )
    assert 0 < store.fetch(lambda c: c.execute(text(asked)).scalar()) <= 30
    store.close()
