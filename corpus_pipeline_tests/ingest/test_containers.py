"""The same rows out of every container and every packing, from every place, in bounded memory."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as arrow
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as parquet
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus_pipeline.errors import UsageError
from corpus_pipeline.stages.ingest.identity import identify
from corpus_pipeline.stages.ingest.records import RecordReader
from corpus_pipeline.stages.ingest.sniff import sniff
from corpus_pipeline.stages.ingest.source import Compression, Container, Limits, Source, SourceBroken
from corpus_pipeline_tests.ingest.files import read_all

ROWS = [{"question": f'Which {n}?\nSay, "please"', "answer": f"Réponse; {n},\tso"} for n in range(7)]


def zipped(content: bytes, name: str = "inner.csv") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._inner.csv", b"x")
        archive.writestr(name, content)
    return out.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor().compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


def text(kind: str) -> bytes:
    if kind == ".jsonl":
        return b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)
    if kind == ".json":
        return json.dumps({"version": 2, "rows": ROWS}, indent=1).encode()
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t" if kind == ".tsv" else ";" if kind == ".semicolon.csv" else ",")
    writer.writerow(ROWS[0])
    writer.writerows(row.values() for row in ROWS)
    return out.getvalue().encode("utf-8-sig" if kind == ".semicolon.csv" else "utf-8")


def columnar(path: Path) -> None:
    table = arrow.Table.from_pylist(ROWS)
    if path.suffix == ".parquet":
        parquet.write_table(table, path, row_group_size=2)
    elif path.suffix == ".feather":
        feather.write_feather(table, path, chunksize=3)
    else:
        with ipc.new_stream(path, table.schema) as out:
            out.write_table(table, max_chunksize=2)


def question_answers(source: Source) -> None:
    """The rows come out of it, whatever the place from which reading goes on, and its bytes are known at its end."""
    whole = read_all(source, 2)
    assert [(c.turns[0].prompt, c.turns[0].response) for c in whole.conversations] == [tuple(r.values()) for r in ROWS]
    assert not whole.rejects
    for done, position in enumerate(whole.positions, start=1):
        rest = read_all(source._replace(identity=identify(source.path)), 2, position)
        assert [c.row_identifier for c in rest.conversations] == [
            c.row_identifier for c in whole.conversations if c.row_identifier > position.row_identifier
        ]
        assert rest.conversations == whole.conversations[done * 2 :]


@pytest.mark.parametrize("kind", [".jsonl", ".json", ".csv", ".semicolon.csv", ".tsv"])
@pytest.mark.parametrize("packed", [*PACK, ".zip"])
def test_text_in_every_packing(tmp_path: Path, kind: str, packed: str) -> None:
    content = text(kind)
    path = tmp_path / f"rows{kind}{packed}"
    path.write_bytes(zipped(content, f"inner{kind}") if packed == ".zip" else PACK[packed](content))
    found = sniff(path)
    assert (found.format.name, found.records) == ("question_answer", len(ROWS))
    question_answers(found.source)


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".arrow"])
def test_columns(tmp_path: Path, suffix: str) -> None:
    columnar(tmp_path / f"rows{suffix}")
    found = sniff(tmp_path / f"rows{suffix}")
    assert found.source.container is (Container.PARQUET if suffix == ".parquet" else Container.ARROW)
    question_answers(found.source)
    (tmp_path / "cut").write_bytes((tmp_path / f"rows{suffix}").read_bytes()[:-40])
    with pytest.raises((UsageError, SourceBroken), match="whole"):
        read_all(sniff(tmp_path / "cut").source)


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL), max_size=8), separator=st.sampled_from(",\t"), cut=st.integers(1, 4))
def test_what_a_table_writer_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], separator: str, cut: int
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerows([("question", "answer"), *rows])
    path = tmp_path_factory.mktemp("table") / "rows.csv"
    path.write_bytes(out.getvalue().encode())
    source = Source(path, Container.TSV if separator == "\t" else Container.CSV)
    outcome = read_all(source, cut)
    assert [(c.turns[0].prompt, c.turns[0].response) for c in outcome.conversations] == rows
    for position in outcome.positions:
        rest = read_all(source, cut, position)
        assert rest.conversations == outcome.conversations[position.row_identifier :]


def read_table(tmp_path: Path, content: bytes, kind: Container = Container.CSV, **limits: int) -> tuple[list, list]:
    path = tmp_path / "table"
    path.write_bytes(content)
    outcome = read_all(Source(path, kind), limits=Limits(**limits))
    for reject in outcome.rejects:
        place = reject.source_offset
        assert content[place : place + reject.source_bytes].startswith(reject.raw)
    return [c.turns[0].prompt for c in outcome.conversations], [r.reason.value for r in outcome.rejects]


def test_a_broken_row_of_a_table_costs_its_first_line_only(tmp_path: Path) -> None:
    head = b"question,answer\n"
    good = b"".join(b"q%d,a\n" % n for n in range(500))
    assert len(read_table(tmp_path, head + b'"never closed,a\n' + good)[0]) == 500
    assert read_table(tmp_path, head + b'"never closed,a\n' + b'"q","a"\n' * 3)[0] == ["q"] * 3
    assert read_table(tmp_path, head + b'"said "hi",\nfoo",b\nq,a\n') == (["q"], ["broken_json", "broken_json"])
    assert read_table(tmp_path, head + b"one\nq,a,more\nq,a,,\n\nq,a") == (["q", "q"], ["wrong_shape"] * 2)
    assert read_table(tmp_path, head + b'"a\n\xff",b\nq,a\n') == (["q"], ["invalid_utf8"])
    long = b"x" * 300 + b",a\n"
    assert read_table(tmp_path, head + long + b"q,a\n", max_record_bytes=100) == (["q"], ["too_long"])
    assert len(read_table(tmp_path, head + b'"open,a\n' + good, max_record_bytes=100)[0]) == 500


def test_tabs_may_be_meant_without_quotes(tmp_path: Path) -> None:
    rows = b'question\tanswer\n"Yes" she said\ta\n"q"\tb\n"open\tc\n'
    assert read_table(tmp_path, rows, Container.TSV) == (['"Yes" she said', "q", '"open'], [])


@pytest.mark.parametrize("written", [json.dumps, repr])
def test_cells_hold_lists_of_messages_as_json_or_as_python_prints_them(
    tmp_path: Path, written: Callable[[object], str]
) -> None:
    messages = [{"role": "user", "content": "It's [1]"}, {"role": "assistant", "content": "[2]"}]
    out = io.StringIO()
    csv.writer(out).writerows([("messages", "note"), (written(messages), "[3]")])
    path = tmp_path / "chats.csv"
    path.write_text(out.getvalue())
    found = sniff(path)
    with RecordReader(found.source) as reader:
        assert [json.loads(record.raw) for record in reader.records()] == [{"messages": messages, "note": "[3]"}]


@pytest.mark.parametrize(
    ("content", "words"), [(b"a,a\n1,2\n", "two columns"), (b'"a,b\n', "names the columns cannot")]
)
def test_a_table_without_usable_names_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(UsageError, match=words):
        sniff(tmp_path / "t.csv")


def test_archives_of_many_files_and_workbooks_are_called_by_their_name(tmp_path: Path) -> None:
    for names, words in (
        (("a.jsonl", "b.jsonl"), r"2 files \(a\.jsonl, b\.jsonl\)"),
        (("[Content_Types].xml", "xl/a"), "Excel"),
    ):
        with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
            for name in names:
                archive.writestr(name, b"x")
        with pytest.raises(UsageError, match=words):
            sniff(tmp_path / "t.zip")


OUTSIDE = [
    "../../escape.csv",
    "/tmp/escape.csv",
    "..\\..\\escape.csv",
    "C:\\escape.csv",
    "./../a/../escape.csv",
    "x" * 9000 + ".csv",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_in_an_archive_leads_nowhere(tmp_path: Path, name: str) -> None:
    """Nothing is unpacked to the disk: the name of the one file says of which kind it is, and no more."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    path = folder / "rows.zip"
    path.write_bytes(zipped(text(".csv"), name))
    assert len(read_all(sniff(path).source).conversations) == len(ROWS)
    path.write_bytes(zipped(text(".csv"), f"{name}\0.jsonl"))  # two readers of one name
    assert len(read_all(sniff(path).source).conversations) == len(ROWS)
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == [path]


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.jsonl"
    secret.write_bytes(text(".jsonl"))
    link = zipfile.ZipInfo("rows.jsonl")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr(link, str(secret))
    with pytest.raises(SourceBroken, match="of a link"):
        read_all(Source(tmp_path / "t.zip", Container.LINES, Compression.ZIP))
    with pytest.raises(UsageError, match="of a link"):
        sniff(tmp_path / "t.zip")


@pytest.mark.parametrize("kind", ["many names", "a record that lies", "a long record that lies"])
def test_a_table_of_contents_without_end_is_not_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "t.zip"
    if kind == "many names":
        with zipfile.ZipFile(path, "w") as archive:
            for number in range(6_000):
                archive.writestr(f"{number:0200}", b"")
    else:
        whole = zipped(text(".jsonl"), "rows.jsonl")
        at = whole.rindex(b"PK\5\6")
        end = bytearray(whole[at:])
        if kind == "a record that lies":
            struct.pack_into("<L", end, 12, 0xFFFFFFF0)  # its bytes, most of which are not there
            path.write_bytes(whole[:at] + end)
        else:
            long = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1 << 40, 1 << 45, 0)
            path.write_bytes(whole[:at] + long + struct.pack("<4sLQL", b"PK\6\7", 0, at, 1) + end)
    tracemalloc.start()
    try:
        with pytest.raises((SourceBroken, UsageError), match=r"table of contents|no whole zip"):
            sniff(path)
        with pytest.raises(SourceBroken, match=r"table of contents|no whole zip"):
            read_all(Source(path, Container.LINES, Compression.ZIP))
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packed", [".zst", ".bz2", ".xz", ".zip"])
def test_bombs_and_cuts_are_stopped(tmp_path: Path, packed: str) -> None:
    path = tmp_path / f"bomb.jsonl{packed}"
    bomb = b"\0" * (100 << 20)
    path.write_bytes(zipped(bomb, "a.jsonl") if packed == ".zip" else PACK[packed](bomb))
    kind = Compression({".zst": "zstd", ".bz2": "bzip2", ".xz": "xz", ".zip": "zip"}[packed])
    del bomb
    tracemalloc.start()
    with pytest.raises(SourceBroken, match="expands more than 200-fold"):
        read_all(Source(path, Container.LINES, kind), limits=Limits(max_record_bytes=1 << 20))
    assert tracemalloc.get_traced_memory()[1] < 160 << 20
    tracemalloc.stop()
    many = text(".jsonl") * 500
    for content, words in (
        (PACK.get(packed, zipped)(many)[:-50], ""),
        (PACK.get(packed, zipped)(many) + b"tail", "follow"),
    ):
        if packed == ".zip" and words:
            continue
        path.write_bytes(content)
        with pytest.raises(SourceBroken):
            read_all(Source(path, Container.LINES, kind))


def test_several_members_are_one_file(tmp_path: Path) -> None:
    for suffix in (".zst", ".bz2", ".xz"):
        path = tmp_path / f"a.jsonl{suffix}"
        path.write_bytes(PACK[suffix](text(".jsonl")) + PACK[suffix](b"") + PACK[suffix](text(".jsonl")))
        assert len(read_all(sniff(path).source).conversations) == 2 * len(ROWS)


@pytest.mark.parametrize("name", ["big.csv", "big.csv.zst", "big.arrow"])
def test_a_large_file_is_read_in_bounded_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    cell = "words and more of them " * 20
    if name == "big.arrow":
        table = arrow.Table.from_pylist([{"question": f"q{n}", "answer": cell} for n in range(2_000)])
        with ipc.new_stream(path, table.schema) as out:
            for _ in range(20):
                out.write_table(table, max_chunksize=500)
    else:
        rows = b"question,answer\n" + b"".join(b'"q%d","%s"\n' % (n, cell.encode()) for n in range(40_000))
        path.write_bytes(PACK[path.suffix if path.suffix == ".zst" else ""](rows))
        del rows
    source = sniff(path).source
    tracemalloc.start()
    with RecordReader(source) as reader:
        assert sum(1 for _ in reader.records()) == 40_000
    assert tracemalloc.get_traced_memory()[1] < 12 << 20
    tracemalloc.stop()
