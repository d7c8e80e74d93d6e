"""Webhooks: signed, to allowed hosts only, tried again, and never in the way of the work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from corpus_pipeline.errors import Paused
from corpus_pipeline.jobs.webhooks import Sender, _is_listed, _post
from corpus_pipeline.llm.endpoint import endpoint
from corpus_pipeline.states import Stage
from corpus_pipeline.webhook_signatures import Receiver as SignedReceiver
from corpus_pipeline.webhook_signatures import signature
from corpus_pipeline_tests.servers.raw_http import response, saying
from corpus_pipeline_tests.servers.receiver import Receiver, listening

SECRET = "whsec-canary-71f2"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as made:
        yield made


def allow(kit: Any, *hosts: str) -> None:
    kit.corpus.settings = replace(kit.corpus.settings, webhook_hosts=hosts, webhook_secret=SECRET)


def test_a_stage_that_is_paused_and_then_completed_tells_both_with_its_report(
    make_kit: Any, receiver: Receiver
) -> None:
    kit = make_kit()
    allow(kit, "127.0.0.1")
    kit.add(4, strategies=["paraphrase"], notify={"url": receiver.url})
    kit.corpus.pause(["rows"], Stage.AUGMENT, False, "lunch")
    for _ in range(2):  # the second run finds it paused, which is no news
        with pytest.raises(Paused):
            kit.run()
    kit.corpus.resume(["rows"], Stage.AUGMENT, False)
    kit.run()
    assert receiver.events() == [("augment", "paused"), ("augment", "completed")]
    headers, raw = receiver.heard[1]
    moment = int(headers["x-corpus-signature"].partition(",")[0].removeprefix("t="))
    assert headers["x-corpus-signature"] == signature(SECRET, raw, moment)
    assert headers["x-corpus-event"] == "completed"
    assert SECRET.encode() not in raw
    assert orjson.loads(raw)["report"]["succeeded"] == 4


def test_a_receiver_that_is_away_is_told_later_once(make_kit: Any, receiver: Receiver) -> None:
    kit = make_kit()
    allow(kit, "127.0.0.1")
    kit.add(2, strategies=["paraphrase"], notify={"url": receiver.url})
    receiver.refuse = 1
    kit.run()
    assert receiver.heard == []
    assert kit.rows_of("SELECT state, attempts, error FROM webhook_events") == [("waiting", 1, "HTTP 503")]
    assert kit.corpus.deliver_webhooks() == 0, "it was tried again at once"
    with kit.corpus.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE webhook_events SET due_at = 0")
    assert kit.corpus.deliver_webhooks() == 1
    assert kit.corpus.deliver_webhooks() == 0
    assert receiver.events() == [("augment", "completed")]


def test_a_message_that_was_put_off_before_the_clock_was_set_back_goes_out(make_kit: Any, receiver: Receiver) -> None:
    kit = make_kit()
    allow(kit, "127.0.0.1")
    kit.add(2, strategies=["paraphrase"], notify={"url": receiver.url})
    receiver.refuse = 1
    kit.run()
    with kit.corpus.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE webhook_events SET due_at = due_at + 86400000")
    assert kit.corpus.deliver_webhooks() == 1


def test_what_a_run_could_not_deliver_goes_out_with_the_sensor(
    make_kit: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster import build_sensor_context

    from corpus_pipeline.defs import sensors

    kit = make_kit()
    kit.add(2, strategies=["paraphrase"], notify={"url": receiver.url})
    with monkeypatch.context() as patch:  # as when the process is killed behind its last commit
        patch.setattr(type(kit.corpus), "deliver_webhooks", lambda self: 0)
        kit.run()
    assert receiver.heard == []
    allow(kit, "127.0.0.1")
    monkeypatch.setattr(sensors, "opened", lambda settings: nullcontext(kit.corpus))
    for said in ("1 webhooks delivered", "no webhook"):
        assert said in sensors.webhooks(build_sensor_context()).skip_message
    assert receiver.events() == [("augment", "completed")]


def test_a_host_that_is_not_allowed_is_never_called(make_kit: Any, receiver: Receiver) -> None:
    kit = make_kit()
    allow(kit, "hooks.example.org")
    kit.add(2, strategies=["paraphrase"], notify={"url": receiver.url})
    assert kit.run().report["succeeded"] == 2
    assert receiver.heard == []
    state, error = kit.rows_of("SELECT state, error FROM webhook_events")[0]
    assert state == "given_up" and "CORPUS_WEBHOOK_HOSTS" in error


def test_a_receiver_sends_a_message_nowhere_else(receiver: Receiver) -> None:
    """A host of the list that answers with another address, one of this machine's or of a cloud's credentials among them."""
    sender = Sender(("127.0.0.1",), SECRET)
    with saying() as listed:
        for status in (301, 302, 307, 308):
            for target in (receiver.url, "http://169.254.169.254/latest/meta-data/", "//127.0.0.1:9/x"):
                listed.say = lambda _, s=status, t=target: [response(b"", s, [("Location", t)])]
                row: Any = SimpleNamespace(id=1, url=f"{listed.origin}/hook", body="{}", event="completed")
                assert str(asyncio.run(_post(sender, row))) == f"HTTP {status}"
        assert len(listed.requests) == 12 and receiver.heard == []


@pytest.mark.parametrize(
    ("url", "hosts", "listed"),
    [
        ("https://hooks.example.org/x", ("hooks.example.org",), True),
        ("https://hooks.example.org:443/x", ("hooks.example.org:443",), True),
        ("https://hooks.example.org:8443/x", ("hooks.example.org",), False),
        ("https://hooks.example.org:8443/x", ("hooks.example.org:8443",), True),
        ("https://hooks.example.org/x", ("hooks.example.org:8443",), False),
        ("http://127.0.0.1:9/x", ("127.0.0.1",), True),
        ("http://127.0.0.1:9/x", ("127.0.0.1:10",), False),
        ("http://[::1]:9/x", ("[::1]:9",), True),
        ("https://other.example.org/x", ("hooks.example.org", "example.org"), False),
    ],
)
def test_the_list_of_hosts_knows_ports(url: str, hosts: tuple[str, ...], listed: bool) -> None:
    assert _is_listed(endpoint(url, None), hosts) is listed


def test_a_message_is_taken_once_and_only_while_it_is_new() -> None:
    now = [1_000_000.0]
    receiver, body = SignedReceiver(SECRET, clock=lambda: now[0]), b'{"event":"completed"}'
    sent = signature(SECRET, body, 1_000_000)
    assert receiver.accepts(sent, body)
    assert not receiver.accepts(sent, body)  # recorded and sent again
    now[0] += 299
    assert not receiver.accepts(sent, body)
    again = signature(SECRET, body, 1_000_001)  # its sender tried once more
    assert receiver.accepts(again, body)
    now[0] += 302
    assert not receiver.accepts(signature(SECRET, body, 1_000_299), body)
    now[0] += 10_000
    assert not receiver.accepts(sent, body) and not receiver.accepts(again, body)


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "t=1000000",
        "v1=" + "0" * 64,
        "t=1000000,v1=" + "0" * 64,
        signature("another secret", b"x", 1_000_000),
        signature(SECRET, b"y", 1_000_000),
        signature(SECRET, b"x", 1_000_000).upper(),
        signature(SECRET, b"x", 1_000_000) + ",v1=" + "0" * 64,
        signature(SECRET, b"x", 1_000_000).replace("t=1000000", "t=1000010"),
        signature(SECRET, b"x", 1_000_000).replace("t=", "t=0"),
        signature(SECRET, b"x", 1_000_400),
    ],
)
def test_a_forged_or_future_message_is_refused(forged: str) -> None:
    assert not SignedReceiver(SECRET, clock=lambda: 1_000_000.0).accepts(forged, b"x")


def test_what_is_sent_is_what_a_receiver_accepts(make_kit: Any, receiver: Receiver) -> None:
    kit = make_kit()
    allow(kit, "127.0.0.1")
    kit.add(2, strategies=["paraphrase"], notify={"url": receiver.url})
    kit.run()
    (headers, body), checked = receiver.heard[0], SignedReceiver(SECRET)
    assert checked.accepts(headers["x-corpus-signature"], body)
    assert not checked.accepts(headers["x-corpus-signature"], body)
    assert not SignedReceiver(SECRET).accepts(headers["x-corpus-signature"], body.replace(b"2", b"3"))
