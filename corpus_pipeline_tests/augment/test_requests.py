from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.model import Request
from corpus_pipeline.stages.augment.requests import request_key

REQUEST = Request("model", ({"role": "system", "content": "a"}, {"role": "user", "content": "b"}), 100, 0.7)


def test_the_key_of_a_request_never_changes_between_releases() -> None:
    """Answers that are paid for are found again by this key: a change of this value throws them all away."""
    assert request_key(REQUEST, 0) == "73abc4c25b9f6ae1863417ae6f031f9e54d888a5151288cc3e93235eef16ee26"


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other"},
        {"messages": ({"role": "system", "content": "a"}, {"role": "user", "content": "c"})},
        {"messages": ({"role": "user", "content": "a"}, {"role": "user", "content": "b"})},
        {"messages": ({"role": "system", "content": "a"},)},
        {"max_output_tokens": 101},
        {"temperature": None},
        {"temperature": 0.70001},
        {"response_schema": {"type": "object"}},
        {"seed": 0},
    ],
)
def test_whatever_shapes_the_answer_changes_the_key(change: dict[str, Any]) -> None:
    assert request_key(REQUEST._replace(**change), 0) != request_key(REQUEST, 0)


def test_samples_have_keys_of_their_own() -> None:
    assert len({request_key(REQUEST, index) for index in range(5)}) == 5


def test_the_order_of_a_schemas_keys_does_not_count() -> None:
    one = REQUEST._replace(response_schema={"type": "object", "required": ["a"]})
    other = REQUEST._replace(response_schema={"required": ["a"], "type": "object"})
    assert request_key(one, 0) == request_key(other, 0)


@given(st.text(st.characters(), max_size=50), st.text(st.characters(), max_size=50))
def test_texts_never_run_into_each_other(first: str, second: str) -> None:
    joined = REQUEST._replace(messages=({"role": "system", "content": first + second}, {"role": "user", "content": ""}))
    apart = REQUEST._replace(messages=({"role": "system", "content": first}, {"role": "user", "content": second}))
    assert (request_key(joined, 0) == request_key(apart, 0)) is (second == "")
