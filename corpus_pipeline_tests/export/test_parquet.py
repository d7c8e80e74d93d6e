"""Parquet in and out: what went in as JSON lines comes back from columns."""

from __future__ import annotations

import datetime
import json
import sys
from decimal import Decimal

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from corpus_pipeline.errors import SettingMissing, StopJob, UsageError
from corpus_pipeline.stages.export.parquet import require, write_parquet
from corpus_pipeline.stages.ingest.conversations import read_batches
from corpus_pipeline.stages.ingest.identity import Identity, identify
from corpus_pipeline.stages.ingest.records import RecordReader
from corpus_pipeline.stages.ingest.sniff import sniff
from corpus_pipeline.stages.ingest.source import Container, Limits, Position, Source, SourceBroken
from corpus_pipeline.states import Stage
from corpus_pipeline_tests import small_corpus
from corpus_pipeline_tests.export.making import rows, spooled

CALL = {"id": "c1", "type": "function", "function": {"name": "kettle", "arguments": '{"cups": 2}'}}
CHATS = [
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"How many cups, {n}?"},
                  {"role": "assistant", "content": f"About {n} cups.", "weight": n % 2}], "topic": f"tea {n}"}
    for n in range(1, 40)
] + [
    {"messages": [{"role": "user", "content": "Boil 水 for two."}, {"role": "assistant", "content": None, "tool_calls": [CALL]},
                  {"role": "tool", "tool_call_id": "c1", "content": "done"}, {"role": "assistant", "content": "It boils."}]}
]  # fmt: skip


def texts(source, form, **options):
    found = [c for batch in read_batches(source, form, **options) for c in batch.conversations]
    return [(c.turns, c.tools) for c in found]


@pytest.fixture
def file(tmp_path):
    """CHATS as Parquet, in several groups of rows."""
    path = tmp_path / "chats.parquet"
    parquet.write_table(arrow.Table.from_pylist(CHATS), path, row_group_size=7)
    return path


def test_rows_of_columns_are_the_rows_of_lines_with_their_nested_messages(file, tmp_path):
    found = sniff(file)
    assert (found.source.container, found.format.name) == (Container.PARQUET, "openai_sft")
    lines = sniff(small_corpus.write_jsonl(tmp_path / "chats.jsonl", CHATS))
    assert texts(found.source, found.format) == texts(lines.source, lines.format)
    assert len(texts(found.source, found.format)) == 40


def test_reading_goes_on_behind_any_row(file):
    source = Source(file, Container.PARQUET, identity=identify(file))
    with RecordReader(source) as reader:
        every = list(reader.records())
    assert [r.row_identifier for r in every] == list(range(1, 41))
    for at in (1, 6, 7, 8, 39, 40):
        with RecordReader(source, every[at - 1].next_position) as reader:
            assert list(reader.records()) == every[at:]


def test_another_file_and_a_broken_one_are_noticed(file, tmp_path):
    source = Source(file, Container.PARQUET, identity=Identity("ab" * 32, 7))
    with RecordReader(source) as reader, pytest.raises(StopJob, match="changed since it was registered"):
        list(reader.records())
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(UsageError, match=r"cut\.parquet: is no whole Parquet file"):
        sniff(cut)
    with RecordReader(Source(cut, Container.PARQUET), Position()) as reader, pytest.raises(SourceBroken):
        list(reader.records())


def test_values_that_json_does_not_have(tmp_path):
    table = arrow.table({
        "question": ["a", "b", "c", "d"],
        "answer": ["1", "2", "3", "4"],
        "when": [datetime.datetime(2026, 1, 2), None, None, None],
        "price": [None, Decimal("1.50"), None, None],
        "score": [0.5, None, float("nan"), None],
        "raw": [None, None, None, b"\x00"],
        "tags": arrow.array([[("k", "v")], None, None, None], arrow.map_(arrow.string(), arrow.string())),
    })  # fmt: skip
    parquet.write_table(table, tmp_path / "a.parquet")
    with RecordReader(Source(tmp_path / "a.parquet", Container.PARQUET), limits=Limits(max_record_bytes=100)) as reader:
        first, second, third, fourth = reader.records()
    assert json.loads(first.raw) == {
        "question": "a", "answer": "1", "when": "2026-01-02T00:00:00", "score": 0.5, "tags": {"k": "v"},
    }  # fmt: skip
    assert json.loads(second.raw) == {"question": "b", "answer": "2", "price": "1.50"}
    assert [record.problem for record in (third, fourth)] == ["non_finite_number", "wrong_shape"]


def test_an_export_as_parquet_comes_back_as_the_same_rows(tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: r\naugment: {strategies: []}\nexport: {parquet: true}\nclean: {dedup: {near: false}}\n")
    with small_corpus.opened(tmp_path / "home") as corpus:
        corpus.add(small_corpus.write_jsonl(tmp_path / "chats.jsonl", CHATS), recipe=str(recipe))
        small_corpus.run_path(corpus, "chats")
        folder = tmp_path / "home" / "exports" / "chats"
        listed = {entry["role"]: entry for entry in corpus.target.manifest("chats")["files"]}
        assert listed["parquet"]["alias"] == "chats.parquet" and listed["parquet"]["lines"] == 40
        assert corpus.target.verify("chats") == []
        assert [path.name for path in (tmp_path / "home" / "work").iterdir() if path.is_file()] == []
        corpus.add(folder / "chats.parquet", name="again", recipe=str(recipe))
        small_corpus.run_path(corpus, "again")
        before, after = (corpus.rows(name, Stage.EXPORT, limit=100).rows for name in ("chats", "again"))
        assert [row["turns"] for row in before] == [row["turns"] for row in after] and len(after) == 40
        exported = [(folder.parent / name / f"{name}.jsonl").read_text().splitlines() for name in ("chats", "again")]
        assert [list(map(json.loads, lines)) for lines in exported] == [CHATS, CHATS]


def test_columns_of_several_types_are_refused_in_words(tmp_path):
    data = spooled(tmp_path, rows([{"a": "text"}, {"a": ["list"]}]))
    with pytest.raises(StopJob, match=r"export\.parquet"):
        write_parquet(data, tmp_path, "mixed")
    assert len(list(tmp_path.glob(".*"))) == 1  # the JSONL part


EXACT = [
    ("big", ["7", "123456789012345678901234567890", "null"], ["7", "123456789012345678901234567890", None], 1),
    ("unsigned", ["18446744073709551615"], ["18446744073709551615"], 1),
    ("digits", ["0.5", "0.1000000000000000055511151231257827"], ["0.5", "0.1000000000000000055511151231257827"], 1),
    ("huge", ["1E5", "1e400"], ["1E5", "1e400"], 1),
    ("wide", ["9007199254740993", "1.5"], ["9007199254740993", "1.5"], 1),
    ("edges", ["9223372036854775807", "-9223372036854775808"], [2**63 - 1, -(2**63)], 0),
    ("notation", ["2.50", "1E5", "0.12345678901234568"], [2.5, 1e5, 0.12345678901234568], 0),
    ("whole", ["-0", "5"], [0, 5], 0),
]


@pytest.mark.parametrize(("name", "numbers", "held", "counted"), EXACT, ids=[case[0] for case in EXACT])
@pytest.mark.parametrize("nested", [False, True])
def test_no_number_is_rounded_and_columns_of_texts_are_counted(tmp_path, name, numbers, held, counted, nested):
    around = '{"m": [{"n": %s}]}' if nested else '{"n": %s}'
    written = write_parquet(spooled(tmp_path, [(around % number).encode() for number in numbers]), tmp_path, name)
    found = parquet.read_table(written.facts.path).to_pylist()
    assert [row["m"][0]["n"] if nested else row["n"] for row in found] == held
    assert written.as_text == ({"m[].n" if nested else "n": counted} if counted else {})


def test_rows_that_columns_cannot_hold_are_refused_with_a_sentence(tmp_path):
    for lines in ([{"a": {}}], [{"a": 1}, {"a": {"b": 1}}], [{"a": 2**80}, {"a": "text"}, {"a": [1]}]):
        with pytest.raises(StopJob, match=r"Leave export\.parquet out"):
            write_parquet(spooled(tmp_path, rows(lines)), tmp_path, "none")


def test_a_key_that_comes_late_and_a_file_without_rows(tmp_path):
    late = write_parquet(
        spooled(tmp_path, rows([*[{"a": 1}] * 20_000, {"a": None, "b": {"c": [1.5]}}])), tmp_path, "late"
    ).facts
    found = parquet.read_table(late.path).to_pylist()
    assert found[0] == {"a": 1, "b": None} and found[-1] == {"a": None, "b": {"c": [1.5]}} and late.lines == len(found)
    empty = write_parquet(spooled(tmp_path, []), tmp_path, "empty").facts
    assert parquet.read_table(empty.path).num_rows == 0


def test_without_pyarrow_the_extra_is_named(file, monkeypatch):
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=r"corpus-pipeline\[parquet\]"):
        sniff(file)
    with pytest.raises(SettingMissing, match=r"corpus-pipeline\[parquet\]"):
        require()
