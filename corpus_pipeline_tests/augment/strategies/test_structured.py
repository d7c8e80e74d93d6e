from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.errors import BadAnswer
from corpus_pipeline.stages.augment.strategies.structured import read_object, schema_of
from corpus_pipeline.stages.augment.thinking import split_thinking, template_token


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


@pytest.mark.parametrize(
    ("said", "thinking", "rest"),
    [
        ("<Thinking>hm</THINKING>Blue.", "hm", "Blue."),
        ("&lt;think&gt;hm&lt;/think&gt;\nBlue.", "hm", "Blue."),
        ('<details type="reasoning" done="true">hm</details>\nBlue.', "hm", "Blue."),
        ("<think>hm</think>\n<output>\nBlue.\n</output>", "hm", "Blue."),
        ("<thinking>hm</thinking><reflection>yes</reflection><answer>Blue.</answer>", "hm", "Blue."),
        ("<think>hm</think><answer>Blue.</answer> or <answer>red</answer>", "hm", None),
        ("<answer>Blue.</answer>", None, None),
        ("A list:\n<details><summary>More</summary>hm</details>\nBlue.", None, None),
    ],
)
def test_thinking_in_tags_of_any_case_and_answers_in_tags_behind_it(
    said: str, thinking: str | None, rest: str | None
) -> None:
    found, left = split_thinking(said)
    assert found == thinking
    assert left == (rest if rest is not None else said.removeprefix("<think>hm</think>"))


def test_the_role_that_a_template_leaves_at_the_beginning_is_seen() -> None:
    assert template_token("assistant\n\nIt rains.") == "assistant"
    assert template_token("assistant: who helps\nmanager: who leads") is None
