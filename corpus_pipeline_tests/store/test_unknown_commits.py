"""A COMMIT whose reply is lost: with a lease, the unit is done exactly once, whatever the server did."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from corpus_pipeline.errors import Fenced, StoreUnavailable
from corpus_pipeline.states import Stage
from corpus_pipeline.store import Store, cursors, dataset_files, leases, migrate, rows, tasks
from corpus_pipeline_tests.conftest import SERVERS
from corpus_pipeline_tests.servers.tcp_proxy import CommitFault, CommitProxy, PostgresCommitProxy
from corpus_pipeline_tests.store import making
from corpus_pipeline_tests.store.test_leases import expire


@pytest.fixture(scope="module", params=SERVERS)
def proxied(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Store, CommitProxy]]:
    """(a store through the proxy, the same one directly, the proxy)."""
    server = request.getfixturevalue(f"{request.param}_server")
    kind = CommitProxy if request.param == "mariadb" else PostgresCommitProxy
    url = server.fresh_database()
    with kind(server.host, server.port) as proxy:
        direct = Store(url)
        migrate.ensure(direct)
        through = Store(server.url(url.rsplit("/", 1)[1], port=proxy.port) + "?read_timeout=2", patience=30)
        yield through, direct, proxy
        through.close()
        direct.close()


@pytest.mark.parametrize("fault", list(CommitFault))
def test_a_guarded_unit_is_done_once(proxied: tuple[Store, Store, CommitProxy], fault: CommitFault) -> None:
    store, direct, proxy = proxied
    made = making.task(direct)
    guard = making.held(store, made)
    tries = []

    def work(connection: Connection) -> int:
        tries.append(1)
        rows.insert_batch(connection, store.backend, made.file_id, making.conversations(1, 3), [])
        cursors.advance(connection, made.task_id, Stage.INGEST, "parse", last_id=(made.file_id << 32) + 3, rows=3)
        tasks.touch_content(connection, made.task_id)
        return 42

    proxy.break_commit(fault)
    assert store.write(work, guard) == 42
    assert proxy.happened.is_set()
    assert len(tries) == (2 if fault is CommitFault.CUT_BEFORE else 1)
    assert making.cursor(direct, made).current_offset == 3
    assert direct.fetch(tasks.task_by_id, made.task_id).content_version == 1
    store.write(lambda c: tasks.touch_content(c, made.task_id), guard)  # the guard counts on
    assert direct.fetch(tasks.task_by_id, made.task_id).content_version == 2


def test_without_a_lease_an_unknown_outcome_is_said(proxied: tuple[Store, Store, CommitProxy]) -> None:
    store, direct, proxy = proxied
    made = making.task(direct)
    proxy.break_commit(CommitFault.LOSE_REPLY)
    with pytest.raises(StoreUnavailable, match="whether it arrived is not known"):
        store.write(lambda c: tasks.touch_content(c, made.task_id))
    assert direct.fetch(tasks.task_by_id, made.task_id).content_version == 1
    proxy.break_commit(CommitFault.LOSE_REPLY)
    store.write(lambda c: dataset_files.move_file(c, made.file_id, "/elsewhere"), repeatable=True)
    assert direct.fetch(dataset_files.file_by_id, made.file_id).path == "/elsewhere"


def test_when_another_took_over_meanwhile_the_writer_is_fenced(proxied: tuple[Store, Store, CommitProxy]) -> None:
    store, direct, proxy = proxied
    made = making.task(direct)
    guard = making.held(store, made)

    def work(connection: Connection) -> None:
        tasks.touch_content(connection, made.task_id)

    def take_over(connection: Connection) -> None:
        work(connection)
        # the reply of this transaction's COMMIT is lost; until it is looked for, another worker comes
        proxy.break_commit(CommitFault.LOSE_REPLY)

    original = guard.arrived

    def arrived_late(connection: Connection) -> bool:
        expire(direct, made)
        direct.write(lambda c: leases.acquire(c, made.task_id, Stage.INGEST, "successor", 30_000))
        return original(connection)

    guard.arrived = arrived_late  # type: ignore[method-assign]
    with pytest.raises(Fenced, match="while the database was away"):
        store.write(take_over, guard)
    assert direct.fetch(tasks.task_by_id, made.task_id).content_version == 1
