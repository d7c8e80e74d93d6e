"""A backup that was made while others worked, restored: what was done stays done, what was paid stays paid, what the backup
does not know is noticed. The same commands stand in docs/databases.md."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from corpus_pipeline.llm_stub import StubOptions
from corpus_pipeline.llm_stub.latency import Latency
from corpus_pipeline.service import Corpus, doctor
from corpus_pipeline.states import Stage
from corpus_pipeline.store import invariants, schema
from corpus_pipeline_tests import small_corpus
from corpus_pipeline_tests.conftest import fresh_database
from corpus_pipeline_tests.servers import postgres

ROWS = 24
HELD_AFTER = 8
RECIPE = """
name: plain
augment: {model: corpus-stub, strategies: [paraphrase], concurrency: 2, batch_size: 2}
export: {gate: {max_failed: 1}}
"""


def back_up(url: str, copy: Path) -> None:
    """What docs/databases.md says."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(parsed.database))) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        return
    with copy.open("wb") as out:
        subprocess.run(_client("dump", url), env=_environment(url), stdout=out, check=True, timeout=120)


def restore(url: str, copy: Path) -> None:
    if make_url(url).get_backend_name() == "sqlite":
        shutil.copyfile(copy, str(make_url(url).database))
        return
    with copy.open("rb") as given:
        subprocess.run(_client("restore", url), env=_environment(url), stdin=given, check=True, timeout=120)


def _client(what: str, url: str) -> list[str]:
    to = make_url(url)
    if to.get_backend_name() == "postgresql":
        programs = postgres.programs()
        assert programs is not None
        place = ["-h", str(to.host), "-p", str(to.port), "-U", str(to.username), "-d", str(to.database)]
        if what == "dump":
            return [str(programs / "pg_dump"), "--format=custom", *place]
        return [str(programs / "pg_restore"), "--no-owner", "--exit-on-error", *place]
    place = [f"--host={to.host}", f"--port={to.port}", f"--user={to.username}", "--skip-ssl", str(to.database)]
    if what == "dump":
        return ["mariadb-dump", "--single-transaction", "--quick", "--hex-blob", *place]
    return ["mariadb", *place]


def _environment(url: str) -> dict[str, str]:
    password = str(make_url(url).password)
    return {**os.environ, "PGPASSWORD": password, "MYSQL_PWD": password}


class HeldWhenAsked(Latency):
    """Answers in 0.05 s; after `hold`, the first `HELD_AFTER` only until `released`, however long a dump takes."""

    __slots__ = ()
    released = threading.Event()
    asked = itertools.count(1)

    @classmethod
    def hold(cls) -> None:
        cls.asked = itertools.count(1)
        cls.released.clear()

    def seconds(self, point: float) -> float:
        if next(self.asked) > HELD_AFTER:
            self.released.wait(100)
        return super().seconds(point)


def money(corpus: Corpus) -> list[tuple[object, ...]]:
    query = select(schema.spending.c.task_id, schema.spending.c.answered, schema.spending.c.cost)
    return [tuple(row) for row in corpus.store.fetch(lambda c: c.execute(query).all())]


@pytest.mark.parametrize("kind", ["sqlite", "mariadb", "postgres"])
def test_a_backup_under_load_is_a_corpus(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if kind == "mariadb" and shutil.which("mariadb-dump") is None:
        pytest.skip("mariadb-dump is not installed (Debian: mariadb-client)")
    request.param = kind  # type: ignore[attr-defined]
    url, home, copy = fresh_database(request, tmp_path), tmp_path / "home", tmp_path / "copy"
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    latency = HeldWhenAsked("fixed", 0.05)
    latency.released.set()
    with small_corpus.opened(home, StubOptions(latency=latency), CORPUS_DATABASE_URL=url) as corpus:
        for name, first in (("done", 1), ("busy", 40)):
            lines = [small_corpus.pair(first + number) for number in range(ROWS)]
            corpus.add(small_corpus.write_jsonl(tmp_path / f"{name}.jsonl", lines), recipe=str(recipe))
        small_corpus.run_path(corpus, "done")
        small_corpus.run_path(corpus, "busy", Stage.CLEAN)
        worker = threading.Thread(target=corpus.run_stage, args=("busy", Stage.AUGMENT))
        latency.hold()
        worker.start()
        back_up(url, copy)
        assert worker.is_alive()
        latency.released.set()
        worker.join()
        corpus.run_stage("busy", Stage.EXPORT)
        (first_export,) = corpus.export_places("busy")
        bytes_before, paid = Path(first_export).read_bytes(), money(corpus)

    restored = fresh_database(request, tmp_path / "again") if kind != "sqlite" else f"sqlite:///{tmp_path / 'again.db'}"
    restore(restored, copy)
    with small_corpus.opened(home, CORPUS_DATABASE_URL=restored) as corpus:
        assert corpus.store.fetch(lambda c: invariants.violations(c, at_rest=False)) == []
        ok, told = doctor.known_exports(corpus)
        assert not ok and "busy (of 20" in told and "older backup" in told and "done" not in told
        for stage in Stage:
            assert not corpus.run_stage("done", stage).worked
        assert [row for row in money(corpus) if row[0] == paid[0][0]] == paid[:1]
        # the copy says that this very process works it; a restore on the morrow finds no lease
        corpus.unlock("busy", None, "it was held when the copy was made", force=True)
        corpus.run_stage("busy", Stage.AUGMENT)
        corpus.run_stage("busy", Stage.EXPORT)
        assert [row[1] for row in money(corpus)] == [row[1] for row in paid]
        assert corpus.store.fetch(invariants.violations) == []
        (second_export,) = corpus.export_places("busy")
        assert Path(second_export).read_bytes() == bytes_before
        ok, told = doctor.known_exports(corpus)
        assert ok and "all 2 exports" in told
