"""Refusals as servers and gateways are reported to word them: what each means, what it teaches, how long to wait."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
import pytest

from corpus_pipeline.llm import failures
from corpus_pipeline.llm.adaptation import NOTHING_LEARNT, lesson_of
from corpus_pipeline.llm.chat_completions import BrokenAnswer, ErrorAnswer, parse_completion, request_body
from corpus_pipeline.llm.failures import Reason
from corpus_pipeline.model import CallOptions
from corpus_pipeline.stages.augment.validators import finish_reasons
from corpus_pipeline_tests.llm.conftest import ask


class Case(NamedTuple):
    """What came, the reason, what is learnt (name, value), the wait in seconds, whether it is a quota of a day or more."""

    server: str
    status: int
    body: Any
    reason: Reason
    lesson: tuple[str, str] | None = None
    wait: float | None = None
    per_day: bool = False


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


BEHIND = orjson.dumps(
    error(
        "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is supported.",
        param="temperature",
        code="unsupported_value",
    )
).decode()
ON_DEMAND = "with on-demand throughput isn’t supported"

CASES = [
    # the prompt fills the context
    Case(
        "vllm",
        400,
        {"object": "error", "message": "max_tokens must be at least 1, got -12.", "code": 400},
        Reason.TOO_LONG,
    ),
    Case("vllm", 400, error("max_tokens must be at least 1, got 0.", type="BadRequestError"), Reason.TOO_LONG),
    Case(
        "llama.cpp",
        400,
        error(
            "the request exceeds the available context size, try increasing it",
            type="exceed_context_size_error",
            n_ctx=256,
        ),
        Reason.TOO_LONG,
    ),
    Case(
        "llama.cpp",
        500,
        error("the request exceeds the available context size", type="exceed_context_size_error", code=500),
        Reason.TOO_LONG,
    ),
    Case(
        "sglang",
        400,
        {
            "object": "error",
            "message": "Input length (9000 tokens) exceeds the maximum allowed length (8191 tokens).",
            "code": 400,
        },
        Reason.TOO_LONG,
    ),
    Case(
        "groq",
        413,
        error(
            "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 7100",
            code="rate_limit_exceeded",
        ),
        Reason.TOO_LONG,
    ),
    Case("bedrock", 400, {"message": "Input is too long for requested model."}, Reason.TOO_LONG),
    Case("glm", 400, error("Prompt 超长", code="1261"), Reason.TOO_LONG),
    # quotas and money
    Case(
        "groq",
        429,
        error(
            "Rate limit reached for model `m` on tokens per day (TPD): Limit 100000, Used 97050. Please try again in 9m38.016s."
        ),
        Reason.RATE_LIMITED,
        None,
        578.016,
        True,
    ),
    Case(
        "cohere",
        429,
        {"message": "You are using a Trial key, which is limited to 1000 API calls / month."},
        Reason.RATE_LIMITED,
        None,
        None,
        True,
    ),
    Case(
        "litellm",
        429,
        error("No deployments available for selected model, Try again in 60 seconds. Passed model=m"),
        Reason.RATE_LIMITED,
        None,
        60.0,
    ),
    Case(
        "litellm",
        400,
        error("Budget has been exceeded! Current cost: 26.1, Max budget: 25.0", type="budget_exceeded", code="400"),
        Reason.QUOTA_GONE,
    ),
    Case(
        "litellm",
        429,
        error("ExceededBudget: End User=u over budget. Spend=0.1, Budget=0.05", type="budget_exceeded"),
        Reason.QUOTA_GONE,
    ),
    Case(
        "fireworks",
        412,
        error(
            "Account a is suspended, possibly due to reaching the monthly spending limit", type="invalid_request_error"
        ),
        Reason.QUOTA_GONE,
    ),
    Case("glm", 429, error("您的账户已欠费，请充值后重试。", code="1113"), Reason.QUOTA_GONE),
    Case("glm", 429, error("余额不足或无可用资源包,请充值。", code="1113"), Reason.QUOTA_GONE),
    Case("glm", 429, error("您的账户已达到速率限制，请您控制请求频率", code="1302"), Reason.RATE_LIMITED),
    Case(
        "dashscope",
        429,
        {
            "code": "Throttling.RateQuota",
            "message": "Requests rate limit exceeded, please try again later.",
            "request_id": "r",
        },
        Reason.RATE_LIMITED,
    ),
    Case(
        "dashscope",
        400,
        {"code": "Arrearage", "message": "Access denied, please make sure your account is in good standing."},
        Reason.QUOTA_GONE,
    ),
    Case(
        "azure",
        429,
        error("Requests have exceeded the token rate limit. Please retry after 26 seconds.", code="429"),
        Reason.RATE_LIMITED,
        None,
        26.0,
    ),
    Case(
        "databricks",
        429,
        {
            "error_code": "REQUEST_LIMIT_EXCEEDED",
            "message": "REQUEST_LIMIT_EXCEEDED: Exceeded workspace input tokens per minute rate limit.",
        },
        Reason.RATE_LIMITED,
    ),
    # the sample's content
    Case("glm", 400, error("系统检测到输入或生成内容可能包含不安全或敏感内容", code="1301"), Reason.CONTENT_POLICY),
    Case(
        "dashscope",
        400,
        error("Input data may contain inappropriate content.", code="data_inspection_failed"),
        Reason.CONTENT_POLICY,
    ),
    # keys
    Case("bedrock", 403, {"message": "The security token included in the request is expired"}, Reason.BAD_KEY),
    Case("databricks", 403, {"error_code": "403", "message": "Invalid access token. [TraceId: 00]"}, Reason.BAD_KEY),
    # models
    Case("ollama", 404, {"error": 'model "m" not found, try pulling it first'}, Reason.UNKNOWN_MODEL),
    Case("ollama", 404, error("model 'm' not found", type="not_found_error"), Reason.UNKNOWN_MODEL),
    # servers in trouble
    Case("llama.cpp", 503, error("Loading model", type="unavailable_error", code=503), Reason.SERVER_ERROR),
    Case(
        "ollama",
        500,
        error("model runner has unexpectedly stopped, this may be due to resource limitations"),
        Reason.SERVER_ERROR,
    ),
    # parameters
    Case(
        "mistral",
        422,
        {
            "object": "error",
            "message": {
                "detail": [
                    {
                        "type": "extra_forbidden",
                        "loc": ["body", "max_completion_tokens"],
                        "msg": "Extra inputs are not permitted",
                        "input": 500,
                    }
                ]
            },
            "type": "invalid_request_error",
        },
        Reason.INVALID_REQUEST,
        ("output_limit", "max_tokens"),
    ),
    Case(
        "litellm",
        400,
        error(
            "litellm.UnsupportedParamsError: mistral does not support parameters: {'max_completion_tokens': 500},"
            " for model=m. To drop these, set drop_params",
            code="400",
        ),
        Reason.INVALID_REQUEST,
        ("output_limit", "max_tokens"),
    ),
    Case(
        "moonshot",
        400,
        error("invalid temperature: only 1 is allowed for this model", type="invalid_request_error"),
        Reason.INVALID_REQUEST,
        ("temperature", "omitted"),
    ),
    Case(
        "moonshot behind a gateway",
        400,
        error("Error from provider (Moonshot AI): invalid temperature: only 0.6 is allowed for this model"),
        Reason.INVALID_REQUEST,
        ("temperature", "omitted"),
    ),
    Case(
        "glm",
        400,
        error("temperature参数非法。请检查文档。", code="1214"),
        Reason.INVALID_REQUEST,
        ("temperature", "omitted"),
    ),
    Case(
        "dashscope",
        400,
        error("parameter.enable_thinking必须设置为false才能进行非流式调用", code="invalid_parameter_error"),
        Reason.INVALID_REQUEST,
        ("enable_thinking", "false"),
    ),
    Case(
        "modelscope",
        400,
        error("enable thinking can not be support when `stream=False`.", code="invalid_parameter_error"),
        Reason.INVALID_REQUEST,
        ("enable_thinking", "false"),
    ),
    # limits by the minute in the words of an empty account, and empty accounts in the words of a wrong key
    Case(
        "dashscope",
        429,
        error(
            "You exceeded your current quota, please check your plan and billing details. See: https://h.example/error-code#token-limit",
            type="insufficient_quota",
            code="insufficient_quota",
        ),
        Reason.RATE_LIMITED,
    ),
    Case(
        "dashscope",
        429,
        {"code": "Throttling.AllocationQuota", "message": "Allocated quota exceeded, please increase it."},
        Reason.RATE_LIMITED,
    ),
    Case(
        "dashscope",
        403,
        error("The free quota has been exhausted. Complete your payment data.", code="AllocationQuota.FreeTierOnly"),
        Reason.QUOTA_GONE,
    ),
    Case(
        "dashscope",
        400,
        {"code": "Arrearage", "message": "Access denied, make sure your account is in good standing."},
        Reason.QUOTA_GONE,
    ),
    Case(
        "dashscope",
        400,
        {"code": "DataInspectionFailed", "message": "Input data may contain inappropriate content."},
        Reason.CONTENT_POLICY,
    ),
    Case(
        "moonshot",
        403,
        error("Your account is not active, organization o exceeded current quota", type="exceeded_current_quota_error"),
        Reason.QUOTA_GONE,
    ),
    Case(
        "moonshot",
        429,
        error("The engine is currently overloaded, try again later", type="engine_overloaded_error"),
        Reason.RATE_LIMITED,
    ),
    Case(
        "moonshot",
        429,
        error("Your account reached max request: 3, please try again after 1 seconds", type="rate_limit_reached_error"),
        Reason.RATE_LIMITED,
        None,
        1.0,
    ),
    Case("deepseek", 402, error("Insufficient Balance", type="unknown_error"), Reason.QUOTA_GONE),
    Case("deepseek", 400, error("Content Exists Risk", type="invalid_request_error"), Reason.CONTENT_POLICY),
    # what a gateway passes on of the server behind it
    Case(
        "openrouter",
        400,
        error("Provider returned error", code=400, metadata={"raw": BEHIND, "provider_name": "P"}),
        Reason.INVALID_REQUEST,
        ("temperature", "omitted"),
    ),
    Case(
        "openrouter",
        429,
        error("Provider returned error", code=429, metadata={"raw": "m is temporarily rate-limited upstream."}),
        Reason.RATE_LIMITED,
    ),
    Case(
        "a gateway",
        400,
        {"error": {"cause": BEHIND, "code": 400, "message": "模型服务调用失败", "status": "FAILED_RESPONSE"}},
        Reason.INVALID_REQUEST,
        ("temperature", "omitted"),
    ),
    Case(
        "bedrock",
        400,
        {"detail": f"An error occurred (ValidationException): m {ON_DEMAND}. Use an inference profile."},
        Reason.UNKNOWN_MODEL,
    ),
    Case(
        "bedrock",
        500,
        {"detail": f"An error occurred (ValidationException): m {ON_DEMAND}. Use an inference profile."},
        Reason.UNKNOWN_MODEL,
    ),
    Case(
        "bedrock",
        500,
        {"detail": "An error occurred (ThrottlingException) when calling Converse: Too many requests"},
        Reason.RATE_LIMITED,
    ),
    Case(
        "bedrock",
        400,
        {"detail": "(AccessDeniedException): You don't have access to the model with the specified model ID."},
        Reason.UNKNOWN_MODEL,
    ),
    Case("bedrock", 403, {"message": "The security token in the request is expired"}, Reason.BAD_KEY),
    Case(
        "azure",
        429,
        error("Requests have exceeded the token rate limit of your tier. Please retry after 26 seconds.", code="429"),
        Reason.RATE_LIMITED,
        None,
        26.0,
    ),
    Case("azure", 404, error("The API deployment does not exist.", code="DeploymentNotFound"), Reason.UNKNOWN_MODEL),
    # servers of one's own
    Case("ollama", 404, {"error": "model 'q' not found, try pulling it first"}, Reason.UNKNOWN_MODEL),
    Case(
        "ollama",
        503,
        {"error": "server busy, please try again. maximum pending requests exceeded"},
        Reason.SERVER_ERROR,
    ),
    Case("ollama", 500, error("llama-server process has terminated: exit status 1"), Reason.SERVER_ERROR),
    Case("llama.cpp", 503, error("Loading model", type="unavailable_error", code=503), Reason.SERVER_ERROR),
    Case(
        "lm studio",
        404,
        error("No models loaded. Please load one.", type="invalid_request_error"),
        Reason.UNKNOWN_MODEL,
    ),
    Case("lm studio", 400, {"error": "Model is unloaded."}, Reason.SERVER_ERROR),
    Case("sglang", 400, {"object": "error", "message": "The request queue is full.", "code": 503}, Reason.RATE_LIMITED),
    Case(
        "tgi",
        422,
        error("`inputs` tokens + `max_new_tokens` must be <= 8193. Given: 8000 `inputs` tokens"),
        Reason.TOO_LONG,
    ),
    # no room at the moment
    Case(
        "mistral",
        429,
        {
            "object": "error",
            "message": "Service tier capacity exceeded for this model.",
            "type": "invalid_request_error",
        },
        Reason.RATE_LIMITED,
    ),
    Case("mistral", 429, {"object": "error", "message": "Rate limit exceeded", "code": "1300"}, Reason.RATE_LIMITED),
    Case(
        "mistral",
        503,
        {"object": "error", "message": "Service tier capacity exceeded.", "code": "3505"},
        Reason.SERVER_ERROR,
    ),
    Case(
        "gemini",
        429,
        error("No capacity available for model g on the server", code=429, status="RESOURCE_EXHAUSTED"),
        Reason.RATE_LIMITED,
    ),
    Case(
        "anthropic", 529, {"type": "error", "error": {"type": "overloaded_error", "message": "O"}}, Reason.SERVER_ERROR
    ),
    Case(
        "moonshot",
        400,
        error("invalid temperature: only 1 is allowed"),
        Reason.INVALID_REQUEST,
        ("temperature", "omitted"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.server}-{case.status}-{case.reason}")
def test_what_others_say_is_understood(case: Case) -> None:
    failure = failures.from_status(case.status, {}, orjson.dumps(case.body))
    assert (failure.reason, failure.per_day) == (case.reason, case.per_day), failure
    if case.wait is not None:
        assert failure.retry_after == pytest.approx(case.wait)
    sent = request_body(ask("How?", temperature=0.7, seed=3, options=CallOptions()))
    lesson = lesson_of(failure, sent, NOTHING_LEARNT)
    assert (lesson and (lesson.name, lesson.value)) == case.lesson, failure


DONE = {"index": 0, "message": {"role": "assistant", "content": "So it is."}, "finish_reason": "stop"}
USED = {"prompt_tokens": 50, "completion_tokens": 7, "total_tokens": 57}


@pytest.mark.parametrize(
    "raw",
    [
        orjson.dumps({"choices": [DONE | {"usage": USED}]}),
        b'data: {"choices": [{"delta": {"content": "So it is."}}]}\n\ndata: '
        + orjson.dumps({"choices": [{"delta": {}, "finish_reason": "stop", "usage": USED}]})
        + b"\n\ndata: [DONE]\n\n",
        orjson.dumps({"choices": [DONE | {"finish_reason": "endTurn"}], "usage": USED}),
        orjson.dumps({"choices": [DONE], "usage": USED, "base_resp": {"status_code": 0, "status_msg": "success"}}),
    ],
    ids=["usage of the choice", "of the choice in a stream", "another word for the end", "a status that is good"],
)
def test_answers_of_others_are_understood(raw: bytes) -> None:
    answer = parse_completion(raw, ask("How?"))
    assert (answer.text, answer.usage.input_tokens, answer.usage.output_tokens) == ("So it is.", 50, 7)
    assert finish_reasons.meaning(answer.finish_reason) is finish_reasons.Finish.STOP


@pytest.mark.parametrize(
    ("raw", "status", "billed"),
    [
        (orjson.dumps({"choices": None, "base_resp": {"status_code": 1002, "status_msg": "rate limit"}}), 429, False),
        (orjson.dumps({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}), 402, False),
        (
            orjson.dumps({"success": False, "errors": [{"code": 3040, "message": "no capacity"}], "result": {}}),
            None,
            False,
        ),
        (b'event: error\ndata: {"code": "Throttling", "message": "Requests rate limit exceeded"}\n\n', None, False),
        (b'event: error\ndata: {"error": {"message": "quota", "code": 429}}\n\n', 429, False),
        (
            orjson.dumps({"choices": [DONE | {"error": {"code": 502, "message": "gone"}}], "usage": USED}),
            502,
            True,
        ),
    ],
)
def test_errors_within_success_are_found(raw: bytes, status: int | None, billed: bool) -> None:
    with pytest.raises(ErrorAnswer) as found:
        parse_completion(raw, ask("How?"))
    assert (found.value.words.status, found.value.billed) == (status, billed)


def test_warnings_beside_an_answer_are_none_and_a_stream_that_broke_off_is_called_so() -> None:
    beside = orjson.dumps({"errors": [{"message": "slow"}], "choices": [DONE], "usage": USED})
    assert parse_completion(beside, ask("How?")).usage.input_tokens == 50
    with pytest.raises(BrokenAnswer, match="broke off"):
        parse_completion(b'data: {"choices": [{"index": 0, "delta": {"content": "half"}}]}\n\n', ask("How?"))


@pytest.mark.parametrize(
    ("word", "finish"),
    [("error", "broken"), ("network_error", "broken"), ("sensitive", "refused"), ("endturn", "stop")],
)
def test_finish_reasons_of_gateways(word: str, finish: str) -> None:
    assert finish_reasons.meaning(word) == finish
