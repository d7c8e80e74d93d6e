"""Several endpoints in one run: shared load, fallback, learning, and whose a refusal is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from corpus_pipeline.errors import Paused
from corpus_pipeline.jobs.augment import limit_sharing
from corpus_pipeline.llm.throttling import Breaker
from corpus_pipeline.service import Corpus
from corpus_pipeline.service.probe import probe
from corpus_pipeline.settings import Settings
from corpus_pipeline.states import Stage, Status
from corpus_pipeline_tests.augment.engine.conftest import Kit

Reply = tuple[int, dict[str, Any]]
PRICES = {"small": {"input": 1.0, "output": 2.0}}


class Server:
    """A chat server that does as `behave` says: from the body of a request and its number to a status and a body."""

    def __init__(self, behave: Callable[[dict[str, Any], int], Reply]) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    outer.bodies.append(body)
                    status, said = behave(body, len(outer.bodies))
                    outer.statuses.append(status)
                raw = orjson.dumps(said)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(body: dict[str, Any], number: int) -> Reply:
    text = f"Every plant of the bed gets its water by hand early in the day, and this is note number {number} about it."
    said = {"new_prompt": text} if "response_format" in body else text
    content = orjson.dumps(said).decode() if isinstance(said, dict) else said
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
    usage = {"prompt_tokens": 50, "completion_tokens": 30, "total_tokens": 80}
    return 200, {"id": f"c{number}", "model": body["model"], "choices": [choice], "usage": usage}


def refuse(status: int, message: str, **more: Any) -> Reply:
    return status, {"error": {"message": message, "type": "invalid_request_error", **more}}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., tuple[Kit, list[Server]]]]:
    """A corpus whose endpoints `e0`, `e1`, ... behave as given."""
    with ExitStack() as stack:

        def made(*behaviours: Callable[[dict[str, Any], int], Reply]) -> tuple[Kit, list[Server]]:
            servers = [Server(behave) for behave in behaviours]
            for server in servers:
                stack.callback(server.close)
            entries = {f"e{n}": {"base_url": s.base_url, "prices": PRICES} for n, s in enumerate(servers)}
            env = {"CORPUS_HOME": str(tmp_path / "home"), "CORPUS_ENDPOINTS": yaml.safe_dump({"endpoints": entries})}
            corpus = stack.enter_context(Corpus.open(Settings.from_env(env)))
            return Kit(corpus, None, tmp_path, tmp_path / "none"), servers  # type: ignore[arg-type]

        yield made


def regenerate(**params: Any) -> list[dict[str, Any]]:
    return [{"response_regeneration": {"model": "e0/small", "structured_output": False, **params}}]


def test_load_is_shared_and_each_call_is_booked_at_its_endpoint(make: Any) -> None:
    kit, servers = make(answer, answer)
    kit.add(60, strategies=regenerate(share=["e1/small"]), model=None, concurrency=8)
    report = kit.run().report
    assert report["succeeded"] == 60
    assert all(len(server.bodies) > 10 for server in servers)
    assert {body["model"] for server in servers for body in server.bodies} == {"small"}
    booked = {
        row.model: row.calls for row in kit.rows_of("SELECT model, COUNT(*) calls FROM llm_attempts GROUP BY model")
    }
    assert booked == {f"e{n}/small": len(server.bodies) for n, server in enumerate(servers)}
    assert kit.one("SELECT SUM(cost) FROM llm_attempts") == 60 * (50 * 1000 + 30 * 2000)


def test_a_fallback_answers_while_the_first_one_is_down(make: Any) -> None:
    kit, (_, second) = make(lambda body, number: refuse(503, "no capacity"), answer)
    kit.add(30, strategies=regenerate(fallback_models=["e1/small"]), model=None, concurrency=4)
    outcome = kit.run()
    assert outcome.status is Status.DONE and outcome.report["succeeded"] == 30
    assert second.statuses.count(200) >= 20


def test_a_key_that_is_refused_midway_leaves_the_endpoint_to_the_others(make: Any) -> None:
    def revoked(body: dict[str, Any], number: int) -> Reply:
        return answer(body, number) if number <= 5 else refuse(401, "Incorrect API key provided.")

    kit, (first, second) = make(revoked, answer)
    kit.add(40, strategies=regenerate(fallback_models=["e1/small"]), model=None, concurrency=4)
    report = kit.run().report
    assert (report["succeeded"], report["failed"]) == (40, 0)
    assert len(first.bodies) <= 5 + 2 * (4 + 1) and len(second.bodies) >= 25  # those that were out or about to go


def test_a_parameter_that_is_refused_is_learnt_once_and_kept_for_the_next_run(make: Any) -> None:
    def picky(body: dict[str, Any], number: int) -> Reply:
        if "temperature" in body:
            return refuse(400, "Unsupported value: 'temperature' does not support 0.7.", param="temperature")
        if "max_completion_tokens" in body:
            return refuse(400, "Unrecognized request argument supplied: max_completion_tokens")
        return answer(body, number)

    kit, (server,) = make(picky)
    kit.add(20, strategies=regenerate(), model=None)
    assert kit.run().report["succeeded"] == 20
    assert server.statuses.count(400) == 2
    facts = kit.rows_of("SELECT name, value FROM provider_facts WHERE kind = 'parameter' ORDER BY name")
    assert [tuple(row) for row in facts] == [("output_limit", "max_tokens"), ("temperature", "omitted")]
    assert {(fact["name"], fact["model"]) for fact in kit.report()["learnt"]} == {
        ("output_limit", "e0/small"),
        ("temperature", "e0/small"),
    }
    sent = orjson.loads(kit.one("SELECT sent FROM llm_attempts WHERE state = 'answered' LIMIT 1"))
    assert sent["learnt"] == {"omitted": ["temperature"], "output_limit": "max_tokens"}
    kit.add(10, "more", strategies=regenerate(max_output_tokens=777), model=None)
    assert kit.run("more").report["succeeded"] == 10
    assert server.statuses.count(400) == 2


def test_a_refusal_of_everything_pauses_after_a_few_calls_in_the_providers_words(make: Any) -> None:
    kit, (server,) = make(lambda body, number: refuse(400, "Your deployment wants the field safety_profile."))
    kit.add(200, strategies=regenerate(), model=None)
    with pytest.raises(Paused, match="wants the field safety_profile"):
        kit.run()
    assert len(server.bodies) <= 8
    assert kit.status()["status"] == "paused" and kit.one("SELECT COUNT(*) FROM failed_samples") == 0


def test_a_quota_of_the_day_pauses_with_the_providers_words_and_until_when(make: Any) -> None:
    def spent(body: dict[str, Any], number: int) -> Reply:
        return answer(body, number) if number <= 6 else refuse(429, "Limit of 6 requests per day. Try again in 7h3m.")

    kit, (server,) = make(spent)
    kit.add(40, strategies=regenerate(), model=None, concurrency=4)
    with pytest.raises(
        Paused, match=r"after \d answers the quota for the day .* in 7h3m\. Then: .* not before 20\d\d-"
    ):
        kit.run()
    assert len(server.bodies) <= 16
    assert kit.status()["status"] == "paused" and kit.one("SELECT COUNT(*) FROM failed_samples") == 0


@pytest.mark.parametrize("status", [400, 403, 422])
def test_one_row_that_is_refused_behind_answers_is_one_failed_sample(make: Any, status: int) -> None:
    def one_bad(body: dict[str, Any], number: int) -> Reply:
        return refuse(status, "This was flagged.") if "bed 7 " in str(body["messages"]) else answer(body, number)

    kit, _ = make(one_bad)
    kit.add(20, strategies=regenerate(), model=None)
    report = kit.run().report
    assert (report["succeeded"], report["failed"]) == (19, 1)


def test_what_a_recipe_says_of_calls_is_sent(make: Any) -> None:
    kit, (server,) = make(answer)
    said = {"temperature": None, "output_limit": "both", "system": "first_user", "service_tier": "flex"}
    kit.add(3, strategies=regenerate(**said, extra_body={"top_k": 4}, reasoning_effort="low"), model=None)
    assert kit.run().report["succeeded"] == 3
    body = server.bodies[0]
    assert "temperature" not in body and body["max_tokens"] == body["max_completion_tokens"]
    assert (body["service_tier"], body["top_k"], body["reasoning_effort"]) == ("flex", 4, "low")
    assert [message["role"] for message in body["messages"]] == ["user"]


class Listener:
    """A narrator that keeps what it is told."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.lines: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def progress(self, progress: object) -> None:
        self.lines.append(str(progress))


def test_a_provider_that_is_down_is_said_while_it_lasts_and_when_it_is_over(
    make: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit_sharing, "EVERY_SECONDS", 0.1)
    monkeypatch.setattr(Breaker, "LONGEST_COOLDOWN", 1.0)
    repaired = threading.Event()

    def down(body: dict[str, Any], number: int) -> Reply:
        if not repaired.is_set():
            return refuse(503, "Our disks are full.")
        time.sleep(0.25)  # the run goes on for some looks of who tells of it
        return answer(body, number)

    kit, _ = make(down)
    kit.add(20, strategies=regenerate(), model=None, max_retries=20)
    heard = Listener()
    with kit.another() as corpus:
        thread = threading.Thread(target=corpus.run_stage, args=("rows", Stage.AUGMENT), kwargs={"narrator": heard})
        thread.start()
        try:
            wait_until(lambda: kit.status()["troubles"], 30)
            (said,) = kit.status()["troubles"]
            assert "e0: does not answer since" in said and "until" in said and "Our disks are full." in said
            wait_until(lambda: any("Our disks are full." in text for text in heard.notices), 30)
        finally:
            repaired.set()
            thread.join(60)
    assert not thread.is_alive()
    assert "augment of rows: calls flow again" in heard.notices
    assert kit.status()["troubles"] == [] and kit.status()["status"] == "done"


def test_a_probe_finds_and_keeps_what_an_endpoint_refuses_and_says_its_cost(make: Any) -> None:
    def picky(body: dict[str, Any], number: int) -> Reply:
        if "temperature" in body:
            return refuse(400, "'temperature' is not supported with this model", param="temperature")
        return answer(body, number)

    kit, (first, second) = make(picky, lambda body, number: refuse(400, "The field colour is required."))
    kit.add(5, strategies=regenerate(fallback_models=["e1/small"]), model=None)
    good, bad = probe(kit.corpus)
    assert (good.label, good.ok, len(first.bodies)) == ("e0/small", True, 2)
    assert "temperature: omitted" in good.sentence and good.cost_usd == pytest.approx(110e-6)
    assert (bad.label, bad.ok, len(second.bodies)) == ("e1/small", False, 1)
    assert "colour is required" in bad.sentence
    assert kit.run().report["succeeded"] == 5
    assert first.statuses.count(400) == 1, "the run did not know what the probe had learnt"
