"""Batches of Anthropic, Gemini and Azure behind the same engine: half the price, once, whatever becomes of single requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anthropic
import orjson
import pytest
import yaml
from google import genai

from corpus_pipeline import failpoints
from corpus_pipeline.jobs.augment import provider_batches
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline_tests.augment.engine.conftest import Kit
from corpus_pipeline_tests.servers import batch_providers
from corpus_pipeline_tests.servers.batch_providers import TOKENS, BatchProvider

PROVIDERS = [batch_providers.Anthropic, batch_providers.Gemini, batch_providers.Azure]
EACH = pytest.mark.parametrize("kind", PROVIDERS, ids=lambda kind: kind.style)
PRICE = {"input": 2.0, "output": 10.0, "tiers": {"batch": 0.5}}
ANOTHER: dict[str, Any] = {
    "model": "m-1",
    "messages": [{"role": "user", "content": "Hello"}],
    "contents": [{"parts": [{"text": "Hello"}]}],
}
HALF = (TOKENS[0] * 2000 + TOKENS[1] * 10_000) // 2  # nano-dollars of an answer in a batch


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., tuple[Kit, BatchProvider]]]:
    """A corpus whose endpoint `other` is such a provider."""
    with ExitStack() as stack:

        def made(kind: type[BatchProvider]) -> tuple[Kit, BatchProvider]:
            provider = stack.enter_context(batch_providers.serving(kind()))
            entry = {"base_url": provider.base_url, "style": kind.style, "key": "OTHER_KEY", "prices": {"m-1": PRICE}}
            if isinstance(provider, batch_providers.Azure):
                entry["api_version"] = provider.VERSION
            env = {
                "CORPUS_HOME": str(tmp_path / "home"),
                "CORPUS_ENDPOINTS": yaml.safe_dump({"endpoints": {"other": entry}}),
                "OTHER_KEY": "key-of-the-other-provider",
            }
            corpus = stack.enter_context(Corpus.open(Settings.from_env(env)))
            return Kit(corpus, None, tmp_path, tmp_path / "none"), provider  # type: ignore[arg-type]

        yield made


def add(kit: Kit, rows: int, **params: Any) -> None:
    step = {
        "response_regeneration": {"model": "other/m-1", "provider_batch": True, "structured_output": False, **params}
    }
    kit.add(rows, strategies=[step], model=None, batch_poll_seconds=0.05)


@EACH
def test_a_batch_costs_half_and_is_booked_to_the_token(make: Any, kind: type[BatchProvider]) -> None:
    kit, provider = make(kind)
    add(kit, 20)
    report = kit.run().report
    assert (report["succeeded"], len(provider.batches), provider.asked) == (20, 1, 20)
    rows = kit.rows_of("SELECT * FROM llm_attempts")
    assert {(row.model, row.input_tokens, row.output_tokens, row.cost) for row in rows} == {
        ("other/m-1", *TOKENS, HALF)
    }
    assert {orjson.loads(row.sent)["endpoint"] for row in rows} == {"other"}
    assert kit.one("SELECT SUM(reserved) FROM budgets") == 0


@EACH
def test_what_becomes_of_single_requests(make: Any, kind: type[BatchProvider]) -> None:
    kit, provider = make(kind)
    provider.spoil = {1: "errored", 2: "invalid", 3: "expired", 4: "twice", 5: "garbage", 6: "missing"}
    add(kit, 20)
    report = kit.run().report
    assert report["succeeded"] + report["failed"] == 20 and report["failed"] <= 2
    # each spoilt number exists in every batch: what was asked again met the same fault at another row
    assert {state for (state,) in kit.rows_of("SELECT DISTINCT state FROM provider_batches")} == {"taken"}
    answered = kit.one("SELECT COUNT(*) FROM llm_attempts WHERE state = 'answered'")
    assert answered >= report["succeeded"]
    assert kit.one("SELECT SUM(cost) FROM llm_attempts WHERE state = 'answered'") == answered * HALF
    unknown = kit.rows_of("SELECT cost, reserved FROM llm_attempts WHERE state = 'unknown'")
    assert unknown and all(row.cost == row.reserved > 0 for row in unknown), "what has no line may have been billed"
    assert kit.one("SELECT SUM(reserved) FROM budgets") == 0


@EACH
def test_a_creation_whose_answer_is_lost_is_found_again(
    make: Any, kind: type[BatchProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_batches, "_FIND_SECONDS", 0.05)
    kit, provider = make(kind)
    provider.cut_creates, provider.polls = 1, 2
    add(kit, 12)
    provider.make([("of-another-program", ANOTHER)] * 12, display="another", model="m-1")["looks"] = 1 << 30
    assert kit.run().report["succeeded"] == 12
    assert (len(provider.batches), provider.asked) == (2, 24), "the batch was made twice"
    assert kit.one("SELECT COUNT(*) FROM llm_attempts") == 12


class Killed(BaseException):
    """What a kill is in these tests: nothing behind it runs."""


@EACH
def test_a_kill_behind_the_creation_pays_once(
    make: Any, kind: type[BatchProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_batches, "_FIND_SECONDS", 0.05)
    kit, provider = make(kind)
    add(kit, 8)
    meet = failpoints.point

    def kill(name: str) -> None:
        if name == "batch created":
            raise Killed
        meet(name)

    with monkeypatch.context() as patch:
        patch.setattr(failpoints, "point", kill)
        with pytest.raises(Killed):
            kit.run()
    assert kit.rows_of("SELECT state FROM provider_batches") == [("planned",)]
    assert kit.run().report["succeeded"] == 8
    assert (len(provider.batches), kit.one("SELECT COUNT(*) FROM llm_attempts")) == (1, 8)


@EACH
def test_a_full_queue_is_waited_for(make: Any, kind: type[BatchProvider]) -> None:
    kit, provider = make(kind)
    provider.full = 2
    add(kit, 10)
    assert kit.run().report["succeeded"] == 10 and provider.asked == 10


@EACH
def test_results_that_are_gone_need_a_person(
    make: Any, kind: type[BatchProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_batches, "_FILE_SECONDS", 0.1)
    monkeypatch.setattr(provider_batches, "_FIND_SECONDS", 0.05)
    kit, provider = make(kind)
    provider.archived = True
    add(kit, 5)
    with pytest.raises(Exception, match="corpus batches forget"):
        kit.run()
    (forgotten,) = kit.corpus.forget_batches(["rows"], "archived")
    assert forgotten["unknown"] == 5
    provider.archived = False
    assert kit.run().report["succeeded"] == 5
    assert provider.asked == 10


@EACH
def test_a_parameter_that_a_batch_refuses_is_learnt(make: Any, kind: type[BatchProvider]) -> None:
    kit, provider = make(kind)
    provider.refused_key = "temperature"
    add(kit, 6, temperature=0.3)
    assert kit.run().report["succeeded"] == 6
    assert (len(provider.batches), provider.asked) == (2, 12)
    facts = kit.rows_of("SELECT name, value FROM provider_facts WHERE kind = 'parameter'")
    assert facts == [("temperature", "omitted")]
    states = dict(kit.rows_of("SELECT state, COUNT(*) FROM llm_attempts GROUP BY state"))
    assert states == {"error": 6, "answered": 6}


@EACH
def test_a_person_cancels_at_the_provider_that_has_the_batch(
    make: Any, kind: type[BatchProvider], wait_until: Any
) -> None:
    kit, provider = make(kind)
    provider.polls = 1 << 20
    add(kit, 4)
    with kit.running() as background:
        wait_until(lambda: kit.one("SELECT COUNT(*) FROM provider_batches WHERE state = 'sent'") == 1)
        (cancelled,) = kit.corpus.cancel_batches(["rows"], "too slow")
        background.wait(10)
    assert cancelled["provider_status"] in ("ended", "BATCH_STATE_SUCCEEDED", "completed")


def test_what_goes_out_is_what_anthropics_sdk_sends(make: Any) -> None:
    kit, provider = make(batch_providers.Anthropic)
    add(kit, 2)
    kit.run()
    ours = {path.partition("?")[0]: raw for _, path, raw in provider.seen}
    mine = orjson.loads(ours["/v1/messages/batches"] or next(raw for m, p, raw in provider.seen if m == "POST"))
    provider.seen.clear()
    client = anthropic.Anthropic(api_key="k", base_url=provider.origin, max_retries=0)
    made = client.messages.batches.create(requests=mine["requests"])
    assert orjson.loads(provider.seen[0][2]) == mine and provider.seen[0][1] == "/v1/messages/batches"
    assert next(b.id for b in client.messages.batches.list()) == made.id
    while client.messages.batches.retrieve(made.id).processing_status != "ended":
        pass
    entries = list(client.messages.batches.results(made.id))
    assert [entry.result.type for entry in entries] == ["succeeded"] * 2
    theirs = {path.partition("?")[0].replace("batch-2", "batch-1") for _, path, _ in provider.seen}
    assert set(ours) <= theirs | {"/v1/messages/batches/batch-1"}


def test_what_goes_out_is_what_geminis_sdk_sends(make: Any, tmp_path: Path) -> None:
    kit, provider = make(batch_providers.Gemini)
    add(kit, 2)
    kit.run()
    own = [(m, p.partition("?")[0], raw) for m, p, raw in provider.seen]
    lines = tmp_path / "lines.jsonl"
    lines.write_bytes(next(raw for m, p, raw in own if p.startswith("/upload") and raw.startswith(b'{"key"')))
    provider.seen.clear()
    client = genai.Client(api_key="k", http_options={"base_url": provider.origin, "api_version": "v1beta"})
    file = client.files.upload(file=str(lines), config={"mime_type": "application/jsonl", "display_name": "x"})
    key = next(orjson.loads(raw)["batch"]["displayName"] for _, p, raw in own if p.endswith(":batchGenerateContent"))
    job = client.batches.create(model="m-1", src=file.name, config={"display_name": key})
    while client.batches.get(name=job.name).state.name != "JOB_STATE_SUCCEEDED":
        pass
    done = client.batches.get(name=job.name)
    client.files.download(file=done.dest.file_name)
    theirs = [(m, p.partition("?")[0], raw) for m, p, raw in provider.seen]

    def said(calls: list[Any], ending: str) -> list[Any]:
        return [(m, p, orjson.loads(raw)) for m, p, raw in calls if p.endswith(ending)]

    mine, others = said(own, ":batchGenerateContent"), said(theirs, ":batchGenerateContent")
    assert [(m, p, b["batch"].keys()) for m, p, b in mine] == [(m, p, b["batch"].keys()) for m, p, b in others]
    paths = {p.replace("batch-1", "batch-2") for _, p, _ in own}
    assert paths <= {p for _, p, _ in theirs}
