"""Schemas that a row or a recipe brings: nothing is fetched, no expression takes long, no circle ends the work."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from corpus_pipeline.model import Turn
from corpus_pipeline.stages.augment import foreign_schemas
from corpus_pipeline.stages.augment.strategies.prefilter import Rule
from corpus_pipeline.stages.augment.strategies.tool_calls import _checked_calls, _definitions

SLOW = r"^(a+)+$"  # doubles its time with each letter for who goes back
TEXT = "a" * 4000 + "!"


@pytest.fixture
def listener() -> Iterator[SimpleNamespace]:
    """An address inside, and who asked it."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}", heard=heard)
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("word", ["$ref", "$dynamicRef", "$schema", "$id"])
def test_a_tool_of_a_row_has_nothing_fetched(listener, tmp_path, word):
    (tmp_path / "secret.json").write_text('{"type": "string"}')
    for address in (
        f"{listener.url}/inside",
        (tmp_path / "secret.json").as_uri(),
        "ftp://127.0.0.1/x",
        "//127.0.0.1/x",
    ):
        parameters = {"type": "object", "properties": {"a": {word: address}}, word: address}
        tools = json.dumps([{"type": "function", "function": {"name": "f", "parameters": parameters}}])
        known = _definitions(tools)
        if "f" in known:
            foreign_schemas.misfit({"a": 1}, known["f"])
    assert listener.heard == []


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"x": {"pattern": SLOW}}},
        {"patternProperties": {SLOW: {}}, "additionalProperties": False},
        {"patternProperties": {SLOW: {}}, "unevaluatedProperties": False},
        {"propertyNames": {"pattern": SLOW}},
        {"allOf": [{"$ref": "#/$defs/d"}], "$defs": {"d": {"properties": {"x": {"pattern": SLOW}}}}},
    ],
)
def test_an_expression_takes_no_longer_than_its_text(schema):
    foreign_schemas.misfit({"x": TEXT, TEXT: 1}, {"type": "object", **schema})  # or it never ends


def test_a_rule_that_chooses_rows_takes_no_longer_than_its_text():
    assert not Rule(matches=SLOW).holds(Turn("q", TEXT)) and Rule(matches_not=SLOW).holds(Turn("q", "\ud800" + TEXT))
    with pytest.raises(ValueError, match="RE2"):
        Rule(matches=r"(?=a)b")


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$ref": "#/$defs/nowhere"},
        {"properties": {"x": {"$ref": "other.json"}}},
    ],
)
def test_what_leads_in_circles_or_nowhere_fits_nothing(schema):
    assert "circles" in (foreign_schemas.misfit({"x": 1}, schema) or "")


def test_a_call_that_does_not_fit_is_one_bad_answer():
    known = _definitions(json.dumps([{"name": "f", "parameters": {"type": "object", "$ref": "#/$defs/x"}}]))
    with pytest.raises(Exception, match="do not fit"):
        _checked_calls([{"name": "f", "arguments": "{}", "result": "r"}], known)


NAMES = st.sampled_from(["a", "ab", "b1", "x-y", ""])
VALUES = st.none() | st.integers(-3, 3) | st.sampled_from(["a", "aa", "b"])
SCHEMAS = st.fixed_dictionaries(
    {"type": st.just("object")},
    optional={
        "properties": st.dictionaries(NAMES, st.sampled_from([{"type": "string"}, {"pattern": "^a+$"}]), max_size=2),
        "patternProperties": st.dictionaries(
            st.sampled_from(["^a", "b$", "[0-9]"]), st.sampled_from([{"type": "integer"}, True, False]), max_size=2
        ),
        "additionalProperties": st.sampled_from([True, False, {"type": "null"}]),
        "propertyNames": st.just({"pattern": "^[a-z]"}),
    },
)


@given(SCHEMAS, st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_fits_is_what_the_library_says_fits(schema, value):
    assert (foreign_schemas.misfit(value, schema) is None) == Draft202012Validator(schema).is_valid(value)
