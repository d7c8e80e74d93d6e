"""An answer that arrived is paid once: a kill, or a database that cannot write, loses none of it."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import random
import signal
import stat
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url, text

from corpus_pipeline import record_files
from corpus_pipeline.errors import StoreUnavailable
from corpus_pipeline.jobs.augment import answer_spool
from corpus_pipeline.jobs.augment.answer_spool import Spool
from corpus_pipeline.llm.reader import left
from corpus_pipeline.model import Answer, NanoDollars, TaskId, Usage
from corpus_pipeline.record_files import Segment
from corpus_pipeline.service import Corpus
from corpus_pipeline.states import AttemptState, Stage
from corpus_pipeline.store import budgets, ledger, spending
from corpus_pipeline.store.engine import Store
from corpus_pipeline.store.ledger import Settlement
from corpus_pipeline_tests.augment.engine.conftest import NAME, Background, Kit
from corpus_pipeline_tests.servers.tcp_proxy import TcpProxy

RUN = (
    "from corpus_pipeline.service import Corpus\n"
    "from corpus_pipeline.states import Stage\n"
    "with Corpus.open() as corpus: corpus.run_stage('rows', Stage.AUGMENT)\n"
)


def settlement(name: str, tokens: int = 5) -> Settlement:
    usage = Usage(tokens, 2, remark="odd")
    return Settlement(
        name, AttemptState.ANSWERED, "stop", usage, NanoDollars(7), 3, "m", 200, "r", (1, 2, 3, 4), "flex", "c", "odd"
    )


def lose_answer(kit: Kit, row: Any) -> None:
    """Book an attempt that was answered as one whose worker died meanwhile."""

    def lose(connection: Any) -> None:
        connection.execute(text("DELETE FROM answers WHERE attempt_id = :i"), {"i": row.id})
        day, of = budgets.day_of(row.created_at), TaskId(row.task_id)
        payer = budgets.Payer(of, row.consumer, day)
        budgets.book(connection, [budgets.Booked(payer, 0, row.reserved - row.cost)])
        usage = Usage(row.input_tokens, row.output_tokens, row.cached_tokens, row.reasoning_tokens)
        key = (of, day, row.consumer, row.strategy, row.model)
        spending.take_back(connection, [spending.Settled(*key, AttemptState.ANSWERED, 1, usage, row.cost)])
        spending.add(connection, [spending.Settled(*key, AttemptState.UNKNOWN, 1, Usage(0, 0), row.reserved)])
        connection.execute(
            text(
                "UPDATE llm_attempts SET state = 'unknown', outcome = 'process_died', cost = reserved, input_tokens = 0,"
                " output_tokens = 0, cached_tokens = 0 WHERE id = :i"
            ),
            {"i": row.id},
        )

    kit.corpus.store.write(lose)


def spooling(folder: Path, work: Any, room: int = 1 << 16) -> Any:
    async def main() -> Any:
        spool = Spool(folder, TaskId(3), room=room)
        try:
            return work(spool)
        finally:
            spool.close()

    return asyncio.run(main())


@given(
    st.lists(st.tuples(st.text(max_size=300), st.none() | st.text(max_size=20)), max_size=30), st.integers(200, 5000)
)
def test_what_is_not_committed_is_read_again_as_it_was(texts: list[tuple[str, str | None]], room: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "spool"

        def work(spool: Spool) -> list[Segment | None]:
            written = [
                spool.append(
                    settlement(f"a{n}", n), f"k{n}", Answer(text, "stop", "m", Usage(n, 2, remark="odd"), said)
                )
                for n, (text, said) in enumerate(texts)
            ]
            spool.committed([segment for segment in written[::2] if segment])
            return written

        written = spooling(folder, work, room)
        found = {entry.settlement.id: entry for entry in answer_spool.read(answer_spool.left_over(folder, TaskId(3)))}
        for n, (text, said) in enumerate(texts):
            if n % 2 and written[n] is not None:
                usage = Usage(n, 2, remark="odd")
                assert found[f"a{n}"].settlement == settlement(f"a{n}", n)
                assert (found[f"a{n}"].request_key, found[f"a{n}"].answer) == (
                    f"k{n}",
                    Answer(text, "stop", "m", usage, said),
                )
        assert answer_spool.left_over(folder, TaskId(33)) == []


def test_the_files_are_for_their_owner_and_go_when_all_is_committed(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    answer = Answer("t", "stop", "m", Usage(1, 1))

    def work(spool: Spool) -> None:
        segment = spool.append(settlement("a"), "k", answer)
        assert segment is not None
        (path,) = folder.iterdir()
        assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(folder.stat().st_mode)) == (0o600, 0o700)
        record_files.remove([path])
        assert path.exists(), "a file of a worker that lives was taken away"
        spool.committed([segment])

    spooling(folder, work)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.99])
def test_a_file_that_ends_anywhere_is_read_as_far_as_it_is_whole(tmp_path: Path, cut: float) -> None:
    answer = Answer("text " * 20, "stop", "m", Usage(1, 1))
    spooling(tmp_path, lambda spool: [spool.append(settlement(f"a{n}"), "k", answer) for n in range(9)] and None)
    (path,) = tmp_path.iterdir()
    end = path.read_bytes().rstrip(b"\0")
    path.write_bytes(end[: int(len(end) * cut)] + b"\xff" * 7)
    found = [entry.settlement.id for entry in answer_spool.read([path])]
    assert found == [f"a{n}" for n in range(len(found))] and len(found) < 9


def test_a_changed_bit_costs_one_answer_or_is_told_and_never_stops_the_reading(tmp_path: Path, caplog: Any) -> None:
    answers = [Answer(f"answer {n} " * 9, "stop", "m", Usage(1, 1)) for n in range(9)]
    spooling(
        tmp_path, lambda spool: [spool.append(settlement(f"a{n}"), "k", one) for n, one in enumerate(answers)] and None
    )
    (path,) = tmp_path.iterdir()
    content, chance = path.read_bytes(), random.Random(3)
    end = len(content.rstrip(b"\0"))
    length = struct.unpack_from("<I", content)[0]
    whole = [(entry.settlement.id, entry.answer) for entry in answer_spool.read([path])]
    assert len(whole) == 9 and not caplog.text
    for place in [*range(8), *chance.choices(range(end), k=80)]:
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        caplog.clear()
        found = [(entry.settlement.id, entry.answer) for entry in answer_spool.read([path])]
        assert all(one in whole for one in found) and len(found) < 9 and "not as they were written" in caplog.text
        assert "answer 1" not in caplog.text and "answer 8" not in caplog.text
        if 8 <= place < 8 + length:
            assert found == whole[1:]
    for words in (b"[]", b"{}", b"7", b"[[1],2,[3]]", b"\xff"):  # whole, and of another program
        path.write_bytes(struct.pack("<II", len(words), zlib.crc32(words)) + words + content)
        assert len(answer_spool.read([path])) == 9
        raw = path.with_suffix(".raw")
        good = b"".join(left.record(["a", "openai", 1, 2, 3, None], b"{}"))
        parts = (words, good)
        raw.write_bytes(b"".join(struct.pack("<II", len(part), zlib.crc32(part)) + part for part in parts))
        assert [one.attempt_id for one in left.answers([raw])] == ["a"]


def test_a_kill_under_load_asks_hardly_any_delivered_answer_again(make_kit: Any) -> None:
    kit = make_kit(latency="uniform:low=0.1,high=0.4")
    kit.add(400, strategies=["paraphrase"], concurrency=50)
    env = {k: v for k, v in os.environ.items() if not k.startswith("CORPUS_")}
    env |= {
        "CORPUS_HOME": str(kit.settings.home),
        "CORPUS_DATABASE_URL": kit.settings.database_url,
        "OPENAI_BASE_URL": kit.stub.base_url,
        "CORPUS_LEASE_SECONDS": "60",
    }
    process = subprocess.Popen([sys.executable, "-c", RUN], env=env)
    until = time.monotonic() + 60
    while len(kit.invoice()) < 150 and time.monotonic() < until:
        time.sleep(0.01)
    killed = time.time()
    process.send_signal(signal.SIGKILL)
    process.wait()
    spooled = len(list(left.answers(left.files(kit.settings.spool_folder))))
    assert kit.run().report["succeeded"] == 400
    kit.books_agree()
    unknown = {row.id for row in kit.rows_of("SELECT id FROM llm_attempts WHERE state = 'unknown'")}
    # the stand-in bills what it answers after the kill, too: those were on the wire
    delivered = [line for line in kit.invoice() if line["attempt_id"] in unknown and line["time"] < killed - 0.05]
    print(f"{spooled} answers in the spool, {len(unknown)} unknown, {len(delivered)} of them delivered before the kill")
    assert len(delivered) <= 2
    assert spooled
    assert len(kit.invoice()) == 400, "its reader goes on reading what is on the wire at a kill: nothing is paid twice"
    assert list(kit.settings.spool_folder.iterdir()) == []


@pytest.mark.parametrize("usage", [True, False])
def test_what_a_reader_left_is_taken_in_at_its_price_also_by_a_purge(make_kit: Any, usage: bool) -> None:
    """The answer of one row as it came, its attempt on the wire when the worker died; its provider may not have said its
    usage."""
    kit = make_kit()
    kit.add(5, strategies=["paraphrase"])
    kit.run()
    row = kit.rows_of("SELECT * FROM llm_attempts ORDER BY id LIMIT 1")[0]
    text = kit.one("SELECT text FROM answers WHERE attempt_id = :i", i=row.id)
    lose_answer(kit, row)
    said = {"prompt_tokens": row.input_tokens, "completion_tokens": row.output_tokens} if usage else None
    body = {"id": "c", "model": row.model, "choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
    spool = kit.settings.spool_folder
    spool.mkdir(mode=0o700, exist_ok=True)
    segment = Segment(spool / f"{row.task_id}-1-x-1.raw", 1 << 16)
    note = [row.id, "openai", row.input_tokens, 500, 12, "req"]
    segment.write(*left.record(note, orjson.dumps(body | {"usage": said})))
    segment.write(*left.record(["another", *note[1:]], b"<html>"))
    segment.close(remove=False)
    (spool / f"{row.task_id}-1-x.reader").write_bytes(b"")
    kit.corpus.purge(NAME, [5], reason="asked for")
    assert list(spool.iterdir()) == []
    found = kit.rows_of("SELECT * FROM llm_attempts WHERE id = :i", i=row.id)[0]
    assert (found.state, found.input_tokens, bool(found.estimated)) == ("answered", row.input_tokens, not usage)
    assert kit.one("SELECT text FROM answers WHERE attempt_id = :i", i=row.id) == text
    if usage:
        assert (found.cost, found.output_tokens, found.latency_ms) == (row.cost, row.output_tokens, 12)
        kit.books_agree()


@pytest.fixture
def home_on_a_disk_of_its_own(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "home"
    place.mkdir(mode=0o700)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m,mode=700", "none", str(place)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"a file system of its own needs root: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_answers_that_come_while_the_disk_is_full_are_kept(
    home_on_a_disk_of_its_own: Path, make_kit: Any, wait_until: Any
) -> None:
    kit = make_kit(latency="uniform:low=0.5,high=1.5")
    kit.add(60, strategies=["paraphrase"], concurrency=30)
    stuffing = home_on_a_disk_of_its_own / "stuffing"
    with kit.running() as background:
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM llm_attempts WHERE state = 'intent'") >= 30)
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM llm_attempts WHERE state = 'answered'") >= 1)
        with stuffing.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(b"x" * 65536):
                pass
        with stuffing.open("ab", buffering=0) as file, suppress(OSError):
            while file.write(b"x" * 16):
                pass
        outcome = background.wait(60)
    assert isinstance(outcome, StoreUnavailable), outcome
    delivered = {line["attempt_id"] for line in kit.invoice() if line["outcome"] == "answered"}
    stuffing.unlink()
    time.sleep(5.1)  # its lease could not be given back
    assert kit.run().report["succeeded"] == 60
    states = {row.id: row.state for row in kit.rows_of("SELECT id, state FROM llm_attempts")}
    again = [name for name in delivered if states.get(name) != "answered"]
    assert len(again) <= 2, f"{len(again)} of {len(delivered)} delivered answers were asked again"
    kit.books_agree()


def test_what_a_successor_booked_as_unknown_becomes_an_answer_again(make_kit: Any) -> None:
    kit = make_kit()
    kit.add(5, strategies=["paraphrase"])
    kit.run()
    row = kit.rows_of("SELECT * FROM llm_attempts ORDER BY id LIMIT 1")[0]
    answer = kit.rows_of("SELECT * FROM answers WHERE attempt_id = :i", i=row.id)[0]
    spent = kit.one("SELECT spent FROM budgets WHERE scope = 'task'")
    unknown = kit.one("SELECT SUM(unknown) FROM spending")
    lose_answer(kit, row)
    usage = Usage(row.input_tokens, row.output_tokens, row.cached_tokens)
    ended = Settlement(row.id, AttemptState.ANSWERED, "stop", usage, NanoDollars(row.cost), 1)
    found = ledger.Recovered(ended, row.request_key, Answer(answer.text, "stop", answer.model, usage))
    store = kit.corpus.store
    assert store.write(lambda c: ledger.recover(c, store.backend, [found, found])) == 1
    assert store.write(lambda c: ledger.recover(c, store.backend, [found])) == 0
    assert kit.one("SELECT spent FROM budgets WHERE scope = 'task'") == spent
    assert kit.one("SELECT SUM(unknown) FROM spending") == unknown == 0
    assert kit.one("SELECT COUNT(*) FROM answers") == 5
    kit.books_agree()
    assert kit.corpus.report("rows", Stage.AUGMENT)[0]["unknown_usd"] == 0


def test_answers_that_come_while_the_database_is_gone_are_kept(
    mariadb_url: str, make_kit: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Store.__init__.__kwdefaults__, "patience", 6.0)  # seconds for which it is waited for
    direct = make_url(mariadb_url)
    assert direct.host and direct.port
    with TcpProxy(direct.host, direct.port) as way:
        kit = make_kit(
            latency="uniform:low=0.5,high=1.5",
            database_url=direct.set(host=way.host, port=way.port).render_as_string(hide_password=False),
        )
        kit.add(60, strategies=["paraphrase"], concurrency=30)
        background = Background(kit, NAME)
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM llm_attempts WHERE state = 'intent'") >= 30)
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM llm_attempts WHERE state = 'answered'") >= 1)
    outcome = background.wait(60)
    assert isinstance(outcome, StoreUnavailable), outcome
    delivered = {line["attempt_id"] for line in kit.invoice() if line["outcome"] == "answered"}
    time.sleep(5.1)  # its lease could not be given back
    with Corpus.open(dataclasses.replace(kit.settings, database_url=mariadb_url)) as corpus:
        again = Kit(corpus, kit.stub, kit.folder, kit.log)
        assert again.run().report["succeeded"] == 60
        states = {row.id: row.state for row in again.rows_of("SELECT id, state FROM llm_attempts")}
        lost = [name for name in delivered if states.get(name) != "answered"]
        assert len(lost) <= 2, f"{len(lost)} of {len(delivered)} delivered answers were asked again"
        again.books_agree()


def test_answers_that_come_while_the_database_can_only_be_read_are_kept(make_kit: Any, wait_until: Any) -> None:
    kit = make_kit(latency="uniform:low=0.5,high=1.5")
    kit.add(60, strategies=["paraphrase"], concurrency=30)
    with kit.running() as background:
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM llm_attempts WHERE state = 'intent'") >= 30)
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM llm_attempts WHERE state = 'answered'") >= 1)
        kit.corpus.store.write(
            lambda c: c.exec_driver_sql(
                "CREATE TRIGGER no_settlement BEFORE UPDATE ON llm_attempts BEGIN"
                " SELECT RAISE(FAIL, 'attempt to write a readonly database'); END"
            )
        )
        outcome = background.wait(60)
    assert isinstance(outcome, Exception), outcome
    delivered = {line["attempt_id"] for line in kit.invoice() if line["outcome"] == "answered"}
    kit.corpus.store.write(lambda c: c.exec_driver_sql("DROP TRIGGER no_settlement"))
    time.sleep(5.1)
    assert kit.run().report["succeeded"] == 60
    states = {row.id: row.state for row in kit.rows_of("SELECT id, state FROM llm_attempts")}
    lost = [name for name in delivered if states.get(name) != "answered"]
    assert len(lost) <= 2, f"{len(lost)} of {len(delivered)} delivered answers were asked again"
    kit.books_agree()
