from __future__ import annotations

import json

import pytest

from corpus_pipeline.formats import by_name
from corpus_pipeline.model import FileId, conversation_id
from corpus_pipeline.stages.export.part import ExportPart, Mark
from corpus_pipeline.stages.export.selection import ExportRow, encode
from corpus_pipeline_tests.export.making import chat

OPENAI = by_name("openai_sft")
ALPACA = by_name("alpaca")


def row(record, number=1, origin="cleaned"):
    conversation = OPENAI.read(record, number, source_line=number)
    augmented = None if origin == "cleaned" else 100 + number
    return ExportRow(conversation_id(FileId(1), number), augmented, conversation, origin)


def test_rows_come_back_key_for_key_in_their_own_format():
    records = [chat("a", "b", note={"x": [1, None]}), chat("文", "字", "c", "d"), {"id": 7, **chat("q", "")}]
    batch = encode([row(record, n) for n, record in enumerate(records, 1)], OPENAI, OPENAI)
    assert [json.loads(line) for line in batch.lines] == records
    assert all(list(json.loads(line)) == list(record) for line, record in zip(batch.lines, records, strict=True))
    assert (batch.rows, batch.losses, batch.not_exportable) == ({"cleaned": 3}, {}, [])


def test_another_format_counts_its_losses_and_lists_what_it_cannot_hold():
    good = chat("a", "b", note=1)
    weighted = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]}
    unanswered = {"messages": [{"role": "user", "content": "a"}]}
    rows = [row(good, 1), row(weighted, 2, "paraphrase"), row(unanswered, 3, "paraphrase")]
    batch = encode(rows, OPENAI, ALPACA)
    assert batch.rows == {"cleaned": 1, "paraphrase": 1}
    assert batch.losses == {"weights": 1}
    assert batch.reasons == {"no_answer": 1}
    (listed,) = map(json.loads, batch.not_exportable)
    assert listed["reason"] == "no_answer" and listed["detail"]
    assert (listed["source_line"], listed["origin"], listed["augmented_id"]) == (3, "paraphrase", 103)
    assert listed["turns"] == [{"prompt": "a"}]


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_files_and_counts_are_the_same_after_a_resume(tmp_path, compression):
    records = [chat("a", "b") if n % 3 else {"messages": [{"role": "user", "content": "a"}]} for n in range(30)]
    batches = [
        encode([row(record, start + n + 1) for n, record in enumerate(records[start : start + 10])], OPENAI, ALPACA)
        for start in (0, 10, 20)
    ]
    whole = ExportPart.start(tmp_path, "whole", compression)
    cut = ExportPart.start(tmp_path, "cut", compression)
    for number, batch in enumerate(batches):
        for part in (whole, cut):
            part.add(batch)
        kept = (whole.mark(), cut.mark())[1].to_json()
        if number == 1:
            cut.add(batches[0])  # beyond the mark: it never happened
            cut.close()
            resumed = ExportPart.resume(tmp_path, Mark.from_json(kept), compression)
            assert resumed is not None
            cut = resumed
    expected, found = whole.finish(), cut.finish()
    assert found[2:] == expected[2:] == ({"cleaned": 20}, {}, {"no_answer": 10}, {})
    assert found.data[1:] == expected.data[1:]
    assert found.not_exportable[1:] == expected.not_exportable[1:]
    for part in (whole, cut):
        part.discard()
    assert list(tmp_path.iterdir()) == []


def test_when_one_of_the_parts_is_lost_both_start_over(tmp_path):
    part = ExportPart.start(tmp_path, "notes")
    mark = part.mark()
    part.close()
    (tmp_path / mark.not_exportable.part).unlink()
    assert ExportPart.resume(tmp_path, mark) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"data": [1]}', "null"])
def test_a_damaged_mark_is_a_value_error(text):
    with pytest.raises(ValueError):
        Mark.from_json(text)
