"""A job among whose answers some are broken in every way: each costs its own sample, and the sums are right."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import orjson
import pytest
import yaml

from corpus_pipeline.service import Corpus
from corpus_pipeline.settings import Settings
from corpus_pipeline_tests.augment.engine.conftest import Kit
from corpus_pipeline_tests.llm.test_fuzzed_bodies import BODIES, TEXT, USAGES, as_json, nested, put
from corpus_pipeline_tests.servers.raw_http import response, saying

GOOD = 40
RETRIES = 2
PRICES = {"m-1": {"input": 1.0, "output": 2.0}}
FINISH = {
    "anthropic": ("stop_reason",),
    "gemini": ("candidates", 0, "finishReason"),
    "openai": ("choices", 0, "finish_reason"),
}


def answer(style: str, row: int) -> bytes:
    text = f"Tell me how somebody who keeps a garden gives water to what grows in bed {row} when a summer is dry."
    return as_json(BODIES[style]).replace(as_json(TEXT), as_json(orjson.dumps({"prompt": text}).decode()))


def broken(style: str, raw: bytes) -> dict[str, list[bytes]]:
    """What a provider may send instead of an answer, by the kind of fault."""
    part = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s" % (len(raw), raw[:50])
    return {
        "cut": [response(raw[: len(raw) // 2])],
        "cut on the wire": [response(raw)[:-20]],
        "cut chunk": [part],
        "empty": [response(b"")],
        "no content": [b"HTTP/1.1 204 No Content\r\n\r\n"],
        "page": [response(b"<html><body>Please log in</body></html>", headers=[("Content-Type", "text/html")])],
        "deep list": [response(raw.replace(b'"so"', nested(950), 1))],
        "deeper list": [response(raw.replace(b'"so"', nested(10_000), 1))],
        "deep error": [response(nested(950, b'{"error":', b"}").replace(b":}", b":0}"), 400)],
        "number": [response(b"5")],
        "null": [response(b"null")],
        "packed": [response(gzip.compress(raw), headers=[("Content-Encoding", "gzip")])],
        "garbage as packed": [response(b"\x1f\x8b" + raw, headers=[("Content-Encoding", "gzip")])],
        "no HTTP": [b"\x00\x01\x02 hello\r\n\r\n"],
        "header": [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000 + b"\r\n\r\n{}"],
        "binary": [response(bytes(range(256)))],
    }


def odd_but_whole(style: str, raw: bytes) -> dict[str, bytes]:
    """Answers whose text is fine and whose numbers or words are not."""
    body, usage = orjson.loads(raw), USAGES[style]
    counts = orjson.loads(as_json(body[usage]).replace(b"90", b"-90").replace(b"40", b"-40"))
    return {
        "negative usage": as_json(put(body, (usage,), counts)),
        "huge usage": as_json(body | {usage: {name: 10**30 for name in body[usage]}}),
        "usage is a text": as_json(body | {usage: "many"}),
        "usage of wrong types": as_json(body | {usage: {name: [{}] for name in body[usage]}}),
        "no usage": as_json({name: value for name, value in body.items() if name != usage}),
        "a word that nobody knows": as_json(put(body, FINISH[style], "gestopt")),
        "no word": as_json(put(body, FINISH[style], None)),
    }


@pytest.mark.parametrize("style", ["openai", "anthropic", "gemini"])
def test_each_broken_answer_costs_its_own_sample(tmp_path: Path, style: str) -> None:
    kinds = list(broken(style, b"{}"))
    odd = list(odd_but_whole(style, answer(style, 1)))
    with saying() as server:

        def say(request: bytes) -> list[bytes]:
            found = re.search(rb"bed (\d+) ", request)
            row = int(found.group(1)) if found else 0
            raw = answer(style, row)
            if row <= GOOD:
                return [response(raw)]
            if row <= GOOD + len(odd):
                return [response(odd_but_whole(style, raw)[odd[row - GOOD - 1]])]
            return broken(style, raw)[kinds[row - GOOD - len(odd) - 1]]

        server.say = say
        entries = {"e": {"base_url": f"{server.origin}/v1", "style": style, "prices": PRICES}}
        env = {"CORPUS_HOME": str(tmp_path / "home"), "CORPUS_ENDPOINTS": yaml.safe_dump({"endpoints": entries})}
        with Corpus.open(Settings.from_env(env)) as corpus:
            kit = Kit(corpus, None, tmp_path, tmp_path / "none")  # type: ignore[arg-type]
            rows = GOOD + len(odd) + len(kinds)
            kit.add(rows, model="e/m-1", strategies=["paraphrase"], max_retries=RETRIES, backoff_cap_seconds=0.05)
            report = kit.run().report
            failed = kit.rows_of("SELECT conversation_id, reason, error FROM failed_samples")
            assert report["succeeded"] == GOOD + len(odd), [(row.conversation_id & 255, row.error) for row in failed]
            assert report["failed"] == len(kinds) == len(failed) == len({row.conversation_id for row in failed})
            assert all(len(row.error) < 3000 and "Traceback" not in row.error for row in failed)
            must_add_up(kit, style)


def must_add_up(kit: Kit, style: str) -> None:
    """The ledger, the sums and the budget say the same, and what may have been billed is held at its bound."""
    ledger = kit.rows_of("SELECT * FROM llm_attempts")
    assert not [row for row in ledger if row.state == "intent"]
    assert all(0 <= row.cost <= row.reserved * 20 for row in ledger)
    assert sum(row.cost for row in ledger) == kit.one("SELECT SUM(cost) FROM spending")
    assert sum(row.cost for row in ledger) == kit.one("SELECT spent FROM budgets WHERE scope = 'task'")
    assert kit.one("SELECT reserved FROM budgets WHERE scope = 'task'") == 0
    assert sum(row.state == "unknown" for row in ledger) == kit.one("SELECT SUM(unknown) FROM spending")
    input_tokens = 101 if style == "anthropic" else 90  # there the cache stands beside the input
    plain = [r for r in ledger if r.state == "answered" and (r.input_tokens, r.output_tokens) == (input_tokens, 40)]
    assert len({row.cost for row in plain}) == 1 and len(plain) >= GOOD
