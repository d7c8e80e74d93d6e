"""Lines and elements: numbered, bounded, conserved, and the same again from any position."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus_pipeline.errors import SourceChanged
from corpus_pipeline.stages.ingest import arrays
from corpus_pipeline.stages.ingest.array_style import Unfinished, decode_at
from corpus_pipeline.stages.ingest.identity import Identity, identify
from corpus_pipeline.stages.ingest.records import RecordReader
from corpus_pipeline.stages.ingest.source import RAW_KEPT, Compression, Container, Limits, Source, SourceBroken
from corpus_pipeline_tests.ingest.files import GOOD, read_all, source_of

many = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

line_bytes = st.one_of(
    st.just(GOOD),
    st.binary(max_size=20).map(lambda raw: raw.replace(b"\n", b"")),
    st.sampled_from(
        [b"", b" ", b"\t\r", b'{"question":"\xe2\x80\xa8","answer":"\xc2\x85"}', b"{", b"\x0b", b"x" * 1500]
    ),
)
small = Limits(max_record_bytes=1024)


@pytest.fixture
def tiny_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunk borders fall everywhere."""
    monkeypatch.setattr(arrays, "_CHUNK", 3)
    monkeypatch.setattr(arrays, "_HEAD", 40)


@many
@given(lines=st.lists(line_bytes), ending=st.sampled_from([b"\n", b"\r\n"]), last=st.booleans(), size=st.integers(1, 9))
def test_physical_lines_are_conversations_rejects_and_blanks(
    tmp_path: Path, lines: list[bytes], ending: bytes, last: bool, size: int
) -> None:
    content = b"".join(line + ending for line in lines)
    if last:
        content = content.removesuffix(b"\n")
    outcome = read_all(source_of(tmp_path, content), size, limits=small)
    physical = content.count(b"\n") + (0 if content.endswith(b"\n") or not content else 1)
    assert outcome.lines == physical
    assert {c.row_identifier for c in outcome.conversations}.isdisjoint(r.row_identifier for r in outcome.rejects)
    for found in [*outcome.conversations, *outcome.rejects]:
        assert (
            content.split(b"\n")[found.source_line - 1].removesuffix(b"\r")
            == (content[found.source_offset : found.source_offset + found.source_bytes])
        )


@many
@given(st.binary(max_size=200))
def test_any_bytes_are_conserved(tmp_path: Path, content: bytes) -> None:
    outcome = read_all(source_of(tmp_path, content), 3)
    # a BOM belongs to no line
    text = content.removeprefix(b"\xef\xbb\xbf")
    assert outcome.lines == text.count(b"\n") + (0 if text.endswith(b"\n") or not text else 1)


elements = st.lists(
    st.one_of(
        st.just(GOOD),
        st.dictionaries(st.text(max_size=5), st.text(max_size=8) | st.lists(st.integers(), max_size=2)).map(
            lambda value: json.dumps(value, indent=1).encode()
        ),
        st.sampled_from(
            [b"3", b'"a,]b\\"}"', b"[1, [2]]", b"nope", b'{"a": [1}', b'{"a": 1]}', b'{"x": "\\\\"}', b"[[]]"]
        ),
        st.integers(1000, 1100).map(lambda n: b'"' + b"x" * n + b'"'),
    ),
    max_size=8,
)


@many
@given(elements=elements, space=st.sampled_from([b"", b" ", b"\n", b"\r\n\t"]), size=st.integers(1, 4))
def test_elements_of_an_array_are_told_apart(
    tmp_path: Path, tiny_chunks: None, elements: list[bytes], space: bytes, size: int
) -> None:
    content = space + b"[" + space + (space + b"," + space).join(elements) + space + b"]" + space
    source = source_of(tmp_path, content, "data.json")
    with RecordReader(source, limits=small) as reader:
        found = list(reader.records())
    assert [record.row_identifier for record in found] == list(range(1, len(elements) + 1))
    for record, element in zip(found, elements, strict=True):
        whole = element + space
        if record.problem is None:
            assert record.raw == element
        else:
            assert len(whole) > 1024
            assert record.raw == whole[:1024]
        assert content[record.source_offset :].startswith(element)
        assert record.source_line == content.count(b"\n", 0, record.source_offset) + 1
    outcome = read_all(source, size, limits=small)
    assert outcome.lines == len(elements)


@many
@given(data=st.data(), name=st.sampled_from(["a.jsonl", "a.jsonl.gz", "a.json", "a.json.gz"]), size=st.integers(1, 5))
def test_reading_goes_on_from_any_position(
    tmp_path: Path, tiny_chunks: None, data: st.DataObject, name: str, size: int
) -> None:
    if ".jsonl" in name:
        content = b"\n".join(data.draw(st.lists(line_bytes)))
    else:
        content = b"[" + b" ,\n".join(data.draw(elements)) + b"\n]"
    if data.draw(st.booleans()):
        content = b"\xef\xbb\xbf" + content
    source = source_of(tmp_path, content, name)
    source = source._replace(identity=identify(source.path))
    whole = read_all(source, size, limits=small)
    for number, position in enumerate(whole.positions, start=1):
        rest = read_all(source, size, position, limits=small)
        assert rest.positions == whole.positions[number:]
        done = position.row_identifier
        assert rest.conversations == [c for c in whole.conversations if c.row_identifier > done]
        assert rest.rejects == [r for r in whole.rejects if r.row_identifier > done]
        assert rest.lines == whole.lines - done


@many
@given(st.binary(max_size=300))
def test_array_scanner_ends_on_any_bytes(tmp_path: Path, tiny_chunks: None, content: bytes) -> None:
    try:
        outcome = read_all(source_of(tmp_path, content, "data.json"), 2)
    except SourceBroken:
        return
    assert content.strip().startswith((b"[", b"\xef\xbb\xbf"))
    assert outcome.blanks == 0


@pytest.mark.parametrize(
    ("content", "lines", "blanks"),
    [
        (b"", 0, 0),
        (b"\n", 1, 1),
        (GOOD, 1, 0),
        (GOOD + b"\n", 1, 0),
        (GOOD + b"\r\n\r\n" + GOOD + b"\r", 3, 1),
        (b"\n \n\t\n" + GOOD, 4, 3),
        (b"\xef\xbb\xbf" + GOOD + b"\n", 1, 0),
        ('{"question":"a\u2028b\x85c\u2029","answer":"\\u001c\\u000b"}\n'.encode(), 1, 0),
    ],
)
def test_lines_end_at_lf_alone(tmp_path: Path, content: bytes, lines: int, blanks: int) -> None:
    outcome = read_all(source_of(tmp_path, content))
    assert (outcome.lines, outcome.blanks, outcome.rejects) == (lines, blanks, [])


def test_bom_is_stripped_once_and_recorded(tmp_path: Path) -> None:
    bom = b"\xef\xbb\xbf"
    source = source_of(tmp_path, bom + GOOD + b"\n" + bom + GOOD)
    with RecordReader(source) as reader:
        records = list(reader.records())
        assert reader.has_bom
    assert records[0].raw == GOOD
    assert records[0].source_offset == 3
    assert read_all(source).reasons == ["broken_json"]


def test_reject_keeps_line_offset_reason_and_bytes(tmp_path: Path) -> None:
    outcome = read_all(source_of(tmp_path, GOOD + b"\n\n{broken\r\n" + GOOD))
    (reject,) = outcome.rejects
    assert (reject.row_identifier, reject.source_line, reject.source_offset, reject.source_bytes) == (3, 3, 31, 7)
    assert reject.raw == b"{broken"
    assert [c.row_identifier for c in outcome.conversations] == [1, 4]


def test_wrong_shape_says_what_is_missing(tmp_path: Path) -> None:
    outcome = read_all(source_of(tmp_path, b'{"question": "q"}\n{"question": "q", "answer": 3}\n'))
    assert outcome.reasons == ["wrong_shape", "wrong_shape"]
    assert [reject.detail for reject in outcome.rejects] == [
        "'answer' is missing; there are: 'question'",
        "'answer' is not text",
    ]


@pytest.mark.parametrize("name", ["huge.jsonl", "huge.json"])
def test_huge_record_is_rejected_without_being_held(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    with file.open("wb") as out:  # sparse: takes no room on the disk
        out.write(b'["' if name.endswith(".json") else b"")
        out.seek(64 * 1024 * 1024)
        out.write(b'",\n' + GOOD + b"]" if name.endswith(".json") else b"\n" + GOOD)
    source = Source(file, Container.ARRAY if name.endswith(".json") else Container.LINES)
    tracemalloc.start()
    outcome = read_all(source, limits=Limits(max_record_bytes=1 << 20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert outcome.reasons == ["too_long"]
    assert len(outcome.rejects[0].raw) == RAW_KEPT
    assert outcome.rejects[0].source_bytes >= 64 * 1024 * 1024
    assert len(outcome.conversations) == 1
    assert peak < 16 * 1024 * 1024


def test_record_at_the_limit_passes_and_one_byte_more_does_not(tmp_path: Path) -> None:
    fits = b'{"question":"q","answer":"' + b"x" * (1024 - 28) + b'"}'
    assert len(fits) == 1024
    for end in (b"\n", b"\r\n", b""):
        assert read_all(source_of(tmp_path, fits + end), limits=small).rejects == []
    outcome = read_all(source_of(tmp_path, b" " + fits + b"\r\n" + GOOD), limits=small)
    assert outcome.reasons == ["too_long"]
    assert outcome.rejects[0].source_bytes == 1025
    assert len(outcome.conversations) == 1


def test_batches_are_bounded_by_bytes_too(tmp_path: Path) -> None:
    outcome = read_all(source_of(tmp_path, (GOOD + b"\n") * 10), limits=Limits(max_batch_bytes=3 * len(GOOD)))
    assert [position.row_identifier for position in outcome.positions] == [3, 6, 9, 10]


def test_one_broken_element_costs_itself_only(tmp_path: Path, tiny_chunks: None) -> None:
    broken = [b'{"question": "no end, "answer": "a"}', b'{"question": [1}', b'{"question": 1]}', b"}", b""]
    for bad in broken:
        content = b"[" + GOOD + b",\n" + bad + b",\n" + GOOD + b"]"
        outcome = read_all(source_of(tmp_path, content, "data.json"))
        assert (outcome.reasons, len(outcome.conversations)) == (["broken_json"], 2), bad


@pytest.mark.parametrize("content", [b'{"a": 1}', b"", b"3"])
def test_file_without_an_array_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceBroken, match=r"data\.json"):
        read_all(source_of(tmp_path, content, "data.json"))


@pytest.mark.parametrize(
    ("content", "rejects"),
    [
        (b"[", 1),
        (b"[1", 1),
        (b'["a', 1),
        (b"[1,", 2),
        (b"[1] 2", 2),
        (b"[1]]", 2),
        (b"[{]}", 1),
        (b"[" * 100_000, 1),
        (b"[" + GOOD, 1),
        (b"[" + GOOD + b",\n" + GOOD[:-3], 1),
        (b"[" + GOOD + b"]\n[" + GOOD + b"]", 0),
        (b"[" + GOOD + b"] trailing", 1),
    ],
    ids=lambda content: repr(content)[:24],
)
def test_what_an_array_lacks_is_a_reject(tmp_path: Path, content: bytes, rejects: int) -> None:
    outcome = read_all(source_of(tmp_path, content, "data.json"))
    assert (len(outcome.rejects), len(outcome.conversations)) == (rejects, content.count(GOOD))


def numbered(style: str, count: int) -> list[bytes]:
    """Elements of an array in one of the layouts in which arrays are written."""
    found = []
    for number in range(count):
        value = {
            "messages": [
                {"role": "user", "content": f"question {number}, [a] {{b}}?"},
                {"role": "assistant", "content": f'answer "{number}"'},
            ],
            "meta": {"number": number},
        }
        text = json.dumps(value, indent=2 if style == "pretty" else None)
        found.append(text.replace("\n", "\n  ").encode())
    return found


BETWEEN = {
    "pretty": (b"[\n  ", b",\n  ", b"\n]\n"),
    "lines": (b"[\n", b",\n", b"\n]"),
    "one line": (b"[", b", ", b"]"),
    "wrapped": (b'{"version": 1, "data": [', b", ", b"]}"),
}
DAMAGE: dict[str, Any] = {
    "brace": lambda raw: raw[:-1].rstrip(),
    "brackets": lambda raw: raw[: raw.rindex(b"]")].rstrip(),
    "list": lambda raw: raw.replace(b"]", b"", 1),
    "quote": lambda raw: raw.replace(b'?"', b"?", 1),
    "opening quote": lambda raw: raw.replace(b'"question', b"question", 1),
    "line end": lambda raw: raw.replace(b"question", b"ques\ntion", 1),
    "half": lambda raw: raw[: len(raw) // 2],
    "one bracket more": lambda raw: raw + b"}",
    "backslash": lambda raw: raw.replace(b'?"', b'?\\"', 1),
}


def numbers_of(records: list[Any]) -> set[int]:
    found = set()
    for record in records:
        try:
            value = json.loads(record.raw)
        except ValueError:
            continue
        if isinstance(value, dict) and isinstance(value.get("meta"), dict):
            number = value["meta"].get("number")
            if isinstance(number, int):  # a damage may put anything there
                found.add(number)
    return found


@pytest.mark.parametrize("head", [1 << 20, 800])
@pytest.mark.parametrize("chunk", [7, 1 << 18])
@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("style", BETWEEN)
def test_a_broken_element_costs_that_element(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: str, kind: str, chunk: int, head: int
) -> None:
    monkeypatch.setattr(arrays, "_CHUNK", chunk)
    monkeypatch.setattr(arrays, "_HEAD", head)
    opening, between, end = BETWEEN[style]
    for bad in ({4}, {0}, {9}, {3, 4}, {0, 2, 5}):
        raw = [DAMAGE[kind](e) if n in bad else e for n, e in enumerate(numbered(style, 10))]
        with RecordReader(source_of(tmp_path, opening + between.join(raw) + end, "data.json")) as reader:
            found = list(reader.records())
        assert numbers_of(found) >= set(range(10)) - bad, (bad, kind)
        assert len(found) <= 10 + 2 * len(bad)


@pytest.mark.parametrize("style", BETWEEN)
def test_a_lost_comma_costs_nothing(tmp_path: Path, style: str) -> None:
    opening, between, end = BETWEEN[style]
    raw = numbered(style, 6)
    lost = between.replace(b",", b"")
    content = opening + between.join(raw[:3]) + lost + between.join(raw[3:]) + end
    with RecordReader(source_of(tmp_path, content, "data.json")) as reader:
        found = list(reader.records())
    assert numbers_of(found) == set(range(6))
    assert len(found) == 6


@many
@given(
    data=st.data(),
    style=st.sampled_from(sorted(set(BETWEEN) - {"wrapped"})),  # inside of an object other bytes belong to no element
    chunk=st.sampled_from([5, 64, 1 << 18]),
    head=st.sampled_from([600, 1 << 20]),
)
def test_every_byte_of_a_damaged_array_is_accounted_for(
    tmp_path: Path, data: st.DataObject, style: str, chunk: int, head: int
) -> None:
    """What is not an element is white space, a comma or a bracket; at most two elements are lost for each damage."""
    opening, between, end = BETWEEN[style]
    content = bytearray(opening + between.join(numbered(style, 8)) + end)
    damages = data.draw(st.integers(1, 3))
    for _ in range(damages):
        place = data.draw(st.integers(1, len(content) - 1))
        size = data.draw(st.integers(0, 12))
        content[place : place + size] = data.draw(
            st.sampled_from([b"", b'"', b"{", b"]", b"}", b"\n", b",", b"\\", b"x"])
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "_CHUNK", chunk)
        patch.setattr(arrays, "_HEAD", head)
        with RecordReader(source_of(tmp_path, bytes(content), "data.json")) as reader:
            found = list(reader.records())
    place = 0
    for record in found:
        assert record.source_offset >= place
        assert not content[place : record.source_offset].strip(b" \t\r\n,[]")
        assert content[record.source_offset : record.source_offset + record.size].startswith(record.raw)
        place = record.source_offset + record.size
    assert not content[place:].strip(b" \t\r\n,[]")
    assert head < len(content) or len(numbers_of(found)) >= 8 - 2 * damages


@pytest.mark.parametrize("style", BETWEEN)
@pytest.mark.parametrize("seed", range(3))
def test_damage_in_a_long_array_costs_what_it_touches(tmp_path: Path, style: str, seed: int) -> None:
    chance = random.Random(f"{style} {seed}")
    opening, between, end = BETWEEN[style]
    content = bytearray(opening + between.join(numbered(style, 1000)) + end)
    damages = 5
    for _ in range(damages):  # one or two elements each: what is removed may lie across a border
        place = chance.randrange(len(opening), len(content) - len(end))
        size = chance.choice((0, 1, 1, 20))
        content[place : place + size] = chance.choice(
            (b"", b'"', b"{", b"]", b"}", b"[", b"\n", b",", b":", b"\\", b"\xff")
        )
    with RecordReader(source_of(tmp_path, bytes(content), "data.json")) as reader:
        found = list(reader.records())
    assert len(numbers_of(found)) >= 1000 - 2 * damages and len(found) <= 1000 + 2 * damages


def drawn_element(chance: random.Random, shape: str, number: int) -> dict[str, Any]:
    def text() -> str:
        said = (
            "plain",
            "[brackets] {x}",
            'a "quote"',
            "two\nlines",
            "back\\slash",
            "水",
            "",
            "a, b: c",
            "}{",
            "],[",
            '"]}',
        )
        return f"{chance.choice(said)} {number}"

    if shape == "flat":
        return {"n": number, "instruction": text(), "input": text(), "output": text()}
    if shape == "messages":
        roles = ("user", "assistant") * chance.randint(1, 3)
        return {"messages": [{"role": role, "content": text()} for role in roles], "n": number}
    if shape == "tools":
        talk = [{"from": "human", "value": text()}, {"from": "gpt", "value": text()}]
        return {"id": f"x{number}", "n": number, "conversations": talk, "tools": json.dumps([{"name": "f"}])}
    if shape == "deep":
        return {"a": {"b": {"c": [[{"d": text()}], [1, 2, {"e": None}]]}}, "n": number}
    return drawn_element(chance, chance.choice(("flat", "messages", "tools", "deep")), number)


@pytest.mark.parametrize("style", ["pretty", "lines", "one line", "compact"])
def test_one_broken_element_of_any_shape_costs_itself_alone(tmp_path: Path, style: str) -> None:
    """Random arrays of the field's shapes, also mixed ones, in which one element lost, got or changed some bytes anywhere."""
    opening, between, end = BETWEEN.get(style, (b"[", b",", b"]"))
    for seed in range(60):
        chance = random.Random(f"{style} {seed}")
        shape = chance.choice(("flat", "messages", "tools", "deep", "mixed"))
        raw = []
        for number in range(chance.randint(6, 20)):
            separators = (",", ":") if style == "compact" else None
            indent = 2 if style == "pretty" else None
            told = json.dumps(drawn_element(chance, shape, number), indent=indent, separators=separators)
            raw.append(told.replace("\n", "\n  ").encode())
        bad = chance.randrange(len(raw))
        broken, place = bytearray(raw[bad]), chance.randrange(len(raw[bad]))
        taken = chance.choice((0, 1, 1, 2, 9, len(broken)))
        put = chance.choice(
            (b"", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\n", b"\\", b"\xff", b"\0", b"//", b"null")
        )
        broken[place : place + taken] = put
        content = opening + between.join([*raw[:bad], bytes(broken), *raw[bad + 1 :]]) + end
        with RecordReader(source_of(tmp_path, content, "data.json")) as reader:
            found = list(reader.records())
        read = set()
        for record in found:
            with contextlib.suppress(ValueError):
                value = json.loads(record.raw)
                read |= {value["n"]} if isinstance(value, dict) and isinstance(value.get("n"), int) else set()
        assert read >= set(range(len(raw))) - {bad}, (seed, shape, bad, bytes(broken))


def test_a_list_that_is_closed_before_its_time_inside_of_an_object_goes_on(tmp_path: Path) -> None:
    opening, between, end = BETWEEN["wrapped"]
    raw = numbered("wrapped", 40)
    raw[7] = raw[7].replace(b'"messages"', b'""messages"')
    with RecordReader(source_of(tmp_path, opening + between.join(raw) + end, "data.json")) as reader:
        found = list(reader.records())
    assert numbers_of(found) >= set(range(40)) - {7} and len(found) <= 42


def test_text_that_shows_an_element_is_no_element(tmp_path: Path) -> None:
    inner = json.dumps({"messages": [{"role": "user", "content": "x"}], "meta": {"number": 1}})
    rows = [{"messages": [{"role": "user", "content": inner * 3}], "meta": {"number": n}} for n in range(5)]
    for indent in (None, 1):
        content = json.dumps(rows, indent=indent).encode()
        with RecordReader(source_of(tmp_path, content, "data.json")) as reader:
            found = list(reader.records())
        assert [json.loads(record.raw) for record in found] == rows


def test_array_below_a_key_is_read_and_a_second_list_is_told(tmp_path: Path) -> None:
    content = b'{"version": "1", "tags": ["a"], "data": [' + GOOD + b",\n" + GOOD + b'], "count": 2}'
    outcome = read_all(source_of(tmp_path, content, "data.json"))
    assert (len(outcome.conversations), outcome.rejects) == (2, [])
    outcome = read_all(source_of(tmp_path, content.replace(b"2}", b'[{"x": 1}]}'), "data.json"))
    assert (len(outcome.conversations), len(outcome.rejects)) == (2, 1)
    assert "count" in outcome.rejects[0].detail


def test_lists_that_look_like_the_first_one_are_read_on_from_everywhere(tmp_path: Path, tiny_chunks: None) -> None:
    other = b'"authors": [{"name": "Ann"}], "people": [{"x": 1}]'
    content = (
        b'{"d": {"train": [' + GOOD + b"," + GOOD + b'], "n": 2, ' + other + b', "test": [' + GOOD + b']}, "end": 1}'
    )
    with RecordReader(source_of(tmp_path, content, "data.json")) as reader:
        found = list(reader.records())
    assert [record.raw == GOOD for record in found] == [True, True, False, True]
    assert "people" in found[2].detail and found[2].size == len(b'[{"x": 1}]')
    for number, record in enumerate(found, start=1):
        with RecordReader(source_of(tmp_path, content, "data.json"), record.next_position) as reader:
            again = [record._replace(value=None) for record in reader.records()]
        assert again == [record._replace(value=None) for record in found[number:]]


@pytest.mark.parametrize("cut", [1, 12, 26])
def test_an_object_around_the_array_that_is_cut_is_a_reject(tmp_path: Path, cut: int) -> None:
    content = b'{"train": [' + GOOD + b'], "note": "the end of it"}'
    outcome = read_all(source_of(tmp_path, content[:-cut], "data.json"))
    assert (len(outcome.conversations), len(outcome.rejects)) == (1, 1)


@pytest.mark.parametrize(
    ("content", "rejects"),
    [
        (b"[" + GOOD + b",\n" + GOOD + b",\n]", 0),
        (b"[" + GOOD + b" junk ,\n" + GOOD + b"]", 1),
        (b"[" + GOOD + b" // why?\n," + GOOD + b" ... ]", 2),
        (b"[" + GOOD + b" junk\n" + GOOD + b"]", 1),
    ],
)
def test_what_stands_behind_a_whole_element_costs_itself_only(
    tmp_path: Path, tiny_chunks: None, content: bytes, rejects: int
) -> None:
    outcome = read_all(source_of(tmp_path, content, "data.json"))
    assert (len(outcome.conversations), len(outcome.rejects)) == (2, rejects)


@pytest.mark.parametrize("tail", [b' then, he said"}', b' "more": 1}', b'")"}', b"} x: [1]"])
def test_a_quote_too_many_makes_no_half_of_an_element(tmp_path: Path, tail: bytes) -> None:
    outcome = read_all(source_of(tmp_path, b"[" + GOOD + tail + b",\n" + GOOD + b"]", "data.json"))
    assert len(outcome.conversations) == 1
    assert outcome.rejects


@pytest.mark.parametrize(
    "content",
    [
        b"[" + b'{"a":[{"a":1},' * 15_000,
        b"[" + b'{"a":"x},' * 15_000,
        b"[\n" + b'{"a":[\n' * 15_000,
        b"[" + b"[{" * 30_000,
        b'[{"a":1},' + b'{"a' * 30_000,
        b"[" + b'{"b":[' * 15_000 + b"x",
        b"[" + b'"\\' * 100_000,
    ],
    ids=lambda content: repr(content[:16]),
)
def test_work_on_hostile_arrays_grows_with_their_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    worked = 0

    def counted(buffer: bytes, place: int, stop: int) -> Any:
        nonlocal worked
        try:
            end, value = decode_at(buffer, place, stop)
        except Unfinished:
            worked += stop - place
            raise
        except ValueError as error:
            worked += getattr(error, "pos", min(stop - place, 8192))
            raise
        worked += end - place
        return end, value

    monkeypatch.setattr(arrays, "decode_at", counted)
    per_byte = []
    for part in (content[: len(content) // 4], content):
        worked = 0
        with RecordReader(source_of(tmp_path, part, "data.json")) as reader:
            list(reader.records())
        per_byte.append(worked / len(part))
    assert per_byte[1] <= 2 * per_byte[0] + 80


def test_many_members_and_padding_are_one_gzip_file(tmp_path: Path) -> None:
    packed = gzip.compress(GOOD + b"\n") + gzip.compress(b"") + gzip.compress(GOOD) + b"\0" * 700
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(packed)
    outcome = read_all(Source(file, Container.LINES, Compression.GZIP))
    assert len(outcome.conversations) == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "tail"])
def test_damaged_gzip_is_refused_as_a_file(tmp_path: Path, damage: str) -> None:
    packed = bytearray(gzip.compress((GOOD + b"\n") * 1000))
    if damage == "cut":
        del packed[-9:]
    elif damage == "flipped":
        packed[-6] ^= 0xFF
    else:
        packed += b"tail"
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(packed)
    with pytest.raises(SourceBroken, match=r"a\.jsonl\.gz"):
        read_all(Source(file, Container.LINES, Compression.GZIP))


def test_gzip_bomb_is_stopped_early(tmp_path: Path) -> None:
    file = tmp_path / "bomb.jsonl.gz"
    with gzip.open(file, "wb", 9) as out:
        for _ in range(100):
            out.write(b"\0" * (1 << 20))
    tracemalloc.start()
    with pytest.raises(SourceBroken, match="expands more than 200-fold"):
        read_all(Source(file, Container.LINES, Compression.GZIP), limits=Limits(max_record_bytes=1 << 20))
    assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    tracemalloc.stop()


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.json", "a.json.gz"])
def test_identity_is_that_of_the_file_whatever_the_start(tmp_path: Path, name: str) -> None:
    content = (GOOD + b"\n") * 9 if "jsonl" in name else b"[" + b",".join([GOOD] * 9) + b"]\n"
    source = source_of(tmp_path, content, name)
    raw = source.path.read_bytes()
    expected = Identity(hashlib.sha256(raw).hexdigest(), len(raw))
    assert identify(source.path) == expected
    for position in read_all(source, 2).positions:
        with RecordReader(source, position) as reader:
            list(reader.records())
            assert reader.identity() == expected


@pytest.mark.parametrize("change", [b"x", b""], ids=["grown", "cut"])
def test_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, change: bytes) -> None:
    source = source_of(tmp_path, (GOOD + b"\n") * 60_000)
    source = source._replace(identity=identify(source.path))
    seen = 0

    def read_and_change() -> None:
        nonlocal seen
        from corpus_pipeline.stages.ingest.conversations import read_batches
        from corpus_pipeline_tests.ingest.files import QA

        for batch in read_batches(source, QA, 1000):
            if seen == 0:
                with source.path.open("r+b") as file:
                    file.truncate(1_700_000)
                    file.seek(0, 2)
                    file.write(change)
            seen += batch.lines

    with pytest.raises(SourceChanged, match="changed since it was registered"):
        read_and_change()
    assert seen < 60_000


def test_position_behind_the_end_of_a_shorter_file_is_refused(tmp_path: Path) -> None:
    source = source_of(tmp_path, (GOOD + b"\n") * 10)
    position = read_all(source, 5).positions[0]
    source.path.write_bytes(GOOD)
    with pytest.raises(SourceBroken, match="ends before byte"):
        read_all(source, start=position)


def test_deep_records_are_rejected_one_by_one(tmp_path: Path) -> None:
    deep: Any = b'{"question":' + b"[" * 100_000
    outcome = read_all(source_of(tmp_path, GOOD + b"\n" + deep + b"\n" + GOOD))
    assert (outcome.reasons, len(outcome.conversations)) == (["too_deep"], 2)


def test_a_first_key_with_a_damaged_escape_costs_its_element_alone(tmp_path: Path) -> None:
    content = b'[\n {\n  "\\messages": 1\n },\n {\n  "messages": 2\n },\n {\n  "messages": 3\n }\n]\n'
    with RecordReader(source_of(tmp_path, content, "data.json")) as reader:
        found = [record.raw for record in reader.records()]
    assert [b'"messages": 2' in raw for raw in found] == [False, True, False] and b'"messages": 3' in found[-1]
