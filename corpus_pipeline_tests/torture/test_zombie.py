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
from corpus_pipeline_tests.servers.mariadb import MariaDB
from corpus_pipeline_tests.torture import small
from corpus_pipeline_tests.torture.workshop import Order, Workshop


@pytest.mark.mariadb
def test_a_transaction_of_a_frozen_worker_does_not_keep_others_out(quick_folder: Path, mariadb_server: MariaDB) -> None:
    url = mariadb_server.fresh_database()
    env = {"CORPUS_HOME": str(quick_folder / "home"), "CORPUS_DATABASE_URL": url, "CORPUS_LEASE_SECONDS": "60"}
    sources = small.write_files(quick_folder / "sources")
    with Corpus.open(Settings.from_env(env)) as corpus, Workshop() as shop:
        corpus.add(sources[0], recipe=str(small.write_recipe(quick_folder)))
        at, result = "before commit: ingest write_batch#2", str(quick_folder / "result")
        order = Order(env, ("birds",), ("ingest",), at=at, how="stop", result=result)
        zombie = shop.start(order)
        assert shop.wait(zombie, order) is None
        with mariadb_server.administrator() as root, root.cursor() as cursor:
            # what the server does by itself after 20 s (idle_write_transaction_timeout of the session)
            cursor.execute("SELECT trx_mysql_thread_id FROM information_schema.innodb_trx")
            (connection,) = {row[0] for row in cursor.fetchall()}
            cursor.execute(f"KILL {connection}")
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


@pytest.mark.mariadb
def test_the_server_ends_transactions_of_frozen_workers(mariadb_url: str) -> None:
    from corpus_pipeline.store import Store

    store = Store(mariadb_url)
    found = store.fetch(lambda c: c.execute(text("SELECT @@idle_write_transaction_timeout")).scalar())
    assert 0 < found <= 30
    store.close()
