"""Calls out of a company: by an HTTP proxy, to a server whose certificate only the company's own authority signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from corpus_pipeline.errors import CorpusError
from corpus_pipeline.llm_stub import StubOptions, running
from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline.store.failed_samples import Where
from corpus_pipeline_tests.augment.engine.conftest import Kit
from corpus_pipeline_tests.servers.tls import Authority, Forwarder, authority, connect_proxy, tls_in_front

HOST = "models.company.example"  # which no resolver of this machine knows
KEY = "sk-canary-of-the-company-71f0"


class Network(NamedTuple):
    """The corpus, the proxy, the server behind it, and the authority that signed for it."""

    kit: Kit
    proxy: Forwarder
    server: Forwarder
    own: Authority


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Callable[..., Network]]:
    """`network(env)` opens a corpus with this environment; `{proxy}` and `{ca}` in its values are filled in."""
    with ExitStack() as stack:

        def made(**env: str) -> Network:
            log = tmp_path / "invoice.jsonl"
            stub = stack.enter_context(running(StubOptions(request_log=log, api_key=KEY)))
            own = authority(tmp_path / "company", HOST)
            server = stack.enter_context(tls_in_front(int(stub.base_url.split(":")[2].split("/")[0]), own))
            proxy = stack.enter_context(connect_proxy(server.port))
            filled = {name: value.format(proxy=f"127.0.0.1:{proxy.port}", ca=own.ca) for name, value in env.items()}
            settings = {
                "CORPUS_HOME": str(tmp_path / "home"),
                "OPENAI_BASE_URL": f"https://{HOST}/v1",
                "OPENAI_API_KEY": KEY,
            }
            corpus = stack.enter_context(Corpus.open(Settings.from_env(settings | filled)))
            return Network(Kit(corpus, stub, tmp_path, log), proxy, server, own)

        yield made


def test_calls_go_through_the_tunnel_and_the_proxy_reads_none_of_them(network: Any) -> None:
    net = network(HTTPS_PROXY="http://{proxy}", CORPUS_CA_FILE="{ca}")
    net.kit.add(6, strategies=["paraphrase"])
    assert net.kit.run().report["succeeded"] == 6
    assert set(net.proxy.asked) == {f"CONNECT {HOST}:443"} and set(net.proxy.credentials) == {None}
    assert b"gardener" in net.server.passed and KEY.encode() in net.server.passed
    assert KEY.encode() not in net.proxy.passed and b"gardener" not in net.proxy.passed and net.proxy.passed
    net.kit.books_agree()


def test_the_proxy_gets_its_own_password_and_nobody_else_does(network: Any) -> None:
    net = network(HTTPS_PROXY="http://robot:pass%20word@{proxy}", CORPUS_CA_FILE="{ca}")
    net.kit.add(3, strategies=["paraphrase"])
    assert net.kit.run().report["succeeded"] == 3
    assert set(net.proxy.credentials) == {"robot:pass word"}
    assert b"proxy-authorization" not in net.server.passed.lower()


def test_the_names_of_other_programs_for_the_authority_hold_too(network: Any) -> None:
    net = network(https_proxy="http://{proxy}", SSL_CERT_FILE="{ca}")
    net.kit.add(2, strategies=["paraphrase"])
    assert net.kit.run().report["succeeded"] == 2


def test_a_certificate_of_a_stranger_is_one_sentence_and_nothing_is_sent(network: Any, tmp_path: Path) -> None:
    stranger = authority(tmp_path / "stranger", HOST)
    net = network(HTTPS_PROXY="http://{proxy}", CORPUS_CA_FILE=str(stranger.ca))
    net.kit.add(4, strategies=["paraphrase"])
    with pytest.raises(CorpusError, match="CORPUS_CA_FILE"):
        net.kit.run()
    assert not net.server.passed and not net.kit.invoice()
    assert net.kit.one("SELECT COALESCE(SUM(cost), 0) FROM llm_attempts") == 0
    assert not net.kit.corpus.failed_samples(Where()), "no sample is to blame"


def test_a_proxy_that_wants_a_password_is_named(network: Any) -> None:
    net = network(HTTPS_PROXY="http://{proxy}", CORPUS_CA_FILE="{ca}")
    net.proxy.refuses = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    net.kit.add(4, strategies=["paraphrase"])
    with pytest.raises(CorpusError, match=r"the proxy answers 407 .*HTTPS_PROXY"):
        net.kit.run()
    assert not net.server.passed
    assert net.kit.one("SELECT COALESCE(SUM(cost), 0) FROM llm_attempts") == 0
    assert not net.kit.corpus.failed_samples(Where()), "no sample is to blame"
