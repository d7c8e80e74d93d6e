"""Each kind of bad record gets its own reason; what is legal is kept exactly."""

from __future__ import annotations

import json
import pickle
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus_pipeline.errors import LineRejected
from corpus_pipeline.formats import jsontext
from corpus_pipeline.stages.ingest.parse import parse_record
from corpus_pipeline.states import RejectReason as Reason
from corpus_pipeline_tests.formats.examples import objects

BAD = [
    (b"{", Reason.BROKEN_JSON),
    (b'{"a": 1,}', Reason.BROKEN_JSON),
    (b"{'a': 1}", Reason.BROKEN_JSON),
    (b'{"a": "tab\there"}', Reason.BROKEN_JSON),
    (b'{"a": "\x00"}', Reason.BROKEN_JSON),
    (b'{"a": 01}', Reason.BROKEN_JSON),
    (b'{"a": 1} {"a": 2}', Reason.BROKEN_JSON),
    (b'\xef\xbb\xbf{"a": 1}', Reason.BROKEN_JSON),
    (b'{"a": "\x0b"}', Reason.BROKEN_JSON),
    (b'{"a": "\xff"}', Reason.INVALID_UTF8),
    (b'{"a": "\xc0\xaf"}', Reason.INVALID_UTF8),
    (b'{"a": "\xed\xa0\x80"}', Reason.INVALID_UTF8),
    (b'{"a": "\xf4\x90\x80\x80"}', Reason.INVALID_UTF8),
    (b'{"a": "\xe4\xbd"}', Reason.INVALID_UTF8),
    (rb'{"a": "\ud800"}', Reason.LONE_SURROGATE),
    (rb'{"a": ["x", {"b": "\uDC00\uD800"}]}', Reason.LONE_SURROGATE),
    (rb'{"\udfff": 1}', Reason.LONE_SURROGATE),
    (b'{"a": NaN}', Reason.NON_FINITE_NUMBER),
    (b'{"a": [Infinity]}', Reason.NON_FINITE_NUMBER),
    (b'{"a": -Infinity}', Reason.NON_FINITE_NUMBER),
    (b'{"a": 1, "a": 2}', Reason.DUPLICATE_KEY),
    (b'{"a" : 1, "b": 2, "a"\t:2}', Reason.DUPLICATE_KEY),
    (rb'{"a": 1, "\u0061": 2}', Reason.DUPLICATE_KEY),
    (b'{"x": [{"y": {"a": 1, "a": 1}}]}', Reason.DUPLICATE_KEY),
    (rb'{"x\\": 1, "b": "\":", "b": 2}', Reason.DUPLICATE_KEY),
    (b'{"a": ' + b"[" * 64 + b"]" * 64 + b"}", Reason.TOO_DEEP),
    (b"[" * 100_000, Reason.TOO_DEEP),
    (b'{"a":' * 100_000, Reason.TOO_DEEP),
    (b"[1, 2]", Reason.NOT_AN_OBJECT),
    (b'"text"', Reason.NOT_AN_OBJECT),
    (b"null", Reason.NOT_AN_OBJECT),
    (b"3.5", Reason.NOT_AN_OBJECT),
]


@pytest.mark.parametrize(("raw", "reason"), BAD, ids=[f"{reason}-{raw[:24]!r}" for raw, reason in BAD])
def test_bad_record_has_its_reason(raw: bytes, reason: Reason) -> None:
    with pytest.raises(LineRejected) as caught:
        parse_record(raw)
    assert caught.value.reason == reason
    assert caught.value.detail


def test_each_reason_of_parsing_is_tested() -> None:
    elsewhere = {Reason.TOO_LONG, Reason.WRONG_SHAPE, Reason.OVERSIZED_NUMBER}
    assert {reason for _, reason in BAD} == set(Reason) - elsewhere


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 9007199254740993}',
        b'{"a": 9223372036854775808, "b": 18446744073709551616}',
        b'{"a": ' + b"9" * 4300 + b"}",
        b'{"a": -0.0, "b": 1.0, "c": 1, "d": 1E5, "e": 5e-324, "f": 1.7976931348623157e308}',
        rb'{"a": "\u0000\ud83d\ude00", "he said \"x\":": "\":\\\":"}',
        '{"a": "\u2028 \x85 \x7f", "": ":"}'.encode(),
        b'{"a": ' + b"[" * 63 + b"]" * 63 + b"}",
        b'{"a": "' + b"[{" * 200 + b'"}',
        b' {"a" : {"a" :\t{"a" \r: 1}}} ',
    ],
    ids=lambda raw: repr(raw[:30]),
)
def test_legal_record_is_kept_exactly(raw: bytes) -> None:
    value = parse_record(raw)
    assert json.dumps(value) == json.dumps(json.loads(raw))


def test_invalid_utf8_names_the_byte() -> None:
    with pytest.raises(LineRejected, match=r"byte 6"):
        parse_record(b'{"a":"\xff"}')


@settings(max_examples=200, deadline=None)
@given(objects, st.booleans(), st.sampled_from([None, 1]))
def test_any_object_comes_through(value: dict[str, Any], escaped: bool, indent: int | None) -> None:
    raw = json.dumps(value, ensure_ascii=escaped, indent=indent).encode()
    assert json.dumps(parse_record(raw)) == json.dumps(value)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text('{}[]":,\\u01eE.-+ \n', max_size=40).map(str.encode))
def test_any_bytes_are_an_object_or_have_a_reason(raw: bytes) -> None:
    try:
        value = parse_record(raw)
    except LineRejected as error:
        assert Reason(error.reason)
    else:
        assert json.dumps(value) == json.dumps(json.loads(raw))


numbers = st.one_of(
    st.sampled_from(
        "-0 0 -0.0 -0e5 0.10000000000000001 2.50 2.2999999999999998 1E5 1e20 1e+20 1e400 -1e400 1e-400 0.00001 100.0".split()
    ),
    st.integers().map(str),
    st.integers(18, 9000).map(lambda n: "7" * n),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: f"{value:.17g}"),
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?", fullmatch=True),
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(numbers, min_size=1, max_size=4),
    st.sampled_from(["", " ", "\n\t"]),
    st.text(max_size=8) | st.text('":,[]}-01.5\\ ', max_size=8),
    st.booleans(),
)
def test_every_number_keeps_its_text(found: list[str], space: str, beside: str, long: bool) -> None:
    with mock.patch.object(jsontext, "_LONG", 0 if long else 1 << 20):
        check_numbers(found, space, beside)


def check_numbers(found: list[str], space: str, beside: str) -> None:
    inner = ",".join(f"{space}{number}{space}" for number in found)
    raw = f'{{"t":{json.dumps(beside)},"a":{space}{found[0]}{space},"b":[{inner}],"c":{{"d":{found[-1]}}}}}'
    value = parse_record(raw.encode())
    kept = f'{{"t":{json.dumps(beside, ensure_ascii=False)},"a":{found[0]},"b":[{",".join(found)}],"c":{{"d":{found[-1]}}}}}'
    assert jsontext.dumps(value) == kept.replace("\\u007f", "\x7f")
    again = pickle.loads(pickle.dumps(jsontext.loads(jsontext.dumps(value))))
    assert jsontext.dumps(again) == jsontext.dumps(value)
    loose = jsontext.styled(value["b"], ascii_only=True, separators=(", ", ": "))
    assert loose == "[" + ", ".join(found) + "]"


def test_no_number_is_looked_for_in_a_long_text() -> None:
    picture = b"7" * 50_000
    assert jsontext.keeps_numbers(b'{"a": "' + picture + b'", "b": 1}')
    assert not jsontext.keeps_numbers(b'{"a": "' + picture + b'", "b": 1.50}')
    assert not jsontext.keeps_numbers(b'{"a": "' + picture + b'" , "b": "\\"", "c": [2, -0]}')
    assert not jsontext.keeps_numbers(b"[" + picture + b"]")


def test_text_like_a_number_token_stays_a_text() -> None:
    value = {"a": jsontext.loads("[1E5]")[0], "b": "\0#0\0"}
    assert jsontext.styled(value, ascii_only=True, separators=(",", ":")) == '{"a":1E5,"b":"\\u0000#0\\u0000"}'
