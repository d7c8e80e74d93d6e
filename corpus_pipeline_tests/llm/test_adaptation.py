"""What a refusal teaches about the shape of requests, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from corpus_pipeline.llm.adaptation import NOTHING_LEARNT, Learnt, hint_of, lesson_of, overrun_lesson
from corpus_pipeline.llm.chat_completions import request_body
from corpus_pipeline.llm.failures import Failure, Reason
from corpus_pipeline.model import CallOptions, Request

MESSAGES = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"})


def request(**options: Any) -> Request:
    schema = {"type": "object"}
    return Request("m", MESSAGES, 100, temperature=0.5, response_schema=schema, seed=3, options=CallOptions(**options))


def refused(words: str, param: str | None = None, reason: Reason = Reason.INVALID_REQUEST) -> Failure:
    return Failure(reason, words, status=400, param=param)


@pytest.mark.parametrize(
    ("words", "param", "name", "value"),
    [
        (
            "Unsupported value: 'temperature' does not support 0.5 with this model.",
            "temperature",
            "temperature",
            "omitted",
        ),
        ("temperature is deprecated for this model", None, "temperature", "omitted"),
        ("Unrecognized request argument supplied: seed", None, "seed", "omitted"),
        (
            "Unsupported parameter: 'max_completion_tokens'. Use 'max_tokens' instead.",
            None,
            "output_limit",
            "max_tokens",
        ),
        ("extra fields not permitted: max_completion_tokens", None, "output_limit", "max_tokens"),
        ("json_schema is not supported by this server", "response_format", "response_format", "omitted"),
        ("System role not supported", None, "system", "first_user"),
        ("This model only supports streaming responses", None, "stream", "true"),
        ("enable_thinking must be set to false for non-streaming calls", None, "enable_thinking", "false"),
    ],
)
def test_a_parameter_that_is_refused_is_sent_in_another_way(words: str, param: str, name: str, value: str) -> None:
    lesson = lesson_of(refused(words, param), request_body(request()), NOTHING_LEARNT)
    assert lesson is not None and (lesson.name, lesson.value) == (name, value)
    before, after = request_body(request()), request_body(request(), NOTHING_LEARNT.with_fact(name, value))
    assert before != after


@pytest.mark.parametrize(
    "failure",
    [
        refused("max_completion_tokens is too large: 100. This model supports at most 64."),
        refused("temperature must be less than or equal to 2, got 0.5", reason=Reason.CONTENT_POLICY),
        refused("The message holds an invalid character."),
        refused("'top_k' is not supported", "top_k"),
        refused("temperature", None, Reason.RATE_LIMITED),
    ],
)
def test_what_is_about_a_value_or_a_sample_teaches_nothing(failure: Failure) -> None:
    assert lesson_of(failure, request_body(request()), NOTHING_LEARNT) is None


def test_both_names_of_the_limit_are_not_tried_in_a_circle() -> None:
    learnt = NOTHING_LEARNT.with_fact("output_limit", "max_tokens")
    failure = refused("Unsupported parameter: 'max_tokens'", "max_tokens")
    assert lesson_of(failure, request_body(request(), learnt), learnt) is None


def test_an_answer_beyond_its_limit_teaches_the_other_name_once() -> None:
    lesson = overrun_lesson(900, 100, request_body(request()), NOTHING_LEARNT)
    assert lesson is not None
    learnt = NOTHING_LEARNT.with_fact(lesson.name, lesson.value)
    assert request_body(request(), learnt)["max_tokens"] == 100
    assert overrun_lesson(900, 100, request_body(request(), learnt), learnt) is None


def test_facts_of_a_newer_program_change_nothing() -> None:
    assert Learnt().with_fact("colour", "blue") == Learnt().with_fact("output_limit", "max_words") == NOTHING_LEARNT


def test_the_hint_names_the_line_of_the_recipe() -> None:
    assert "`temperature: null`" in hint_of(refused("bad temperature"))
    assert "extra_body" in hint_of(refused("something that we never heard of"))


def test_options_of_a_strategy_go_over_those_of_its_endpoint() -> None:
    endpoints = CallOptions(output_limit="max_tokens", extra_body={"top_k": 1}, headers={"X-A": "1"})
    own = CallOptions(service_tier="flex", extra_body={"top_k": 2, "min_p": 0.1})
    merged = own.over(endpoints)
    assert merged.extra_body == {"top_k": 2, "min_p": 0.1} and merged.headers == {"X-A": "1"}
    body = request_body(request()._replace(options=merged))
    assert (body["max_tokens"], body["service_tier"], body["top_k"]) == (100, "flex", 2)
    assert "max_completion_tokens" not in body
