from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.stages.augment.strategies.structured import read_object, schema_of
from corpus_pipeline.stages.augment.thinking import split_thinking


def reason(text: str) -> str:
    with pytest.raises(BadAnswer) as caught:
        read_object(text, ("prompt",))
    return caught.value.reason


@given(st.text(min_size=1).filter(lambda text: text.strip() and not set(text) & set("\b\f\t\r")))
def test_what_json_holds_comes_back(text: str) -> None:
    for ascii_only in (True, False):
        assert read_object(json.dumps({"prompt": text}, ensure_ascii=ascii_only), ("prompt",)) == {"prompt": text}


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ('{"prompt": "two\nlines"}', "two\nlines"),
        ('{"prompt": "\\\\frac{1}{2}"}', "\\frac{1}{2}"),
        ('{"prompt": "\\frac{1}{2}"}', "\\frac{1}{2}"),
        ('{"prompt": "\\(x\\) and \\boxed{3}"}', "\\(x\\) and \\boxed{3}"),
        ('{"prompt": "2 \\times 3 \\text{kg} \\right)"}', "2 \\times 3 \\text{kg} \\right)"),
        ('{"prompt": "a\\ttab and\\r\\nlines"}', "a\ttab and\r\nlines"),
        ('{"prompt": "\\ttotal"}', "\ttotal"),
        ('Use {braces}: {"prompt": "x"}', "x"),
        ('{"prompt": "x", "why": {"deep": [1]}}', "x"),
    ],
)
def test_slips_are_forgiven(said: str, value: str) -> None:
    assert read_object(said, ("prompt",)) == {"prompt": value}


@pytest.mark.parametrize(
    "said", ["", "x", "{", "[]", '["prompt"]', '{"prompt": null}', '{"prompt": ["x"]}', '{"Prompt": "x"}', "{" * 50_000]
)
def test_what_is_no_such_object_is_malformed(said: str) -> None:
    assert reason(said) == "malformed"


def test_a_blank_value_is_empty() -> None:
    assert reason('{"prompt": " \\n"}') == "empty"


def test_thinking_in_front_is_split_off_and_thinking_inside_is_text() -> None:
    assert split_thinking("<think>why</think>\n\nso") == ("why", "so")
    assert split_thinking("\n<thinking>\n</thinking>so") == (None, "so")
    assert split_thinking("Use the <think> tag </think>") == (None, "Use the <think> tag </think>")
    with pytest.raises(BadAnswer, match="not closed"):
        split_thinking("<think>and then")


def test_the_schema_is_strict() -> None:
    assert schema_of(("a", "b")) == {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "required": ["a", "b"],
        "additionalProperties": False,
    }
