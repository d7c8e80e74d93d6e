"""Lines and elements: numbered, bounded, conserved, and the same again from any position."""

from __future__ import annotations

import gzip
import hashlib
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus_pipeline.errors import SourceChanged
from corpus_pipeline.stages.ingest import arrays
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
    assert [reject.detail for reject in outcome.rejects] == ["'answer' is missing", "'answer' is not text"]


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


@pytest.mark.parametrize(
    "content",
    [b"[", b"[1", b'["a', b"[1,", b"[1] 2", b"[1]]", b'{"a": 1}', b"", b"[{]}", b"[" * 100_000],
    ids=lambda content: repr(content[:12]),
)
def test_array_that_is_not_whole_is_refused_as_a_file(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceBroken, match=r"data\.json"):
        read_all(source_of(tmp_path, content, "data.json"))


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
