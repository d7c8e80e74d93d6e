"""What the audit log says of a change's arguments: all of them, in bounded room, without secrets and without texts."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_pipeline.web.told_arguments import ROOM, Teller

SECRETS = {"OPENAI_API_KEY": "canary-of-the-environment", "CORPUS_DATABASE_URL": "mysql+pymysql://me:canary-word@db/c"}


def told(**arguments: Any) -> Any:
    ((said),) = Teller(SECRETS).told([("launchRun", arguments)])
    assert said["change"] == "launchRun"
    return said["arguments"]


def test_names_numbers_and_tags_are_told_as_they_are():
    given = {
        "selector": {"jobName": "__ASSET_JOB", "assetSelection": [{"path": ["a", "b"]}]},
        "tags": [{"key": "dagster/partition", "value": "chats-2"}],
        "limit": 3,
        "paused": True,
        "share": 0.5,
        "none": None,
        "range": {"start": "2024-01-01", "end": "a|b"},
    }
    assert told(**given) == given


@pytest.mark.parametrize(
    "given",
    [
        {"runConfig": {"openai_api_key": "canary"}},
        {"runConfig": {"password": ["canary", {"x": "canary"}]}},
        {"tags": [{"key": "api_token", "value": "canary"}]},
        {"headers": {"Authorization": "canary", "Cookie": "canary"}},
        {"tags": [{"key": "proxy_auth", "value": "canary"}]},
        {"tags": [{"value": "canary", "key": "api_token"}]},
        {"url": "https://canary:x@host/a"},
        {"url": "https://canary@host/a"},
        {"url": "https://host/a?X-Amz-Signature=canary&sig=canary"},
        {"word": "canary-of-the-environment"},
        {"canary-of-the-environment": 1},
        {"word": "xcanary-wordx"},
        {"description": "canary"},
        {"metadata": {"row": "canary"}},
        {"title": "canary"},
        {"word": "what canary said"},
        {"word": "\u30ab\u30ca\u30ea\u30a2canary"},
        {"a canary of a row": 1},
        {"word": "canary\n"},
    ],
)
def test_neither_secrets_nor_texts_are_told(given):
    said = json.dumps(told(**given))
    assert "canary" not in said and len(said) > 4, said


@pytest.mark.parametrize(
    "key",
    ["sk-proj-abcdefghijklmnopqrstuvwx012345", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "AKIAIOSFODNN7ABCDEFG"],
)
def test_a_key_that_nobody_told_us_of_is_known_by_its_form(key):
    assert key not in json.dumps(told(word=key, other=[f"x={key}"]))


def test_the_variable_that_a_secret_comes_from_is_told():
    assert told(api_key={"env": "MY_KEY"}) == {"api_key": {"env": "MY_KEY"}}


def test_no_argument_pushes_another_one_out_and_the_room_is_bounded():
    flood = {
        "partitionNames": [f"p{number}" for number in range(100_000)],
        "deep": [[[[["x" * 190] * 99] * 99] * 99] * 99],
    }
    said = told(**flood, runConfig={"ops": {"one": {"config": {"limit": 7}}}}, last="seen")
    text = json.dumps(said)
    assert said["last"] == "seen" and '"limit": 7' in text and "more)" in text and len(text) < 2 * ROOM
    many = Teller({}).told([(f"m{number}", flood | {"runId": f"r{number}"}) for number in range(100)])
    assert all(one["arguments"]["runId"] == f"r{number}" for number, one in enumerate(many))
    assert len(json.dumps(many)) < 3 * ROOM


def test_a_text_of_a_run_configuration_is_told_as_what_it_says():
    teller = Teller({}, read_config=json.loads)
    ((said),) = teller.told([("launch", {"p": {"runConfigData": '{"ops": {"a": {"api_key": "canary"}}}'}})])
    assert said["arguments"] == {"p": {"runConfigData": {"ops": {"a": {"api_key": "[redacted]"}}}}}
    ((said),) = teller.told([("launch", {"p": {"runConfigData": "no json"}})])
    assert said["arguments"] == {"p": {"runConfigData": "(text of 7 characters)"}}


@given(
    st.dictionaries(
        st.text(max_size=40),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
            lambda inner: st.lists(inner, max_size=60) | st.dictionaries(st.text(max_size=9), inner, max_size=60),
            max_leaves=200,
        ),
        max_size=50,
    )
)
def test_whatever_is_given_can_be_kept(arguments):
    said = Teller({}).told([("x", arguments)])
    assert len(orjson.dumps(said)) < 4 * ROOM
