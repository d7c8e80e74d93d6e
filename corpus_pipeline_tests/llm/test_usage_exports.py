"""Usage exports of several providers are read into what they billed."""

from __future__ import annotations

import orjson
import pytest

from corpus_pipeline.errors import UsageError
from corpus_pipeline.llm.usage_exports import read_export
from corpus_pipeline.model import Usage


def test_sums_of_openai() -> None:
    body = {
        "object": "page",
        "data": [
            {
                "object": "bucket",
                "start_time": 1_790_000_000,
                "end_time": 1_790_086_400,
                "results": [
                    {
                        "object": "organization.usage.completions.result",
                        "input_tokens": 900,
                        "output_tokens": 80,
                        "input_cached_tokens": 100,
                        "num_model_requests": 7,
                        "model": "gpt-4o-2024-08-06",
                        "batch": True,
                    }
                ],
            }
        ],
        "has_more": False,
    }
    (one,) = read_export(orjson.dumps(body), "f")
    assert (one.model, one.requests, one.batch, one.cost, one.ids) == ("gpt-4o-2024-08-06", 7, True, None, ())
    assert one.usage == Usage(900, 80, 100) and (one.begins, one.ends) == (1_790_000_000_000, 1_790_086_400_000)


def test_costs_of_openai() -> None:
    body = {
        "data": [
            {
                "start_time": 1_790_000_000,
                "end_time": 1_790_086_400,
                "results": [
                    {"amount": {"value": 0.06, "currency": "usd"}, "line_item": "gpt-4.1-mini-2025-04-14, output"},
                ],
            }
        ]
    }
    (one,) = read_export(orjson.dumps(body), "f")
    assert (one.model, one.cost, one.usage) == ("gpt-4.1-mini-2025-04-14", 60_000_000, None)


def test_sums_of_anthropic() -> None:
    body = {
        "data": [
            {
                "starting_at": "2026-09-01T00:00:00Z",
                "ending_at": "2026-09-02T00:00:00Z",
                "results": [
                    {
                        "uncached_input_tokens": 500,
                        "cache_creation": {"ephemeral_1h_input_tokens": 10, "ephemeral_5m_input_tokens": 40},
                        "cache_read_input_tokens": 200,
                        "output_tokens": 60,
                        "model": "claude-sonnet-4-5-20250929",
                        "service_tier": "batch",
                    }
                ],
            }
        ]
    }
    (one,) = read_export(orjson.dumps(body), "f")
    assert one.usage == Usage(750, 60, 200, cache_write_tokens=50) and one.tier == "batch"
    assert one.ends - one.begins == 86_400_000
    costs = {"data": [{"starting_at": "2026-09-01T00:00:00Z", "results": [{"amount": "123.5", "currency": "USD"}]}]}
    assert read_export(orjson.dumps(costs), "f")[0].cost == 1_235_000_000, "the amount is in cents"


def test_console_files_of_anthropic_and_calls_of_openrouter() -> None:
    console = (
        "usage_date_utc,model_version,workspace,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,"
        "usage_input_tokens_cache_read,usage_output_tokens\n2026-09-01,claude-haiku-4-5,Default,100,20,300,7\n"
    )
    (one,) = read_export(console.encode(), "f")
    assert one.usage == Usage(420, 7, 300, cache_write_tokens=20) and one.ends - one.begins == 86_400_000
    activity = (
        "generation_id,created_at,cost_total,tokens_prompt,tokens_completion,tokens_reasoning,model_permaslug\n"
        "gen-1,2026-09-01 10:00:00.5,0.00125,100,50,20,openai/gpt-4o\n"
    )
    (one,) = read_export(activity.encode(), "f")
    assert (one.ids, one.cost, one.model) == (("gen-1",), 1_250_000, "openai/gpt-4o")
    assert one.begins == one.ends > 0


@pytest.mark.parametrize(
    "head", ["request_id,input_tokens,output_tokens,cost", "Request ID,Prompt Tokens,Completion Tokens,Cost USD"]
)
def test_a_plain_file(head: str) -> None:
    lines = read_export(f"\ufeff{head}\nabc,10,2,$0.5\n\ndef,4,,0\n".encode(), "f")
    assert [(b.ids, b.cost) for b in lines] == [(("abc",), 500_000_000), (("def",), 0)]
    assert lines[0].usage == Usage(10, 2)
    same = read_export(b'{"id": "abc", "cost": 0.5}\n{"id": "def", "cost": 0}\n', "f")
    assert [(b.ids, b.cost) for b in same] == [(("abc",), 500_000_000), (("def",), 0)]


@pytest.mark.parametrize("raw", [b"", b"hello", b"{", b"[1, 2]", b'{"a": 1}\n{"b"', b"a,b\n1,2\n"])
def test_what_is_no_export_is_refused_in_words(raw: bytes) -> None:
    with pytest.raises(UsageError, match=r"bill\.csv"):
        read_export(raw, "bill.csv")
