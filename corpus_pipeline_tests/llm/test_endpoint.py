"""Where a key may be sent, and where nothing is ever sent."""

from __future__ import annotations

import asyncio

import pytest

from corpus_pipeline.errors import ProviderRefused, UsageError
from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.endpoint import allowed, endpoint, mask, resolve
from corpus_pipeline_tests.llm.conftest import KEY, ask


@pytest.mark.parametrize(
    "url",
    [
        None,
        "https://api.openai.com/v1",
        "https://api.openai.com/v1/",
        "https://models.example.org:8443/openai/v1",
        "http://127.0.0.1:8790/v1",
        "http://localhost:8000/v1",
        "http://[::1]:8000/v1",
        "https://1.1.1.1/v1",
    ],
)
def test_https_and_loopback_are_let_through(url: str | None) -> None:
    where = endpoint(url, KEY)
    assert not where.base_url.endswith("/") and where.loopback == ("http://" in where.base_url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.openai.com/v1",
        "ftp://127.0.0.1/v1",
        "https://user:password@api.openai.com/v1",
        "https://api.openai.com/v1?key=1",
        "https://",
        "https://api.openai.com:99999/v1",
        "https://169.254.169.254/v1",
        "http://169.254.169.254/v1",
        "https://[fe80::1]/v1",
        "https://[::ffff:169.254.169.254]/v1",
        "https://[::ffff:127.0.0.1]/v1",
        "https://[fd00:ec2::254]/v1",
        "https://10.0.0.5/v1",
        "https://100.64.0.1/v1",
        "https://192.168.1.1/v1",
        "https://0.0.0.0/v1",
        "http://0.0.0.0:80/v1",
        "https://2130706433/v1",
        "https://0x7f000001/v1",
        "https://0177.0.0.1/v1",
        "https://127.1/v1",
        "https://[2002:a9fe:a9fe::]/v1",
        "https://[64:ff9b::a9fe:a9fe]/v1",
        "https://224.0.0.1/v1",
        "https://[::169.254.169.254]/v1",
        "https://[::8.8.8.8]/v1",
        "https://[2001:0:a9fe:a9fe::1]/v1",
        "https://[64:ff9b:1::a9fe:a9fe]/v1",
        "https://[64:ff9b::10.0.0.5]/v1",
        "https://[2002:0a00:0005::]/v1",
        "https://[::ffff:10.0.0.5]/v1",
        "https://[2001:db8::1]/v1",
        "https://192.0.2.7/v1",
        "https://198.18.0.1/v1",
        "https://240.0.0.1/v1",
        "https://[fec0::1]/v1",
        "https://[::ffff:0:a9fe:a9fe]/v1",
        "https://[::ffff:0:10.0.0.5]/v1",
        "https://[64:ff9b::169.254.169.254]/v1",
        "https://[2002:7f00:1::]/v1",
        "https://192.88.99.1/v1",
        "https://[3fff::1]/v1",
        "https://[5f00::1]/v1",
        "https://[100::1]/v1",
        "not a url",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        endpoint(url, KEY)


def test_a_private_host_must_be_named_and_never_opens_the_metadata_address() -> None:
    with pytest.raises(UsageError):
        endpoint("https://10.0.0.5/v1", KEY)
    assert endpoint("http://10.0.0.5/v1", KEY, private_hosts=frozenset({"10.0.0.5"})).private_allowed
    with pytest.raises(UsageError):
        endpoint("http://169.254.169.254/v1", KEY, private_hosts=frozenset({"169.254.169.254"}))


def test_a_name_that_points_inside_is_refused_when_it_is_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    async def rebound(self, host, port, **_):  # type: ignore[no-untyped-def]
        return [(2, 1, 6, "", ("93.184.216.34", port)), (2, 1, 6, "", ("169.254.169.254", port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", rebound)
    where = endpoint("https://models.example.org/v1", KEY)
    with pytest.raises(ProviderRefused, match=r"169\.254\.169\.254"):
        asyncio.run(resolve(where, "models.example.org", 443))

    async def through_the_client() -> None:
        async with ModelClient(where) as model:
            await model.complete(ask("x"), attempt_id="a", attempt=1, deadline_seconds=5)

    with pytest.raises(ProviderRefused, match=r"169\.254\.169\.254"):
        asyncio.run(through_the_client())


def test_a_key_is_bound_to_its_host_and_port() -> None:
    where = endpoint("http://127.0.0.1:8790/v1", KEY)
    assert asyncio.run(resolve(where, "127.0.0.1", 8790)) == ["127.0.0.1"]
    for host, port in (("127.0.0.1", 8791), ("127.0.0.2", 8790), ("api.openai.com", 443)):
        with pytest.raises(ProviderRefused):
            asyncio.run(resolve(where, host, port))


def test_keys_are_masked() -> None:
    assert mask(KEY) == "****4c60" and mask("short") == "****" and mask(None) == "none"
    where = endpoint(None, KEY)
    assert KEY not in f"{where} {where!r}"


def test_a_loopback_name_must_stay_on_this_machine() -> None:
    assert allowed("127.0.0.1", loopback=True, private=False)
    assert not allowed("93.184.216.34", loopback=True, private=False)
