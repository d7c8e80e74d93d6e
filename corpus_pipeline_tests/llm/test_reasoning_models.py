"""Every reasoning model of the price list works with the defaults and with the recipe lines that the documentation names."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Any

import orjson
import pytest

from corpus_pipeline.llm import prices
from corpus_pipeline.llm.adaptation import NOTHING_LEARNT, lesson_of
from corpus_pipeline.llm.client import ModelClient
from corpus_pipeline.llm.endpoint import endpoint
from corpus_pipeline.llm.failures import CallRejected
from corpus_pipeline.model import Answer, CallOptions, Request
from corpus_pipeline_tests.llm.conftest import ask
from corpus_pipeline_tests.servers.raw_http import RawServer, response, saying

# which models, and what their servers are reported to refuse: keys of the body with the status and the error
_VALUE = "Unsupported value: '{0}' does not support 0.7 with this model. Only the default (1) value is supported."
_PARAMETER = "Unsupported parameter: '{0}' is not supported with this model. Use 'max_completion_tokens' instead."
OPENAI = {
    "temperature": (400, {"message": _VALUE, "param": "temperature", "code": "unsupported_value"}),
    "max_tokens": (400, {"message": _PARAMETER, "param": "max_tokens", "code": "unsupported_parameter"}),
}
MISTRAL = {
    "max_completion_tokens": (
        422,
        {
            "message": {
                "detail": [{"type": "extra_forbidden", "loc": ["body", "{0}"], "msg": "Extra inputs are not permitted"}]
            }
        },
    ),
    "seed": (422, {"message": {"detail": [{"loc": ["body", "{0}"], "msg": "Extra inputs are not permitted"}]}}),
}
DEEPSEEK = {"response_format": (400, {"message": "This response_format type is unavailable now"})}
XAI = {"reasoning_effort": (400, {"message": "This model does not support parameter reasoning_effort."})}
CLAUDE = {
    "temperature": (400, {"message": "temperature is deprecated for this model", "type": "invalid_request_error"})
}
FAMILIES: tuple[tuple[str, dict[str, Any]], ...] = (
    (r"o[134](?:-|$)|gpt-[5-9](?!.*chat)", OPENAI),
    (r"magistral", MISTRAL),
    (r"deepseek-(?:reasoner|r1|v4)", DEEPSEEK),
    (r"grok-4(?!.*non-reasoning)|grok-code", XAI),
    (r"claude-(?:opus-4-[78]|opus-5|sonnet-5|haiku-5|fable|mythos)", CLAUDE),
    (r"gemini-(?:2\.5|3|4|pro)", {}),
    (r"glm|zai", {"temperature": (400, {"message": "temperature参数非法。请检查文档。", "code": "1214"})}),
)
MODELS = [
    (name, refused)
    for name in sorted(prices.bundled().models)
    for pattern, refused in FAMILIES
    if re.match(pattern, name)
]
DOCUMENTED = CallOptions(reasoning_effort="low", output_limit="max_completion_tokens")
ANSWER = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Fine."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}


def refusing(refused: dict[str, Any], asked: list[dict[str, Any]]) -> Any:
    def say(raw: bytes) -> Iterable[bytes]:
        body = orjson.loads(raw.partition(b"\r\n\r\n")[2])
        asked.append(body)
        for key, (status, error) in refused.items():
            if key in body:
                said = orjson.dumps({"error": error}).replace(b"{0}", key.encode())
                return [response(said, status)]
        return [response(orjson.dumps(ANSWER | {"model": body["model"]}))]

    return say


async def answered(server: RawServer, request: Request, most: int) -> tuple[Answer, int]:
    """The answer, and how many requests it took until nothing was refused any more."""
    learnt = NOTHING_LEARNT
    async with ModelClient(endpoint(f"{server.origin}/v1", None)) as client:
        for attempt in range(1, most + 1):
            try:
                options: dict[str, Any] = {"attempt_id": "a", "attempt": attempt, "deadline_seconds": 10.0}
                return await client.complete(request, learnt=learnt, **options), attempt
            except CallRejected as refusal:
                lesson = lesson_of(refusal.failure, client.body(request, learnt), learnt)
                assert lesson is not None, f"nothing was learnt of {refusal.failure.message}"
                learnt = learnt.with_fact(lesson.name, lesson.value)
    raise AssertionError(f"still refused after {most} requests: {learnt}")


def test_the_list_has_reasoning_models_of_every_family() -> None:
    assert len(MODELS) > 80
    for pattern, _ in FAMILIES:
        assert any(re.match(pattern, name) for name, _ in MODELS), pattern


@pytest.mark.parametrize("family", range(len(FAMILIES)), ids=[pattern for pattern, _ in FAMILIES])
def test_each_model_answers_after_a_few_free_refusals(family: int) -> None:
    pattern, refused = FAMILIES[family]
    schema = {"type": "object", "properties": {"prompt": {"type": "string"}}, "required": ["prompt"]}

    async def all_models(server: RawServer, asked: list[dict[str, Any]]) -> None:
        for name in (name for name, _ in MODELS if re.match(pattern, name)):
            by_default = ask("How?", model=name, temperature=0.7, seed=3, response_schema=schema)
            quiet = ask("How?", model=name, options=DOCUMENTED)  # `temperature: null` and what the model's page names
            for request in (by_default, quiet):
                asked.clear()
                answer, attempts = await answered(server, request, most=len(refused) + 1)
                assert (answer.text, answer.model) == ("Fine.", name)
                assert attempts == len(asked)
                assert not set(refused) & set(asked[-1])
                assert any(limit in asked[-1] for limit in ("max_tokens", "max_completion_tokens")), (
                    "an answer has its limit"
                )

    with saying() as server:
        asked: list[dict[str, Any]] = []
        server.say = refusing(refused, asked)
        asyncio.run(all_models(server, asked))
