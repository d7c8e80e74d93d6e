"""What a provider says, as far as it can be kept."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from corpus_pipeline.llm import failures
from corpus_pipeline.llm.chat_completions import parse_completion
from corpus_pipeline.model import Request

REQUEST = Request("m", ({"role": "user", "content": "How are you?"},), 50)


def body(**changes: Any) -> bytes:
    choice = {"message": {"content": "Fine."}, "finish_reason": changes.pop("finish_reason", "stop")}
    return orjson.dumps({"choices": [choice], "model": "m", **changes})


def test_words_that_are_longer_than_the_ledger_holds_are_cut() -> None:
    """MariaDB refuses longer ones, and the answer that was paid would be lost with them."""
    answer = parse_completion(body(model="m" * 500, finish_reason="f" * 500), REQUEST, request_id="r" * 500)
    assert (len(answer.model), len(answer.finish_reason), len(answer.provider_request_id or "")) == (128, 32, 128)
    refused = failures.from_status(500, {"x-request-id": "r" * 500}, b"")
    assert len(refused.request_id or "") == len(failures.broken_body("x", request_id="r" * 500).request_id or "") == 128


@pytest.mark.parametrize("count", [-1, 2**62, 1e30, "a dozen", None, True])
def test_a_count_of_tokens_that_cannot_be_is_estimated(count: Any) -> None:
    answer = parse_completion(body(usage={"prompt_tokens": count, "completion_tokens": 5}), REQUEST)
    assert answer.usage.estimated or count is True
    assert answer.usage.input_tokens < 100


@pytest.mark.parametrize(
    "said",
    [
        {"usage": None, "x_groq": {"usage": {"prompt_tokens": 9, "completion_tokens": 2}}},
        {"usage": None, "prompt_eval_count": 9, "eval_count": 2},
    ],
)
def test_usage_in_the_place_of_one_server(said: dict[str, Any]) -> None:
    assert parse_completion(body(**said), REQUEST).usage[:2] == (9, 2)


def test_a_text_of_no_tokens_is_estimated_and_an_empty_one_is_not() -> None:
    none = {"prompt_tokens": 9, "completion_tokens": 0, "total_tokens": 9}
    used = parse_completion(body(usage=none), REQUEST).usage
    assert used.input_tokens == 9 and used.output_tokens > 0 and used.estimated and "no tokens" in (used.remark or "")
    empty = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}
    assert parse_completion(body(usage=none, choices=[empty]), REQUEST).usage.output_tokens == 0


def test_the_first_choice_is_the_one_that_says_so() -> None:
    choices = [{"index": n, "message": {"content": text}, "finish_reason": "stop"} for n, text in ((1, "B"), (0, "A"))]
    assert parse_completion(body(choices=choices), REQUEST).text == "A"
    assert parse_completion(body() + b" <!-- node 7 -->", REQUEST).text == parse_completion(body(), REQUEST).text
