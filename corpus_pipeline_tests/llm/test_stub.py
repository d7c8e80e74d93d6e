"""The stand-in: deterministic, honest about itself, exact in its invoice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from corpus_pipeline.errors import UnknownName, UsageError
from corpus_pipeline.llm import prices
from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.endpoint import endpoint
from corpus_pipeline.llm.failures import CallFailed, CallRefused, CallRejected, Failure
from corpus_pipeline.llm_stub import RunningStub
from corpus_pipeline.llm_stub.faults import REFUSED, WIRE, Fault, FaultMix, parse_shares
from corpus_pipeline.llm_stub.latency import parse_latency
from corpus_pipeline.llm_stub.ratelimit import duration
from corpus_pipeline.model import Answer, Usage
from corpus_pipeline_tests.llm.conftest import KEY, ask, call, invoice

Start = Callable[..., RunningStub]


def outcomes(stub: RunningStub, count: int, *, attempt: int = 1) -> list[Answer | Failure]:
    """What `count` different requests come to, 20 at once."""

    async def one(model: ModelClient, window: asyncio.Semaphore, number: int) -> Answer | Failure:
        async with window:
            try:
                return await model.complete(
                    ask(f"Row {number}: buy many apples."), attempt_id=f"{number}-{attempt}", attempt=attempt,
                    deadline_seconds=0.5,
                )  # fmt: skip
            except (CallFailed, CallRefused, CallRejected) as error:
                return error.failure

    async def run() -> list[Answer | Failure]:
        async with ModelClient(endpoint(stub.base_url, KEY)) as model:
            window = asyncio.Semaphore(20)
            return await asyncio.gather(*(one(model, window, number) for number in range(count)))

    return asyncio.run(run())


def test_the_same_seed_gives_the_same_answers_and_faults(start: Start) -> None:
    mix = {Fault.RATE_LIMIT: 0.2, Fault.SERVER_ERROR: 0.2, Fault.EMPTY: 0.2}
    first, again = (outcomes(start(faults=mix, seed=7), 40) for _ in range(2))

    def kept(results: list[Answer | Failure]) -> list[object]:
        return [r.text if isinstance(r, Answer) else r.reason for r in results]

    assert kept(first) == kept(again)
    assert kept(first) != kept(outcomes(start(faults=mix, seed=8), 40))


def test_a_second_attempt_may_succeed(start: Start) -> None:
    stub = start(faults={Fault.SERVER_ERROR: 0.5})
    failed = [n for n, r in enumerate(outcomes(stub, 40)) if isinstance(r, Failure)]
    second = outcomes(stub, 40, attempt=2)
    assert failed and any(isinstance(second[number], Answer) for number in failed)


def test_faults_come_in_their_shares() -> None:
    mix = FaultMix(parse_shares(["429=0.1", "500=0.03", "empty=0.04"]), seed=1)
    drawn = Counter(mix.draw(f"{number:064x}", 1) for number in range(20_000))
    assert 0.09 < drawn[Fault.RATE_LIMIT] / 20_000 < 0.11
    assert 0.025 < drawn[Fault.SERVER_ERROR] / 20_000 < 0.035
    assert 0.82 < drawn[None] / 20_000 < 0.84


def test_wrong_options_are_told_apart() -> None:
    with pytest.raises(UnknownName):
        parse_shares(["emtpy=1"])
    with pytest.raises(UsageError):
        parse_shares(["empty=lots"])
    with pytest.raises(UsageError):
        FaultMix({Fault.EMPTY: 0.7, Fault.CUT: 0.7}, 0)
    for text in ("fixed:soon", "lognormal:median=1", "poisson:1", "uniform:low=-1,high=2"):
        with pytest.raises(UsageError):
            parse_latency(text)


def test_the_lognormal_law_has_its_median_and_its_tail() -> None:
    law = parse_latency("lognormal:median=0.5,p99=4")
    assert abs(law.seconds(0.5) - 0.5) < 1e-9 and abs(law.seconds(0.99) - 4.0) < 1e-6


def test_the_invoice_has_every_call_and_what_it_costs(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    mix = {
        Fault.RATE_LIMIT: 0.15, Fault.SERVER_ERROR: 0.1, Fault.INVALID: 0.1, Fault.ANSWERED_RESET: 0.1, Fault.EMPTY: 0.1
    }  # fmt: skip
    stub = start(faults=mix, request_log=log, fsync=True)
    results = outcomes(stub, 80)
    lines = {line["attempt_id"]: line for line in invoice(log)}
    assert len(lines) == 80 and [line["seq"] for line in invoice(log)] == list(range(1, 81))
    price = prices.price_of("corpus-stub").standard
    for number, result in enumerate(results):
        line = lines[f"{number}-1"]
        if isinstance(result, Answer):
            assert (line["input_tokens"], line["output_tokens"]) == result.usage[:2]
            assert line["nano_dollars"] == prices.cost(result.usage, price)
        else:
            # nothing that was billed is taken for free
            assert result.maybe_billed or line["nano_dollars"] == 0
    assert any(line["fault"] == "answered_rst" and line["nano_dollars"] > 0 for line in lines.values())
    assert stub.app.invoice.counters["calls"] == 80


def test_every_fault_is_either_refused_or_billed() -> None:
    assert set(Fault) > REFUSED | WIRE and not REFUSED & WIRE
    assert Fault.REDIRECT in REFUSED and Fault.TIMEOUT in WIRE and Fault.GZIP in WIRE and Fault.CUT not in WIRE


def test_it_says_what_it_is(stub: RunningStub) -> None:
    body = {"model": "corpus-stub", "messages": [{"role": "user", "content": "Who are you?"}]}
    response = httpx2.post(f"{stub.base_url}/chat/completions", json=body)
    said = response.json()
    assert response.headers["x-corpus-stub"] == "1"
    assert (said["model"], said["system_fingerprint"]) == ("corpus-stub", "corpus-stub")
    assert "stand-in" in said["choices"][0]["message"]["content"]


def test_rate_limits_are_held_and_told(start: Start) -> None:
    stub = start(requests_per_minute=3, tokens_per_minute=100_000)
    body = {"model": "corpus-stub", "messages": [{"role": "user", "content": "Hello"}]}
    responses = [httpx2.post(f"{stub.base_url}/chat/completions", json=body) for _ in range(4)]
    assert [r.status_code for r in responses] == [200, 200, 200, 429]
    assert [r.headers["x-ratelimit-remaining-requests"] for r in responses] == ["2", "1", "0", "0"]
    assert responses[0].headers["x-ratelimit-limit-tokens"] == "100000"
    assert 15 < float(responses[3].headers["retry-after"]) <= 20
    assert responses[3].json()["error"]["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize(("seconds", "text"), [(0.02, "20ms"), (1.5, "1.5s"), (360, "6m0s"), (3723, "1h2m3s")])
def test_durations_are_written_as_the_provider_does(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_fault_mix_can_be_changed_while_it_runs(stub: RunningStub) -> None:
    admin = stub.base_url.removesuffix("/v1") + "/admin"
    assert httpx2.put(f"{admin}/faults", json={"empty": 1.0}).status_code == 200
    assert call(stub, ask("x")).text == ""
    assert httpx2.get(f"{admin}/counters").json()["faults"] == {"empty": 1.0}
    assert httpx2.put(f"{admin}/faults", json={"emtpy": 1.0}).status_code == 400


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'{"model": "corpus-stub"}', b'{"model": "corpus-stub","messages":[1]}']
)
def test_nonsense_is_refused_and_nothing_breaks(stub: RunningStub, raw: bytes) -> None:
    response = httpx2.post(f"{stub.base_url}/chat/completions", content=raw)
    assert response.status_code == 400 and "error" in response.json()


def test_it_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    command = [sys.executable, "-m", "corpus_pipeline.llm_stub", "--port", "0", "--request-log", str(log)]
    with subprocess.Popen([*command, "--fault", "empty=1"], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            url = "http://" + process.stderr.readline().partition("http://")[2].split()[0]
            models = httpx2.get(f"{url}/models").json()
            assert models["data"][0]["id"] == "corpus-stub"
        finally:
            process.terminate()
    bad = subprocess.run([*command, "--fault", "emtpy=1"], capture_output=True, text=True, check=False)
    assert bad.returncode == 2 and "did you mean 'empty'" in bad.stderr


def test_billed_output_never_exceeds_the_limit_that_was_asked_for(stub: RunningStub) -> None:
    usage = call(stub, ask("many words " * 100, most=10)).usage
    assert isinstance(usage, Usage) and usage.output_tokens == 10
