"""Provider batches: half the price, submitted once even when killed, taken in once, and nothing is lost on the way."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from typing import Any

import orjson
import pytest

from corpus_pipeline.errors import Paused, UsageError
from corpus_pipeline.states import Stage
from corpus_pipeline.store.failed_samples import Where

BATCHED: dict[str, Any] = {"provider_batch": True}
RUN = (
    "from corpus_pipeline.service import Corpus\n"
    "from corpus_pipeline.states import Stage\n"
    "with Corpus.open() as corpus: corpus.run_stage('rows', Stage.AUGMENT)\n"
)


def batches_at(kit: Any) -> list[dict[str, Any]]:
    """The batches that the provider has, newest first."""
    return list(kit.stub.app.batches.page(None, 100)["data"])


def run_in_a_process(kit: Any, crash_at: str = "") -> int:
    env = {k: v for k, v in os.environ.items() if not k.startswith("CORPUS_")}
    env |= {
        "CORPUS_HOME": str(kit.settings.home),
        "CORPUS_DATABASE_URL": kit.settings.database_url,
        "OPENAI_BASE_URL": kit.stub.base_url,
        "CORPUS_LEASE_SECONDS": "60",  # a dead worker of this machine is seen at once, so nothing waits for its end
        "CORPUS_CRASH_AT": crash_at,
    }
    done = subprocess.run([sys.executable, "-c", RUN], env=env, capture_output=True, text=True, timeout=90, check=False)
    print(done.stderr)  # shown when the test fails
    return done.returncode


def test_a_batch_costs_half_and_its_books_agree(make_kit: Any, database_url: str) -> None:
    kit = make_kit(batch=0.3, database_url=database_url)
    kit.add(20, strategies=[{"paraphrase": BATCHED}, "response_regeneration"], batch_poll_seconds=0.1)
    report = kit.run().report
    assert (report["succeeded"], report["calls"], len(batches_at(kit))) == (40, 40, 1)
    assert (report["reused"], report["saved_usd"]) == (0, 0), "what its own batch answered was paid, not saved"
    assert kit.rows_of("SELECT state, requests FROM provider_batches") == [("taken", 20)]
    kit.books_agree()
    for row in kit.rows_of("SELECT * FROM llm_attempts WHERE batch_id IS NOT NULL"):
        assert row.input_price == 75_000 and row.output_price == 300_000
    assert kit.one("SELECT SUM(reserved) FROM budgets") == 0
    (own,) = kit.corpus.batches()
    paid = kit.one("SELECT SUM(cost) FROM llm_attempts WHERE batch_id IS NOT NULL")
    assert (own["state"], own["answered"], round(own["cost_usd"] * 1e9)) == ("taken", 20, paid)
    assert kit.corpus.failed_samples(Where(row=3)) == []


def test_a_batch_carries_the_pictures_and_sounds_of_its_rows(make_kit: Any, tmp_path: Any) -> None:
    """Rows with a medium that is not taken are skipped, and never sent without it."""
    kit = make_kit(batch=0.2)
    picture, sound = b"\x89PNG\r\n\x1a\n" + bytes(64), b"RIFF\x24\x00\x00\x00WAVE" + bytes(64)
    unknown = base64.b64encode(b"no picture at all").decode()
    parts = (
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(picture).decode()}"}},
        {"type": "input_audio", "input_audio": {"data": base64.b64encode(sound).decode(), "format": "wav"}},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{unknown}"}},
    )
    records = []
    for page, part in enumerate(parts):
        asked = [{"type": "text", "text": f"Which bird stands in the reeds on page {page} of the album?"}, part]
        answer = {"role": "assistant", "content": f"A grey heron stands there, as on page {page}."}
        records.append({"messages": [{"role": "user", "content": asked}, answer]})
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records))
    steps = [{"response_regeneration": {**BATCHED, "media": ["image", "audio"]}}]
    kit.corpus.add(path, name="rows", recipe=kit.recipe(strategies=steps, batch_poll_seconds=0.1))
    for stage in (Stage.INGEST, Stage.CLEAN):
        kit.corpus.run_stage("rows", stage)
    report = kit.run().report
    assert report["skip_reasons"] == {"media": 1} and report["calls"] == 2, "what is no picture was sent"
    (batch,) = batches_at(kit)
    bodies = [orjson.loads(line)["body"] for line in kit.stub.app.files.content(batch["input_file_id"]).splitlines()]
    kinds = sorted(
        part["type"] for body in bodies for part in body["messages"][-1]["content"] if part["type"] != "text"
    )
    assert kinds == ["image_url", "input_audio"]
    kit.books_agree()


def test_a_strategy_of_several_questions_asks_each_in_a_batch(make_kit: Any) -> None:
    kit = make_kit(batch=0.2)
    kit.add(8, strategies=[{"self_refine": BATCHED}], batch_poll_seconds=0.1)
    report = kit.run().report
    assert report["succeeded"] == 8
    assert len(batches_at(kit)) >= 2
    assert {line["batch"] is None for line in kit.invoice()} == {False}, "a question was asked at the full price"
    kit.books_agree()


def test_what_a_batch_cannot_answer_goes_into_another_one_or_fails(make_kit: Any) -> None:
    kit = make_kit(batch=0.2, faults={"400": 0.1, "500": 0.1, "refusal": 0.1, "expired": 0.1})
    kit.add(40, strategies=[{"paraphrase": BATCHED}], batch_poll_seconds=0.1)
    report = kit.run().report
    assert report["succeeded"] + report["failed"] == 40 and report["succeeded"] > 30
    assert 2 <= len(batches_at(kit)) <= 8, "what expired was not sent again, or too often"
    assert {line["batch"] is None for line in kit.invoice()} == {False}, "a question was asked at the full price"
    kit.books_agree()
    assert kit.one("SELECT COUNT(*) FROM provider_batches WHERE state <> 'taken'") == 0


def test_a_recipe_may_let_the_rest_be_asked_live(make_kit: Any) -> None:
    kit = make_kit(batch=0.2, faults={"500": 0.3})
    kit.add(30, strategies=[{"paraphrase": {**BATCHED, "fallback": "live"}}], batch_poll_seconds=0.1)
    assert kit.run().report["succeeded"] == 30
    assert len(batches_at(kit)) == 1 and {line["batch"] is None for line in kit.invoice()} == {False, True}
    kit.books_agree()


def test_a_batch_that_a_person_forgets_is_booked_and_asked_again(make_kit: Any, wait_until: Any) -> None:
    kit = make_kit(batch=600.0)
    kit.add(10, strategies=[{"paraphrase": BATCHED}], batch_poll_seconds=0.1)
    with kit.running() as background:
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM provider_batches WHERE state = 'sent'") == 1)
        with pytest.raises(UsageError, match="being worked"):
            kit.corpus.forget_batches(["rows"], "stuck")
        kit.corpus.pause(["rows"], Stage.AUGMENT, False, "stuck")
        background.wait(10)
    (forgotten,) = kit.corpus.forget_batches(["rows"], "stuck")
    assert (forgotten["unknown"], forgotten["state"], forgotten["reserved_usd"]) == (10, "taken", 0)
    assert forgotten["cost_usd"] > 0 and kit.one("SELECT COUNT(*) FROM llm_attempts") == 10, "a ledger row is gone"
    assert kit.corpus.forget_batches(["rows"], "stuck") == []


@pytest.mark.parametrize("point", ["before commit: augment planned#1", "batch uploaded#1"])
def test_a_kill_before_the_batch_was_made_costs_nothing(make_kit: Any, point: str) -> None:
    kit = make_kit(batch=0.3)
    kit.add(6, strategies=[{"paraphrase": BATCHED}], batch_poll_seconds=0.1)
    assert run_in_a_process(kit, point) == -signal.SIGKILL
    assert run_in_a_process(kit) == 0
    assert (len(batches_at(kit)), len(kit.invoice()), kit.report()["unknown"]) == (1, 6, 0)
    kit.books_agree()


@pytest.mark.parametrize("point", ["batch created#1", "batch taken in#1", "after commit: augment sent#1"])
def test_a_kill_in_between_submits_and_pays_once(make_kit: Any, point: str) -> None:
    kit = make_kit(batch=0.3)
    kit.add(10, strategies=[{"paraphrase": BATCHED}], batch_poll_seconds=0.1)
    assert run_in_a_process(kit, point) == -signal.SIGKILL
    assert run_in_a_process(kit) == 0
    assert len(batches_at(kit)) == 1, "the batch was submitted twice"
    assert len(kit.invoice()) == 10
    assert kit.report()["succeeded"] == 10
    kit.books_agree()


def test_a_kill_between_the_batches_of_a_cascade_asks_nothing_twice(make_kit: Any) -> None:
    kit = make_kit(batch=0.2)
    first = {"criterion": "The answer leaves something out.", "provider_batch": True}
    kit.add(20, strategies=[{"paraphrase": {**BATCHED, "first": first}}], batch_poll_seconds=0.1)
    assert run_in_a_process(kit, "batch created#2") == -signal.SIGKILL
    assert run_in_a_process(kit) == 0
    passed = kit.report()["succeeded"]
    assert (len(batches_at(kit)), len(kit.invoice())) == (2, 20 + passed)
    kit.books_agree()


def test_a_kill_before_the_batch_was_created_leaves_nothing_reserved(make_kit: Any) -> None:
    kit = make_kit(batch=0.2)
    kit.add(5, strategies=[{"paraphrase": BATCHED}], batch_poll_seconds=0.1)
    assert run_in_a_process(kit, "after commit: augment planned#1") == -signal.SIGKILL
    assert kit.one("SELECT COUNT(*) FROM llm_attempts WHERE state = 'intent'") == 5
    assert run_in_a_process(kit) == 0
    assert (len(batches_at(kit)), len(kit.invoice())) == (1, 5)
    assert kit.one("SELECT SUM(reserved) FROM budgets") == 0
    kit.books_agree()


def test_a_pause_does_not_wait_for_the_provider_and_the_batch_is_found_again(make_kit: Any, wait_until: Any) -> None:
    kit = make_kit(batch=3.0)
    kit.add(10, strategies=[{"paraphrase": BATCHED}], batch_poll_seconds=30.0)
    with kit.running() as background:
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM provider_batches WHERE state = 'sent'") == 1)
        kit.corpus.pause(["rows"], Stage.AUGMENT, False, "lunch")
        assert isinstance(background.wait(5), Paused)
    assert batches_at(kit)[0]["status"] in ("validating", "in_progress")
    wait_until(lambda: batches_at(kit)[0]["status"] == "completed")
    kit.corpus.resume(["rows"], Stage.AUGMENT, False)
    assert kit.run().report["succeeded"] == 10
    assert (len(batches_at(kit)), len(kit.invoice())) == (1, 10)


def test_a_batch_that_was_cancelled_keeps_what_it_finished(make_kit: Any, wait_until: Any) -> None:
    kit = make_kit(batch=1.5)
    kit.add(40, strategies=[{"paraphrase": BATCHED}], batch_poll_seconds=0.1)
    with kit.running() as background:
        wait_until(lambda: batches_at(kit) and batches_at(kit)[0]["request_counts"]["completed"] > 5)
        kit.stub.app.batches.cancel(batches_at(kit)[0]["id"])
        background.wait()
    assert kit.report()["succeeded"] == 40
    assert len(kit.invoice()) == 40 and len(batches_at(kit)) == 2
    kit.books_agree()


def test_a_person_cancels_and_what_was_finished_is_kept(make_kit: Any, wait_until: Any) -> None:
    kit = make_kit(batch=1.5)
    kit.add(40, strategies=[{"paraphrase": BATCHED}], batch_poll_seconds=0.1)
    with kit.running() as background:
        wait_until(lambda: batches_at(kit) and batches_at(kit)[0]["request_counts"]["completed"] > 5)
        (cancelled,) = kit.corpus.cancel_batches(["rows"], "too dear")
        assert isinstance(background.wait(5), Paused)
    assert cancelled["provider_status"] in ("cancelling", "cancelled")
    wait_until(lambda: batches_at(kit)[0]["status"] == "cancelled")
    assert len(batches_at(kit)) == 1, "a batch was sent behind a cancellation"
    kit.corpus.resume(["rows"], Stage.AUGMENT, False)
    assert kit.run().report["succeeded"] == 40
    second, first = kit.corpus.batches(["rows"])
    assert 5 < first["answered"] < 40 and first["answered"] + second["answered"] == 40 == len(kit.invoice())
    assert first["cost_usd"] + second["cost_usd"] == pytest.approx(kit.one("SELECT SUM(cost) FROM llm_attempts") / 1e9)
    assert first["reserved_usd"] == 0
    kit.books_agree()


def test_a_budget_holds_for_batches_too(make_kit: Any) -> None:
    kit = make_kit(batch=0.2)
    kit.add(1, "probe", strategies=[{"paraphrase": BATCHED}], batch_poll_seconds=0.1)
    kit.run("probe")
    worst = kit.one("SELECT MAX(reserved) FROM llm_attempts")
    kit.add(
        30,
        strategies=[{"paraphrase": {**BATCHED, "temperature": 0.1}}],
        batch_poll_seconds=0.1,
        budget={"task_usd": worst * 1.5 / 1e9},
    )
    with pytest.raises(Paused, match="budget of this task"):
        kit.run()
    task = kit.one("SELECT MAX(id) FROM tasks")
    assert (
        kit.one("SELECT spent + reserved FROM budgets WHERE scope = 'task' AND subject = :t", t=str(task))
        <= worst * 1.5
    )
